"""Retries of the rows of a batch: which are asked again, and when. No I/O."""

from __future__ import annotations

import heapq
import itertools
import random
import time

from ..errors import LockbotsError, ProviderError
from ..language import _
from ..providers.http.retry import get_server_wait, is_retryable
from .breaker import is_fatal
from .gate import RateGate
from .task import RowTask

MAX_THROTTLE_PAUSE = 30.0
"""Longest pause (s) after a refusal without a wait of the server's own."""
MAX_SERVER_WAIT = 600.0
"""Longest wait (s) that a server may ask for; a longer one ends the batch, which can be run again then."""
JITTER = 0.25
"""Share of a pause by which it is lengthened at random."""
_random = random.Random()  # noqa: S311  # no secret; the user's own sequence, which a seed may fix, is left alone
_CONGESTED = (429, 503, 529)
"""Statuses of a server that has too much to do; 529 is Anthropic's "overloaded"."""


class RowRetries:
    """The rows that wait to be asked again.

    Args:
        gate: The rate gate; refusals are reported to it.
        max_retries: Retries of a row.
        backoff: First pause (s).
    """

    def __init__(self, gate: RateGate, max_retries: int, backoff: float) -> None:
        self.stop = ""
        """Why the batch should end; empty if it should not."""
        self._gate = gate
        self._max_retries = max_retries
        self._backoff = backoff
        self._due: list[tuple[float, int, RowTask]] = []
        self._numbers = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._due)

    def pause(self) -> float:
        """Return the time (s) until the next row is due."""
        return max(self._due[0][0] - time.monotonic(), 0.0)

    def take(self) -> RowTask | None:
        """Return a row that is due."""
        due = bool(self._due) and self._due[0][0] <= time.monotonic()
        return heapq.heappop(self._due)[2] if due else None

    def plan(self, task: RowTask, error: LockbotsError, answered: int) -> bool:
        """Plan the next attempt at a row; return False if there is none.

        Args:
            task: The row.
            error: How it failed.
            answered: Number of answers of the batch so far.
        """
        if not isinstance(error, ProviderError):
            return False
        congested = getattr(error, "status", 0) in _CONGESTED and is_retryable(error) and not is_fatal(error)
        pause = self._pause_when_refused(task, error, answered) if congested else task.plan.pause_after(error)
        if pause is None:
            return False
        due = time.monotonic() + pause * _random.uniform(1, 1 + JITTER)
        heapq.heappush(self._due, (due, next(self._numbers), task))
        return True

    def _pause_when_refused(self, task: RowTask, error: ProviderError, answered: int) -> float | None:
        """Tell the gate of a refusal; return the pause (s) before the row is asked again.

        A refusal counts against a row only if nobody was answered since it was asked: then it is no question of the
        rate.
        """
        task.throttled = task.throttled + 1 if answered == task.answers_before else 0
        asked = get_server_wait(error)
        wait = min(self._backoff * 2.0 ** min(task.throttled, 10), MAX_THROTTLE_PAUSE) if asked is None else asked
        if wait > MAX_SERVER_WAIT:
            self.stop = _(
                "{error}. The server asks to wait {wait:.0f} s; run the batch again then.",
                error=str(error).rstrip("."),
                wait=wait,
            )
            return None
        self._gate.refuse(wait, task.started)
        return wait if task.throttled <= self._max_retries else None
