"""The progress bar of a batch in a terminal."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ...batch.progress import BatchProgress, FinishedBatch, ProgressDisplay
from ...security.exits import clean_printed
from ..batch_table import describe_progress, describe_result

UPDATES = 4
"""Updates of the bar a second."""


class TerminalProgress:
    """A bar on standard error, with the counts beside it; the result stays in its place."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            BarColumn(bar_width=30),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            refresh_per_second=UPDATES,
            transient=True,
        )
        self._task: Any = None

    def update(self, progress: BatchProgress) -> None:
        """Show the counts; rich draws them."""
        if self._task is None:
            self._task = self._progress.add_task("", total=progress.size)
            self._progress.start()
        self._progress.update(self._task, completed=progress.done, description=describe_progress(progress))

    def finish(self, batch: FinishedBatch) -> None:
        """Replace the bar by the result."""
        self._progress.stop()
        for line in describe_result(batch):
            self._console.print(clean_printed(line), markup=False)


def open_display() -> ProgressDisplay | None:
    """Return the display of a batch; None if nobody watches standard error."""
    return TerminalProgress() if sys.stderr.isatty() else None
