"""Everything that can go wrong, as one tree.

::

    LockbotsError
    ├── UsageError               what was asked can't be done; nothing was sent (also ValueError)
    │   ├── PromptTooLongError   the prompt alone exceeds what the model takes
    │   └── NotRecordedError     a cassette that may only be played has no answer
    └── ProviderError            .provider  .model  .partial (text received so far)
        ├── ConnectionFailed     refused, reset, cut off (also requests.ConnectionError)
        ├── ProviderTimeout      connect, silence or total time (also TimeoutError)
        ├── ProtocolError        the answer is not what the wire format promises
        ├── ModelNotFoundError   (also ValueError)
        └── HTTPStatusError      any other 4xx (also requests.HTTPError)  .status
            ├── AuthenticationError   401, 403, or a credential that is missing before any I/O
            ├── RateLimitError        429, 402  .retry_after (s)
            └── ServerError           5xx, or an error object sent inside a 200

    Cancelled                    `Reply.cancel()` was called; the turn is kept as interrupted
    Interrupted                  the reader stopped the reply (a KeyboardInterrupt, so "Run all" stops too)

    CredentialWarning            a credential is about to go, or has gone, where it can be read
    RestoreWarning               a notebook does not tell all of a conversation, or more than was expected

In a notebook each of them is one short message, without a traceback.
"""

from __future__ import annotations

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import HTTPError as RequestsHTTPError

from .security.control_characters import printable
from .security.links import unlinked


def _one_message(error: BaseException) -> list[str]:
    """The lines IPython prints for `error` in place of a traceback, whatever `%xmode` says."""
    return [f"{type(error).__name__}: {unlinked(printable(str(error)))}"]


class LockbotsError(Exception):
    """Base of all errors of this package."""

    def _render_traceback_(self) -> list[str]:
        return _one_message(self)


class UsageError(LockbotsError, ValueError):
    """What was asked can't be done as it stands; the message says what to do. Nothing was sent."""


class PromptTooLongError(UsageError):
    """The new prompt and the system prompt alone exceed what the model takes."""


class NotRecordedError(UsageError):
    """A cassette that may only be played has no answer to the question; the message shows what differs."""


class ProviderError(LockbotsError):
    """A provider did not answer as it should.

    Args:
        message: one sentence for a person, free of credentials.
        provider: the provider's name, such as ``"liaobots"``.
        model: the model's id.
        partial: the text that had arrived before the failure.
    """

    retryable = False
    """Whether the same request may do better a moment later."""

    retry_after: float | None = None
    """The pause (s) the server asked for, when it asked."""

    def __init__(self, message: str, *, provider: str = "", model: str = "", partial: str = "") -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.partial = partial


class ConnectionFailed(ProviderError, RequestsConnectionError):  # noqa: N818  # ConnectionError is a built-in
    """The connection was refused, reset or cut off."""

    retryable = True


class ProviderTimeout(ProviderError, TimeoutError):  # noqa: N818  # named like TimeoutError, which it is
    """No connection, too long a silence, or the total time for the reply is over."""

    retryable = True


class ProtocolError(ProviderError):
    """The answer is not what the wire format promises."""


class ModelNotFoundError(ProviderError, ValueError):
    """The provider does not know the model."""


class HTTPStatusError(ProviderError, RequestsHTTPError):
    """The server refused the request.

    Args:
        status: the HTTP status, or the status named inside a 200; 0 when nothing was sent.
        retry_after: the pause (s) the server asked for.
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
        super().__init__(message, provider=provider, model=model, partial=partial)
        self.status = status
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:  # type: ignore[override]  # a constant elsewhere, here it follows the status
        """Only what a moment can mend: a time-out, a rate limit or a fault of the server's own."""
        return self.status in (408, 409, 429) or self.status >= 500


class AuthenticationError(HTTPStatusError):
    """The credential is missing or was refused."""


class RateLimitError(HTTPStatusError):
    """Too many requests (429), or the quota is used up (402)."""


class ServerError(HTTPStatusError):
    """The server failed: 5xx, or an error object inside a 200."""


class Cancelled(Exception):  # noqa: N818  # it is a signal, no error
    """The reply was cancelled, perhaps from another thread. Ends a provider's `stream`; never reaches the user."""


class Interrupted(KeyboardInterrupt):
    """The reader interrupted the reply; what had arrived is kept."""

    def _render_traceback_(self) -> list[str]:
        return _one_message(self)


class CredentialWarning(UserWarning):
    """A credential can be read by others: sent unencrypted, or written in a notebook."""


class RestoreWarning(UserWarning):
    """A conversation was rebuilt from a notebook, and something about it should be known."""
