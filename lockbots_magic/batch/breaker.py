"""Circuit breaker: ends a batch whose rows all fail for one reason that is not theirs. No I/O."""

from __future__ import annotations

from ..errors import (
    AuthenticationError,
    ConnectionFailed,
    ContextLengthError,
    HTTPStatusError,
    LockbotsError,
    ModelNotFoundError,
    ProviderError,
    ProviderTimeout,
    RateLimitError,
    ServerError,
)

FATAL_AFTER_SUCCESS = 3
"""Fatal errors one after the other that end a batch that has had answers; without any answer, the first one does."""
UNREACHABLE = 5
"""Rows one after the other without a connection, or refused as too many, that end a batch."""
ALIKE = 20
"""Other failures of the service one after the other, of one kind, that end a batch."""


class CircuitBreaker:
    """Watches how rows end.

    Example:
        >>> breaker = CircuitBreaker()
        >>> breaker.fail(AuthenticationError("Invalid API key.", status=401))
        'Invalid API key.'
    """

    def __init__(self) -> None:
        self._kind: type[Exception] | None = None
        self._count = 0
        self._has_answers = False

    def succeed(self) -> None:
        """Note an answer, usable or not: the service works."""
        self._has_answers = True
        self._kind, self._count = None, 0

    def fail(self, error: LockbotsError) -> str:
        """Note a row that failed for good; return why the batch should end, or `""`."""
        kind = type(error)
        if not isinstance(error, ProviderError) or isinstance(error, ContextLengthError) or _is_of_row(error):
            return ""
        self._count = self._count + 1 if kind is self._kind else 1
        self._kind = kind
        if is_fatal(error):
            most = FATAL_AFTER_SUCCESS if self._has_answers else 1
        else:
            refuses = isinstance(error, ConnectionFailed | ProviderTimeout | RateLimitError)
            most = UNREACHABLE if refuses else ALIKE
        return str(error) if self._count >= most else ""


def is_fatal(error: Exception) -> bool:
    """Return whether an error concerns every row: the credential, the model, or an exhausted quota."""
    exhausted = isinstance(error, RateLimitError) and not error.retryable
    return isinstance(error, AuthenticationError | ModelNotFoundError) or exhausted


def _is_of_row(error: ProviderError) -> bool:
    """Return whether the server refuses this one request, such as for its content."""
    known = AuthenticationError | RateLimitError | ServerError
    return isinstance(error, HTTPStatusError) and not isinstance(error, known)
