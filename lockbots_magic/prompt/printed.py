"""What an expression prints, for those that return nothing: `df.info()`."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

MAX_COPIED = 100_000
"""Characters of output that are kept."""


@contextlib.contextmanager
def copied_output() -> Iterator[list[str]]:
    """Copy what the block prints to a list; it is shown as well.

    Only in the main thread, for all threads share the output. What others print meanwhile is shown, and not copied.

    Example:
        >>> with copied_output() as printed:
        ...     print("x")
        x
        >>> printed
        ['x', '\\n']
    """
    copied: list[str] = []
    if threading.current_thread() is not threading.main_thread() or sys.stdout is None:
        yield copied
        return
    copier = _Copier(sys.stdout, copied)
    try:
        with contextlib.redirect_stdout(cast(TextIO, copier)):
            yield copied
    finally:
        copier.end()


class _Copier:
    """The output, of which what is written is kept."""

    def __init__(self, output: Any, copied: list[str]) -> None:
        self._output, self._copied, self._left = output, copied, MAX_COPIED
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        """Write a text."""
        if self._left and threading.get_ident() == self._thread:
            self._copied.append(text[: self._left])
            self._left -= len(self._copied[-1])
        self._output.write(text)
        return len(text)

    def end(self) -> None:
        """Copy no more: a handler of a log, say, may keep the output."""
        self._left = 0

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)
