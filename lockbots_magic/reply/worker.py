"""A thread that reads replies."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence

from ..conversation.messages import Delta
from .reply import Reply


class ReplyWorker:
    """Thread that reads replies, one after the other, and hands on each step.

    Args:
        replies: Replies not started yet.
        on_delta: Called for each step of a reply, in the thread.
        on_end: Called when a reply has ended, in the thread, with the exception that ended it or None.
        run: Runs the thread's work, for output that belongs to a cell; by default in a copy of this context.
        name: Name of the thread.
    """

    def __init__(
        self,
        replies: Sequence[Reply],
        on_delta: Callable[[Reply, Delta], object],
        on_end: Callable[[Reply, BaseException | None], object],
        *,
        run: Callable[[Callable[[], None]], object] | None = None,
        name: str = "lockbots reply",
    ) -> None:
        self.replies = tuple(replies)
        self.done = threading.Event()
        """Set once all have ended."""
        self._on_delta = on_delta
        self._on_end = on_end
        work = run or contextvars.copy_context().run
        self._thread = threading.Thread(target=work, args=(self._read_all,), name=name, daemon=True)

    def start(self) -> None:
        """Start to read."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop the replies that have not ended, from any thread; what was received is kept."""
        for reply in self.replies:
            if reply.turn is None:
                reply.cancel()

    def join(self, seconds: float) -> bool:
        """Wait up to `seconds` for the end; return True once all have ended."""
        if self._thread.ident is None or self._thread is threading.current_thread():
            return self.done.is_set()
        if self.done.wait(max(seconds, 0.0)):
            self._thread.join()
        return self.done.is_set()

    def _read_all(self) -> None:
        try:
            for reply in self.replies:
                self._on_end(reply, self._read(reply))
        finally:
            self.done.set()

    def _read(self, reply: Reply) -> BaseException | None:
        try:
            with reply:
                for delta in reply.deltas:
                    self._on_delta(reply, delta)
        except BaseException as error:  # noqa: BLE001  # nothing above a thread handles it: `on_end` does
            return error
        return None
