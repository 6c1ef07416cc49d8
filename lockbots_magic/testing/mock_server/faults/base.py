"""The table of faults, and what its rows are made of. Each is a function from the question to the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from types import MappingProxyType

from ..answers import Answer, Piece
from ..services import Question


@dataclass(frozen=True)
class Fault:
    """A way to fail."""

    meaning: str
    answer: Callable[[Question], Answer]
    services: tuple[str, ...]


_table: dict[str, Fault] = {}
FAULTS: Mapping[str, Fault] = MappingProxyType(_table)

ALL = ("lockchat", "liaobots", "liaobots-events", "openai")
EVENTS = ("lockchat", "liaobots-events", "openai")
DIALECT = ("lockchat", "openai")

Maker = Callable[[Question], Answer]


def fault(name: str, meaning: str, services: tuple[str, ...] = ALL) -> Callable[[Maker], Maker]:
    """Enter the decorated function into the table."""

    def enter(make: Maker) -> Maker:
        _table[name] = Fault(meaning, make, services)
        return make

    return enter


def normal(q: Question) -> Answer:
    """The answer when nothing fails."""
    if q.body.get("stream", True):
        return streamed(q, *q.frames())
    return whole(q)


def streamed(q: Question, *pieces: Piece) -> Answer:
    """An answer of the service's own type that is made of `pieces`."""
    return Answer(list(pieces), q.service.media_type)


def whole(q: Question) -> Answer:
    """The reply as one JSON object, or streamed where the service knows no other way."""
    value = q.service.whole(q.words, q.body)
    return streamed(q, *q.frames()) if value is None else Answer([value.encode()])


def refusal(q: Question, status: int, message: str, code: str | None = None) -> Answer:
    """A bad status with an error object, and `Retry-After` if the address says so."""
    headers = {}
    if q.settings.retry_after:
        headers["Retry-After"] = q.settings.retry_after
    if q.settings.retry_date:
        headers["Retry-After"] = formatdate(time.time() + float(q.settings.retry_date), usegmt=True)
    return Answer([q.service.error(status, message, code).encode()], status=status, headers=headers)
