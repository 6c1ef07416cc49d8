"""What a client has to bear: the dialect's odd but legal chunks, and the whole grammar of event streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..answers import Answer
from ..services import Question, dumps, frame
from .base import DIALECT, EVENTS, fault, streamed, whole


def _decorated(q: Question, *extra: str) -> Answer:
    """The ordinary events, with the events `extra` before each of text."""
    parts = q.parts
    text = [event for one in parts.text for event in (*extra, one)]
    return streamed(q, *map(frame, [*parts.opening, *text, *parts.closing]))


@fault("surrogates", "text as escapes, one half of a surrogate pair to an event", EVENTS)
def _surrogates(q: Question) -> Answer:
    units = memoryview(q.reply.encode("utf-16-le")).cast("H")
    events = [json.dumps(json.loads(q.service.chunk({"content": chr(unit)}, q.body))) for unit in units]
    return streamed(q, *map(frame, [*q.parts.opening, *events, *q.parts.closing]))


@fault("empty-choices", "chunks with an empty list of choices", DIALECT)
def _empty_choices(q: Question) -> Answer:
    return _decorated(q, dumps({"choices": []}))


@fault("odd-chunks", "role-only, null, empty and usage chunks between those of text", DIALECT)
def _odd_chunks(q: Question) -> Answer:
    deltas: list[Any] = [{"role": "assistant"}, {"content": None}, {"content": ""}, {}, None]
    chunks = [dumps({"choices": [{"index": 0, "delta": d, "finish_reason": None}]}) for d in deltas]
    count = dumps({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
    return _decorated(q, *chunks, count, dumps({"choices": None, "usage": None}), dumps({}))


@fault("content-parts", "content as a list of parts", DIALECT)
def _content_parts(q: Question) -> Answer:
    parts = q.parts
    text = [q.service.chunk({"content": [{"type": "text", "text": word}]}, q.body) for word in q.words]
    return streamed(q, *map(frame, [*parts.opening, *text, *parts.closing]))


@fault("reasoning", "reasoning_content ('Let me think. ') before the reply", DIALECT)
def _reasoning(q: Question) -> Answer:
    thoughts = [q.service.chunk({"reasoning_content": word}, q.body) for word in ("Let ", "me ", "think. ")]
    return streamed(q, *map(frame, thoughts), *q.frames())


@fault("second-choice", "a second choice whose text must not mix with the first", DIALECT)
def _second_choice(q: Question) -> Answer:
    return _decorated(q, dumps({"choices": [{"index": 1, "delta": {"content": "MIXED "}}]}))


@fault("text-after-done", "text after [DONE]", DIALECT)
def _text_after_done(q: Question) -> Answer:
    return streamed(q, *q.frames(), frame(q.service.chunk({"content": "AFTER"}, q.body)))


@fault("whole-json", "one JSON object though a stream was asked for", DIALECT)
def _whole_json(q: Question) -> Answer:
    return whole(q)


def _rewritten(q: Question, change: Callable[[bytes], bytes]) -> Answer:
    return streamed(q, *map(change, q.frames()))


@fault("no-space", "`data:` without a space", EVENTS)
def _no_space(q: Question) -> Answer:
    return _rewritten(q, lambda f: b"data:" + f.removeprefix(b"data: "))


@fault("cr", "lines that end with CR", EVENTS)
def _cr(q: Question) -> Answer:
    return _rewritten(q, lambda f: f.replace(b"\n", b"\r"))


@fault("crlf", "lines that end with CRLF", EVENTS)
def _crlf(q: Question) -> Answer:
    return _rewritten(q, lambda f: f.replace(b"\n", b"\r\n"))


@fault("bom", "a byte order mark in front")
def _bom(q: Question) -> Answer:
    return streamed(q, b"\xef\xbb\xbf", *q.frames())


@fault("multi-line", "events whose data stand on several lines", EVENTS)
def _multi_line(q: Question) -> Answer:
    return _rewritten(q, lambda f: f if b"[DONE]" in f else f.replace(b"data: {", b"data: {\ndata: ", 1))


@fault("comments", "comments, blank lines and unknown fields between events", EVENTS)
def _comments(q: Question) -> Answer:
    return _rewritten(q, lambda f: b": ping\n\n\n:\nid: 7\nretry: 10\nevent: message\nunknown: x\nalone\n" + f)


@fault("no-final-blank", "the last event without its blank line", EVENTS)
def _no_final_blank(q: Question) -> Answer:
    frames = q.frames()
    return streamed(q, *frames[:-1], frames[-1].removesuffix(b"\n\n"))
