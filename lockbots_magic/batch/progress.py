"""How far a batch is, and where that is shown. No I/O."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

from .row import BatchRow
from .usage import BatchUsage

HEAD = 5
"""Rows of the live head of the table."""


class BatchProgress:
    """Counts of a batch under way.

    Args:
        usage: Counts that the batch updates.
        size: Number of rows; None if it is not known.
        started: When it started, as a `time.monotonic()` (s).
        columns: Names of the columns of an answer.
    """

    def __init__(self, usage: BatchUsage, size: int | None, started: float, columns: Sequence[str] = ()) -> None:
        self.usage = usage
        self.columns = columns
        self.size = size
        self.done = 0
        """Rows that are answered or have failed."""
        self.failed = 0
        self.head: list[BatchRow] = []
        """The first rows that are done, in their order."""
        self._started = started

    def add(self, row: BatchRow) -> None:
        """Count a row."""
        self.done += 1
        self.failed += bool(row.error)
        if len(self.head) < HEAD or row.position < self.head[-1].position:
            self.head = sorted([*self.head, row], key=lambda one: one.position)[:HEAD]

    @property
    def rate(self) -> float:
        """Rows a second since the start."""
        return self.done / max(time.monotonic() - self._started, 1e-3)

    @property
    def left(self) -> float | None:
        """Time (s) to the end at this rate; None if it is not known."""
        return None if self.size is None or not self.done else max(self.size - self.done, 0) / self.rate


class FinishedBatch(Protocol):
    """What a display shows of a batch that has ended."""

    usage: BatchUsage
    stopped: str
    notes: tuple[str, ...]

    def head(self, count: int) -> list[dict[str, Any]]:
        """Return the first rows with their answers."""


class ProgressDisplay(Protocol):
    """Shows how far a batch is."""

    def update(self, progress: BatchProgress) -> None:
        """Show the counts, unless that was done a moment ago."""

    def finish(self, batch: FinishedBatch) -> None:
        """Show the result in their place."""


class _NoDisplay:
    def update(self, progress: BatchProgress) -> None:
        pass

    def finish(self, batch: FinishedBatch) -> None:
        pass


NO_DISPLAY: ProgressDisplay = _NoDisplay()
"""Shows nothing."""
