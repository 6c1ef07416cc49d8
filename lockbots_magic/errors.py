"""The error tree.

::

    LockbotsError
    ├── UsageError               the request is invalid; nothing was sent (also ValueError)
    │   ├── PromptTooLongError   the prompt alone exceeds the model's context window
    │   └── NotRecordedError     a replay-only cassette has no matching reply
    └── ProviderError            .provider  .model  .partial (text received so far)
        ├── ConnectionFailed     refused, reset or cut off (also requests.ConnectionError)
        ├── ProviderTimeout      connect, silence or total time (also TimeoutError)
        ├── ProtocolError        the response does not follow the wire format
        ├── ModelNotFoundError   (also ValueError)
        └── HTTPStatusError      any other 4xx (also requests.HTTPError)  .status
            ├── AuthenticationError   401, 403, or a credential that is missing before any I/O
            ├── ContextLengthError    the request is longer than the model takes  .limit  .prompt_tokens
            ├── RateLimitError        429, 402  .retry_after (s)
            └── ServerError           5xx, or an error object inside a 200

    Cancelled                    `Reply.cancel()` was called; the turn is kept as interrupted
    Interrupted                  the user stopped the reply (a KeyboardInterrupt, so "Run all" stops too)

    CredentialWarning            a credential is, or is about to be, readable by others
    RestoreWarning               a notebook holds less or more of a conversation than expected

In a notebook each error is displayed as one short message, without a traceback.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from .security.exits import clean_printed

if TYPE_CHECKING:
    from requests.exceptions import ConnectionError as RequestsConnectionError
    from requests.exceptions import HTTPError as RequestsHTTPError
else:
    # `ConnectionFailed` and `HTTPStatusError` are also the errors of requests, but importing requests takes 90 ms
    # that `%load_ext` must not spend. These stand-ins, of the same memory layout, hold the place of its classes in
    # the tree until `adopt_requests_errors` puts the real ones there. (`except` looks at the real bases of a class,
    # so a metaclass or an `__instancecheck__` would not do.)
    class RequestsConnectionError(OSError):
        """Stand-in for `requests.ConnectionError`."""

    class RequestsHTTPError(OSError):
        """Stand-in for `requests.HTTPError`."""


@functools.cache
def adopt_requests_errors() -> None:
    """Make the errors that promise it subclasses of those of requests; the first of them to be raised calls this."""
    from requests import exceptions  # noqa: PLC0415  # 90 ms, see above

    ConnectionFailed.__bases__ = (ProviderError, exceptions.ConnectionError)
    HTTPStatusError.__bases__ = (ProviderError, exceptions.HTTPError)


_PASSED_OVER = ("lockbots_magic", "IPython", "contextlib", "functools")
"""Packages and modules between a user's code and where an error is raised."""


def leave_own_frames_out(error: BaseException) -> bool:
    """Cut the traceback of `error` behind the user's code, where `%debug` and `%pdb` then stop.

    Returns:
        Whether code of the user's own had called: not a magic, whose cell has no frame worth to look at.
    """
    users, tb = None, error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_globals.get("__name__", "").partition(".")[0] not in _PASSED_OVER:
            users = tb
        tb = tb.tb_next
    if users is None:
        return False
    called, users.tb_next = users.tb_next, None
    return called is None or called.tb_frame.f_globals.get("__name__", "").partition(".")[0] != "IPython"


def _one_message(error: BaseException) -> list[str]:
    """Return the lines that IPython prints for `error` in place of a traceback, in any `%xmode`."""
    leave_own_frames_out(error)
    return [f"{type(error).__name__}: {clean_printed(str(error))}"]


class LockbotsError(Exception):
    """Base of all errors of this package."""

    def _render_traceback_(self) -> list[str]:
        return _one_message(self)


class UsageError(LockbotsError, ValueError):
    """The request is invalid as it stands; the message says what to do. Nothing was sent."""


class PromptTooLongError(UsageError):
    """The new prompt and the system prompt alone exceed the model's context window."""


class NotRecordedError(UsageError):
    """A replay-only cassette has no reply to the request; the message shows the difference."""


class ProviderError(LockbotsError):
    """A provider failed to reply.

    Args:
        message: One sentence for the user, free of credentials.
        provider: Name of the provider, such as ``"liaobots"``.
        model: Id of the model.
        partial: Text received before the failure.
    """

    retryable = False
    """Whether the same request may succeed a moment later."""

    retry_after: float | None = None
    """Pause (s) that the server asked for, if any."""

    should_retry: bool | None = None
    """Whether the server itself says that the request may be sent again."""

    advice = ""
    """What to do about it, in a sentence that the provider adds to the message."""

    code = ""
    """Name of the error in the server's words, such as ``"context_length_exceeded"``."""

    param = ""
    """Field of the request that the server names as the cause."""

    details = ""
    """All that the server said, for programs; untrusted text, not shown."""

    def __init__(self, message: str, *, provider: str = "", model: str = "", partial: str = "") -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.partial = partial


class ConnectionFailed(ProviderError, RequestsConnectionError):  # noqa: N818  # ConnectionError is a built-in
    """The connection was refused, reset or cut off."""

    retryable = True

    def __init__(self, message: str, *, provider: str = "", model: str = "", partial: str = "") -> None:
        adopt_requests_errors()
        super().__init__(message, provider=provider, model=model, partial=partial)


class ProviderTimeout(ProviderError, TimeoutError):  # noqa: N818  # named like TimeoutError, which it is
    """Connecting, waiting for data or the whole reply took too long."""

    retryable = True

    is_silence = False
    """Whether the request was sent and the server then sent nothing: it may be at work on it."""


class ProtocolError(ProviderError):
    """The response does not follow the wire format."""

    answered = ""
    """Format in which the server answered, if it is that of another dialect; see `providers.wire.formats`."""

    doubts_address = False
    """Whether what answered is perhaps not the API: the base URL is to be checked."""


class ModelNotFoundError(ProviderError, ValueError):
    """The provider has no such model."""


_TEMPORARY = frozenset({408, 409, 421, 423, 425, 429})
"""HTTP statuses below 500 after which the same request may succeed: timeout, conflict, misdirected, locked, too early,
too many."""


class HTTPStatusError(ProviderError, RequestsHTTPError):
    """The server refused the request.

    Args:
        message: One sentence for the user, free of credentials.
        status: HTTP status, or the status named inside a 200; 0 if nothing was sent.
        retry_after: Pause (s) that the server asked for.
        provider: Name of the provider.
        model: Id of the model.
        partial: Text received before the failure.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        retry_after: float | None = None,
        provider: str = "",
        model: str = "",
        partial: str = "",
    ) -> None:
        adopt_requests_errors()
        super().__init__(message, provider=provider, model=model, partial=partial)
        self.status = status
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:  # type: ignore[override]  # a constant elsewhere, here it follows the status
        """Whether the failure is temporary: a timeout, a lock, a rate limit or a fault of the server."""
        return self.status in _TEMPORARY or self.status >= 500


class AuthenticationError(HTTPStatusError):
    """The credential is missing or was rejected."""


class ContextLengthError(HTTPStatusError):
    """The request is longer than the model takes.

    Args:
        message: One sentence for the user, free of credentials.
        limit: Tokens that a prompt may have, where the server says so.
        prompt_tokens: Tokens of the prompt that was refused, where the server says so.
        **details: As for `HTTPStatusError`.
    """

    retryable = False

    def __init__(
        self, message: str, *, limit: int | None = None, prompt_tokens: int | None = None, **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.limit = limit
        self.prompt_tokens = prompt_tokens


class RateLimitError(HTTPStatusError):
    """Too many requests (429), or the quota is exhausted (402)."""


class ServerError(HTTPStatusError):
    """The server failed: 5xx, or an error object inside a 200."""


class Cancelled(Exception):  # noqa: N818  # a signal, not an error
    """The reply was cancelled, possibly from another thread. Ends a provider's `stream`; never reaches the user."""


class Interrupted(KeyboardInterrupt):
    """The user interrupted the reply; the text received so far is kept."""

    is_shown = False
    """True if an output tells of it, so that the error itself needn't."""

    def _render_traceback_(self) -> list[str]:
        return _one_message(self)


class CredentialWarning(UserWarning):
    """A credential is readable by others: sent unencrypted, or written in a notebook."""


class RestoreWarning(UserWarning):
    """A conversation was restored from a notebook with something missing or added."""


if "requests" in sys.modules:  # its price is paid, so the tree can be whole from the start
    adopt_requests_errors()
