"""Ctrl-C and the stop button end a batch in order, so that nothing that arrived is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """A batch under way."""

    def interrupt(self) -> None:
        """End the batch soon."""


@contextmanager
def stop_on_interrupt(batch: Stoppable) -> Iterator[None]:
    """Within the block, the first interrupt ends `batch` in order; a second one raises `KeyboardInterrupt`.

    Elsewhere than in the main thread nothing changes: no interrupt arrives there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        batch.interrupt()

    if before is None:  # set by code that is not Python
        yield
        return
    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
