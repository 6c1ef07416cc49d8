"""Text that grows by pieces. Pure."""

from __future__ import annotations

import threading

MAX_PIECES = 4096
"""Pieces that are kept apart: each takes 50 bytes and more, however short it is."""


class TextBuffer:
    """Text that grows by pieces, in little time and memory for each. Another thread may read it meanwhile.

    Example:
        >>> text = TextBuffer()
        >>> text.add("Hel"), text.add("lo")
        (None, None)
        >>> text.value
        'Hello'
    """

    def __init__(self) -> None:
        self.size = 0
        """Number of characters."""
        self._pieces: list[str] = []
        self._joining = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def value(self) -> str:
        """The whole text."""
        with self._joining:
            pieces = self._pieces
            count = len(pieces)  # one that is added from here on stays behind what is joined
            if count > 1:
                pieces[:count] = ["".join(pieces[:count])]
            return pieces[0] if pieces else ""

    def since(self, begin: int) -> str:
        """Return the text from an offset on; to take what came last of a long text is fast."""
        if begin == 0:
            return self.value
        with self._joining:
            wanted, first = self.size - begin, len(self._pieces)
            while first and wanted > 0:
                first -= 1
                wanted -= len(self._pieces[first])
            return "".join(self._pieces[first:])[-wanted:]

    def add(self, text: str) -> None:
        """Add a piece at the end."""
        self._pieces.append(text)
        self.size += len(text)
        if len(self._pieces) > MAX_PIECES:
            _joined = self.value

    def replace(self, text: str) -> None:
        """Set the whole text."""
        with self._joining:
            self._pieces[:] = [text] if text else []
            self.size = len(text)
