"""What the mock server has been asked, and what became of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recorded:
    """One request as it came. The repr shows neither headers nor query: they may hold a credential."""

    method: str
    path: str
    """With the settings, without the query."""
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    content: bytes = field(repr=False)
    """The body as it came."""
    json: Any = field(repr=False)
    """The body as JSON, None if it is none."""


class Log:
    """What happened since the last `MockServer.forget`. A request stays with the log it began in."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.requests: list[Recorded] = []
        self.asked: Counter[str] = Counter()
        self.connections = 0
        self.disconnects: list[float] = []
        self.awaited = 0

    def record(self, request: Recorded) -> int:
        """Note `request`; return how many there have been to its address."""
        with self.changed:
            self.requests.append(request)
            self.asked[request.path] += 1
            self.changed.notify_all()
            return self.asked[request.path]

    def disconnected(self) -> None:
        """Note that a client has just closed before its answer was over."""
        with self.changed:
            self.disconnects.append(time.monotonic())
            self.changed.notify_all()
