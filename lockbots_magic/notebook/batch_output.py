"""The output of a batch in a cell: live where somebody watches, and one output at the end."""

from __future__ import annotations

import time
import uuid
from typing import Any

from IPython.core.getipython import get_ipython

from ..batch.progress import BatchProgress, FinishedBatch, ProgressDisplay
from ..rendering.batch_table import progress_bundle, result_bundle
from .display import has_outputs, show, watched

INTERVAL = 0.25
"""Shortest time (s) between two updates."""


class CellBatchOutput:
    """Shows a batch in a cell.

    Args:
        live: Whether somebody watches it come.
    """

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._id = uuid.uuid4().hex
        self._shown_at: float | None = None

    def update(self, progress: BatchProgress) -> None:
        """Show how far the batch is, at most four times a second."""
        now = time.monotonic()
        if not self._live or (self._shown_at is not None and now - self._shown_at < INTERVAL):
            return
        show(progress_bundle(progress, progress.columns), self._id, update=self._shown_at is not None)
        self._shown_at = now

    def finish(self, batch: FinishedBatch) -> None:
        """Show the result, in the place of what was shown."""
        display_id = None if self._shown_at is None else self._id
        show(result_bundle(batch), display_id, update=display_id is not None)


def batch_output(shell: Any, mode: str = "auto") -> ProgressDisplay | None:
    """Return the output of a batch in the running cell; None where there are no outputs, as in a terminal.

    Args:
        shell: The running IPython.
        mode: See the setting `live`.
    """
    return CellBatchOutput(live=watched(shell, mode)) if has_outputs(shell) else None


def open_display() -> ProgressDisplay | None:
    """Return the output of a batch that code in a cell runs; None elsewhere."""
    shell = get_ipython()
    return None if shell is None else batch_output(shell)
