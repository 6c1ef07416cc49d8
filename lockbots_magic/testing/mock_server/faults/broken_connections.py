"""Faults: connections that break or stall, and malformed bodies."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from ..responses import ConnectionAction, MockResponse, Piece
from ..services import MockExchange, frame
from .registry import CHAT_COMPLETIONS, EVENTS, fault, normal_response, stream_response


@fault("no-answer", "read the request, then close the connection")
def _no_answer(_: MockExchange) -> MockResponse:
    return MockResponse([ConnectionAction.CLOSE], raw=True)


@fault("not-http", "a response that is not HTTP")
def _not_http(_: MockExchange) -> MockResponse:
    return MockResponse([b"220 mail.example ready\r\n\r\n", ConnectionAction.CLOSE], raw=True)


@fault("silence", "no response; the connection stays open")
def _silence(_: MockExchange) -> MockResponse:
    return MockResponse([ConnectionAction.HANG], raw=True)


@fault("silence-body", "the head, then silence")
def _silence_body(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, ConnectionAction.HANG)


@fault("silence-midway", "half of the reply, then silence")
def _silence_midway(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), ConnectionAction.HANG)


@fault("heartbeat", "half of the reply, then endless comments (spaces if there are no events)")
def _heartbeat(exchange: MockExchange) -> MockResponse:
    return MockResponse(_beats(exchange, exchange.half()), exchange.service.media_type)


@fault("heartbeat-first", "comments for ever in place of the reply (spaces if there are no events)")
def _heartbeat_first(exchange: MockExchange) -> MockResponse:
    return MockResponse(_beats(exchange, []), exchange.service.media_type)


def _beats(exchange: MockExchange, before: list[bytes]) -> Iterator[Piece]:
    beat = b": ping\n\n" if exchange.service.has_events else b" "
    return itertools.chain(before, itertools.cycle([ConnectionAction.WAIT, beat]))


@fault("slow-headers", "the head line by line, with pauses")
def _slow_headers(exchange: MockExchange) -> MockResponse:
    return replace(normal_response(exchange), slow_head=True)


@fault("reset", "the head, then the connection is reset")
def _reset(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, ConnectionAction.RESET)


@fault("reset-midway", "half of the reply, then the connection is reset")
def _reset_midway(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), ConnectionAction.RESET)


@fault("close-midway", "half of the reply, then the connection is closed without the end of the body")
def _close_midway(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), ConnectionAction.CLOSE)


@fault("short-body", "half of the reply, less than Content-Length declares")
def _short_body(exchange: MockExchange) -> MockResponse:
    return MockResponse([*exchange.half(), ConnectionAction.CLOSE], exchange.service.media_type, body="length")


@fault("cut", "half of the reply, then a clean end: neither [DONE] nor a finish_reason", CHAT_COMPLETIONS)
def _cut(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half())


@fault("cut-character", "the body ends cleanly in the middle of a character", ("liaobots",))
def _cut_character(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.frames(), "я".encode()[:1])


@fault("bad-encoding", "a body that is declared as gzip, and is after its first bytes not")
def _bad_encoding(exchange: MockExchange) -> MockResponse:
    body = [b"\x1f\x8b\x08", *exchange.frames()]
    return MockResponse(body, exchange.service.media_type, headers={"Content-Encoding": "gzip"})


@fault("bad-json", "half of the reply, then an event that is not JSON", EVENTS)
def _bad_json(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), frame('{"choices":[{"delta":'))


@fault("deep-json", "half of the reply, then JSON nested 200,000 deep", EVENTS)
def _deep_json(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), frame("[" * 200_000))


@fault("odd-json", "half of the reply, then JSON that is not an object", EVENTS)
def _odd_json(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), frame("[1, 2]"))


@fault("odd-choices", "half of the reply, then choices that are not a list", CHAT_COMPLETIONS)
def _odd_choices(exchange: MockExchange) -> MockResponse:
    return stream_response(exchange, *exchange.half(), frame('{"choices":"none"}'))


@fault("odd-content", "half of the reply, then content that is an object", EVENTS)
def _odd_content(exchange: MockExchange) -> MockResponse:
    return stream_response(
        exchange, *exchange.half(), frame(exchange.service.chunk({"content": {"odd": 7}}, exchange.body))
    )


@fault("bad-utf8", "half of the reply, then bytes that are not UTF-8")
def _bad_utf8(exchange: MockExchange) -> MockResponse:
    odd = frame(exchange.service.chunk({"content": "?"}, exchange.body)) if exchange.service.has_events else b"?"
    return stream_response(exchange, *exchange.half(), odd.replace(b"?", b"\xff\xfe"), b"!")
