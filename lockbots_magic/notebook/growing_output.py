"""Growing output: the place in a cell where a reply is drawn again and again, and is one output in the end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from IPython.display import clear_output

from ..rendering.html import framed
from .display import show

FIRST_PIECE = 16_000
PIECE = 1800
"""Characters of HTML from which on a piece is left as it is, and what follows is shown in a new output.

Most replies are one piece: several are made one by clearing the cell, and then a page that was scrolled may jump."""
PIECES = 48
"""In a long reply a piece is this part of it: few enough outputs, each of them short."""
MAX_OUTPUTS = 36
"""Outputs of one reply at a time; JupyterLab shows 50 of a cell."""


class GrowingOutput:
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
            if len(self._left) == MAX_OUTPUTS - 1:
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
        first = self._gathered if self._gathered < MAX_OUTPUTS // 2 else 0
        self._left[first:] = ["".join(self._left[first:])]
        self._gathered = first + 1
        self._show(first, self._left[first])
        for number in reversed(range(first + 1, self.outputs)):
            self._put(number, {})

    def _show(self, number: int, html: str, notices: Sequence[str] = ()) -> None:
        self._put(number, {"text/html": framed(html, notices, styled=number == 0)})

    def _put(self, number: int, data: Mapping[str, str], metadata: Mapping[str, Any] | None = None) -> None:
        show(data, f"{self._name}-{number}", update=number < self.outputs, metadata=metadata)
        self.outputs = max(self.outputs, number + 1)
