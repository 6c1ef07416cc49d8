"""Retry policy and backoff. Pure, except for the pause itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from contextlib import closing

from ...conversation.cancellation import Cancellation
from ...conversation.messages import Delta
from ...errors import Cancelled, ProviderError, ProviderTimeout
from ...language import _
from ...security.foreign_text import quote_line
from .server_wait import find_stated_wait, format_wait, is_loading

Deltas = Generator[Delta, None, None]

MAX_PAUSE = 30.0
"""Longest pause (s) before a retry. A server that asks for a longer one is not asked again."""
JITTER = 0.25
"""Own pauses are shortened at random by up to this share, so that many clients don't return at once."""
LOADING_PAUSE = 1.0
"""Longest pause (s) between two requests to a server that is loading the model."""
MAX_LOADING = 600.0
"""Time (s) that a model may take to load."""
MAX_NOTICE = 300
"""Characters of an error that the notice of a retry quotes; if the last try fails, the error tells all."""
_random = random.Random()  # noqa: S311  # no secret; the user's own sequence, which a seed may fix, is left alone
_QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
"""Names of errors that no wait mends."""


def with_retries(
    attempt: Callable[[], Deltas],
    *,
    max_retries: int,
    backoff: float,
    deadline: float,
    cancellation: Cancellation,
) -> Deltas:
    """Yield the deltas of `attempt()`; retry temporary failures, but only until the first token has been yielded.

    A server that is loading the model is asked until it has, for up to `MAX_LOADING` (s); these requests don't count.

    Args:
        attempt: Sends the request again at each call.
        max_retries: Retries after the first attempt; 0 also for a model that is loading.
        backoff: First pause (s), doubled each time and shortened at random; a pause that the server asks for takes
            precedence.
        deadline: `time.monotonic()` (s) after which no retry begins.
        cancellation: Ends a pause at once.

    Raises:
        ProviderError: The last failure. If the server asked for a longer wait than is kept, the message says so.
        Cancelled: `cancellation` was used during a pause.
    """
    plan = RetryPlan(max_retries, backoff, deadline)
    while True:
        begun = False
        try:
            with closing(attempt()) as deltas:
                for delta in deltas:
                    begun = begun or bool(delta.text or delta.reasoning or delta.calls)
                    yield delta
            return
        except ProviderError as error:
            pause = None if begun else plan.pause_after(error)
            if pause is None:
                raise
        if plan.notice:
            yield Delta(notice=plan.notice)
        if cancellation.wait(pause):
            raise Cancelled


class RetryPlan:
    """Decides after each failure of one request whether it is sent again, and when; arguments as for `with_retries`."""

    def __init__(self, max_retries: int, backoff: float, deadline: float) -> None:
        self.notice = ""
        """What to tell the user before the pause; empty if that was told before."""
        self._max_retries = max_retries
        self._backoff = backoff
        self._deadline = deadline
        self._retries = 0
        self._checks = 0
        self._loading_since = 0.0

    def pause_after(self, error: ProviderError) -> float | None:
        """Return the pause (s) before the next attempt; None if there is none, and `error` says why where it can."""
        loading = self._max_retries > 0 and is_loading(error)
        pause = self._pause_while_loading(error) if loading else self._pause_before_retry(error)
        return None if pause is None or time.monotonic() + pause >= self._deadline else pause

    def _pause_before_retry(self, error: ProviderError) -> float | None:
        if not is_retryable(error):
            return None
        pause = get_retry_pause(error, self._retries, self._backoff)
        if pause > MAX_PAUSE:
            error.args = (_describe_long_wait(str(error), pause),)
            return None
        self._retries += 1
        self.notice = _(
            "{reason}. Retrying in {seconds:g} s.",
            reason=quote_line(str(error), MAX_NOTICE).rstrip("."),
            seconds=round(pause, 2),
        )
        return pause if self._retries <= self._max_retries else None

    def _pause_while_loading(self, error: ProviderError) -> float | None:
        now = time.monotonic()
        self.notice = ""
        if not self._checks:
            self._loading_since = now
            self.notice = _(
                "The server is loading the model. Waiting for it, up to {wait}.",
                wait=format_wait(MAX_LOADING),
            )
        asked = get_server_wait(error)
        pause = min(_double(self._backoff, self._checks), LOADING_PAUSE) if asked is None else min(asked, MAX_PAUSE)
        self._checks += 1
        if now - self._loading_since + pause <= MAX_LOADING:
            return pause
        error.args = (
            _(
                "{reason}. Waited {pause} for it.",
                reason=str(error).rstrip("."),
                pause=format_wait(now - self._loading_since),
            ),
        )
        return None


def is_retryable(error: ProviderError) -> bool:
    """Whether the same request may succeed after a pause.

    A server that was silent is not asked again: it may be computing the same long prompt still.
    """
    if isinstance(error, ProviderTimeout) and error.is_silence:
        return False
    if error.should_retry is not None:
        return error.should_retry
    return error.retryable and error.code not in _QUOTA_CODES


def get_server_wait(error: ProviderError) -> float | None:
    """Return the pause (s) that the server asks for, in a header or in its words; None if it does not."""
    return find_stated_wait(f"{error}\n{error.details}") if error.retry_after is None else error.retry_after


def get_retry_pause(error: ProviderError, retries: int, backoff: float) -> float:
    """Return the pause (s) after `error`: what the server asks for, else a jittered backoff."""
    asked = get_server_wait(error)
    if asked is not None:
        return asked
    return min(_double(backoff, retries), MAX_PAUSE) * _random.uniform(1 - JITTER, 1)


def _double(backoff: float, retries: int) -> float:
    return backoff * 2.0 ** min(retries, 30)


def _describe_long_wait(message: str, pause: float) -> str:
    return _(
        "{reason}. The server asks to wait {pause}, longer than retries do ({limit}); ask again then.",
        reason=message.rstrip("."),
        pause=format_wait(pause),
        limit=format_wait(MAX_PAUSE),
    )
