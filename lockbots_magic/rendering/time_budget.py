"""Time budget of rendering: what takes longer is shown as plain text.

Every loop over foreign text calls `check_time`. A budget holds within its block, in the thread that began it, and a
shorter one around it counts.

Example:
    ::

        with at_most(1.0):
            html = render(text)  # raises TooSlowError after about a second
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

MAX_SECONDS = 15.0
"""Time (s) for one form of a reply. 200,000 characters take 2 s."""
MAX_FRAME_SECONDS = 2.0
"""Time (s) for one frame of a growing reply."""
MAX_INTERRUPTED_SECONDS = 0.06
"""Time (s) for all that is still to be rendered once the user has interrupted a reply."""
MAX_RENDERED = 200_000
"""Characters of a reply that are rendered; a longer one is plain text."""

_deadline: ContextVar[float] = ContextVar("_deadline", default=math.inf)
_is_stopped: ContextVar[Callable[[], bool]] = ContextVar("_is_stopped", default=bool)


class TooSlowError(Exception):
    """The time is over, or the text is longer than is rendered."""


def at_most(seconds: float, is_stopped: Callable[[], bool] | None = None) -> AbstractContextManager[None]:
    """Within the block, rendering may take `seconds` (s).

    Args:
        seconds: The budget.
        is_stopped: Returns True once the result is not wanted any more, by default as for a block around it.
    """
    return _Budget(seconds, is_stopped)


class _Budget:
    """Block with a time budget; a generator as context manager takes several times as long."""

    def __init__(self, seconds: float, is_stopped: Callable[[], bool] | None) -> None:
        self._seconds = seconds
        self._is_stopped = is_stopped

    def __enter__(self) -> None:
        self._stop_token = _is_stopped.set(self._is_stopped or _is_stopped.get())
        self._token = _deadline.set(min(_deadline.get(), time.monotonic() + self._seconds))

    def __exit__(self, *_: object) -> None:
        _deadline.reset(self._token)
        _is_stopped.reset(self._stop_token)


def check_time() -> None:
    """Raise `TooSlowError` once the time is over."""
    if remaining() < 0:
        raise TooSlowError


def remaining() -> float:
    """Return the time (s) that is left; infinite without a budget, negative once it is over."""
    return -1.0 if _is_stopped.get()() else _deadline.get() - time.monotonic()


def check_length(text: str) -> None:
    """Raise `TooSlowError` if `text` is longer than is rendered."""
    if len(text) > MAX_RENDERED:
        raise TooSlowError
