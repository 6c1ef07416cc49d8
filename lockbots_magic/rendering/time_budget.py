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
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

MAX_SECONDS = 15.0
"""Time (s) for one form of a reply. 200,000 characters take 2 s."""
MAX_FRAME_SECONDS = 2.0
"""Time (s) for one frame of a growing reply."""
MAX_INTERRUPTED_SECONDS = 0.1
"""Time (s) for all that is still to be rendered once the user has interrupted a reply."""
MAX_RENDERED = 200_000
"""Characters of a reply that are rendered; a longer one is plain text."""

_deadline: ContextVar[float] = ContextVar("_deadline", default=math.inf)


class TooSlowError(Exception):
    """The time is over, or the text is longer than is rendered."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within the block, rendering may take `seconds` (s)."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def check_time() -> None:
    """Raise `TooSlowError` once the time is over."""
    if time.monotonic() > _deadline.get():
        raise TooSlowError


def remaining() -> float:
    """Return the time (s) that is left; infinite without a budget."""
    return _deadline.get() - time.monotonic()


def check_length(text: str) -> None:
    """Raise `TooSlowError` if `text` is longer than is rendered."""
    if len(text) > MAX_RENDERED:
        raise TooSlowError
