"""Logging of a session's kernel: on or off, as its setting says."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conversation.commits import CommittedTurn, observe_commits
from ..security.exits import clean_printed

if TYPE_CHECKING:
    from ..storage.log.writer import LogWriter

FIRST_TURN_TIME = 0.5
"""Time (s) that the first logged turn waits for the file to be opened, so that its cell can tell a problem."""


class LogRecording:
    """Logs the turns of this kernel while it is on: those of cells, panels and every `Chat`.

    Args:
        own_notebook: Returns the path of the notebook, as far as it is known.
        prices: Returns the user's own prices.
    """

    def __init__(self, own_notebook: Callable[[], Path | None], prices: Callable[[], Mapping[str, Any]]) -> None:
        self._own_notebook = own_notebook
        self._prices = prices
        self._end: Callable[[], None] | None = None
        self._writer: LogWriter | None = None

    @property
    def is_on(self) -> bool:
        """Whether turns are logged."""
        return self._end is not None

    def switch(self, on: bool) -> None:
        """Log turns from now on, or don't. Nothing is opened or imported before the first turn has ended."""
        if on and self._end is None:
            self._end = observe_commits(self._record)
        elif not on and self._end is not None:
            self._end()
            self._end = None

    def tell_problem(self) -> None:
        """Warn if turns can't be written to the log; a problem that lasts is told once."""
        if self._writer is not None and (problem := self._writer.take_problem()):
            warnings.warn(clean_printed(problem), _writers().LogWarning, stacklevel=2)

    def _record(self, committed: CommittedTurn) -> None:
        writer = _writers().writer_of()
        if writer is not self._writer:
            self._writer = writer
            writer.prices = self._prices
        writer.put(committed, self._own_notebook())
        writer.wait_for_first(FIRST_TURN_TIME)
        self.tell_problem()


def _writers() -> Any:
    from ..storage.log import writer  # noqa: PLC0415  # SQLite and stems: not before a turn is logged

    return writer
