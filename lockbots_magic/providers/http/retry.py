"""Retry policy and backoff. Pure, except for the pause itself."""

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
"""Longest pause (s) before a retry, whatever the server asks for."""


def with_retries(
    attempt: Callable[[], Deltas],
    *,
    max_retries: int,
    backoff: float,
    deadline: float,
    cancellation: Cancellation,
) -> Deltas:
    """Yield the deltas of `attempt()`; retry temporary failures, but only until the first token has been yielded.

    Args:
        attempt: Sends the request again at each call.
        max_retries: Retries after the first attempt.
        backoff: First pause (s), doubled each time; `Retry-After` takes precedence. At most `MAX_PAUSE`.
        deadline: `time.monotonic()` (s) after which no retry begins.
        cancellation: Ends a pause at once.

    Raises:
        ProviderError: The last failure.
        Cancelled: `cancellation` was used during a pause.
    """
    for retries in itertools.count():
        begun = False
        try:
            with closing(attempt()) as deltas:
                for delta in deltas:
                    begun = begun or bool(delta.text or delta.reasoning)
                    yield delta
            return
        except ProviderError as error:
            pause = get_retry_pause(error, retries, backoff)
            if begun or retries >= max_retries or not error.retryable or time.monotonic() + pause >= deadline:
                raise
            notice = f"{str(error).rstrip('.')}. Retrying in {round(pause, 2):g} s."
        yield Delta(notice=notice)
        if cancellation.wait(pause):
            raise Cancelled


def get_retry_pause(error: ProviderError, retries: int, backoff: float) -> float:
    """Return the pause (s) after `error`: what the server asks for, else `backoff` doubled `retries` times."""
    doubled = backoff * 2 ** min(retries, 30)
    return min(doubled if error.retry_after is None else error.retry_after, MAX_PAUSE)


def parse_retry_after(value: str) -> float | None:
    """Return the pause (s) that a `Retry-After` header asks for (RFC 9110, 10.2.3); None if it is invalid."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        date = parsedate_to_datetime(value)
        return max(0.0, date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp() - time.time())
    return None
