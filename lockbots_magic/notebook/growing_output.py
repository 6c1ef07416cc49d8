"""Growing output: where a reply is redrawn frame by frame, and ends as one output."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from IPython.display import clear_output

from .. import rendering
from ..rendering.reasoning_tail import thinking_notice
from .display import forget, show

if TYPE_CHECKING:
    from ..rendering.reasoning import ReasoningMode

FIRST_CHUNK = 16_000
MIN_CHUNK = 1800
"""Size (characters of HTML) from which a chunk stays unchanged, and a new output shows what follows.

Most replies are one chunk: merging several means clearing the cell, which may move a scrolled page."""
FORMULA = 1_000
"""What a formula adds to the size of the first chunk: it takes as long to set as at least as much text."""
CHUNKS = 48
"""A chunk of a long reply is at least 1/48 of it, which keeps the outputs few and each of them short."""
EDGE = "<span></span>"
"""What stands between pieces: JupyterLab sets the last element of an output, and a heading that is first, apart."""
MAX_OUTPUTS = 36
"""Outputs of one reply at a time; JupyterLab shows 50 of a cell."""


class GrowingOutput:
    """Outputs of a growing reply: finished ones, and a last one that every frame redraws.

    Args:
        alone: Returns True if the cell shows nothing else. Only then the reply may use several outputs, since merging
            them clears the cell.
        markdown: Returns the Markdown so far, for a front end that sets TeX there only; None for any other.
        reasoning: What is shown of reasoning.
    """

    def __init__(
        self,
        alone: Callable[[], bool],
        markdown: Callable[[], str] | None = None,
        reasoning: ReasoningMode = "fold",
    ) -> None:
        self._alone = alone
        self._markdown = markdown
        self._has_formulas = False
        self._keeps_formulas = False  # the page keeps those that it has typeset
        self._name = _unused_name()
        self.outputs = 0
        self._finished: list[str] = []  # HTML of the finished outputs
        self._merged = 0  # how many of them were merged from others
        self._chunk = ""  # finished HTML in the last output
        self._formulas = 0  # in the chunk
        self._size = 0
        self._growing = ""  # HTML of the open block in the last frame
        self._reasoning = reasoning
        self._has_reasoned = False

    def wait(self, html: str) -> None:
        """Show a line until the first frame."""
        self._put(0, {"text/html": html})

    def begin(self, notice: str) -> None:
        """Show a notice until the first frame, in the only output that the reply will have."""
        if self._markdown is None:
            self._keep_formulas(0, rendering.framed("", [notice]))
        self.draw("", "", [notice])

    def think(self, tail: str, seconds: float) -> None:
        """Show the end of the reasoning so far, below the text if there is any; the next frame replaces it.

        Args:
            tail: The text.
            seconds: Time since the reasoning began, s.
        """
        self._has_reasoned = True
        if self._has_formulas and self._markdown is not None:
            self._draw_markdown(self._markdown(), [thinking_notice()])
            return
        line = rendering.thinking_html("" if self._reasoning == "hide" else tail, seconds)
        if self._finished or self._chunk or self._growing:
            self._show(len(self._finished), self._chunk + self._growing, below=line)
        else:
            self._put(0, {"text/html": rendering.framed("", final=True, above=line)})

    def draw(self, finished: str, growing: str, notices: Sequence[str]) -> int:
        """Draw a frame and return its size (characters of HTML)."""
        if self._markdown is not None:
            self._has_formulas = self._has_formulas or rendering.has_formulas(finished + growing)
            if self._has_formulas:
                return self._draw_markdown(self._markdown(), notices)
        self._chunk += finished
        self._growing = growing
        self._size += len(finished)
        self._formulas += rendering.count_formulas(finished)
        limit = self._size / CHUNKS if self._finished else FIRST_CHUNK - FORMULA * self._formulas
        if len(self._chunk) > max(MIN_CHUNK, limit) and self._alone():
            if self._formulas and not self._keeps_formulas:  # before the chunk is drawn again, to see its TeX
                self._keep_formulas(min(self.outputs, len(self._finished) + 1))
            self._show(len(self._finished), self._chunk, goes_on=True)
            self._finished.append(self._chunk)
            self._chunk, self._formulas = "", 0
            if len(self._finished) == MAX_OUTPUTS - 1:
                self._merge()
        size = len(self._chunk) + len(growing) + sum(map(len, notices))
        if size or self.outputs:
            self._show(len(self._finished), self._chunk + growing, notices)
        return size

    def _draw_markdown(self, text: str, notices: Sequence[str]) -> int:
        if self.outputs > 1:
            self.restart()
            self._has_formulas = True
        data = rendering.bundle(text, "", notices)
        self._put(0, {"text/markdown": data["text/markdown"]})
        return len(data["text/markdown"])

    def restart(self) -> None:
        """Forget what was drawn: the text so far was retracted, and the next frame shows what there is instead."""
        self._join()
        self._finished, self._chunk, self._growing = [], "", ""
        self._merged = self._size = self._formulas = 0
        self._has_formulas = False

    def settle(self, data: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        """Replace everything by one final output."""
        self._join()
        self._put(0, data, metadata)

    def _join(self) -> None:
        """Let the next output replace all, if there are several.

        It has an id of its own: JupyterLab would first render it in the old output of that id, then once more.
        """
        if self.outputs > 1:
            if self._markdown is None:
                self._keep_place()
            clear_output(wait=True)  # type: ignore[no-untyped-call]  # not typed
            forget(f"{self._name}-{number}" for number in range(self.outputs))
            self.outputs = 0
            self._name = _unused_name()

    def _keep_formulas(self, number: int, html: str = "") -> None:
        """Let the page keep the formulas that it has typeset, in all outputs of the cell.

        A script of our own, in a new output, which the next frame redraws.

        Args:
            number: Number of that output.
            html: What it shows where no script runs.
        """
        self._keeps_formulas = True
        script = f"({_script('keep_formulas')})(element)"
        self._put(number, {"application/javascript": script, "text/html": html})

    def _keep_place(self) -> None:
        """Keep the place of a reader while JupyterLab clears the outputs.

        A script of our own, in an output that is cleared with the others. Where none runs, the page scrolls up.
        """
        script = f"({_script('keep_place')})(element)"
        self._put(self.outputs, {"application/javascript": script, "text/html": "", "text/plain": ""})

    def _merge(self) -> None:
        """Merge outputs into one, and empty the others for reuse. Clearing the cell would move the page."""
        first = self._merged if self._merged < MAX_OUTPUTS // 2 else 0
        self._finished[first:] = ["".join(self._finished[first:])]
        self._merged = first + 1
        self._show(first, self._finished[first], goes_on=True)
        for number in reversed(range(first + 1, self.outputs)):
            self._put(number, {})

    def _show(
        self, number: int, html: str, notices: Sequence[str] = (), below: str = "", *, goes_on: bool = False
    ) -> None:
        """Show HTML in an output; the first one has the style sheet, all of it if the reply `goes_on` in another."""
        is_first = number == 0
        above = rendering.reasoned_html() if is_first and self._has_reasoned and self._reasoning != "hide" else ""
        is_all = is_first and not goes_on
        html = html if is_first or not html else EDGE + html
        data = rendering.framed(html, notices, styled=is_first, final=is_all, above=above, below=below)
        self._put(number, {"text/html": data + EDGE if goes_on else data})

    def _put(self, number: int, data: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        show(data, f"{self._name}-{number}", update=number < self.outputs, metadata=metadata)
        self.outputs = max(self.outputs, number + 1)


@functools.cache
def _script(name: str) -> str:
    """Return a script of our own, which holds nothing of a reply."""
    return files(__package__).joinpath(f"{name}.js").read_text("utf-8").strip()


def _unused_name() -> str:
    return uuid.uuid4().hex[:12]
