"""Background replies: they go on after their cell has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import Interrupted, LockbotsError
from ..reply import Reply, ReplyWorker
from ..security.control_characters import printable
from ..security.secrets import redacted
from .live_output import LastingOutput

START_TIMEOUT = 5.0
"""Seconds that a cell waits for its reply to start, which takes no I/O."""
STOP_TIMEOUT = 5.0
"""Seconds that a cell run again waits for its earlier reply to end."""


class Background:
    """Replies read in threads, by the cell that asked."""

    def __init__(self) -> None:
        self._workers: dict[str, ReplyWorker] = {}

    def start(
        self, reply: Reply, output: LastingOutput, end: Callable[[Sequence[str]], object], cell: str | None
    ) -> None:
        """Read `reply` in a thread; return once it has started, so that the next cell finds the conversation taken.

        Args:
            reply: Reply not started yet.
            output: Where it is shown.
            end: Called when it has ended, with error messages.
            cell: Id of the cell that asks.
        """

        def finish(_: Reply, error: BaseException | None) -> None:
            try:
                end(_format_errors(error))
            finally:
                if cell is not None and self._workers.get(cell) is worker:
                    del self._workers[cell]

        worker = ReplyWorker(
            [reply], lambda _, delta: output.feed(delta), finish, run=output.run, name="lockbots background"
        )
        if cell is not None:
            self._workers[cell] = worker
        worker.start()
        reply.started.wait(START_TIMEOUT)

    def retire(self, cell: str | None) -> None:
        """Stop the reply that an earlier run of a cell left in the background: the cell no longer shows it."""
        worker = self._workers.pop(cell, None) if cell is not None else None
        if worker is not None:
            worker.cancel()
            worker.join(STOP_TIMEOUT)


def _format_errors(error: BaseException | None) -> list[str]:
    if error is None or isinstance(error, Interrupted):  # the turn says that it was interrupted
        return []
    kind = "" if isinstance(error, LockbotsError) else f"{type(error).__name__}: "
    return [redacted(printable(f"{kind}{error}"))]
