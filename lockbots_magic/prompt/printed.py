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

    Only in the main thread, for all threads share the output.

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
    with contextlib.redirect_stdout(cast(TextIO, _Copier(sys.stdout, copied))):
        yield copied


class _Copier:
    """The output, of which what is written is kept."""

    def __init__(self, output: Any, copied: list[str]) -> None:
        self._output, self._copied, self._left = output, copied, MAX_COPIED

    def write(self, text: str) -> int:
        """Write a text."""
        self._copied.append(text[: self._left])
        self._left -= len(self._copied[-1])
        self._output.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)
