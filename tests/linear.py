"""Whether work grows with its input and not with the square of it, told by processor time and not by the clock."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

GROWTH = 4
"""The large input is so many times the small one: linear work takes 4 times as long, quadratic work 16 times."""
MAX_RATIO = 9
MAX_TRIES = 12
"""Measurements of which the least counts: what else the machine does can only add to one."""
NOISE = 0.002
"""Processor time (s) below which a small input tells nothing."""


def is_linear(action: Callable[[str], object], shape: str, size: int) -> bool:
    """Return whether `action` takes time in proportion to a text that repeats `shape`, `size` characters and more."""
    small, large = ((shape * length)[:length] for length in (size, GROWTH * size))
    least = max(NOISE, min(processor_time(action, small) for _ in range(3)))
    return any(processor_time(action, large) < MAX_RATIO * least for _ in range(MAX_TRIES))


def processor_time(action: Callable[[str], object], text: str) -> float:
    """Return the processor time (s) of this thread for `action(text)`, without a search for garbage of other tests."""
    gc.disable()
    try:
        began = time.thread_time()
        action(text)
        return time.thread_time() - began
    finally:
        gc.enable()
