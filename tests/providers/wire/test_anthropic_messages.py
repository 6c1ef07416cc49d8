"""The decoder of messages responses: a test for each event, and for each way in which a response ends."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.ending import CUT_OFF, DEFAULT_LIMIT, outcome_of
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.errors import (
    ContextLengthError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from lockbots_magic.providers.wire.anthropic_blocks import MAX_BLOCKS
from lockbots_magic.providers.wire.anthropic_messages import MessagesDecoder
from tests.effort import examples
from tests.providers.anthropic_events import REDACTED, SIGNED, block, call, end, start, stream, text, thinking
from tests.providers.wire.whole_bodies import read_whole


def decode(body, cut=0, **options):
    """Return the turn that a body makes, fed in pieces of `cut` bytes, and all of its deltas."""
    return read_whole(MessagesDecoder(**options), body, cut)


def opaque_of(deltas):
    return [delta.opaque.data for delta in deltas if delta.opaque]


FULL = stream(
    start(cache_read_input_tokens=100, cache_creation_input_tokens=20),
    {"type": "ping"},
    *thinking(0, "Adding ", "is easy."),
    *block(1, REDACTED),
    *text(2, "I add ", "them — ", "ключ."),
    *call(3, "", '{"a": 1', ', "b": 2}'),
    *end("tool_use", 30),
)
WHOLE = {
    "type": "message",
    "model": "claude-sonnet-5-5",
    "content": [
        SIGNED,
        REDACTED,
        {"type": "text", "text": "I add them — ключ."},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1, "b": 2}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 9,
        "output_tokens": 30,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
    },
}


def shape(turn, deltas):
    calls = [(c.id, c.name, json.loads(c.arguments)) for d in deltas for c in d.calls]
    reasoning = "".join(d.reasoning for d in deltas)
    return turn.text, reasoning, calls, turn.finish_reason, turn.usage, turn.answered_by, opaque_of(deltas)


EXPECTED = (
    "I add them — ключ.",
    "Adding is easy.",
    [("toolu_1", "add", {"a": 1, "b": 2})],
    "tool_calls",
    Usage(129, 30, None, 100, 20),
    "claude-sonnet-5-5",
    [
        {"content_block": SIGNED, "after_text": 0, "after_calls": 0},
        {"content_block": REDACTED, "after_text": 0, "after_calls": 0},
    ],
)


def test_a_stream_of_all_events_makes_the_turn():
    assert shape(*decode(FULL)) == EXPECTED


def test_a_whole_message_makes_the_same_turn():
    assert shape(*decode(json.dumps(WHOLE).encode())) == EXPECTED
    assert shape(*decode(stream(WHOLE))) == EXPECTED


@settings(max_examples=examples(200))
@given(st.integers(1, len(FULL)), st.sampled_from([b"\n", b"\r\n"]))
def test_bytes_cut_anywhere_make_the_same_turn(cut, line_end):
    assert shape(*decode(FULL.replace(b"\n", line_end), cut)) == EXPECTED


@settings(max_examples=examples(400))
@given(st.integers(FULL.index(b"I add") + 20, len(FULL) - 1))
def test_a_stream_that_breaks_off_is_cut_and_makes_no_call(at):
    turn, deltas = decode(FULL[:at])
    assert EXPECTED[0].startswith(turn.text)
    if turn.finish_reason != "tool_calls":  # which is known before the last event
        assert turn.finish_reason == CUT_OFF
        assert not [c for d in deltas for c in d.calls]


@settings(max_examples=examples(400))
@given(st.binary(max_size=60), st.integers(0, len(FULL)))
def test_foreign_bytes_are_read_or_refused_as_a_protocol_error(junk, at):
    body = FULL[:at] + junk + FULL[at:]
    with suppress(ProviderError):
        decode(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=examples(600))
@example("content_block_start", {}, {"type": []})
@given(
    st.sampled_from(
        ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"]
    ),
    st.dictionaries(st.sampled_from(["index", "message", "delta", "content_block", "usage"]), json_values, max_size=3),
    st.dictionaries(
        st.sampled_from(["type", "text", "thinking", "signature", "id", "name", "input", "partial_json", "citation"]),
        json_values | st.sampled_from(["text_delta", "thinking_delta", "input_json_delta", "tool_use", "thinking"]),
    ),
)
def test_events_of_any_content_are_read_or_refused(kind, event, inner):
    for name in ("delta", "content_block", "message"):
        event.setdefault(name, inner)
    with suppress(ProviderError):
        decode(stream({**event, "type": kind}, *end()))


def test_message_start_tells_model_and_prompt_tokens():
    turn, deltas = decode(stream(start(), *end(tokens=2)))
    assert (deltas[0].model, deltas[0].usage) == ("claude-sonnet-5-5", Usage(9, 1))
    assert turn.usage == Usage(9, 2)


def test_reasoning_tokens_are_counted():
    details = {"output_tokens": 8, "output_tokens_details": {"thinking_tokens": 6}}
    turn, _ = decode(stream(start(), {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": details}))
    assert turn.usage == Usage(9, 8, 6)


def test_tokens_written_to_the_cache_count_although_none_were_read():
    turn, _ = decode(stream(start(cache_creation_input_tokens=50), *end()))
    assert turn.usage == Usage(59, 5, None, None, 50)


def test_text_in_the_start_of_a_block_is_kept():
    turn, _ = decode(stream(start(), *block(0, {"type": "text", "text": "Hel"}, {"type": "text_delta", "text": "lo"})))
    assert turn.text == "Hello"


def test_a_character_cut_into_two_escapes_is_joined():
    turn, deltas = decode(stream(start(), *text(0, "\ud83d", "\ude00"), *thinking(1, "\ud83d", "\ude00"), *end()))
    assert turn.text == "😀"
    assert "".join(d.reasoning for d in deltas) == "😀"


def test_thinking_without_a_signature_does_not_go_back():
    _, deltas = decode(stream(start(), *thinking(0, "Hm.", signature=""), *text(1, "Yes."), *end()))
    assert "".join(d.reasoning for d in deltas) == "Hm."
    assert opaque_of(deltas) == []


def test_omitted_thinking_goes_back_by_its_signature():
    _, deltas = decode(stream(start(), *thinking(0), *text(1, "Yes."), *end()))
    assert opaque_of(deltas)[0]["content_block"] == {"type": "thinking", "thinking": "", "signature": "c2lnbmVk"}


def test_what_goes_back_is_yielded_at_the_end_of_its_block():
    _, deltas = decode(stream(start(), *thinking(0, "Hm."), *text(1, "Yes, I")))  # interrupted here
    assert len(opaque_of(deltas)) == 1


def test_place_of_what_goes_back_is_kept():
    events = [*text(0, "One."), *thinking(1, "Hm."), *call(2, "{}"), *thinking(3, "So."), *call(4, "{}", identity="b")]
    _, deltas = decode(stream(start(), *events, *end("tool_use")))
    assert [(one["after_text"], one["after_calls"]) for one in opaque_of(deltas)] == [(4, 0), (4, 1)]


def test_content_that_is_text_is_read():
    body = json.dumps({"type": "message", "role": "assistant", "content": "Hello", "stop_reason": "end_turn"})
    turn, _ = decode(body.encode())
    assert (turn.text, turn.finish_reason) == ("Hello", "stop")


def test_tools_of_the_service_go_back_whole():
    asked = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "x"}]}
    searched = block(0, asked, {"type": "input_json_delta", "partial_json": '{"query": "q"}'})
    turn, deltas = decode(stream(start(), *searched, *block(1, result), *text(2, "Found."), *end()))
    assert [one["content_block"] for one in opaque_of(deltas)] == [{**asked, "input": {"query": "q"}}, result]
    assert (turn.text, turn.has_open_calls) == ("Found.", False)


def test_citations_are_sources():
    web = {"type": "web_search_result_location", "url": "https://example.org/a", "title": "A", "cited_text": "said"}
    page = {"type": "page_location", "document_title": "report.pdf", "cited_text": "so", "document_index": 0}
    words = block(0, {"type": "text", "text": "", "citations": [page]}, {"type": "citations_delta", "citation": web})
    _, deltas = decode(stream(start(), *words, *end()))
    assert [(p.url, p.title, p.quote) for d in deltas for p in d.parts] == [
        ("", "report.pdf", "so"),
        ("https://example.org/a", "A", "said"),
    ]


def test_arguments_in_the_start_of_a_call_are_kept():
    whole = {"type": "tool_use", "id": "t", "name": "add", "input": {"a": 1}}
    _, deltas = decode(stream(start(), *block(0, whole), *end("tool_use")))
    assert [c.arguments for d in deltas for c in d.calls] == ['{"a": 1}']


def test_calls_without_arguments_or_id_are_calls():
    _, deltas = decode(stream(start(), *call(0), *call(1, identity=None, name="now"), *end("tool_use")))
    assert [(c.name, c.arguments) for d in deltas for c in d.calls] == [("add", "{}"), ("now", "{}")]
    assert len({c.id for d in deltas for c in d.calls}) == 2


def test_a_call_without_a_name_is_none():
    with pytest.raises(ProtocolError, match="does not name a function"):
        decode(stream(start(), *call(0, "{}", name=None), *end("tool_use")))


def test_a_call_whose_block_ends_with_an_empty_input_passes_an_empty_object():
    """The service never sends `{}` as a delta, so that a model can say in no other way that it takes the defaults."""
    blank = {"type": "tool_use", "id": "t", "name": "add", "input": {}}
    whole = json.dumps({**WHOLE, "content": [blank]}).encode()
    ends = list(end("tool_use"))
    for body in (stream(start(), *call(0, "", name="add"), *ends), stream(start(), *block(0, blank), *ends), whole):
        _, deltas = decode(body)
        assert [one.arguments for delta in deltas for one in delta.calls] == ["{}"], body


def test_arguments_of_the_reply_tool_are_the_reply():
    turn, deltas = decode(stream(start(), *call(0, '{"a"', ": 1}", name="reply"), *end("tool_use")), reply_tool="reply")
    assert (turn.text, turn.finish_reason, [d.calls for d in deltas if d.calls]) == ('{"a": 1}', "stop", [])
    whole = {**WHOLE, "content": [{"type": "tool_use", "id": "t", "name": "reply", "input": {"a": 1}}]}
    assert decode(json.dumps(whole).encode(), reply_tool="reply")[0].text == '{"a": 1}'


ENDS = {
    "end_turn": ("stop", "complete"),
    "stop_sequence": ("stop", "complete"),
    "tool_use": ("tool_calls", "complete"),
    "max_tokens": ("max_tokens", "truncated"),
    "refusal": ("refusal", "truncated"),
    "pause_turn": ("pause_turn", "truncated"),
    "model_context_window_exceeded": ("model_context_window_exceeded", "truncated"),
    "something_new": ("something_new", "truncated"),
}


def test_stop_reasons_are_complete_or_not():
    for reason, expected in ENDS.items():
        turn, _ = decode(stream(start(), *text(0, "Yes."), *end(reason)))
        assert (turn.finish_reason, outcome_of(turn.finish_reason).status) == expected


def test_the_default_limit_is_not_the_limit_of_the_user():
    turn, _ = decode(stream(start(), *text(0, "Yes."), *end("max_tokens")), has_default_limit=True)
    assert turn.finish_reason == DEFAULT_LIMIT
    outcome = outcome_of(turn.finish_reason, {"max_tokens": 5})
    assert (outcome.at_limit, "default limit" in outcome.message) == (True, True)
    assert "your" not in outcome.message


def test_the_explanation_of_a_refusal_is_told():
    details = {"stop_details": {"type": "refusal", "explanation": "It could\nbe misused."}}
    turn, _ = decode(stream(start(), *end("refusal", **details)))
    assert (turn.text, turn.finish_reason) == ("It could be misused.", "refusal")
    _, deltas = decode(stream(start(), *text(0, "Well, "), *end("refusal", **details)))
    assert [d.notice for d in deltas if d.notice] == ["It could be misused."]


def test_an_end_without_a_reason_is_a_stop():
    assert decode(stream(start(), *text(0, "Yes."), {"type": "message_stop"}))[0].finish_reason == "stop"
    assert decode(stream(*text(0, "Yes.")) + b"data: [DONE]\n\n")[0].finish_reason == "stop"


ERRORS: dict[str, tuple[str, type[ProviderError], int]] = {
    "overloaded_error": ("Overloaded", ServerError, 529),
    "rate_limit_error": ("Slow down", RateLimitError, 429),
    "not_found_error": ("model: claude-nope", ModelNotFoundError, 404),
    "invalid_request_error": ("prompt is too long: 205000 tokens > 200000 maximum", ContextLengthError, 200),
    "api_error": ("Internal", ServerError, 500),
}


def test_errors_in_the_stream_are_raised_in_the_words_of_the_server():
    for kind, (words, expected, status) in ERRORS.items():
        error = {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"}
        for events in ([error], [start(), *text(0, "Half"), error]):
            with pytest.raises(expected, match=words) as caught:
                decode(stream(*events))
            assert getattr(caught.value, "status", 404) == status
        with pytest.raises(expected, match=words):
            decode(json.dumps(error).encode())


def test_the_text_before_an_error_has_been_yielded():
    seen = []
    with pytest.raises(ServerError):
        seen.extend(
            MessagesDecoder().feed(stream(start(), *text(0, "Half"), {"type": "error", "error": {"message": "no"}}))
        )
    assert [delta.text for delta in seen if delta.text] == ["Half"]


def test_unknown_events_and_deltas_are_ignored():
    new = [
        {"type": "content_block_hint", "x": 1},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "new"}},
    ]
    assert decode(stream(start(), new[0], *text(0, "Yes."), new[1], *end()))[0].text == "Yes."


def test_another_format_is_told_with_what_came():
    for other, told in (
        ({"choices": [{}]}, "answered with chat completions"),
        ({"output": []}, "not in the format of the"),
    ):
        for body in (b"data: " + json.dumps(other).encode() + b"\n\n", json.dumps(other).encode()):
            with pytest.raises(ProtocolError, match=told):
                decode(body)
    with pytest.raises(ProtocolError, match=r"JSON without content\. Check the base URL"):
        decode(b'{"ok": true}')
    with pytest.raises(ProtocolError, match="is a web page"):
        decode(b"<html><title>Login</title></html>")
    with pytest.raises(ProtocolError, match="not an event stream: upstream timed out"):
        decode(b"upstream timed out\n")


def test_too_much_is_refused():
    with pytest.raises(ProtocolError, match="too many content blocks"):
        decode(stream(*(event for n in range(MAX_BLOCKS + 1) for event in text(n, "x"))))
    deep = {"type": "new"}
    for _ in range(40):
        deep = {"type": "new", "in": deep}
    with pytest.raises(ProtocolError, match="nested too deeply"):
        decode(stream(start(), *block(0, deep)))


def test_words_in_place_of_an_event_are_an_error_in_the_middle_and_nothing_after_the_end():
    with pytest.raises(ServerError, match="The reply broke off: out of memory"):
        decode(stream(start(), *text(0, "One")) + b"data: out of memory\n\n")
    turn, _ = decode(stream(start(), *text(0, "One"), *[*end("end_turn", 1)][:1]) + b"data: bye\n\n")
    assert (turn.text, turn.finish_reason) == ("One", "stop")


def test_deltas_without_a_type_are_known_by_their_field():
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"text": "One"}}
    assert decode(stream(start(), block, delta, *end("end_turn", 1)))[0].text == "One"


def test_fields_that_are_null_or_an_object_in_place_of_text_are_read():
    begun, *pieces, ended = call(0, "{}")
    pieces[0]["delta"]["partial_json"] = {"a": 1}
    last, stopped = end("tool_use")
    empty = {"type": "message_start", "message": None}, {**last, "delta": None}
    turn, deltas = decode(stream(empty[0], begun, *pieces, ended, empty[1], last, stopped))
    assert [one.arguments for delta in deltas for one in delta.calls] == ['{"a": 1}']
    assert turn.finish_reason == "tool_calls"
