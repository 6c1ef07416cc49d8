"""What is tried again, when, and how long after. Pure but for the pause itself."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from datetime import timezone
from email.utils import parsedate_to_datetime

from ...conversation.cancellation import Cancellation
from ...conversation.messages import Delta
from ...errors import Cancelled, ProviderError

Deltas = Generator[Delta, None, None]

MAX_PAUSE = 30.0
"""The longest pause (s) before a retry, whatever the server asks for."""


def with_retries(
    attempt: Callable[[], Deltas],
    *,
    max_retries: int,
    backoff: float,
    deadline: float,
    cancellation: Cancellation,
) -> Deltas:
    """Yield what `attempt()` yields; try again after a passing failure, but only while no text has come.

    Args:
        attempt: starts the request anew at each call.
        max_retries: tries after the first.
        backoff: first pause (s), doubled each time; a server's `Retry-After` goes before, up to `MAX_PAUSE`.
        deadline: `time.monotonic()` (s) after which no new try begins.
        cancellation: ends a pause at once.

    Raises:
        ProviderError: the last failure.
        Cancelled: `cancellation` was used during a pause.
    """
    for tried in itertools.count():
        begun = False
        try:
            with closing(attempt()) as deltas:
                for delta in deltas:
                    begun = begun or bool(delta.text or delta.reasoning)
                    yield delta
            return
        except ProviderError as error:
            pause = pause_before_retry(error, tried, backoff)
            if begun or tried >= max_retries or not error.retryable or time.monotonic() + pause >= deadline:
                raise
            notice = f"{error}; trying again in {pause:.2g} s"
        yield Delta(notice=notice)
        if cancellation.wait(pause):
            raise Cancelled


def pause_before_retry(error: ProviderError, tried: int, backoff: float) -> float:
    """Return how long (s) to wait after `error`: what the server asks for, else `backoff` doubled `tried` times."""
    doubled = backoff * 2 ** min(tried, 30)
    return min(doubled if error.retry_after is None else error.retry_after, MAX_PAUSE)


def parse_retry_after(value: str) -> float | None:
    """Return the pause (s) that a `Retry-After` header asks for (RFC 9110, 10.2.3), None if it asks for none."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        date = parsedate_to_datetime(value)
        return max(0.0, date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp() - time.time())
    return None
