"""Translation of foreign exceptions (requests, urllib3, http.client, the system) to the errors of this package."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead
from ssl import SSLCertVerificationError
from typing import Any

import requests
from urllib3 import exceptions as urllib3_errors

from ...errors import ConnectionFailed, ProtocolError, ProviderError, ProviderTimeout, UsageError
from .request import HTTPRequest, display_host, display_url

FOREIGN_ERRORS = (requests.RequestException, urllib3_errors.HTTPError, HTTPException, OSError, UnicodeError)
"""What an exchange can raise: requests until the body begins, urllib3 and http.client from then on."""

# The first row with an exception of the chain wins; `reason` is the innermost cause.
_TRANSLATIONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[Exception], str], ...] = (
    (SSLCertVerificationError, ConnectionFailed, "The certificate of {host} is not trusted: {reason}"),
    (
        (requests.exceptions.InvalidSchema, requests.exceptions.InvalidProxyURL, urllib3_errors.ProxySchemeUnknown),
        UsageError,
        "Invalid proxy in the environment: {reason}",
    ),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, UnicodeError),
        UsageError,
        "Invalid URL {url!r}. Use a URL such as https://host/v1.",
    ),
    (requests.exceptions.ProxyError, ConnectionFailed, "The proxy for {host} failed: {reason}"),
    (urllib3_errors.NewConnectionError, ConnectionFailed, "Connection to {host} failed: {reason}"),
    (urllib3_errors.ConnectTimeoutError, ProviderTimeout, "Connecting to {host} timed out."),
    ((urllib3_errors.TimeoutError, TimeoutError), ProviderTimeout, "{host} sent no data for too long."),
    (urllib3_errors.DecodeError, ProtocolError, "The response from {host} does not match its content encoding."),
    (
        (urllib3_errors.IncompleteRead, IncompleteRead),
        ConnectionFailed,
        "{host} closed the connection before the response was complete.",
    ),
    (ConnectionError, ConnectionFailed, "Connection to {host} failed: {reason}"),
    ((HTTPException, urllib3_errors.InvalidHeader), ProtocolError, "{host} does not speak HTTP."),
    (Exception, ConnectionFailed, "Connection to {host} failed: {reason}"),
)


def translate_error(error: Exception, handled: BaseException | None, request: HTTPRequest) -> Exception:
    """Return the error of this package for a foreign one.

    Args:
        error: The exception, one of `FOREIGN_ERRORS`.
        handled: Exception that the caller was handling before, which says nothing about this one.
        request: The request that failed; its credentials are redacted.
    """
    chain = list(_walk_causes(error, handled))
    kind, template = next((k, t) for known, k, t in _TRANSLATIONS if any(isinstance(e, known) for e in chain))
    host, url = display_host(request.url), display_url(request.url)
    translated = kind(template.format(host=host, url=url, reason=request.redact(_find_reason(chain))))
    if isinstance(translated, ProviderError) and any(isinstance(e, SSLCertVerificationError) for e in chain):
        translated.retryable = False
    return translated


def _walk_causes(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and those it was made from, outermost first, without `handled` and its causes."""
    seen = {id(handled)}
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _find_reason(chain: list[BaseException]) -> str:
    """Return the innermost cause that has a readable message."""
    for error in reversed(chain):
        if isinstance(error, SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
    return next((str(e) for e in reversed(chain) if str(e)), type(chain[0]).__name__)
