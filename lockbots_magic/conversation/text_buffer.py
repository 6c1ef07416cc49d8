"""Text that grows by pieces. Pure."""

from __future__ import annotations

MAX_PIECES = 4096
"""Pieces that are kept apart: each takes 50 bytes and more, however short it is."""


class TextBuffer:
    """Text that grows by pieces, in constant time and little memory for each.

    Example:
        >>> text = TextBuffer()
        >>> text.add("Hel"), text.add("lo")
        (None, None)
        >>> text.value
        'Hello'
    """

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._pieces: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._pieces or self._blocks)

    @property
    def value(self) -> str:
        """The whole text."""
        if self._pieces or len(self._blocks) > 1:
            self._blocks[:] = ["".join((*self._blocks, *self._pieces))]
            self._pieces.clear()
        return self._blocks[0] if self._blocks else ""

    def add(self, text: str) -> None:
        """Add a piece at the end."""
        self._pieces.append(text)
        if len(self._pieces) >= MAX_PIECES:
            self._blocks.append("".join(self._pieces))
            self._pieces.clear()

    def replace(self, text: str) -> None:
        """Set the whole text."""
        self._blocks[:] = [text] if text else []
        self._pieces.clear()
