"""Outputs of a reply: one per kind of front end, and the choice between them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from .. import rendering
from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..language import _
from ..rendering.console import in_console
from ..rendering.frame_loop import FrameLoop
from .display import context_of_cell, is_shown_as_markdown, show, watched
from .front_end import cell_id, sets_tex_in_html
from .growing_output import GrowingOutput

if TYPE_CHECKING:
    from ..rendering.reasoning import ReasoningMode


class Output(Protocol):
    """Shows one reply."""

    @property
    def shown(self) -> bool:
        """True if part of the reply is displayed, which `finish` replaces."""

    def feed(self, delta: Delta) -> None:
        """Show one step of the reply."""

    def finish(
        self,
        turn: Turn,
        notices: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        *,
        shown: str | None = None,
        foot: str = "",
        rejected: bool = False,
    ) -> None:
        """Show the whole reply with `notices` below it; the notebook saves `metadata` with it.

        Args:
            turn: The turn.
            notices: The toolkit's own remarks.
            metadata: Metadata of the output.
            shown: Markdown to show in place of the reply, where there is rich output.
            foot: The foot line.
            rejected: Whether the reply is none that counts: rich output shows it faded.
        """

    def close(self) -> None:
        """Release resources, however the reply ended."""


def output_for(
    shell: InteractiveShell,
    mode: str,
    alone: Callable[[], bool],
    model: str = "",
    reasoning: ReasoningMode = "fold",
) -> Output:
    """Return the output for a reply in the running cell.

    Args:
        shell: The running IPython.
        mode: ``"on"`` and ``"off"`` force or forbid live frames; ``"text"`` streams plain text; ``"auto"`` draws frames
            if a person watches the cell, and otherwise leaves one output.
        alone: Returns True if the cell shows nothing but this reply.
        model: Model that a watched cell says it waits for; ``""`` for none.
        reasoning: What is shown of reasoning.
    """
    if isinstance(shell.display_pub, CapturingDisplayPublisher):
        return CellOutput(reasoning)
    is_page = hasattr(shell, "kernel")
    if is_page and mode == "auto" and cell_id(shell) is None and in_console():
        return rendering.TerminalOutput(model=model, reasoning=reasoning)
    if mode == "text" or not is_page:
        return rendering.TerminalOutput(is_page=is_page, model=model, reasoning=reasoning)
    return LiveCellOutput(shell, alone, model, reasoning) if watched(shell, mode) else CellOutput(reasoning)


class BackgroundOutput(Output, Protocol):
    """Shows a reply that continues after its cell has ended."""

    def run(self, work: Callable[[], object]) -> None:
        """Run `work`; what it displays and prints goes to that cell."""


def output_in_background(
    shell: InteractiveShell, *, plain: bool = False, reasoning: ReasoningMode = "fold"
) -> BackgroundOutput:
    """Return the output of a reply that continues in this cell after the cell has ended.

    In a terminal the reply is written when it is complete, since the user types there meanwhile.

    Args:
        shell: The running IPython.
        plain: True for unformatted text.
        reasoning: What is shown of reasoning.
    """
    if not hasattr(shell, "kernel"):
        return _LateTerminalOutput(reasoning)
    if plain:
        from .background_text import BackgroundText  # noqa: PLC0415  # with all that a terminal needs

        return BackgroundText(shell)
    output = LiveCellOutput(shell, alone=lambda: False, reasoning=reasoning)
    output.begin(_("Running in the background. To stop it: %lockbots stop"))
    return output


def turn_bundle(
    turn: Turn,
    notices: Sequence[str] | None = None,
    *,
    shown: str | None = None,
    foot: str = "",
    reasoning: ReasoningMode = "fold",
    rejected: bool = False,
) -> Mapping[str, str]:
    """Return a turn as the MIME bundle of one output.

    Args:
        turn: The turn.
        notices: Lines below the reply; by default those of the turn.
        shown: Markdown to show in place of the reply.
        foot: The foot line.
        reasoning: What is shown of reasoning.
        rejected: Whether the reply is shown faded.
    """
    lines = rendering.notices_of(turn) if notices is None else notices
    html, markdown = rendering.reply_forms(turn, shown)
    return _bundle(turn, html, lines, markdown, shown=shown, foot=foot, reasoning=reasoning, rejected=rejected)


def _bundle(
    turn: Turn,
    html: str,
    notices: Sequence[str],
    written: Sequence[str] = (),
    *,
    shown: str | None,
    foot: str,
    reasoning: ReasoningMode,
    rejected: bool,
) -> Mapping[str, str]:
    return rendering.bundle(
        turn.reply,
        html,
        notices,
        rendering.attachments_of(turn),
        reasoning="" if reasoning == "hide" else turn.reasoning,
        is_open=reasoning == "show",
        is_quoted=is_shown_as_markdown(html),
        shown=shown,
        pieces=() if written else rendering.reply_markdown(turn, shown),
        written=written,
        foot=foot,
        rejected=rejected,
    )


class CellOutput:
    """Shows a reply once, after it has ended.

    Args:
        reasoning: What is shown of reasoning.
    """

    shown = False

    def __init__(self, reasoning: ReasoningMode = "fold") -> None:
        self._reasoning = reasoning

    def feed(self, delta: Delta) -> None:
        """Do nothing: the reply is shown at the end."""

    def finish(
        self,
        turn: Turn,
        notices: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        *,
        shown: str | None = None,
        foot: str = "",
        rejected: bool = False,
    ) -> None:
        """Display the output."""
        data = turn_bundle(turn, notices, shown=shown, foot=foot, reasoning=self._reasoning, rejected=rejected)
        show(data, metadata=metadata)

    def close(self) -> None:
        """Do nothing: there are no resources."""


class _LateTerminalOutput:
    """Writes a reply after it has ended."""

    shown = False

    def __init__(self, reasoning: ReasoningMode) -> None:
        self._reasoning = reasoning

    def run(self, work: Callable[[], object]) -> None:
        """Run `work`."""
        work()

    def feed(self, delta: Delta) -> None:
        """Do nothing: the reply is shown at the end."""

    def finish(
        self,
        turn: Turn,
        notices: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        *,
        shown: str | None = None,
        foot: str = "",
        rejected: bool = False,
    ) -> None:
        """Write the reply above the line being typed."""
        output = rendering.TerminalOutput(reasoning=self._reasoning)
        if self._reasoning == "show":  # how long it took is known only while it comes
            output.feed(Delta(reasoning=turn.reasoning))
        for text, calls in rendering.segments_of(turn):
            output.feed(Delta(text))
            output.feed(Delta(calls=calls))
        output.finish(turn, notices, metadata, shown=shown, foot=foot, rejected=rejected)
        output.close()

    def close(self) -> None:
        """Do nothing: there are no resources."""


class LiveCellOutput:
    """Shows a reply while it streams, and leaves one output.

    Args:
        shell: The running IPython.
        alone: Returns True if the cell shows nothing but this reply, which may then use several outputs meanwhile.
        model: Model that the cell says it waits for until the first text; ``""`` for none.
        reasoning: What is shown of reasoning.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        alone: Callable[[], bool],
        model: str = "",
        reasoning: ReasoningMode = "fold",
    ) -> None:
        self._reasoning = reasoning
        markdown = None if sets_tex_in_html(shell) else self._text
        self._growing = GrowingOutput(alone, markdown, reasoning)
        self._context = context_of_cell(shell)
        wait = functools.partial(self._wait, model) if model else None
        self._frames = FrameLoop(
            self._growing.draw, self._context.run, self._growing.restart, wait, self._growing.think
        )

    @property
    def shown(self) -> bool:
        """True if part of the reply is displayed."""
        return self._growing.outputs > 0

    def run(self, work: Callable[[], object]) -> None:
        """Run `work`; what it displays and prints goes to this cell."""
        self._context.copy().run(work)

    def _text(self) -> str:
        return self._frames.text

    def _wait(self, model: str) -> None:
        self._growing.wait(rendering.waiting_html(model))

    def begin(self, notice: str) -> None:
        """Display a notice before the first text."""
        self.run(functools.partial(self._growing.begin, notice))  # the frame thread runs in the other context

    def feed(self, delta: Delta) -> None:
        """Add one step of the reply."""
        self._frames.feed(delta)

    def finish(
        self,
        turn: Turn,
        notices: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        *,
        shown: str | None = None,
        foot: str = "",
        rejected: bool = False,
    ) -> None:
        """Replace the frames by the final output; of a long reply, people first see the rest in a last frame."""
        if self._growing.outputs > 1 and turn.status != "interrupted":
            self._context.copy().run(self._frames.draw_rest)
        html = (
            rendering.html_or_source(self._frames.whole, turn.reply)
            if shown is None
            else rendering.reply_html(turn, shown=shown)
        )
        whole = _bundle(turn, html, notices, shown=shown, foot=foot, reasoning=self._reasoning, rejected=rejected)
        self._context.copy().run(self._growing.settle, whole, metadata)  # a frame may still be rendered in it

    def redraw(
        self,
        turn: Turn,
        notices: Sequence[str],
        metadata: Mapping[str, Any] | None,
        *,
        shown: str | None,
        foot: str,
        rejected: bool,
    ) -> None:
        """Show the final output again, with other notices; the arguments are those of `finish`."""
        whole = turn_bundle(turn, notices, shown=shown, foot=foot, reasoning=self._reasoning, rejected=rejected)
        self._context.copy().run(self._growing.settle, whole, metadata)

    def close(self) -> None:
        """Stop drawing frames."""
        self._frames.close()
