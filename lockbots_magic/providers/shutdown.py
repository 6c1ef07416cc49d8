"""What providers keep open in this process, and close when the extension is unloaded or the process ends."""

from __future__ import annotations

import atexit
from collections.abc import Callable

_callbacks: list[Callable[[], object]] = []


def at_shutdown(close: Callable[[], object]) -> None:
    """Call `close` at each `shut_down`, and when the process ends; what it closed may be opened again."""
    _callbacks.append(close)


def shut_down() -> None:
    """Close what providers keep open, such as the processes of local models."""
    for close in _callbacks:
        close()


atexit.register(shut_down)
