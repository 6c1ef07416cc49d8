"""A reply in the output of a notebook cell: frames while it comes, and one output in the end."""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ..messages import Delta, Turn
from .terminal import TerminalOutput

FRAME = 0.05
"""Shortest time (s) between two frames."""
FRAME_PER_CHARACTER = 1e-5
"""What each character shown adds to that time (s): the page lays the whole reply out again at every frame."""

FRAME_FORMS = ("text/html", "text/plain")
"""What a frame holds; Markdown is for exports, which see only the final output."""


class Output(Protocol):
    """Where one reply is shown."""

    @property
    def shown(self) -> bool:
        """Whether something of it stands there that the end has to replace."""

    def feed(self, delta: Delta) -> None:
        """Show one step of the reply."""

    def finish(self, turn: Turn, notices: Sequence[str] = ()) -> None:
        """Show the reply as it ended, with the toolkit's remarks below it."""

    def close(self) -> None:
        """Let go of whatever is held, however the reply ended."""


def output_for(shell: InteractiveShell, mode: str, watched: bool) -> Output:
    """Return the output that suits the place where the reply is read.

    Args:
        shell: the running IPython.
        mode: ``"on"`` and ``"off"`` force or forbid frames; ``"auto"`` draws them for a watcher.
        watched: whether a person watches the cell; a program that runs notebooks wants one output.
    """
    if isinstance(shell.display_pub, CapturingDisplayPublisher):
        return CellOutput()
    if not hasattr(shell, "kernel"):
        return TerminalOutput()
    return LiveCellOutput() if mode == "on" or (mode == "auto" and watched) else CellOutput()


class CellOutput:
    """Shows a reply once, when it has ended."""

    shown = False

    def feed(self, delta: Delta) -> None:
        """Wait."""

    def finish(self, turn: Turn, notices: Sequence[str] = ()) -> None:
        """Emit the one output."""
        from .html import bundle, render  # noqa: PLC0415  # Markdown is needed by the first reply, not by %load_ext

        display(bundle(turn.reply, render(turn.reply), notices), raw=True)  # type: ignore[no-untyped-call]  # not typed

    def close(self) -> None:
        """Nothing is held."""


class LiveCellOutput:
    """Shows a reply from its first text on, and leaves one output.

    A thread draws the frames: reading the reply never waits for one, text that came just before a pause of the
    model's is drawn all the same, and an interrupt, which is raised in the main thread, tears none.
    """

    def __init__(self) -> None:
        from .html import GrowingDocument, bundle  # noqa: PLC0415  # as above

        self._document = GrowingDocument()
        self._bundle = bundle
        self._arrived: deque[str] = deque()
        self._notice = ""
        self._display_id = uuid.uuid4().hex
        self.shown = False
        self._changed = threading.Event()
        self._stopped = threading.Event()
        # The thread's messages belong to this cell: the context carries the kernel's note of which one runs.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._draw_frames,), daemon=True)
        self._thread.start()

    def feed(self, delta: Delta) -> None:
        """Take one step of the reply."""
        if not (delta.text or delta.notice):
            return
        if delta.text:
            self._arrived.append(delta.text)
        self._notice = delta.notice
        self._changed.set()

    def finish(self, turn: Turn, notices: Sequence[str] = ()) -> None:
        """Show the whole, and end."""
        self.close()
        self._take_in()
        self._show(self._bundle(turn.reply, self._document.whole(), notices))

    def close(self) -> None:
        """Stop drawing frames."""
        self._stopped.set()
        self._changed.set()
        self._thread.join()

    def _draw_frames(self) -> None:
        while self._changed.wait() and not self._stopped.is_set():
            self._changed.clear()
            started = time.monotonic()
            size = self._draw()
            spent = time.monotonic() - started
            self._stopped.wait(max(FRAME, size * FRAME_PER_CHARACTER) - spent)

    def _draw(self) -> int:
        """Draw a frame and return its size (characters)."""
        self._take_in()
        html = self._document.html()
        whole = self._bundle(self._document.text, html, [self._notice] if self._notice else [])
        self._show({form: whole[form] for form in FRAME_FORMS})
        return len(html)

    def _take_in(self) -> None:
        pieces = []
        while self._arrived:
            pieces.append(self._arrived.popleft())
        self._document.feed("".join(pieces))

    def _show(self, data: Mapping[str, Any]) -> None:
        display(data, raw=True, display_id=self._display_id, update=self.shown)  # type: ignore[no-untyped-call]  # as above
        self.shown = True
