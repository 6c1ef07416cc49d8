"""What a terminal shows of a model that reasons."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ...language import _
from ..reasoning import ReasoningMode
from ..reasoning_tail import thinking_notice


class ThinkingWriter(Protocol):
    """What reasoning is written by."""

    can_erase: bool
    """Whether a status line can be removed again."""

    def status(self, text: str, delay: float = 0) -> None:
        """Show a line that counts seconds, after a `delay` (s)."""

    def clear_status(self) -> None:
        """Remove that line."""

    def aside(self, text: str) -> None:
        """Add text that is not part of the reply."""

    def end_aside(self) -> None:
        """End that text."""


class Thinking:
    """Shows reasoning: a line that counts and becomes the time it took, the text in grey, or nothing.

    Where nothing can be erased, the line is the same in every run.

    Args:
        writer: What it is written by.
        mode: What is shown.
        remark: Writes a line of the toolkit's own.
    """

    def __init__(self, writer: ThinkingWriter, mode: ReasoningMode, remark: Callable[[str], None]) -> None:
        self._writer = writer
        self._mode = mode
        self._remark = remark
        self._began: float | None = None

    def feed(self, text: str) -> None:
        """Take a piece of reasoning, printable."""
        if self._began is None:
            self._began = time.monotonic()
            self._writer.clear_status()
            self._begin()
            text = text.lstrip("\n")
        if self._mode == "show":
            self._writer.aside(text)

    def end(self) -> None:
        """End the reasoning, if there is any: something else follows."""
        if self._began is None:
            return
        seconds, self._began = time.monotonic() - self._began, None
        self._writer.clear_status()
        if self._mode == "show":
            self._writer.end_aside()
        elif self._mode == "fold" and self._writer.can_erase:
            self._remark(_("thought for {seconds:.0f} s", seconds=seconds))

    def _begin(self) -> None:
        if self._mode != "show" and self._writer.can_erase:
            self._writer.status(thinking_notice())
        elif self._mode != "hide" and not self._writer.can_erase:
            self._remark(thinking_notice())
