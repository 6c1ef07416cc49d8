"""Replies and tables as plain text in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from ..messages import Delta, Turn

# C0 but tab and newline, DEL, and C1: what a terminal would obey rather than show.
_CONTROL = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)])


def printable(text: str) -> str:
    """Return `text` without the characters that steer a terminal."""
    return text.translate(_CONTROL)


class TerminalOutput:
    """Writes a reply as it comes.

    Args:
        stream: where to; standard output by default.
    """

    shown = False  # what is written stays

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._line_open = False

    def feed(self, delta: Delta) -> None:
        """Show one step of the reply."""
        if delta.notice:
            self._remark(delta.notice)
        if text := printable(delta.text):
            self._stream.write(text)
            self._stream.flush()
            self._line_open = not text.endswith("\n")

    def finish(self, _turn: Turn, notices: Sequence[str] = ()) -> None:
        """End the reply, with the toolkit's remarks below it."""
        self._end_line()
        for notice in notices:
            self._remark(notice)

    def close(self) -> None:
        """Nothing is held."""

    def _remark(self, notice: str) -> None:
        self._end_line()
        text = f"[{printable(notice)}]"
        dim = self._stream.isatty()
        self._stream.write(f"\033[2m{text}\033[0m\n" if dim else f"{text}\n")
        self._stream.flush()

    def _end_line(self) -> None:
        if self._line_open:
            self._stream.write("\n")
            self._line_open = False
