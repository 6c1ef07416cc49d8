"""Rate gate: how many requests are under way, and when the next may start. No I/O.

One gate serves all workers of a batch, wherever they run. Requests and tokens are spaced evenly, so that no window of
time, however a service counts, holds more than its share.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from ..errors import UsageError
from ..language import _

MIN_ACTIVE = 1
"""Requests under way at least, however often the server refuses."""
DECREASE = 0.5
"""Factor by which a refusal lowers the number of requests under way."""


class RateGate:
    """Decides when a request may start: additive increase, multiplicative decrease (AIMD; RFC 5681, 3.1). Thread-safe.

    Args:
        active: Most requests under way at a time.
        rpm: Requests a minute; None for no limit.
        tpm: Tokens a minute, prompt and reply; None for no limit.
        clock: Returns the time (s).

    Raises:
        UsageError: A limit is not a positive number.

    Example:
        >>> gate = RateGate(active=2, rpm=60, clock=lambda: 0.0)
        >>> gate.start(), gate.start()
        (0.0, 1.0)
    """

    def __init__(
        self,
        active: int = 8,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value in (("active", active), ("rpm", rpm), ("tpm", tpm)):
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if value is not None and not (is_number and value > 0):
                raise UsageError(_("{name} must be a number above 0, got {value!r:.60}.", name=name, value=value))
        if int(active) != active:
            raise UsageError(_("active must be a whole number, got {active!r}.", active=active))
        self._most = int(active)
        self._spacing = 60 / rpm if rpm else 0.0
        self._per_token = 60 / tpm if tpm else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._limit = float(active)
        self._next_request = -math.inf
        self._next_tokens = -math.inf
        self._paused_until = -math.inf
        self._lowered_at = -math.inf

    @property
    def active(self) -> int:
        """Most requests under way now."""
        return int(self._limit)

    def start(self, tokens: int = 0) -> float:
        """Start one request if it may start now.

        Args:
            tokens: Tokens that it is expected to take.

        Returns:
            0 if the request has started; otherwise the time (s) after which to ask again.
        """
        with self._lock:
            now = self._clock()
            due = max(self._next_request, self._next_tokens, self._paused_until)
            if due > now:
                return due - now
            self._next_request = now + self._spacing
            self._next_tokens = max(self._next_tokens, now) + tokens * self._per_token
            return 0.0

    def settle(self, expected: int, used: int) -> None:
        """Correct the tokens of a request that has ended.

        Args:
            expected: Tokens as given to `start`.
            used: Tokens that it took.
        """
        with self._lock:
            self._next_tokens += (used - expected) * self._per_token

    def succeed(self) -> None:
        """Tell of an answer: the limit grows by one for each round of answers."""
        with self._lock:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def refuse(self, wait: float, started: float) -> None:
        """Tell that the server refused a request as one too many.

        Args:
            wait: Pause (s) before the next request of all.
            started: When that request started, by the clock. Requests that were under way together lower the limit
                once.
        """
        with self._lock:
            now = self._clock()
            self._paused_until = max(self._paused_until, now + wait)
            if started >= self._lowered_at:
                self._limit = max(MIN_ACTIVE, self._limit * DECREASE)
                self._lowered_at = now
