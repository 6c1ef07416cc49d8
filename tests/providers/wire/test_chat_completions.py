"""Decoder of chat completions: observed responses, and malformed ones."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lockbots_magic.conversation.ending import CUT_OFF
from lockbots_magic.conversation.messages import Delta, Usage
from lockbots_magic.errors import (
    AuthenticationError,
    HTTPStatusError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from lockbots_magic.providers.wire import body as wire_body
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.error_words import MAX_WORDS
from lockbots_magic.providers.wire.errors import make_snippet, object_error, refusal_error
from lockbots_magic.providers.wire.usage import parse_usage
from lockbots_magic.security.secrets import Secret

HUGE = ("[" * 100_000, "9" * 5000, '{"a":' * 50_000)
"""JSON values that break naive parsers."""

DONE = b"data: [DONE]\n\n"


def number(_: Any) -> str:
    """Return a short id for a long parameter."""
    return "value"


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(text: Any = None, finish_reason: Any = None, **delta: Any) -> bytes:
    delta = delta if text is None else {"content": text, **delta}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def read(*pieces: bytes) -> list[Delta]:
    reader = ChatCompletionsDecoder()
    deltas = [delta for piece in pieces for delta in reader.feed(piece)]
    return [*deltas, *reader.close()]


def text_of(*pieces: bytes) -> str:
    return "".join(delta.text for delta in read(*pieces))


def test_a_response_that_a_gateway_wraps_is_read():
    whole = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    reply = {key: value for key, value in whole.items() if key != "usage"}
    frames = [
        {"success": True, "data": whole},
        {"code": 200, "msg": "ok", "result": whole},
        {"response": whole},
        {"output": reply, "usage": whole["usage"]},
        {"output": {**reply, "usage": None}, "usage": whole["usage"]},
        {"data": {"region": "eu"}, "output": whole},
        {"statusCode": 200, "body": json.dumps(whole)},
        json.dumps(whole),
    ]
    for frame in frames:
        deltas = read(json.dumps(frame).encode())
        assert ("".join(delta.text for delta in deltas), deltas[-1].finish_reason) == ("Hi", "stop")
        assert any(delta.usage == Usage(3) for delta in deltas)
    pieces = [
        event({"code": 0, "msg": "ok", "data": json.loads(one[6:])}) for one in (chunk("Hi"), chunk(" you", "stop"))
    ]
    assert text_of(*pieces, event({"code": 0, "msg": "ok", "data": {"choices": [], "usage": {}}}), DONE) == "Hi you"
    with pytest.raises(ServerError, match="no balance"):
        read(json.dumps({"code": 1113, "msg": "no balance", "data": None}).encode())


def end_of(*pieces: bytes) -> str | None:
    return read(*pieces)[-1].finish_reason


class TestChunks:
    def test_text_is_yielded_chunk_by_chunk(self):
        reader = ChatCompletionsDecoder()
        assert list(reader.feed(chunk("a"))) == [Delta("a")]
        assert list(reader.feed(chunk("b"))) == [Delta("b")]

    @pytest.mark.parametrize("quiet", [
        chunk(role="assistant"), chunk(None), chunk(""), chunk(content=None), event({"choices": []}), event({}),
        event({"choices": None}), event({"choices": [{}]}), event({"choices": [{"delta": None}]}), b"data:\n\n",
        event({"type": "ping"}), b": ping\n\n", event({"choices": [{"delta": {}}], "error": None}),
        event({"choices": [], "usage": None}), event({"choices": [], "usage": {}}), b"data:  \n\n",
    ])  # fmt: skip
    def test_chunks_without_text_yield_nothing(self, quiet):
        assert list(ChatCompletionsDecoder().feed(quiet)) == []
        assert text_of(quiet, chunk("a"), quiet, chunk("b"), quiet, DONE) == "ab"

    def test_usage_is_kept_apart(self):
        usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
        assert read(chunk("a"), event({"choices": [], "usage": usage}), DONE)[1] == Delta(usage=Usage(3, 5))

    @pytest.mark.parametrize(("value", "usage"), [
        ({"prompt_tokens": 3}, Usage(3, None)), ({"prompt_tokens": "x", "completion_tokens": 1}, Usage(None, 1)),
        ({"prompt_tokens": -1}, None), ({"prompt_tokens": True}, None), ({"prompt_tokens": 1.5}, None), ([], None),
        ("x", None), (7, None),
    ])  # fmt: skip
    def test_invalid_counts_of_usage_are_dropped(self, value, usage):
        assert parse_usage(value) == usage

    def test_content_may_be_a_list_of_parts(self):
        parts = [{"type": "text", "text": "a"}, "b", {"type": "text", "text": None}, {"type": "image_url"}]
        assert text_of(chunk(parts), chunk([]), DONE) == "ab"
        assert text_of(chunk([{"type": "text", "text": {"value": "a", "annotations": []}}]), DONE) == "a"

    @pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
    def test_reasoning_is_kept_apart(self, name):
        deltas = read(chunk(**{name: "think"}), chunk("a", **{name: None}), chunk("b", **{name: "more"}), DONE)
        assert [(d.text, d.reasoning) for d in deltas] == [("", "think"), ("a", ""), ("b", "more"), ("", "")]

    @pytest.mark.parametrize("part", [
        {"type": "thinking", "thinking": [{"type": "text", "text": "think"}]},
        {"type": "thinking", "thinking": "think"},
        {"type": "reasoning", "text": "think"},
    ])  # fmt: skip
    def test_reasoning_among_the_parts_is_kept_apart(self, part):
        assert read(chunk([part, {"type": "text", "text": "a"}]), DONE)[0] == Delta("a", "think")

    @pytest.mark.parametrize("name", ["content", "reasoning"])
    def test_surrogate_pair_over_two_deltas_is_joined(self, name):
        deltas = read(chunk(**{name: "a\ud83d"}), chunk(**{name: "\ude00b"}), DONE)
        assert "".join(d.text + d.reasoning for d in deltas) == "a😀b"

    def test_half_a_pair_at_the_end_becomes_the_replacement_character(self):
        assert read(chunk("a\ud83d"), DONE) == [Delta("a"), Delta("\ufffd", finish_reason="stop")]

    def test_halves_of_text_and_reasoning_do_not_mix(self):
        deltas = read(chunk("\ud83d", reasoning="\ud83e"), chunk("\ude00", reasoning="\udd14"), DONE)
        assert deltas[0] == Delta("😀", "🤔")

    def test_choices_do_not_mix(self):
        both = {"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "a"}}]}
        other = {"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "length"}]}
        assert text_of(event(both), event(other), chunk("b"), DONE) == "ab"
        assert end_of(event(both), event(other), DONE) == "stop"

    def test_choices_without_index_are_the_first(self):
        assert text_of(event({"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "x"}}]}), DONE) == "a"

    def test_index_counts_up_with_the_chunks_of_one_reply(self):
        for first in (0, 1, 196):
            for words in (["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d", "e", "f"]):
                chunks = [
                    event({"choices": [{"index": first + n, "delta": {"content": word}}]})
                    for n, word in enumerate(words)
                ]
                end = event({"choices": [{"index": first + len(words), "delta": {}, "finish_reason": "stop"}]})
                assert text_of(*chunks, end, DONE) == "".join(words)
                assert end_of(*chunks, end) == "stop"

    def test_chunks_that_were_held_may_have_other_forms(self):
        held = [event({"choices": [{"index": n, "message": {"content": str(n)}}]}) for n in (5, 6, 7)]
        plain = event({"choices": [{"index": 8, "delta": {"content": "8"}}]})
        assert text_of(*held, plain, DONE) == "5678"

    def test_one_choice_may_have_any_index(self):
        for index in (1, 7, -1):
            one = [event({"choices": [{"index": index, "delta": {"content": c}}]}) for c in "hello"]
            assert text_of(*one, DONE) == text_of(*one) == "hello"

    @pytest.mark.parametrize("order", [*itertools.permutations(range(3)), (0, 1), (1, 0), (2, 1)])
    @pytest.mark.parametrize("many", [1, 2, 5])
    def test_interleaved_choices_do_not_mix(self, order, many):
        texts = [event({"choices": [{"index": i, "delta": {"content": f"<{i}>"}}]}) for _ in range(many) for i in order]
        ends = [event({"choices": [{"index": i, "delta": {}, "finish_reason": "stop"}]}) for i in order]
        assert text_of(*texts, *ends, DONE) == f"<{min(order)}>" * many

    def test_with_several_choices_asked_for_an_index_is_no_counter(self):
        reader = ChatCompletionsDecoder(has_several_choices=True)
        chunks = [event({"choices": [{"index": n, "delta": {"content": str(n)}}]}) for n in range(6)]
        assert "".join(d.text for d in reader.feed(b"".join(chunks) + DONE)) == "0"

    def test_chunk_may_hold_a_text(self):
        assert text_of(event({"choices": [{"index": 0, "text": "a"}]}), DONE) == "a"

    def test_chunk_may_hold_a_message(self):
        assert text_of(event({"choices": [{"message": {"role": "assistant", "content": "a"}}]}), DONE) == "a"


class TestEnd:
    def test_done_ends_the_response(self):
        reader = ChatCompletionsDecoder()
        assert list(reader.feed(chunk("a") + DONE)) == [Delta("a"), Delta(finish_reason="stop")]
        assert reader.done

    def test_text_after_done_is_ignored(self):
        reader = ChatCompletionsDecoder()
        list(reader.feed(chunk("a") + DONE + chunk("b") + b"data: {nonsense\n\n"))
        assert list(reader.feed(chunk("c") + b"\xff")) == list(reader.close()) == []

    @pytest.mark.parametrize("done", [b"data:[DONE]\n\n", b"data: [DONE] \n\n", b"data: [DONE]\r\n\r\n"])
    def test_done_may_have_other_white_space(self, done):
        assert end_of(chunk("a"), done) == "stop"

    @pytest.mark.parametrize("last", [b"data: [DONE]\n", b"data: [DONE]", b"data:[DONE]"])
    def test_final_blank_line_may_be_missing(self, last):
        assert read(chunk("a"), last) == [Delta("a"), Delta(finish_reason="stop")]

    def test_blank_line_after_the_last_chunk_may_be_missing(self):
        assert read(chunk("a"), chunk("b", "stop").rstrip()) == [Delta("a"), Delta("b"), Delta(finish_reason="stop")]

    def test_finish_reason_is_known_before_the_end(self):
        reader = ChatCompletionsDecoder()
        known = []
        for piece in (chunk("a"), chunk("", "length")):
            list(reader.feed(piece))
            known.append((reader.finish_reason, reader.done))
        assert known == [("", False), ("length", False)]

    def test_finish_reason_ends_a_stream_without_done(self):
        assert read(chunk("a"), chunk("", "length")) == [Delta("a"), Delta(finish_reason="length")]

    def test_usage_after_the_finish_reason_is_read(self):
        usage = event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
        assert read(chunk("a", "stop"), usage, DONE) == [
            Delta("a"), Delta(usage=Usage(1, 2)), Delta(finish_reason="stop"),
        ]  # fmt: skip

    @pytest.mark.parametrize(("reasons", "ending"), [
        (["stop", None], "stop"), (["", "null", "stop"], "stop"), (["stop", "length"], "length"),
        (["content_filter", "stop"], "content_filter"), ([7], "7"), ([{"a": 1}], '{"a": 1}'), ([False], "stop"),
        ([["stop"]], '["stop"]'), (["x" * 500], "x" * 79 + "…"), (["tool_calls", "stop"], "stop"),
    ])  # fmt: skip
    def test_a_failure_is_never_replaced_by_a_success(self, reasons, ending):
        assert end_of(chunk("a"), *(chunk(None, reason) for reason in reasons), DONE) == ending

    @pytest.mark.parametrize(("reason", "native", "ending"), [
        ("stop", "SAFETY", "SAFETY"), ("stop", "STOP", "stop"), ("stop", None, "stop"), ("stop", "end_turn", "stop"),
        ("length", "max_output_tokens", "length"), ("stop", "MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"),
        ("tool_calls", "error", "error"), (None, "network_error", "network_error"),
    ])  # fmt: skip
    def test_failure_in_the_word_of_the_service_behind_it_counts(self, reason, native, ending):
        choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": reason, "native_finish_reason": native}
        assert end_of(event({"choices": [choice]}), DONE) == ending

    @pytest.mark.parametrize("refusal", [
        {"refusal": "I can't."}, {"content": [{"type": "refusal", "refusal": "I can't."}]},
        {"content": None, "refusal": "I can't."},
    ])  # fmt: skip
    def test_refusal_is_text_that_is_marked(self, refusal):
        assert text_of(chunk(**refusal), chunk(None, "stop"), DONE) == "I can't."
        assert end_of(chunk(**refusal), chunk(None, "stop"), DONE) == "refusal"
        assert end_of(chunk(**refusal), chunk(None, "content_filter"), DONE) == "content_filter"

    def test_words_of_a_spoken_answer_are_its_text(self):
        spoken = [chunk(audio={"id": "a", "transcript": "Hel"}), chunk(audio={"transcript": "lo", "data": "AAAA"})]
        assert text_of(*spoken, chunk(None, "stop"), DONE) == "Hello"
        assert end_of(chunk("a", refusal=None), chunk(None, "stop", refusal=""), DONE) == "stop"

    def test_finish_reason_is_kept_after_done(self):
        assert end_of(chunk("a", "content_filter"), DONE) == "content_filter"

    @pytest.mark.parametrize("rest", [b"", b"\n", b"data: [DO", b'data: {"choices": [{"delta', b"da", b": ping\n\n"])
    def test_stream_without_finish_reason_and_done_is_truncated(self, rest):
        assert read(chunk("a"), rest) == [Delta("a"), Delta(finish_reason="truncated")]

    def test_stream_cut_inside_a_character_is_truncated(self):
        assert (
            read(chunk("a"), 'data: {"choices": [{"delta": {"content": "ж'.encode()[:-1])[-1].finish_reason
            == "truncated"
        )

    def test_empty_body_is_truncated(self):
        assert read() == read(b"") == read(b"\r\n\n ") == [Delta(finish_reason="truncated")]


class TestWholeAnswer:
    WHOLE = json.dumps(
        {"choices": [{"message": {"content": "привет"}, "finish_reason": "length"}], "usage": {"prompt_tokens": 1}},
        ensure_ascii=False,
    ).encode()

    @pytest.mark.parametrize("before", [b"", b"\n \t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
    def test_one_json_object_is_decoded_although_a_stream_was_requested(self, before):
        expected = [Delta("привет", usage=Usage(1)), Delta(finish_reason="length")]
        assert read(before + self.WHOLE) == expected
        assert read(*(bytes([byte]) for byte in before + self.WHOLE + b"\n")) == expected

    def test_without_finish_reason_it_is_complete(self):
        assert end_of(b'{"choices": [{"message": {"content": "a"}}]}') == "stop"

    @pytest.mark.parametrize(
        "body", [b"{", b"{}", b"[]", b"[1]", b'{"a": 1}', b"{} {}", b'{"choices": null}', WHOLE[:-1]]
    )
    def test_other_json_is_a_protocol_error(self, body):
        with pytest.raises(ProtocolError):
            read(body)

    def test_json_values_one_after_the_other_are_chunks(self):
        chunks = [{"choices": [{"delta": {"content": c}}]} for c in "abc"]
        assert text_of("\n".join(map(json.dumps, chunks)).encode()) == "abc"

    def test_a_stream_may_follow_json(self):
        assert read(b'{"choices": []}\n\n' + chunk("a"), DONE) == [Delta("a"), Delta(finish_reason="stop")]
        assert end_of(b'{"choices": []}\n\n' + chunk("a")) == "truncated"

    def test_json_that_is_not_utf8_is_a_protocol_error(self):
        with pytest.raises(ProtocolError, match="UTF-8"):
            read(b'{"choices": "\xff"}')

    def test_json_over_the_bound_is_a_protocol_error(self, monkeypatch):
        monkeypatch.setattr(wire_body, "MAX_EVENT", 10_000)
        with pytest.raises(ProtocolError, match="not valid JSON"):
            read(*[b"[" * 1000] * 11)


ERRORS = [
    ({"error": {"message": "no"}}, ServerError, 200),
    ({"error": "no"}, ServerError, 200),
    ({"error": True, "message": "no"}, ServerError, 200),
    ({"error": True, "res_status": 402, "message": "no"}, RateLimitError, 402),
    ({"error": {"message": "no", "code": 429}}, RateLimitError, 429),
    ({"error": {"message": "no", "code": "401"}}, AuthenticationError, 401),
    ({"error": {"message": "no", "status": 503}}, ServerError, 503),
    ({"error": {"message": "no"}, "status": 403}, AuthenticationError, 403),
    ({"error": "no", "code": 400}, HTTPStatusError, 400),
    ({"error": {"message": "no", "code": "invalid_api_key"}}, AuthenticationError, 401),
    ({"error": {"message": "no", "type": "insufficient_quota"}}, RateLimitError, 402),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, ServerError, 529),
    ({"object": "error", "message": "no", "code": 500}, ServerError, 500),
    ({"message": "no", "code": 429}, RateLimitError, 429),
    ({"detail": "no"}, ServerError, 200),
    ({"choices": [{"delta": {"content": ""}, "finish_reason": "error"}], "error": {"message": "no"}}, ServerError, 200),
    ([{"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}], HTTPStatusError, 400),
]


class TestErrors:
    @pytest.mark.parametrize(("value", "kind", "status"), ERRORS, ids=[json.dumps(e[0])[:50] for e in ERRORS])
    @pytest.mark.parametrize("dress", [event, lambda value: json.dumps(value).encode()], ids=["event", "whole"])
    def test_error_objects_inside_a_200_are_errors(self, value, kind, status, dress):
        with pytest.raises(kind, match=r"^no") as caught:
            read(dress(value))
        assert type(caught.value) is kind
        assert caught.value.status == status

    @pytest.mark.parametrize("value", [{"error": {}, "object": "error"}, {"error": [1]}, {"error": {"status": 500}}])
    def test_error_object_of_unknown_form_is_quoted(self, value):
        with pytest.raises(ServerError) as caught:
            read(event(value))
        assert str(caught.value).startswith(json.dumps(value))

    @pytest.mark.parametrize(
        "data", ['{"error": {"message": "no"}}', "no", '"no"', '{"message": "no"}', '{"detail": "no"}']
    )
    def test_event_of_type_error_is_an_error(self, data):
        with pytest.raises(ServerError, match="no"):
            read(f"event: error\ndata: {data}\n\n".encode())

    def test_error_after_text_keeps_what_was_yielded(self):
        reader = ChatCompletionsDecoder()
        deltas = reader.feed(chunk("a") + event({"error": "no"}))
        assert next(deltas) == Delta("a")
        with pytest.raises(ServerError, match="no"):
            next(deltas)

    @pytest.mark.parametrize("beside", [{}, {"finish_reason": "error"}, {"finish_reason": "stop"}])
    def test_error_inside_a_choice_is_an_error_that_keeps_its_text(self, beside):
        choice = {"index": 0, "delta": {"content": "b"}, "error": {"message": "no", "code": 429}, **beside}
        deltas = ChatCompletionsDecoder().feed(chunk("a") + event({"choices": [choice]}))
        assert [next(deltas).text, next(deltas).text] == ["a", "b"]
        with pytest.raises(RateLimitError, match="no"):
            next(deltas)

    @pytest.mark.parametrize("before", [b"", chunk("a"), chunk("a").rstrip(), b": hello\n\n"])
    @pytest.mark.parametrize("after", [b"", DONE, chunk("b") + DONE])
    @pytest.mark.parametrize("words", [
        b'error: {"code": 400, "message": "no room"}', b"error: no room", b"Error: no room",
        b'{"error": {"message": "no room"}}', b'{"detail": "no room"}', b'[{"error": {"message": "no room"}}]',
        b'{\n  "error": {\n    "data": 1,\n    "message": "no room"\n  }\n}', b'{"error": "no room"}\n{"error": "x"}',
    ])  # fmt: skip
    def test_error_without_framing_is_an_error(self, before, after, words):
        for rest in (b"\n\n" + after, b"\n" + after) if after else (b"", b"\n"):
            reader, text = ChatCompletionsDecoder(), ""
            deltas = itertools.chain(reader.feed(before + b"\n"), reader.feed(words + rest), reader.close())
            with pytest.raises(HTTPStatusError, match="no room"):
                text = "".join(text := text + delta.text for delta in deltas)
            assert text == ("a" if b'"a"' in before else "")

    @pytest.mark.parametrize("value", [
        {"message": {"detail": "no room"}}, {"detail": [{"msg": "no room"}]}, {"errors": ["no room"]},
        {"code": 1, "msg": "no room"}, {"base_resp": {"status_code": 7, "status_msg": "no room"}, "choices": None},
        {"type": "error", "reason": "no room"},
    ])  # fmt: skip
    def test_objects_without_choices_that_say_what_went_wrong_are_errors(self, value):
        for before in (b"", chunk("a")):
            with pytest.raises(ServerError, match="no room"):
                read(before, event(value), DONE)

    def test_empty_error_beside_each_success_is_none(self):
        none = {"error": {"code": 0, "message": ""}, "base_resp": {"status_code": 0, "status_msg": "fine"}}
        assert text_of(event({"choices": [{"delta": {"content": "a"}}], **none}), DONE) == "a"

    def test_last_words_of_a_stream_that_broke_off_are_told(self):
        with pytest.raises(ServerError, match="upstream connect error"):
            read(chunk("a"), b"upstream connect error\n")
        assert end_of(chunk("a"), b"odd\n", chunk("b")) == "truncated"
        with pytest.raises(ProtocolError, match="queued"):
            read(event({"status": "queued"}))

    def test_bare_error_object_among_events_is_an_error(self):
        with pytest.raises(RateLimitError, match="no"):
            read(b': hello\n\n{"error": {"message": "no", "code": 429}}\n')

    @pytest.mark.parametrize("value", [
        {"error": {"code": "model_not_found", "message": "no"}}, {"error": {"code": 404, "message": "no such model"}},
    ])  # fmt: skip
    def test_unknown_model_is_named(self, value):
        with pytest.raises(ModelNotFoundError, match="no"):
            read(event(value))

    @pytest.mark.parametrize(
        "status", [10**5000, "9" * 5000, 4.04, True, "²²²", 99, 600, "٤٠١", [401], None, "abc"], ids=number
    )
    def test_invalid_statuses_in_an_error_object_are_ignored(self, status):
        assert isinstance(object_error({"error": {"message": "no", "code": status}}), ServerError | AuthenticationError)


class TestRefusal:
    @pytest.mark.parametrize(("status", "kind"), [
        (400, HTTPStatusError), (401, AuthenticationError), (402, RateLimitError), (403, AuthenticationError),
        (404, HTTPStatusError), (408, HTTPStatusError), (429, RateLimitError), (500, ServerError), (503, ServerError),
    ])  # fmt: skip
    def test_each_status_has_its_error(self, status, kind):
        error = refusal_error(status, b"no", 3.0)
        assert type(error) is kind
        assert isinstance(error, HTTPStatusError)
        assert (error.status, error.retry_after) == (status, 3.0)
        assert str(error) == f"no (HTTP {status})"

    def test_status_that_is_no_refusal_either_doubts_the_address(self):
        error = refusal_error(304, b"no")
        assert isinstance(error, ProtocolError)
        assert error.doubts_address

    def test_http_status_takes_precedence_over_the_one_in_the_body(self):
        error = refusal_error(429, b'{"error": {"message": "no", "code": "insufficient_quota"}}')
        assert isinstance(error, HTTPStatusError)
        assert error.status == 429

    @pytest.mark.parametrize(("body", "words"), [
        (b'{"error": {"message": "no"}}', "no"), (b'[{"error": {"message": "no"}}]', "no"), (b"  no\n way ", "no way"),
        (b"<html>x</html>", "The server returned a web page"), (b"", "The server refused the request"),
        (b"\xff\xfe", "��"), (b"[" * 100_000, "[" * 1999 + "…"), (b'{"detail": [{"msg": "x"}]}', "x"),
        (b"<html><title>502 Bad &amp; Gateway</title><p>x", "The server returned a web page: 502 Bad & Gateway"),
        (b"[1, 2]", "[1, 2]"), (b"{}", "The server reported an unspecified error"),
    ])  # fmt: skip
    def test_message_of_the_server_is_quoted(self, body, words):
        assert str(refusal_error(500, body)).startswith(words)

    def test_404_about_a_model_is_an_unknown_model(self):
        assert isinstance(refusal_error(404, b'{"error": "model \'x\' not found"}'), ModelNotFoundError)
        assert not isinstance(refusal_error(404, b"<html>model</html>"), ModelNotFoundError)
        assert isinstance(
            refusal_error(400, b'{"error": {"message": "x is not a valid model ID"}}'), ModelNotFoundError
        )
        assert not isinstance(refusal_error(400, b'{"error": "the model is not happy"}'), ModelNotFoundError)

    def test_refusal_is_read_in_the_encoding_that_it_names(self):
        for charset, text in (
            ("windows-1251", "Нет доступа"),
            ("utf-16", "Нет"),
            ("utf-16-le", "no"),
            ("koi8-r", "Нет"),
        ):
            assert str(refusal_error(400, text.encode(charset), None, charset)) == f"{text} (HTTP 400)", charset
            body = json.dumps({"error": {"message": text}}, ensure_ascii=False)
            assert str(refusal_error(400, body.encode(charset), None, charset)) == f"{text} (HTTP 400)", charset
        assert str(refusal_error(400, "Нет".encode(), None, "latin-1")) == "Нет (HTTP 400)", "UTF-8 shows itself"
        for charset in ("nope", "hex", "", "utf-8"):
            assert str(refusal_error(400, b"no\xff", None, charset)) == "no\ufffd (HTTP 400)", charset

    def test_challenge_is_told_where_the_body_says_nothing(self):
        challenge = 'Bearer realm="x", error="invalid_token", error_description="The token expired"'
        assert str(refusal_error(401, b"", challenge=challenge)) == "The token expired (HTTP 401)"
        assert str(refusal_error(401, b"", challenge='Bearer error="no"')) == "no (HTTP 401)"
        assert str(refusal_error(401, b"gone", challenge=challenge)) == "gone (HTTP 401)"
        assert "refused" in str(refusal_error(401, b"", challenge="Basic realm=x"))

    def test_refusal_framed_as_an_event_is_read(self):
        framed = b'event: error\ndata: {"error": {"message": "slow down", "code": "x"}}\n\n'
        for body in (framed, framed[13:], b": hm\n\n" + framed):
            error = refusal_error(429, body)
            assert (type(error), str(error), error.code) == (RateLimitError, "slow down (HTTP 429)", "x")
        assert str(refusal_error(400, b"data: no\n")) == "data: no (HTTP 400)"

    def test_snippet_is_one_short_clean_line(self):
        shown = make_snippet("a\x1b[31m\n\u202eb\ud800" + "x" * 9000)
        assert shown.startswith("a [31m b x")
        assert len(shown) == MAX_WORDS
        assert shown.endswith("…")

    def test_credential_at_the_edge_of_a_snippet_is_not_shown_in_part(self):
        secret = Secret("correct-horse-battery")
        assert "corr" not in make_snippet("x" * (MAX_WORDS - 8) + secret.reveal())
        assert secret.reveal() not in str(refusal_error(401, f'{{"error": "bad key {secret.reveal()}"}}'.encode()))


class TestOtherFormats:
    @pytest.mark.parametrize("body", [b"<!DOCTYPE html>", b"\n <html>", b"\xef\xbb\xbf<html>"])
    def test_web_page_is_a_protocol_error(self, body):
        with pytest.raises(ProtocolError, match="web page"):
            read(body)

    def test_web_page_is_told_by_its_title(self):
        for rest in (b"</title><p>x", b"", b"x" * 5000):
            with pytest.raises(ProtocolError, match=r"web page \(Sign in"):
                read(b"<html><ti", b"tle>Sign", b" in" + rest)

    @pytest.mark.parametrize("body", [b"Hello.\n", b"Hello: you\nthere\n", b"Hello.", b": hm\nHello.\n"])
    def test_plain_text_is_a_protocol_error_that_quotes_it(self, body):
        with pytest.raises(ProtocolError, match=r"not an event stream: Hello"):
            read(body)

    def test_lines_outside_the_grammar_are_ignored_in_a_response(self):
        assert text_of(b"x-odd: 1\n" + chunk("a") + b"y\n", DONE) == "a"
        assert end_of(chunk("", "stop"), b"odd\n") == "stop"

    @pytest.mark.parametrize("data", ["Hello", "{", "{'a': 1}", "null", "1", '"a"', "[1]", "NaN", *HUGE], ids=number)
    def test_data_that_are_not_a_json_object_are_a_protocol_error(self, data):
        with pytest.raises(ProtocolError):
            read(f"data: {data}\n\n".encode())

    def test_heartbeats_in_the_place_of_data_are_passed_over(self):
        beats = (b"data: ping", b"data: null", b"data: [HEARTBEAT]", b'data: "keep-alive"', b"data: : keepalive")
        for beat in (*beats, b"event: heartbeat\ndata: 12:30", b"event: ping\ndata: hello"):
            body = chunk("Hel"), beat + b"\n\n", chunk("lo"), DONE
            assert (text_of(*body), end_of(*body)) == ("Hello", "stop"), beat
        with pytest.raises(ProtocolError, match="no choices: ping"):
            read(b"data: ping\n\n", DONE)

    def test_text_of_a_delta_may_be_named_as_in_a_completion(self):
        body = event({"choices": [{"delta": {"text": "Hi"}}]}), chunk(finish_reason="stop")
        assert (text_of(*body), end_of(*body)) == ("Hi", "stop")

    @pytest.mark.parametrize("last", [
        {"choices": [{"delta": {"content": "", "finish_reason": "length"}}]},
        {"choices": [{"delta": {}, "stop_reason": "length"}]},
        {"choices": [{"delta": {}, "finish_details": {"type": "length"}}]},
        {"choices": [], "finish_reason": "length"}, {"choices": [{"delta": {}}], "finish_reason": "length"},
    ])  # fmt: skip
    def test_a_finish_reason_is_found_wherever_it_stands(self, last):
        assert end_of(chunk("Hi"), event(last), DONE) == "length"

    def test_the_text_at_which_a_reply_stops_is_no_finish_reason(self):
        for text in ("###", 128009, None, ["length"]):
            assert end_of(chunk("Hi"), event({"choices": [{"delta": {}, "stop_reason": text}]}), DONE) == "stop"

    def test_data_that_no_more_bytes_could_complete_are_quoted(self):
        """Line breaks that a server has written as backslashes leave one event that never ends."""
        body = (chunk("Hi") + DONE).replace(b"\n", rb"\n")
        with pytest.raises(ProtocolError, match=r"not an event stream: .*Hi"):
            read(body)
        for cut in (b'data: {"choices": [{"delta": {"content": "H', b"data: [DO", b"data: "):
            assert end_of(cut) == "truncated"

    def test_text_may_stand_in_the_choice_itself(self):
        for name in ("text", "content"):
            body = event({"choices": [{name: "He"}]}), event({"choices": [{name: "llo", "finish_reason": "stop"}]})
            assert (text_of(*body), end_of(*body)) == ("Hello", "stop"), name

    @pytest.mark.parametrize(("value", "text"), [(42, "42"), (1.5, "1.5"), ({"a": 1}, '{"a": 1}')])
    def test_a_message_may_hold_the_json_of_its_text(self, value, text):
        body = json.dumps({"choices": [{"message": {"content": value}, "finish_reason": "stop"}]}).encode()
        assert text_of(body) == text

    def test_data_that_are_framed_twice_are_read(self):
        body = (chunk("Hel") + chunk("lo") + chunk(finish_reason="stop") + DONE).replace(b"data:", b"data: data:")
        assert (text_of(body), end_of(body)) == ("Hello", "stop")

    def test_a_stream_of_another_format_is_quoted_though_it_has_an_end_mark(self):
        with pytest.raises(ProtocolError, match=r'no choices: {"response": "Hi"}'):
            read(event({"response": "Hi"}), event({"response": " you"}), DONE)

    @pytest.mark.parametrize("value", [
        {"choices": 1}, {"choices": "x"}, {"choices": {"0": {}}}, {"choices": [1]}, {"choices": [[]]},
        {"choices": [{"delta": 1}]}, {"choices": [{"delta": "x"}]}, {"choices": [{"delta": {"content": True}}]},
        {"choices": [{"delta": {"content": {"a": 1}}}]}, {"choices": [{"delta": {"content": [1]}}]},
        {"choices": [{"delta": {"content": [{"text": 1}]}}]}, {"choices": [{"delta": {"content": [None]}}]},
        {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": {"a": 1}}]}}]},
    ])  # fmt: skip
    def test_chunks_of_another_shape_are_protocol_errors(self, value):
        with pytest.raises(ProtocolError):
            read(event(value))

    def test_invalid_utf8_is_a_protocol_error(self):
        for body in (b"data: \xff\n\n", b"data: \xff"):
            with pytest.raises(ProtocolError, match="UTF-8"):
                read(body)


def outcome(pieces: list[bytes]) -> object:
    """Return the text and finish reason of `pieces`, or the class of the error; other errors fail the test."""
    try:
        deltas = read(*pieces)
    except ProviderError as error:
        return type(error), str(error)
    text = "".join(delta.text + delta.reasoning for delta in deltas)
    text.encode()
    assert deltas[-1].finish_reason is not None
    return text, deltas[-1].finish_reason


def cut(body: bytes, places: list[int]) -> list[bytes]:
    marks = [0, *sorted(min(place, len(body)) for place in places), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(marks)]


PLACES = st.lists(st.integers(0, 600), max_size=12)
KEYS = st.sampled_from([
    "choices", "delta", "message", "content", "index", "finish_reason", "usage", "error", "code", "type", "text",
    "object", "reasoning", "reasoning_content", "prompt_tokens", "status", "thinking", "detail",
])  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\ud83d", "thinking", "error"])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
CHUNKS = st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"delta": VALUES}), max_size=2)})


def test_events_without_blank_lines_between_them_are_read():
    events = chunk("Hel") + chunk("lo") + chunk(finish_reason="stop")
    for body in (events + DONE, events, events + DONE.rstrip()):
        lines = body.replace(b"\n\n", b"\n")
        for at in (0, 40, 200):
            assert (text_of(lines[:at], lines[at:]), end_of(lines[:at], lines[at:])) == ("Hello", "stop"), (body, at)
    cut = (chunk("Hel") + chunk("lo")).replace(b"\n\n", b"\n")[:-12]
    assert (text_of(cut), end_of(cut)) == ("Hel", CUT_OFF)


@given(st.text(st.characters(exclude_categories=[])), st.lists(st.integers(0, 200), max_size=8), PLACES, st.booleans())
def test_text_is_the_same_wherever_text_and_bytes_are_cut(text, parts, places, escaped):
    units = text.encode("utf-16-le", "surrogatepass")
    whole = units.decode("utf-16-le", "replace")
    marks = [0, *sorted(min(2 * place, len(units)) for place in parts), len(units)]
    pieces = [units[a:b].decode("utf-16-le", "surrogatepass") for a, b in itertools.pairwise(marks)]
    parts_with_text = [piece for piece in pieces if piece]
    assume(not any(b.startswith(a) for a, b in itertools.pairwise(parts_with_text[:2])))  # may be snapshots
    body = b"".join(chunk(piece) for piece in pieces)
    if not escaped and whole == text:
        body = b"".join(json.dumps({"choices": [{"delta": {"content": c}}]}, ensure_ascii=False).encode().join(
            [b"data:", b"\r\n\r\n"]) for c in text)  # fmt: skip
    assert outcome(cut(body + DONE, places)) == (whole, "stop")
    assert outcome(cut(body, places)) == (whole, "truncated")


@given(st.lists(VALUES | CHUNKS, max_size=4), PLACES, st.booleans())
def test_any_json_in_any_chunk_is_a_response_or_a_provider_error(values, places, done):
    body = b"".join(map(event, values)) + DONE * done
    assert outcome(cut(body, places)) == outcome([body])


@given(VALUES | CHUNKS)
def test_any_whole_json_is_a_response_or_a_provider_error(value):
    outcome([json.dumps(value).encode()])
    object_error(value)
    refusal_error(500, json.dumps(value).encode())


@given(st.binary(max_size=200) | st.lists(st.sampled_from([
    b"data: ", b"data:", b"\n", b"\r\n", b"\n\n", b"{", b"}", b'"', b"[", b"]", b"[DONE]", b"\xef\xbb\xbf", b"\xd0",
    b"\xb6", b'{"choices":[{"delta":{"content":"a"}}]}', b"event: error", b" ", b":", b"<", b"\xff", b"\\ud83d",
]), max_size=30).map(b"".join), PLACES)  # fmt: skip
def test_any_bytes_are_a_response_or_a_provider_error(body, places):
    assert outcome(cut(body, places)) == outcome([bytes([byte]) for byte in body])


# Events without blank lines between them.


def test_events_with_a_single_line_break_are_read_as_they_come():
    reader = ChatCompletionsDecoder()
    pieces = [chunk(text)[:-1] for text in ("One", " two", " three")]
    assert [[delta.text for delta in reader.feed(piece)] for piece in pieces] == [[], ["One"], [" two"]]
    rest = [*reader.feed(chunk(finish_reason="stop")[:-1]), *reader.feed(DONE[:-1]), *reader.close()]
    assert "".join(delta.text for delta in rest) == " three"
    assert rest[-1].finish_reason == "stop"


def test_last_event_of_type_error_may_lack_its_blank_line():
    for words in ('{"error": {"message": "out of memory"}}', '{"code": 7, "oddity": "out of memory"}', "out of memory"):
        with pytest.raises(ServerError, match="out of memory"):
            read(chunk("One"), b"event: error\ndata: " + words.encode() + b"\n")


# Thoughts that Gemini marks.

GOOGLE = {"google": {"thought": True}}


def test_gemini_thoughts_are_reasoning():
    told = [
        [chunk("Hm", extra_content=GOOGLE), chunk("m.", extra_content=GOOGLE), chunk("Four.")],
        [chunk("<thought>Hm", extra_content=GOOGLE), chunk("m.</thought>", extra_content=GOOGLE), chunk("Four.")],
        [event({"choices": [{"message": {"content": "<thought>Hmm.</thought>Four.", "extra_content": GOOGLE}}]})],
    ]
    for pieces in told:
        deltas = read(*pieces, chunk(finish_reason="stop"), DONE)
        assert "".join(delta.text for delta in deltas) == "Four."
        assert "".join(delta.reasoning for delta in deltas) == "Hmm."


def test_other_extra_content_is_no_thought():
    for extra in ({"google": {"thought": False}}, {"google": {"thought_signature": "x"}}, {"google": None}, [1]):
        assert text_of(chunk("Four.", extra_content=extra), chunk(finish_reason="stop")) == "Four."


# Calls of another kind.


def test_custom_call_is_a_call_whose_arguments_are_its_text():
    pieces = [
        {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "shell", "input": ""}},
        {"index": 0, "custom": {"input": "ls "}},
        {"index": 0, "custom": {"input": "-l"}},
    ]
    whole = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}
    message = event({"choices": [{"message": {"content": None, "tool_calls": [whole]}, "finish_reason": "tool_calls"}]})
    for body in ([chunk(tool_calls=[one]) for one in pieces] + [chunk(finish_reason="tool_calls")], [message]):
        (call,) = read(*body, DONE)[-1].calls
        assert (call.id, call.name, call.arguments) == ("c1", "shell", "ls -l")


# Errors in the field of a service's own.


def test_groq_error_beside_a_stop_is_an_error():
    stop = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    for last in ({**stop, "x_groq": {"error": "over capacity"}}, {"x_groq": {"error": {"message": "over capacity"}}}):
        with pytest.raises(ServerError, match=r"^over capacity"):
            read(chunk("One"), event(last), DONE)
    assert text_of(chunk("One"), event({**stop, "x_groq": {"id": "x", "error": None}}), DONE) == "One"


# The prompt sent back.


def test_echo_of_the_prompt_is_no_reply():
    def text(*pieces: bytes) -> str:
        reader = ChatCompletionsDecoder(sent=["Two and two?", "Be brief."])
        deltas = [delta for piece in (*pieces, chunk(finish_reason="stop"), DONE) for delta in reader.feed(piece)]
        return "".join(delta.text for delta in deltas)

    echo, answer = chunk("Two and two?", role="user"), chunk("Four.", role="assistant")
    assert text(echo, answer) == "Four."
    assert text(chunk("Be brief.", role="system"), echo, answer, chunk(" Yes.")) == "Four. Yes."
    for fields in ({}, {"role": "user"}):
        assert text(chunk("Two ", role="user"), chunk("and two?\n", **fields), answer) == "Four."
    assert text(echo) == ""
    assert text(chunk("Four", role="user"), chunk(".", role="user")) == "Four."  # a server that calls itself that


# Ends and failures in further forms.


@pytest.mark.parametrize("mark", [b"[done]", b"DONE", b"[END]", b'"[DONE]"', b" [DONE] "])
def test_end_mark_may_be_written_otherwise(mark):
    assert end_of(chunk("One"), b"data: " + mark + b"\n\n") == "stop"


def test_end_may_be_an_event_of_its_own():
    for kind in (b"done", b"end"):
        assert end_of(chunk("One"), b"event: " + kind + b"\ndata: {}\n\n") == "stop"
    assert end_of(chunk("One"), b"event: ping\ndata: {}\n\n") == CUT_OFF


def test_words_after_the_finish_reason_say_nothing():
    assert text_of(chunk("One"), chunk(finish_reason="stop"), b"data: bye\n\n") == "One"


FAILURES = [
    event({"choices": [{"delta": {"content": "", "error": "out of memory"}, "finish_reason": "stop"}]}),
    event({"status": "failed", "info": "out of memory"}),
    event({"success": False, "info": "out of memory"}),
    b'event: exception\ndata: {"info": "out of memory"}\n\n',
    b"data: error: out of memory\n\n",
    b"<html><title>out of memory</title><body>x</body></html>",
]


@pytest.mark.parametrize("failure", FAILURES, ids=number)
def test_failure_after_text_is_an_error_in_its_words(failure):
    with pytest.raises(ServerError, match="out of memory"):
        read(chunk("One"), failure, *([DONE] if failure.startswith((b"data", b"event")) else []))


def test_content_may_be_a_single_part():
    parts = [{"type": "text", "text": "One"}, {"type": "reference", "reference_ids": [1]}]
    assert text_of(*map(chunk, parts), chunk(finish_reason="stop")) == "One"
    (thought, *_) = read(chunk({"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}), DONE)
    assert thought.reasoning == "Hm"


def test_text_that_is_longer_than_the_prompt_is_no_echo_and_is_not_held():
    for sent, is_echo in ((["Hi"], False), (["x" * 200_000], True)):
        decoder = ChatCompletionsDecoder(sent=iter(sent))
        pieces = ["".join(d.text for d in decoder.feed(chunk("x" * 10_000, role="user"))) for _ in range(20)]
        assert ("".join(pieces) == "x" * 200_000) == (not is_echo)
        assert all(pieces[7:]) == (not is_echo)
        list(decoder.feed(chunk("Yes.", role="assistant")))


def test_a_number_in_place_of_text_is_its_text():
    assert text_of(chunk("Room "), chunk(101), chunk(". Pi is "), chunk(3.5), chunk(finish_reason="stop")) == (
        "Room 101. Pi is 3.5"
    )


def test_a_text_in_an_object_is_read():
    assert text_of(chunk({"text": "Hel"}), chunk({"text": "lo"}), chunk(finish_reason="stop")) == "Hello"


def test_words_as_json_are_told_in_place_of_a_reply():
    for body in (b'"out of memory"', b'"{out of memory"', b'"{'):
        with pytest.raises(ProtocolError):
            read(body)


def test_json_encoded_twice_is_read_wherever_its_bytes_are_cut():
    whole = json.dumps(json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]})).encode()
    for cut in range(1, len(whole)):
        assert text_of(whole[:cut], whole[cut:]) == "Hi"
    assert text_of(b" ", *(bytes([byte]) for byte in whole)) == "Hi"
    for body in (b'"', b' "'):
        with pytest.raises(ProtocolError, match="not an event stream"):
            read(body)


@pytest.mark.parametrize("first", [(), (chunk("", role="assistant"),)])
def test_a_reply_may_begin_with_a_zero_that_is_a_number(first):
    assert text_of(*first, chunk(0), chunk(".5"), chunk(finish_reason="stop")) == "0.5"
    assert text_of(*first, chunk(0), chunk(0), chunk(7), chunk(finish_reason="stop")) == "007"


def test_a_choice_that_is_null_is_none():
    for empty in ({"choices": [None]}, {"choices": [None, None]}):
        assert text_of(event(empty), chunk("Hello"), event(empty), chunk(finish_reason="stop")) == "Hello"
