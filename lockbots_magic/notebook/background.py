"""Replies that go on when their cells have ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..errors import Interrupted, LockbotsError
from ..reply import Reply
from ..security.control_characters import printable
from ..security.secrets import redacted
from .live_output import LastingOutput

TIME_TO_BEGIN = 5.0
"""How long (s) a cell waits for its reply to begin; that takes no I/O."""
TIME_TO_STOP = 5.0
"""How long (s) a cell that runs again waits for its earlier reply to end."""


class Background:
    """Reads replies in threads."""

    def __init__(self) -> None:
        self._of_cells: dict[str, tuple[Reply, threading.Event]] = {}

    def begin(
        self, reply: Reply, output: LastingOutput, end: Callable[[Sequence[str]], None], cell: str | None
    ) -> None:
        """Read `reply`, and return as soon as that has begun: the next cell is to find the conversation taken.

        Args:
            reply: not begun.
            output: where it is shown.
            end: called when it has ended, with what went wrong.
            cell: the id of the cell that asks.
        """
        done = threading.Event()
        if cell is not None:
            self._of_cells[cell] = reply, done

        def read() -> None:
            trouble = []
            try:
                with reply:
                    for delta in reply.deltas:
                        output.feed(delta)
            except Interrupted:
                pass  # the turn says so
            except Exception as error:  # noqa: BLE001  # a thread has nobody above it: the cell is to show it
                kind = "" if isinstance(error, LockbotsError) else f"{type(error).__name__}: "
                trouble = [redacted(printable(f"{kind}{error}"))]
            finally:
                end(trouble)
                done.set()

        threading.Thread(target=output.run, args=(read,), name="lockbots background", daemon=True).start()
        reply.begun.wait(TIME_TO_BEGIN)

    def retire(self, cell: str | None) -> None:
        """Stop the reply that an earlier run of a cell left in the background: the cell no longer shows it."""
        if cell in self._of_cells:
            reply, done = self._of_cells.pop(cell)
            if not done.is_set():
                reply.cancel()
                done.wait(TIME_TO_STOP)
