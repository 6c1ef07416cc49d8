"""Consoles: programs that start a kernel and show its outputs as text, such as `jupyter console`."""

from __future__ import annotations

import functools
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

_IN_TERMINAL = {"jupyter-console", "jupyter_console"}
_IN_WINDOW = {"jupyter-qtconsole", "qtconsole"}


@contextmanager
def any_letter(stream: TextIO | None) -> Iterator[None]:
    """Let a stream write any text within the block: question marks for what its encoding, such as cp1252, lacks."""
    errors = getattr(stream, "errors", None)
    if not isinstance(stream, io.TextIOWrapper) or errors != "strict":
        yield
        return
    stream.reconfigure(errors="replace")
    try:
        yield
    finally:
        stream.reconfigure(errors=errors)


def in_console() -> bool:
    """Return whether a console shows the outputs, which it prints as text and never updates.

    `jupyter console` and `qtconsole` start the kernel themselves and send nothing that tells them from a program.
    """
    return is_console(_starter())


def is_console(words: Sequence[str]) -> bool:
    """Return whether a command line is that of a Jupyter console.

    Example:
        >>> is_console(["python", "/usr/bin/jupyter-console"]), is_console(["python", "-m", "jupyterlab"])
        (True, False)
    """
    return bool(_names(words) & (_IN_TERMINAL | _IN_WINDOW)) or _is_subcommand(words)


def is_shown_in_terminal(stream: TextIO) -> bool:
    """Return whether a console writes to a terminal what a kernel writes to `stream`.

    The kernel's own standard output is then that terminal, and ipykernel's stream has its number.
    """
    words = _starter()
    if not (_names(words) & _IN_TERMINAL or _is_subcommand(words)):
        return False
    try:
        return os.isatty(stream.fileno())
    except (AttributeError, OSError, ValueError):  # no file behind it
        return False


@functools.cache
def _starter() -> Sequence[str]:
    """Return the command line that has started this kernel, if it is one."""
    if "ipykernel" not in sys.modules:
        return ()
    try:
        psutil: Any = importlib.import_module("psutil")  # comes with ipykernel
        words: Sequence[str] = psutil.Process(os.getppid()).cmdline()
    except Exception:  # noqa: BLE001  # no psutil, or the system tells nothing of other processes
        return ()
    return words


def _names(words: Sequence[str]) -> set[str]:
    return {re.split(r"[/\\]", word)[-1].removesuffix(".exe") for word in words[:4]}


def _is_subcommand(words: Sequence[str]) -> bool:
    return "jupyter" in _names(words) and "console" in words[:4]
