"""Imports without the collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Let no garbage be collected within the block: imports make none, and to search for it takes a fifth of them."""
    was_on = gc.isenabled()
    try:
        gc.disable()  # within: an interrupt may come right behind it
        yield
    finally:
        if was_on:
            gc.enable()
