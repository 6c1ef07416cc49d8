"""Frames of a growing reply, drawn by a thread of their own.

Reading the reply never waits for a frame, text that came just before a pause of the model's is drawn all the same, and
an interrupt, which is raised in the main thread, tears none.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from ..conversation.messages import Delta
from .incremental import IncrementalMarkdown

FRAME = 0.12
"""Shortest time (s) between two frames."""
FRAME_RATE = 27_000
"""Characters of HTML a second, at most: the page lays out again what a frame holds, and the network carries it."""

Draw = Callable[[str, str, Sequence[str]], int]
"""Takes the HTML finished since the last frame, that of what is open, and remarks; returns the frame's size."""


class FrameLoop:
    """Draws a reply while it comes.

    Args:
        draw: draws one frame, in the thread.
        run: runs the thread's work, in a context perhaps.
    """

    def __init__(self, draw: Draw, run: Callable[[Callable[[], None]], None] = lambda work: work()) -> None:
        self._draw = draw
        self._document = IncrementalMarkdown()
        self._arrived: deque[str] = deque()
        self._notice = ""
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=run, args=(self._draw_frames,), daemon=True)
        self._thread.start()

    def feed(self, delta: Delta) -> None:
        """Take one step of the reply."""
        if not (delta.text or delta.notice):
            return
        if delta.text:
            self._arrived.append(delta.text)
        self._notice = delta.notice
        self._changed.set()

    def whole(self) -> str:
        """End, and return the whole as HTML."""
        self.close()
        self._take_in()
        return self._document.whole()

    def close(self) -> None:
        """Stop drawing frames."""
        self._stopped.set()
        self._changed.set()
        self._thread.join()

    def _draw_frames(self) -> None:
        while self._changed.wait() and not self._stopped.is_set():
            self._changed.clear()
            started = time.monotonic()
            self._take_in()
            try:
                size = self._draw(*self._document.advance(), [self._notice] if self._notice else [])
            except Exception:  # noqa: BLE001  # no frame is worth the reply: it is shown in the end, whatever is odd in it
                return
            if size:  # else half a marker is all that has come, and what it marks is awaited
                spent = time.monotonic() - started
                self._stopped.wait(max(FRAME, size / FRAME_RATE, 4 * spent) - spent)  # reading goes on meanwhile

    def _take_in(self) -> None:
        pieces = []
        while self._arrived:
            pieces.append(self._arrived.popleft())
        self._document.feed("".join(pieces))
