"""Connections that break off or fall silent, and bodies that are malformed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ..answers import Answer, Mark, Piece
from ..services import Question, frame
from .base import DIALECT, EVENTS, fault, normal, streamed


@fault("no-answer", "the request is read, the connection closed")
def _no_answer(_: Question) -> Answer:
    return Answer([Mark.CLOSE], raw=True)


@fault("not-http", "something that is not HTTP")
def _not_http(_: Question) -> Answer:
    return Answer([b"220 mail.example ready\r\n\r\n", Mark.CLOSE], raw=True)


@fault("silence", "no answer, the connection stays open")
def _silence(_: Question) -> Answer:
    return Answer([Mark.HANG], raw=True)


@fault("silence-body", "the head, and then nothing")
def _silence_body(q: Question) -> Answer:
    return streamed(q, Mark.HANG)


@fault("silence-midway", "half of the reply, and then nothing")
def _silence_midway(q: Question) -> Answer:
    return streamed(q, *q.half(), Mark.HANG)


@fault("heartbeat", "half of the reply, then comments for ever (spaces, where there are no events)")
def _heartbeat(q: Question) -> Answer:
    return Answer(_beats(q, q.half()), q.service.media_type)


@fault("heartbeat-first", "comments for ever in place of the reply (spaces, where there are no events)")
def _heartbeat_first(q: Question) -> Answer:
    return Answer(_beats(q, []), q.service.media_type)


def _beats(q: Question, before: list[bytes]) -> Iterator[Piece]:
    beat = b": ping\n\n" if q.service.has_events else b" "
    return itertools.chain(before, itertools.cycle([Mark.WAIT, beat]))


@fault("slow-headers", "the head in parts, with pauses")
def _slow_headers(q: Question) -> Answer:
    ordinary = normal(q)
    return Answer(ordinary.pieces, ordinary.media_type, slow_head=True)


@fault("reset", "the head, then the connection is reset")
def _reset(q: Question) -> Answer:
    return streamed(q, Mark.RESET)


@fault("reset-midway", "half of the reply, then the connection is reset")
def _reset_midway(q: Question) -> Answer:
    return streamed(q, *q.half(), Mark.RESET)


@fault("close-midway", "half of the reply, then the connection is closed without the end of the body")
def _close_midway(q: Question) -> Answer:
    return streamed(q, *q.half(), Mark.CLOSE)


@fault("short-body", "half of the reply, less than Content-Length says")
def _short_body(q: Question) -> Answer:
    return Answer([*q.half(), Mark.CLOSE], q.service.media_type, body="length")


@fault("cut", "half of the reply, then a clean end: neither [DONE] nor a finish_reason", DIALECT)
def _cut(q: Question) -> Answer:
    return streamed(q, *q.half())


@fault("cut-character", "the body ends cleanly in the middle of a character", ("liaobots",))
def _cut_character(q: Question) -> Answer:
    return streamed(q, *q.frames(), "я".encode()[:1])


@fault("bad-encoding", "a body that is not gzip although it says so")
def _bad_encoding(q: Question) -> Answer:
    return Answer(q.frames(), q.service.media_type, headers={"Content-Encoding": "gzip"})


@fault("bad-json", "half of the reply, then an event that is not JSON", EVENTS)
def _bad_json(q: Question) -> Answer:
    return streamed(q, *q.half(), frame('{"choices":[{"delta":'))


@fault("deep-json", "half of the reply, then JSON nested 200,000 deep", EVENTS)
def _deep_json(q: Question) -> Answer:
    return streamed(q, *q.half(), frame("[" * 200_000))


@fault("odd-json", "half of the reply, then JSON that is no object", EVENTS)
def _odd_json(q: Question) -> Answer:
    return streamed(q, *q.half(), frame("[1, 2]"))


@fault("odd-choices", "half of the reply, then choices that are no list", DIALECT)
def _odd_choices(q: Question) -> Answer:
    return streamed(q, *q.half(), frame('{"choices":"none"}'))


@fault("odd-content", "half of the reply, then content that is a number", EVENTS)
def _odd_content(q: Question) -> Answer:
    return streamed(q, *q.half(), frame(q.service.chunk({"content": 7}, q.body)))


@fault("bad-utf8", "half of the reply, then bytes that are not UTF-8")
def _bad_utf8(q: Question) -> Answer:
    odd = frame(q.service.chunk({"content": "?"}, q.body)) if q.service.has_events else b"?"
    return streamed(q, *q.half(), odd.replace(b"?", b"\xff\xfe"), b"!")
