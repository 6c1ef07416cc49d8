"""Output of a reply in a cell: which one suits the place, and how the reply grows in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..rendering.frame_loop import FrameLoop
from ..rendering.html import render
from ..rendering.mime_bundle import bundle, html_or_source
from ..rendering.notices import notices_of
from ..rendering.terminal.output import TerminalOutput
from .display import context_of_cell, show, watched
from .growing_output import GrowingOutput


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


class BackgroundOutput(Output, Protocol):
    """Where a reply is shown that goes on when its cell has ended."""

    def run(self, work: Callable[[], object]) -> None:
        """Do `work`; what it displays and prints goes to that cell, too."""


def output_in_background(shell: InteractiveShell, *, plain: bool = False) -> BackgroundOutput:
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


def turn_bundle(turn: Turn, notices: Sequence[str] | None = None) -> Mapping[str, str]:
    """Return a turn as one output, in the forms that front ends choose from.

    Args:
        turn: The turn.
        notices: Lines below the reply; by default those that the turn itself needs.
    """
    lines = notices_of(turn) if notices is None else notices
    return bundle(turn.reply, html_or_source(lambda: render(turn.reply), turn.reply), lines)


class CellOutput:
    """Shows a reply once, when it has ended."""

    shown = False

    def feed(self, delta: Delta) -> None:
        """Wait."""

    def finish(self, turn: Turn, notices: Sequence[str] = (), metadata: Mapping[str, Any] | None = None) -> None:
        """Emit the one output."""
        show(turn_bundle(turn, notices), metadata=metadata)

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
        self._context = context_of_cell(shell)

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
        self._place = GrowingOutput(alone)
        self._context = context_of_cell(shell)
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
        html = html_or_source(self._drawing.whole, turn.reply)
        self._context.run(self._place.settle, bundle(turn.reply, html, notices), metadata)

    def close(self) -> None:
        """Stop drawing frames."""
        self._drawing.close()
