"""Log of requests, connections and disconnects."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class MockRequest:
    """One received request. Its repr omits headers and query, which may hold a credential."""

    method: str
    path: str
    """Path with the settings, without the query."""
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Headers, names in lower case."""
    content: bytes = field(repr=False)
    """Body, as received."""
    json: Any = field(repr=False)
    """Body parsed as JSON; None if it is invalid."""


class RequestLog:
    """Events since the last `MockServer.forget`. A request stays in the log in which it began."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.requests: list[MockRequest] = []
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self.disconnects: list[float] = []
        self.awaited = 0

    def record(self, request: MockRequest) -> int:
        """Add `request`; return the number of requests to its path so far."""
        with self.changed:
            self.requests.append(request)
            self.counts[request.path] += 1
            self.changed.notify_all()
            return self.counts[request.path]

    def record_disconnect(self) -> None:
        """Add a disconnect: a client closed before the end of its response."""
        with self.changed:
            self.disconnects.append(time.monotonic())
            self.changed.notify_all()
