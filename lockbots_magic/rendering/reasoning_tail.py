"""Reasoning while it comes: its end, and when to show it. Pure."""

from __future__ import annotations

import time

from ..language import _

MAX_TAIL = 600
"""Characters of reasoning that are shown while it comes."""
MIN_PAUSE = 1.0
"""Minimum interval (s) between two frames of reasoning; it grows with the time, to a tenth of it."""


def thinking_notice(size: int = 0) -> str:
    """Return the notice of a model that reasons.

    Args:
        size: Characters of reasoning so far.
    """
    return _("thinking… ({n:,} characters)", n=size) if size else _("thinking…")


class ReasoningTail:
    """End of the reasoning that is coming, and when to show it again. One thread feeds it, another one takes."""

    def __init__(self) -> None:
        self._text = ""
        self._size = 0
        self._shown = -1  # size when it was last shown
        self._began = 0.0
        self._due = 0.0

    def feed(self, text: str) -> None:
        """Add a piece of reasoning, which may be empty."""
        if not text:
            return
        self._began = self._began or time.monotonic()
        self._text = (self._text + text[-2 * MAX_TAIL :])[-2 * MAX_TAIL :]
        self._size += len(text)

    @property
    def wait(self) -> float | None:
        """Time (s) until it is to be shown; None if nothing is new."""
        return max(self._due - time.monotonic(), 0.0) if self._size != self._shown else None

    def take(self) -> tuple[str, float]:
        """Return the text to show, from the beginning of a word, and the time (s) since the reasoning began."""
        now = time.monotonic()
        text, self._shown = self._text, self._size
        elapsed = now - self._began
        self._due = now + max(MIN_PAUSE, elapsed / 10)
        if len(text) > MAX_TAIL:
            text = "…" + text[-MAX_TAIL:].partition(" ")[2]
        return text, elapsed
