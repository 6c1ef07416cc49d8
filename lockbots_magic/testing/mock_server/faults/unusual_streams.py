"""Unusual but legal responses that a client must accept: odd chunks, and the whole grammar of event streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..responses import MockResponse
from ..services import MockExchange, dump_json, frame
from .registry import CHAT_COMPLETIONS, EVENTS, fault, stream_response, whole_response


def _insert_events(exchange: MockExchange, *extra: str) -> MockResponse:
    """Return the ordinary events, with the events `extra` before each event with text."""
    events = exchange.events
    text = [event for one in events.text for event in (*extra, one)]
    return stream_response(exchange, *map(frame, [*events.opening, *text, *events.closing]))


@fault("surrogates", "text as escapes, one half of a surrogate pair per event", EVENTS)
def _surrogates(exchange: MockExchange) -> MockResponse:
    units = memoryview(exchange.reply.encode("utf-16-le")).cast("H")
    halves = [json.dumps(json.loads(exchange.service.chunk({"content": chr(unit)}, exchange.body))) for unit in units]
    return stream_response(exchange, *map(frame, [*exchange.events.opening, *halves, *exchange.events.closing]))


@fault("empty-choices", "chunks with an empty list of choices", CHAT_COMPLETIONS)
def _empty_choices(exchange: MockExchange) -> MockResponse:
    return _insert_events(exchange, dump_json({"choices": []}))


@fault("odd-chunks", "role-only, null, empty and usage chunks between those with text", CHAT_COMPLETIONS)
def _odd_chunks(exchange: MockExchange) -> MockResponse:
    deltas: list[Any] = [{"role": "assistant"}, {"content": None}, {"content": ""}, {}, None]
    chunks = [dump_json({"choices": [{"index": 0, "delta": d, "finish_reason": None}]}) for d in deltas]
    count = dump_json({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
    return _insert_events(exchange, *chunks, count, dump_json({"choices": None, "usage": None}), dump_json({}))


@fault("content-parts", "content as a list of parts", CHAT_COMPLETIONS)
def _content_parts(exchange: MockExchange) -> MockResponse:
    events = exchange.events
    text = [
        exchange.service.chunk({"content": [{"type": "text", "text": word}]}, exchange.body) for word in exchange.words
    ]
    return stream_response(exchange, *map(frame, [*events.opening, *text, *events.closing]))


@fault("reasoning", "reasoning_content ('Let me think. ') before the reply", CHAT_COMPLETIONS)
def _reasoning(exchange: MockExchange) -> MockResponse:
    events = exchange.service.events(exchange.words, exchange.body, ("Let ", "me ", "think. "))
    return stream_response(exchange, *map(frame, [*events.opening, *events.text, *events.closing]))


@fault("second-choice", "a second choice whose text must not mix with the first", CHAT_COMPLETIONS)
def _second_choice(exchange: MockExchange) -> MockResponse:
    return _insert_events(exchange, dump_json({"choices": [{"index": 1, "delta": {"content": "MIXED "}}]}))


@fault("text-after-done", "text after [DONE]", CHAT_COMPLETIONS)
def _text_after_done(exchange: MockExchange) -> MockResponse:
    return stream_response(
        exchange, *exchange.frames(), frame(exchange.service.chunk({"content": "AFTER"}, exchange.body))
    )


@fault("whole-json", "one JSON object although a stream was requested", CHAT_COMPLETIONS)
def _whole_json(exchange: MockExchange) -> MockResponse:
    return whole_response(exchange)


def _rewrite_events(exchange: MockExchange, change: Callable[[bytes], bytes]) -> MockResponse:
    return stream_response(exchange, *map(change, exchange.frames()))


@fault("no-space", "`data:` without a space", EVENTS)
def _no_space(exchange: MockExchange) -> MockResponse:
    return _rewrite_events(exchange, lambda f: f.replace(b"data: ", b"data:", 1))


@fault("cr", "lines that end with CR", EVENTS)
def _cr(exchange: MockExchange) -> MockResponse:
    return _rewrite_events(exchange, lambda f: f.replace(b"\n", b"\r"))


@fault("crlf", "lines that end with CRLF", EVENTS)
def _crlf(exchange: MockExchange) -> MockResponse:
    return _rewrite_events(exchange, lambda f: f.replace(b"\n", b"\r\n"))


@fault("bom", "a byte order mark at the start")
def _bom(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, b"\xef\xbb\xbf", *exchange.frames())


@fault("multi-line", "events whose data span several lines", EVENTS)
def _multi_line(exchange: MockExchange) -> MockResponse:
    return _rewrite_events(exchange, lambda f: f if b"[DONE]" in f else f.replace(b"data: {", b"data: {\ndata: ", 1))


@fault("comments", "comments, blank lines and unknown fields between events", EVENTS)
def _comments(exchange: MockExchange) -> MockResponse:
    return _rewrite_events(
        exchange, lambda f: b": ping\n\n\n:\nid: 7\nretry: 10\nevent: message\nunknown: x\nalone\n" + f
    )


@fault("no-final-blank", "the last event without its blank line", EVENTS)
def _no_final_blank(exchange: MockExchange) -> MockResponse:
    frames = exchange.frames()
    return stream_response(exchange, *frames[:-1], frames[-1].removesuffix(b"\n\n"))
