"""The decoder of the Responses API: a test for each event, and for each way in which a response ends."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.ending import CUT_OFF, outcome_of
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.errors import (
    ContextLengthError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from lockbots_magic.providers.wire.responses import ResponsesDecoder
from lockbots_magic.providers.wire.responses_output import OUTPUT
from tests.effort import examples
from tests.providers.responses_events import (
    ENCRYPTED,
    REASONING,
    RETURNED,
    call,
    end,
    event,
    frame,
    function_call,
    message,
    response,
    start,
    stream,
    text,
    thinking,
)
from tests.providers.wire.whole_bodies import read_whole


def decode(body, cut=0, **options):
    """Return the turn that a body makes, fed in pieces of `cut` bytes, and all of its deltas."""
    return read_whole(ResponsesDecoder(**options), body, cut)


def reasoning_of(deltas):
    return "".join(delta.reasoning for delta in deltas)


def opaque_of(deltas):
    return [delta.opaque.data for delta in deltas if delta.opaque]


SAID = message("I add them — ключ.")
FULL = stream(
    *start(),
    *thinking(0, "Adding ", "is easy."),
    *text(1, "I add ", "them — ", "ключ."),
    *call(2, "", '{"a": 1', ', "b": 2}'),
    *end(REASONING, SAID, function_call()),
)
WHOLE = response(
    "completed",
    [REASONING, SAID, function_call()],
    usage={"input_tokens": 9, "output_tokens": 5, "total_tokens": 14},
)


def check_full(turn, deltas):
    assert (turn.text, reasoning_of(deltas)) == ("I add them — ключ.", "Adding is easy.")
    assert turn.finish_reason == "tool_calls"
    assert [(c.id, c.name, c.arguments) for d in deltas for c in d.calls] == [("call_1", "add", '{"a": 1, "b": 2}')]
    assert [delta.model for delta in deltas if delta.model] == ["gpt-6-luna"]
    rows = [RETURNED, {"type": "message", "length": 18}, {"type": "function_call", "call_id": "call_1"}]
    assert opaque_of(deltas) == [{OUTPUT: rows}]


def test_stream_and_whole_response_give_the_same_turn():
    check_full(*decode(FULL))
    check_full(*decode(json.dumps(WHOLE).encode()))


def test_usage_is_counted():
    assert decode(FULL)[0].usage == Usage(9, 5, 2, 4)


@settings(max_examples=examples(200))
@given(st.integers(1, 80))
def test_a_stream_may_be_cut_anywhere(cut):
    check_full(*decode(FULL, cut))


@settings(max_examples=examples(400))
@given(st.integers(0, len(FULL)))
def test_a_stream_that_breaks_off_is_never_complete(size):
    is_whole = FULL[:size].rstrip(b"\n") == FULL.rstrip(b"\n")
    with suppress(ProviderError):
        turn, deltas = decode(FULL[:size], 7)
        assert (turn.finish_reason == "tool_calls") == is_whole
        assert is_whole or not any(delta.calls or delta.opaque for delta in deltas)
        assert "I add them — ключ.".startswith(turn.text)


@settings(max_examples=examples(400))
@given(st.binary(max_size=200), st.integers(0, len(FULL)))
def test_foreign_bytes_end_in_a_turn_or_an_error_of_this_package(noise, at):
    with suppress(ProviderError):
        decode(FULL[:at] + noise + FULL[at:], 11)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "item", "delta", "text", "id"]), inner)
))  # fmt: skip
KINDS = [json.loads(line[6:])["type"] for line in FULL.decode().split("\n") if line.startswith("data: ")]
KINDS += [
    "response.failed",
    "response.incomplete",
    "error",
    "response.refusal.delta",
    "response.output_text.annotation.added",
]
FIELDS = [
    "delta",
    "item",
    "item_id",
    "output_index",
    "response",
    "annotation",
    "text",
    "arguments",
    "summary_index",
    "code",
]


@settings(max_examples=examples(600))
@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4)), max_size=5)
)
def test_events_of_any_content_end_in_a_turn_or_an_error_of_this_package(events):
    with suppress(ProviderError):
        decode(b"".join(frame({**fields, "type": kind}) for kind, fields in events))


# Text.


def test_output_text_delta_is_text():
    assert decode(stream(*start(), *text(0, "Hel", "lo"), *end()))[0].text == "Hello"


def test_output_text_done_is_read_where_no_delta_came():
    body = stream(*start(), event("output_text.done", text="Hel"), event("output_text.done", text="lo"), *end())
    assert decode(body)[0].text == "Hello"


def test_an_item_that_is_done_is_read_where_no_delta_came():
    said = (event("output_text.delta", delta="Hel"), event("output_text.done", text="Hel"))
    for before in ((), said):
        items = [
            event("output_item.done", output_index=n, item={"type": "message", "content": [{"text": text}]})
            for n, text in enumerate(("Hel", "lo"))
        ]
        assert decode(stream(*start(), *before, *items, *end()))[0].text == "Hello"


def test_output_text_done_adds_what_deltas_lack():
    body = stream(event("output_text.delta", delta="Hel"), event("output_text.done", text="Hello"), *end())
    assert decode(body)[0].text == "Hello"


def test_completed_adds_what_events_lack():
    body = stream(*start(), event("output_text.delta", delta="Hel"), *end(message("Hello")))
    assert decode(body)[0].text == "Hello"
    assert decode(stream(*end(message("Hello"))))[0].text == "Hello"


def test_whole_text_in_other_forms_is_read():
    said = {"type": "message", "role": "assistant", "content": "Hello"}
    for fields in ({"output": [said]}, {"output": [], "output_text": "Hello"}, {"output_text": "Hello"}):
        whole = {"object": "response", "status": "completed", **fields}
        for body in (json.dumps(whole).encode(), stream(event("completed", response=whole))):
            assert decode(body)[0].text == "Hello", fields
    both = {"object": "response", "status": "completed", "output": [said], "output_text": "Hello"}
    assert decode(json.dumps({"code": 0, "msg": "ok", "data": both}).encode())[0].text == "Hello"


def test_a_response_that_has_not_begun_says_so():
    for status in ("queued", "in_progress"):
        turn, _ = decode(json.dumps({"object": "response", "status": status, "output": []}).encode())
        assert (turn.text, turn.finish_reason) == ("", status)


def test_a_whole_text_that_differs_is_not_said_again():
    body = stream(*start(), *text(0, "Hello "), *end(message("Hello")))
    assert decode(body)[0].text == "Hello "


def test_half_a_surrogate_pair_waits_for_the_other():
    body = stream(*start(), *text(0, "a\ud83d", "\ude42b"), *end())
    turn, deltas = decode(body)
    assert turn.text == "a🙂b"
    assert [delta.text for delta in deltas if delta.text] == ["a", "🙂b"]


def test_refusal_delta_is_text_of_a_refusal():
    body = stream(*start(), event("refusal.delta", delta="I "), event("refusal.delta", delta="won't."))
    body += stream(event("refusal.done", refusal="I won't."), *end())
    turn, _ = decode(body)
    assert (turn.text, turn.finish_reason) == ("I won't.", "refusal")


def test_refusal_in_the_whole_response():
    item = {**message(""), "content": [{"type": "refusal", "refusal": "No."}]}
    for body in (json.dumps(response("completed", [item])).encode(), stream(*end(item))):
        turn, _ = decode(body)
        assert (turn.text, turn.finish_reason) == ("No.", "refusal")


# Reasoning.


def test_reasoning_summary_is_reasoning_and_its_parts_are_paragraphs():
    first, second = ({"item_id": "rs_1", "output_index": 0, "summary_index": n} for n in (0, 1))
    deltas = [event("reasoning_summary_text.delta", **place, delta=word) for place, word in (
        (first, "One"), (first, "."), (second, "Two.")
    )]  # fmt: skip
    assert reasoning_of(decode(stream(*start(), *deltas, *text(1, "Yes."), *end()))[1]) == "One.\n\nTwo."


def test_reasoning_text_is_reasoning():
    for kind in ("reasoning_text.delta", "reasoning.delta"):
        place = {"item_id": "rs_1", "output_index": 0, "content_index": 0}
        body = stream(*start(), event(kind, **place, delta="So."), *text(1, "Yes."), *end())
        turn, deltas = decode(body)
        assert (reasoning_of(deltas), turn.text) == ("So.", "Yes.")


def test_of_text_and_summary_the_first_is_read():
    kinds = ("reasoning_text.delta", "reasoning_summary_text.delta")
    body = stream(*(event(kind, delta="So.") for kind in kinds), *text(1, "Yes."), *end())
    assert reasoning_of(decode(body)[1]) == "So."


def test_reasoning_of_the_whole_response_where_no_event_came():
    plain = {"type": "reasoning", "id": "r", "summary": [], "content": [{"type": "reasoning_text", "text": "So."}]}
    _, deltas = decode(stream(*text(1, "Yes."), *end(plain, message("Yes."))))
    assert reasoning_of(deltas) == "So."
    assert opaque_of(deltas) == []


def test_reasoning_of_whole_items_where_no_piece_came():
    items = [
        {"type": "reasoning", "id": "r1", "summary": []},
        {"type": "reasoning", "id": "r2", "summary": [{"type": "summary_text", "text": "So."}]},
        {"type": "reasoning", "id": "r3", "content": [{"type": "reasoning_text", "text": "Then."}]},
    ]
    ended = [event("output_item.done", output_index=at, item=item) for at, item in enumerate(items)]
    for whole in ([], [*items, message("Yes.")]):
        _, deltas = decode(stream(*start(), *ended, *text(3, "Yes."), *end(*whole)))
        assert reasoning_of(deltas) == "So.\n\nThen."


def test_text_of_a_whole_part_where_no_piece_came():
    part = event("content_part.done", part={"type": "output_text", "text": "Hi"})
    pieces = event("output_text.delta", delta={"type": "text", "text": "Hi"})
    for events in ([part], [pieces], [pieces, part], [pieces, event("output_text.done", text="Hi"), part]):
        assert decode(stream(*start(), *events, *end()))[0].text == "Hi", events


def test_phase_of_a_message_goes_back():
    said = message("Looking.", phase="commentary")
    _, deltas = decode(stream(*end(said, function_call())))
    rows = [
        {"type": "message", "length": 8, "phase": "commentary"},
        {"type": "function_call", "call_id": "call_1"},
    ]
    assert opaque_of(deltas) == [{OUTPUT: rows}]


# Calls.


def calls_of(*events):
    return [(c.id, c.name, c.arguments) for d in decode(stream(*events))[1] for c in d.calls]


def test_function_calls_arrive_in_pieces():
    events = (*start(), *call(0, '{"a"', ": 1}"), *call(1, "{}", name="sub", identity="call_2"))
    expected = [("call_1", "add", '{"a": 1}'), ("call_2", "sub", "{}")]
    assert calls_of(*events, *end()) == expected
    assert calls_of(*events, *end(function_call('{"a": 1}'), function_call("{}", "sub", "call_2"))) == expected


def test_function_call_arguments_done_is_read_where_no_delta_came():
    item = {**function_call(), "arguments": ""}
    place = {"item_id": item["id"], "output_index": 0}
    events = (
        event("output_item.added", output_index=0, item=item),
        event("function_call_arguments.done", **place, arguments='{"a": 1}'),
    )
    assert calls_of(*events, *end()) == [("call_1", "add", '{"a": 1}')]


def test_output_item_done_is_a_whole_call():
    assert calls_of(event("output_item.done", output_index=0, item=function_call()), *end()) == [
        ("call_1", "add", '{"a": 1, "b": 2}')
    ]


def test_completed_has_calls_of_which_no_event_told():
    assert calls_of(*end(function_call())) == [("call_1", "add", '{"a": 1, "b": 2}')]


def test_a_proxy_may_change_the_ids_of_items():
    added, *pieces, done, item_done = call(0, '{"a": ', "1}")
    changed = [{**one, "item_id": f"other_{n}"} for n, one in enumerate(pieces)]
    assert calls_of(added, *changed, done, item_done, *end()) == [("call_1", "add", '{"a": 1}')]


def test_a_server_may_say_one_place_of_all_calls():
    first, second = call(0, '{"a": ', "1}"), call(0, "{}", name="now", identity="call_2")
    expected = [("call_1", "add", '{"a": 1}'), ("call_2", "now", "{}")]
    assert calls_of(*first, *second, *end()) == expected
    first, second = call(0, '{"a": ', "1}"), call(0, "{}", name="now", identity="call_2")
    anonymous = [{k: v for k, v in one.items() if k != "item_id"} for one in (*first, *second)]
    assert calls_of(*anonymous, *end()) == expected


def test_the_type_of_an_event_may_stand_before_it_only():
    events = (*start(), *text(0, "Hi"), *end())
    body = b"".join(
        f"event: {one['type']}\ndata: {json.dumps({k: v for k, v in one.items() if k != 'type'})}\n\n".encode()
        for one in events
    )
    assert read_whole(ResponsesDecoder(), body)[0].text == "Hi"


def test_a_server_may_leave_out_the_index():
    events = [{k: v for k, v in one.items() if k != "output_index"} for one in call(0, '{"a": ', "1}")]
    assert calls_of(*events, *end()) == [("call_1", "add", '{"a": 1}')]


def test_arguments_may_be_an_object():
    assert calls_of(*end({**function_call(), "arguments": {"a": 1}})) == [("call_1", "add", '{"a": 1}')]


def test_two_versions_of_a_call_are_an_error():
    with pytest.raises(ProtocolError, match="two versions"):
        decode(stream(*call(0, '{"a": 1}'), *end(function_call('{"a": 2}'))))


def test_no_call_is_made_of_an_incomplete_response():
    body = stream(*call(0, '{"a": 1}'), *end(status="incomplete", incomplete_details={"reason": "max_output_tokens"}))
    turn, deltas = decode(body)
    assert turn.finish_reason == "max_output_tokens"
    assert not any(delta.calls for delta in deltas)


# Images and sources.


def test_annotation_is_a_source_once():
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "annotation_index": 0}
    cited = {"type": "url_citation", "url": "https://example.org/a", "title": "A", "start_index": 0, "end_index": 3}
    said = message("See.")
    said["content"][0]["annotations"] = [cited]
    body = stream(
        *start(), *text(0, "See."), event("output_text.annotation.added", **place, annotation=cited), *end(said)
    )
    _, deltas = decode(body)
    assert [(part.url, part.title) for delta in deltas for part in delta.parts] == [("https://example.org/a", "A")]


def test_generated_image_is_an_image():
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": pixel}
    partial = event("image_generation_call.partial_image", item_id="ig_1", partial_image_b64="AAAA")
    body = stream(*start(), partial, event("output_item.done", output_index=0, item=item), *end(item))
    _, deltas = decode(body)
    assert [part.url for delta in deltas for part in delta.parts] == [f"data:image/png;base64,{pixel}"]


# Ends.


def test_incomplete_is_cut_short_in_the_servers_word():
    for reason, at_limit in (("max_output_tokens", True), ("content_filter", False), ("new_word", False)):
        body = stream(*text(0, "Half"), *end(status="incomplete", incomplete_details={"reason": reason}))
        turn, _ = decode(body)
        assert (turn.text, turn.finish_reason, turn.usage.prompt_tokens) == ("Half", reason, 9)
        outcome = outcome_of(reason)
        assert (outcome.status, outcome.at_limit) == ("truncated", at_limit)
    assert decode(stream(*text(0, "Half"), *end(status="incomplete")))[0].finish_reason == "incomplete"
    assert decode(stream(*text(0, "Half"), *end(status="cancelled")))[0].finish_reason == "cancelled"


def test_completed_at_the_limit_of_length_is_cut_short():
    body = stream(*text(0, "Half"), *end(message("Half")))
    for limit, reason in ((4, "max_output_tokens"), (5, "max_output_tokens"), (6, "stop"), (None, "stop")):
        assert decode(body, limit=limit)[0].finish_reason == reason
    assert decode(FULL, limit=5)[0].finish_reason == "tool_calls"


def test_failed_is_an_error_after_the_text():
    error = {"code": "server_error", "message": "The server had an error."}
    deltas = ResponsesDecoder().feed(stream(*text(0, "Half"), *end(status="failed", error=error)))
    assert next(deltas).text == "Half"
    with pytest.raises(ServerError, match="The server had an error"):
        next(deltas)


def test_errors_have_their_kinds():
    for code, kind in (
        ("rate_limit_exceeded", RateLimitError),
        ("server_error", ServerError),
        ("model_not_found", ModelNotFoundError),
        ("context_length_exceeded", ContextLengthError),
    ):
        for body in (
            stream(*end(status="failed", error={"code": code, "message": "No."})),
            stream({"type": "error", "code": code, "message": "No.", "param": None, "sequence_number": 1}),
            stream({"type": "error", "error": {"code": code, "message": "No."}}),
            json.dumps(response("failed", error={"code": code, "message": "No."})).encode(),
        ):
            with pytest.raises(kind, match=r"No\."):
                decode(body)


def test_what_is_invalid_is_not_asked_for_again():
    with pytest.raises(ProviderError, match="flagged") as raised:
        decode(stream(*end(status="failed", error={"code": "invalid_prompt", "message": "It was flagged."})))
    assert not raised.value.retryable


def test_stream_without_its_last_event_is_cut_off():
    turn, _ = decode(stream(*start(), *text(0, "Half")))
    assert (turn.text, turn.finish_reason) == ("Half", CUT_OFF)


def test_done_may_follow_or_end_the_stream():
    done = b"data: [DONE]\n\n"
    for body in (stream(*text(0, "Yes."), *end()) + done, stream(*text(0, "Yes.")) + done):
        assert decode(body)[0].finish_reason == "stop"


def test_unknown_events_are_ignored():
    unknown = (
        event("web_search_call.searching", item_id="ws_1"),
        event("queued"),
        {"type": "keepalive"},
        {"type": "x.y"},
    )
    turn, _ = decode(stream(*start(), *unknown, *text(0, "Yes."), *unknown, *end()))
    assert (turn.text, turn.finish_reason) == ("Yes.", "stop")


def test_another_format_is_told():
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    with pytest.raises(ProtocolError, match="chat completions"):
        decode(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    with pytest.raises(ProtocolError, match=r"JSON without output\. Check the base URL"):
        decode(b'{"hello": 1}')
    with pytest.raises(ProtocolError, match="holds no output"):
        decode(b'data: {"hello": 1}\n\n')
    with pytest.raises(ProtocolError, match="not a JSON object"):
        decode(b"data: [1, 2, 3]\n\n")
    with pytest.raises(ProtocolError, match="not text"):
        decode(stream(event("output_text.delta", delta=7)))


def test_reasoning_without_encrypted_content_is_not_returned():
    item = {**REASONING, "encrypted_content": None}
    assert ENCRYPTED not in json.dumps(opaque_of(decode(stream(*end(item, message("Yes."))))[1]))


def test_failed_response_without_an_error_says_so():
    for fields in ({}, {"error": None}, {"error": None, "incomplete_details": None}, {"error": {}}):
        with pytest.raises(ServerError, match="The response failed; the server does not say why"):
            decode(stream(event("failed", response={"status": "failed", **fields})))
    details = {"reason": "max_prompt_tokens"}
    with pytest.raises(ServerError, match=r"^max_prompt_tokens$"):
        decode(stream(event("failed", response={"status": "failed", "incomplete_details": details})))


def test_custom_call_is_a_call_whose_arguments_are_its_text():
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "shell", "input": "ls -l"}
    events = [
        event("output_item.added", output_index=0, item={**item, "input": ""}),
        event("custom_tool_call_input.delta", output_index=0, item_id="ctc_1", delta="ls "),
        event("custom_tool_call_input.delta", output_index=0, item_id="ctc_1", delta="-l"),
        event("custom_tool_call_input.done", output_index=0, item_id="ctc_1", input="ls -l"),
        event("output_item.done", output_index=0, item=item),
    ]
    whole = event("completed", response={"status": "completed", "output": [item]})
    for told in ([*events, whole], [whole], [events[0], events[-1], whole]):
        _, deltas = decode(stream(*told))
        (call,) = deltas[-1].calls
        assert (call.id, call.name, call.arguments) == ("c1", "shell", "ls -l")


def test_error_beside_completed_is_an_error():
    told = response("completed", [message("One")], error={"code": "x", "message": "out of memory"})
    with pytest.raises(ServerError, match="out of memory"):
        decode(stream(*text(0, "One"), event("completed", response=told)))


def test_response_done_is_an_end():
    for fields in ({"status": "completed"}, {}):
        turn, _ = decode(stream(event("done", response={**fields, "output": [message("One")]})))
        assert (turn.text, turn.finish_reason) == ("One", "stop")


def test_items_that_are_not_read_are_named():
    for kind in ("computer_call", "mcp_approval_request"):
        with pytest.raises(ProtocolError, match=kind):
            decode(stream(event("completed", response=response("completed", [{"type": kind, "id": "x"}]))))
