"""Log of requests, connections and disconnects."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_REQUESTS = 10_000
"""Requests that the log keeps, the latest."""
MAX_BYTES = 64 << 20
"""Bytes of their bodies; the latest request is kept whole."""


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
        self.received = 0
        """Number of requests, those that are no longer kept included."""
        self._bytes = 0
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self.disconnects: list[float] = []
        self.awaited = 0

    def record(self, request: MockRequest) -> int:
        """Add `request`; return the number of requests to its path so far."""
        with self.changed:
            self.requests.append(request)
            self.received += 1
            self._bytes += len(request.content)
            while len(self.requests) > MAX_REQUESTS or (self._bytes > MAX_BYTES and len(self.requests) > 1):
                self._bytes -= len(self.requests.pop(0).content)
            if len(self.counts) > MAX_REQUESTS:
                self.counts.clear()
            self.counts[request.path] += 1
            self.changed.notify_all()
            return self.counts[request.path]

    def record_disconnect(self) -> None:
        """Add a disconnect: a client closed before the end of its response."""
        with self.changed:
            self.disconnects.append(time.monotonic())
            self.changed.notify_all()
