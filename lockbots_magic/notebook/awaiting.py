"""Interrupts of cells that are run as tasks of the kernel's loop, as those with `await` are."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..errors import Interrupted
from ..language import _


@contextmanager
def interrupt_cancels_task() -> Iterator[None]:
    """Within the block, which a task runs, an interrupt cancels what it awaits; the cell ends as in other cells.

    Raises:
        Interrupted: The task was cancelled.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel(_number: int, _frame: FrameType | None) -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    with _on_interrupt(cancel):
        try:
            yield
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise Interrupted(_("Interrupted before it was sent.")) from None


@contextmanager
def interrupt_raises() -> Iterator[None]:
    """Within the block, an interrupt raises `KeyboardInterrupt`: a task that is cancelled goes on while it blocks."""
    with _on_interrupt(signal.default_int_handler):
        yield


@contextmanager
def _on_interrupt(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # interrupts go to that one
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
