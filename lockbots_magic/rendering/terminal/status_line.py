"""A last line of a terminal that counts seconds, and goes when anything else is written."""

from __future__ import annotations

import threading
import time
from typing import TextIO

from ...language import pgettext
from .rows import columns

DIM, RESET = "\033[2m", "\033[0m"
_ERASE = "\r\033[J"
_UNIT_WIDTH = 12
"""Columns for the seconds behind the text."""


class StatusLine:
    """Says what is waited for, in one row.

    Args:
        stream: The terminal.
        styled: Whether styles are used.
        counts: Whether it counts seconds, in a thread; without it, it is written once.
    """

    def __init__(self, stream: TextIO, *, styled: bool, counts: bool) -> None:
        self._stream = stream
        self._style = (DIM, RESET) if styled else ("", "")
        self._counts = counts
        self._lock = threading.Lock()
        self._ended: threading.Event | None = None  # of the line that is shown or about to be
        self._is_drawn = False

    def show(self, text: str, width: int, delay: float = 0) -> None:
        """Show a line at the beginning of a row, until `clear`.

        Args:
            text: Printable text; what doesn't fit in a row is cut off.
            width: Columns of the terminal.
            delay: Time (s) until it is shown.
        """
        self.clear()
        delay = delay if self._counts else 0
        line = text[:width]
        while columns(line) > width - _UNIT_WIDTH and line:
            line = line[:-1]
        self._ended = threading.Event()
        if not delay:
            self._draw(line, self._ended)
        if self._counts:
            arguments = (line, self._ended, delay)
            threading.Thread(target=self._count, args=arguments, name="lockbots status", daemon=True).start()

    def clear(self) -> None:
        """Remove the line."""
        if self._ended is None:
            return
        with self._lock:  # a thread may be drawing
            self._ended.set()
            self._ended = None
            if self._is_drawn:
                self._is_drawn = False
                self._write(_ERASE)

    def _count(self, line: str, ended: threading.Event, delay: float) -> None:
        began, pause = time.monotonic(), delay or 1.0
        while not ended.wait(pause):
            seconds = int(time.monotonic() - began)
            unit = pgettext("unit of time after a number: seconds", "s")
            self._draw(f"{line} {seconds} {unit}" if seconds else line, ended)
            pause = 1.0 - (time.monotonic() - began) % 1.0

    def _draw(self, line: str, ended: threading.Event) -> None:
        with self._lock:
            if not ended.is_set():
                self._is_drawn = True
                self._write(line.join([_ERASE + self._style[0], self._style[1]]))

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
