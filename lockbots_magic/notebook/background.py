"""Background replies: they continue after their cell has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..errors import Interrupted, LockbotsError
from ..reply import Reply, ReplyWorker
from .live_output import BackgroundOutput

START_TIMEOUT = 5.0
"""Time (s) that a cell waits for its reply to start, which takes no I/O."""
STOP_TIMEOUT = 5.0
"""Time (s) that a cell waits for the reply of its earlier run to end."""


class Background:
    """Replies read in threads, by the cell that sent the prompt. A reply that has ended is forgotten."""

    def __init__(self) -> None:
        self._workers: dict[str, ReplyWorker] = {}
        self._lock = threading.Lock()

    def start(
        self,
        reply: Reply,
        output: BackgroundOutput,
        finish: Callable[[Sequence[str]], object],
        cell_id: str | None,
    ) -> None:
        """Read `reply` in a thread. Returns once it has started, so the next cell finds the conversation in use.

        Args:
            reply: Reply not started yet.
            output: Where it is shown.
            finish: Called in the thread when the reply has ended, with error messages.
            cell_id: Id of the cell that sends the prompt.
        """

        def end(_: Reply, error: BaseException | None) -> None:
            try:
                finish(_format_errors(error))
            finally:
                self._forget(cell_id, worker)

        worker = ReplyWorker(
            [reply], lambda _, delta: output.feed(delta), end, run=output.run, name="lockbots background"
        )
        if cell_id is not None:
            with self._lock:
                self._workers[cell_id] = worker
        worker.start()
        reply.started.wait(START_TIMEOUT)

    def retire(self, cell_id: str) -> None:
        """Stop the background reply of a cell's earlier run, since the cell no longer shows it."""
        with self._lock:
            worker = self._workers.pop(cell_id, None)
        if worker is not None:
            worker.cancel()
            worker.join(STOP_TIMEOUT)

    def _forget(self, cell_id: str | None, worker: ReplyWorker) -> None:
        if cell_id is None:
            return
        with self._lock:
            if self._workers.get(cell_id) is worker:  # the cell may have started another one
                del self._workers[cell_id]


def _format_errors(error: BaseException | None) -> list[str]:
    if error is None or isinstance(error, Interrupted):  # the turn itself says that it was interrupted
        return []
    return [str(error) if isinstance(error, LockbotsError) else f"{type(error).__name__}: {error}"]
