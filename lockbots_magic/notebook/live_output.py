"""A reply in the output of a notebook cell: it grows while it comes, and is one output in the end."""

from __future__ import annotations

import contextvars
import functools
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output, display

from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..rendering.terminal.output import TerminalOutput
from ..security.exits import clean_bundle
from .display_recorder import DisplayCallback

FIRST_PIECE = 16_000
PIECE = 1800
"""Characters of HTML from which on a piece is left as it is, and what follows is shown in a new output.

Most replies are one piece: several are made one by clearing the cell, and then a page that was scrolled may jump."""
PIECES = 48
"""In a long reply a piece is this part of it: few enough outputs, each of them short."""
MOST_OUTPUTS = 36
"""Outputs of one reply at a time; JupyterLab shows 50 of a cell."""


noted_by: contextvars.ContextVar[DisplayCallback | None] = contextvars.ContextVar("noted_by", default=None)
"""What takes note of what the running cell displays, its threads included: hooks of the kernel see one thread."""


class Output(Protocol):
    """Where one reply is shown."""

    @property
    def shown(self) -> bool:
        """Whether something of it stands there that the end has to replace."""

    def feed(self, delta: Delta) -> None:
        """Show one step of the reply."""

    def finish(self, turn: Turn, notices: Sequence[str] = (), metadata: Mapping[str, Any] | None = None) -> None:
        """Show the reply as it ended, with the toolkit's remarks below it; the notebook saves `metadata` with it."""

    def close(self) -> None:
        """Let go of whatever is held, however the reply ended."""


def output_for(shell: InteractiveShell, mode: str, alone: Callable[[], bool]) -> Output:
    """Return the output that suits the place where the reply is read.

    Args:
        shell: the running IPython.
        mode: ``"on"`` and ``"off"`` force or forbid frames; ``"text"`` writes plain text as it comes; ``"auto"`` draws
            frames for a person who watches the cell: a program that runs notebooks wants one output.
        alone: whether the cell shows nothing but this reply; asked when that matters.
    """
    if isinstance(shell.display_pub, CapturingDisplayPublisher):
        return CellOutput()
    if mode == "text" or not hasattr(shell, "kernel"):
        return TerminalOutput()
    return LiveCellOutput(shell, alone) if watched(shell, mode) else CellOutput()


class LastingOutput(Output, Protocol):
    """Where a reply is shown that goes on when its cell has ended."""

    def run(self, work: Callable[[], object]) -> None:
        """Do `work`; what it displays and prints goes to that cell, too."""


def output_in_background(shell: InteractiveShell, *, plain: bool = False) -> LastingOutput:
    """Return the output of a reply that goes on after the running cell has ended, and is shown in that cell.

    A terminal shows the reply once it is whole: the user types there meanwhile.

    Args:
        shell: The running IPython.
        plain: True for unformatted text.
    """
    if not hasattr(shell, "kernel"):
        return _LateTerminalOutput()
    if plain:
        return _BackgroundText(shell)
    output = LiveCellOutput(shell, alone=lambda: False)
    output.begin("in the background; %lockbots stop  ends it")
    return output


def watched(shell: InteractiveShell, mode: str) -> bool:
    """Whether somebody watches the reply come, or `mode` wants it shown as if (``"on"``, ``"text"``).

    Front ends for people say which cell they run, programs don't (nbclient, nbval).
    """
    if isinstance(shell.display_pub, CapturingDisplayPublisher) or mode == "off":
        return False
    if not hasattr(shell, "kernel"):
        return sys.stdout.isatty()
    if mode != "auto":
        return True
    request: Mapping[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return request.get("metadata", {}).get("cellId") is not None


def show_text(shell: InteractiveShell, text: str) -> bool:
    """Show `text` exactly; false where there are no outputs, as in a terminal.

    A front end makes links in bare text, of any scheme; in an element of code it makes none.
    """
    if not has_outputs(shell):
        return False
    from ..rendering.escaping import printed  # noqa: PLC0415  # Markdown is needed by the first reply, not by %load_ext
    from ..rendering.html import framed  # noqa: PLC0415  # as above

    show(
        {
            "text/html": framed(f'<pre style="white-space: pre-wrap"><code>{printed(text)}</code></pre>'),
            "text/plain": text,
        }
    )
    return True


def has_outputs(shell: InteractiveShell) -> bool:
    """Whether what is shown becomes an output of a cell, or of whoever captures it; in a terminal it is written."""
    return hasattr(shell, "kernel") or isinstance(shell.display_pub, CapturingDisplayPublisher)


def show_note(shell: InteractiveShell, text: str, metadata: Mapping[str, Any]) -> bool:
    """Show a line of the toolkit's as an output with `metadata`; false where outputs have none, as in a terminal.

    Without a text the output is nothing that a reader sees.
    """
    if not has_outputs(shell):
        return False
    show({"text/plain": text} if text else {}, metadata=metadata)
    return True


class CellOutput:
    """Shows a reply once, when it has ended."""

    shown = False

    def feed(self, delta: Delta) -> None:
        """Wait."""

    def finish(self, turn: Turn, notices: Sequence[str] = (), metadata: Mapping[str, Any] | None = None) -> None:
        """Emit the one output."""
        from ..rendering.html import render  # noqa: PLC0415  # as above
        from ..rendering.mime_bundle import bundle, html_or_source  # noqa: PLC0415  # Markdown is needed by the first reply, not by %load_ext

        show(bundle(turn.reply, html_or_source(lambda: render(turn.reply), turn.reply), notices), metadata=metadata)

    def close(self) -> None:
        """Nothing is held."""


class _LateTerminalOutput:
    """Writes a reply when it has ended."""

    shown = False

    def run(self, work: Callable[[], object]) -> None:
        """Do `work`."""
        work()

    def feed(self, delta: Delta) -> None:
        """Wait."""

    def finish(self, turn: Turn, notices: Sequence[str] = (), metadata: Mapping[str, Any] | None = None) -> None:
        """Write the reply, above what is being typed."""
        output = TerminalOutput()
        output.feed(Delta(turn.reply))
        output.finish(turn, notices, metadata)
        output.close()

    def close(self) -> None:
        """Nothing is held."""


class _BackgroundText(TerminalOutput):
    """Writes a reply as plain text into the cell that asked."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__()
        self._context = _context_of_cell(shell)

    def run(self, work: Callable[[], object]) -> None:
        """Do `work`; what it displays and prints goes to this cell."""
        self._context.copy().run(work)


class LiveCellOutput:
    """Shows a reply from its first text on, and leaves one output.

    Args:
        shell: the running IPython.
        alone: whether the cell shows nothing but this reply, which then may take several outputs while it comes.
    """

    def __init__(self, shell: InteractiveShell, alone: Callable[[], bool]) -> None:
        from ..rendering.frame_loop import FrameLoop  # noqa: PLC0415  # as above

        self._place = _Place(alone)
        self._context = _context_of_cell(shell)
        self._drawing = FrameLoop(self._place.draw, self._context.run)

    @property
    def shown(self) -> bool:
        """Whether something of the reply stands there."""
        return self._place.outputs > 0

    def run(self, work: Callable[[], object]) -> None:
        """Do `work`; what it displays and prints goes to this cell."""
        self._context.copy().run(work)

    def begin(self, notice: str) -> None:
        """Take the place in the cell before the first text has come."""
        self.run(functools.partial(self._place.draw, "", "", [notice]))  # the drawing thread is in the other context

    def feed(self, delta: Delta) -> None:
        """Take one step of the reply."""
        self._drawing.feed(delta)

    def finish(self, turn: Turn, notices: Sequence[str] = (), metadata: Mapping[str, Any] | None = None) -> None:
        """Show the whole, and end."""
        from ..rendering.mime_bundle import bundle, html_or_source  # noqa: PLC0415  # as above

        html = html_or_source(self._drawing.whole, turn.reply)
        self._context.run(self._place.settle, bundle(turn.reply, html, notices), metadata)

    def close(self) -> None:
        """Stop drawing frames."""
        self._drawing.close()


def _context_of_cell(shell: InteractiveShell) -> contextvars.Context:
    """Return a context in which whatever is displayed goes to the cell that runs now, also when another one does."""
    context = contextvars.copy_context()
    publisher: Any = shell.display_pub
    if hasattr(publisher, "set_thread_parent"):  # ipykernel 7; in a thread of the user's, the context knows no cell
        context.run(publisher.set_thread_parent, publisher.parent_header)
    return context


class _Place:
    """Where a reply grows: outputs that are left as they are, and a last one that is drawn again at every frame.

    Args:
        alone: whether the cell shows nothing else; only then there may be several outputs, for what makes them one
            is clearing the cell.
    """

    def __init__(self, alone: Callable[[], bool]) -> None:
        self._alone = alone
        self._name = uuid.uuid4().hex[:12]
        self.outputs = 0
        self._left: list[str] = []  # HTML that is left as it is, one output each
        self._gathered = 0  # how many of these were made of many
        self._piece = ""  # HTML that is finished, in the last output
        self._size = 0

    def draw(self, finished: str, growing: str, notices: Sequence[str]) -> int:
        """Draw a frame and return its size (characters of HTML)."""
        self._piece += finished
        self._size += len(finished)
        longest = max(PIECE, self._size / PIECES) if self._left else FIRST_PIECE
        if len(self._piece) > longest and self._alone():
            self._show(len(self._left), self._piece)
            self._left.append(self._piece)
            self._piece = ""
            if len(self._left) == MOST_OUTPUTS - 1:
                self._gather()
        size = len(self._piece) + len(growing) + sum(map(len, notices))
        if size or self.outputs:
            self._show(len(self._left), self._piece + growing, notices)
        return size

    def settle(self, data: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        """Make all of it one output."""
        if self.outputs > 1:
            clear_output(wait=True)  # type: ignore[no-untyped-call]  # not typed
            self.outputs = 0
        self._put(0, data, metadata)

    def _gather(self) -> None:
        """Make one output of many, so that the others can be used again. Clearing would move the page."""
        first = self._gathered if self._gathered < MOST_OUTPUTS // 2 else 0
        self._left[first:] = ["".join(self._left[first:])]
        self._gathered = first + 1
        self._show(first, self._left[first])
        for number in reversed(range(first + 1, self.outputs)):
            self._put(number, {})

    def _show(self, number: int, html: str, notices: Sequence[str] = ()) -> None:
        from ..rendering.html import framed  # noqa: PLC0415  # as above

        self._put(number, {"text/html": framed(html, notices, styled=number == 0)})

    def _put(self, number: int, data: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        show(data, f"{self._name}-{number}", update=number < self.outputs, metadata=metadata)
        self.outputs = max(self.outputs, number + 1)


def unrelated_context() -> contextvars.Context:
    """Return a context in which what is sent answers no message of the page's.

    A kernel takes what comes for a widget where the widget last sent an answer (ipykernel 7.4): after one to a cell,
    the next message waits for that cell to end. Where there was none, the page's own subshell takes it.
    """
    context = contextvars.copy_context()
    kernel = getattr(get_ipython(), "kernel", None)
    parent = getattr(kernel, "_shell_parent", None)
    if isinstance(parent, contextvars.ContextVar):  # else a kernel that knows no subshells
        context.run(parent.set, {})
    return context


def show(
    data: Mapping[str, Any],
    display_id: str | None = None,
    *,
    update: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Display an output, or a new state of the one with that id.

    Args:
        data: MIME type -> its form.
        display_id: the output's name.
        update: whether it stands there already.
        metadata: what the notebook saves with it.
    """
    data = clean_bundle(data)
    note = noted_by.get()
    if note is not None:
        note(data, display_id, metadata)
    more = {"metadata": metadata} if metadata else {}
    display(data, raw=True, display_id=display_id, update=update, **more)  # type: ignore[no-untyped-call]  # not typed
