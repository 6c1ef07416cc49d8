"""Translation of foreign exceptions (requests, urllib3, http.client, the system) to the errors of this package."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected
from ssl import SSLCertVerificationError, SSLError
from typing import Any

import requests
from urllib3 import exceptions as urllib3_errors

from ...errors import ConnectionFailed, HTTPStatusError, ProtocolError, ProviderTimeout, UsageError
from ...language import _
from . import network_advice as advice
from .eager_response import HeadTooLong
from .environment import SOCKS_PACKAGE, Proxy, find_ca_bundle, find_proxy
from .request import HTTPRequest, TimeLimits, display_host, display_url

_INVALID_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    urllib3_errors.LocationValueError,
    UnicodeError,
)
_INVALID_PROXY = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
    urllib3_errors.ProxySchemeUnknown,
)


def translate_error(
    error: Exception, handled: BaseException | None, request: HTTPRequest, limits: TimeLimits
) -> Exception:
    """Return the error of this package for a foreign one. `advice` of the error says what to do, where that is known.

    Args:
        error: The exception, one of `exchange.FOREIGN_ERRORS`.
        handled: Exception that the caller was handling before, which says nothing about this one.
        request: The request that failed; its credentials are redacted.
        limits: Time limits of the exchange, for the message.
    """
    failure = _Failure(Chain(error, handled), request, limits)
    found = (rule(failure) for rule in _RULES)
    return next(filter(None, found), None) or _connection_failed(failure, "")


@dataclass(frozen=True)
class _Failure:
    """What is known of a failure, for the rules below."""

    chain: Chain
    request: HTTPRequest
    limits: TimeLimits

    @property
    def host(self) -> str:
        return display_host(self.request.url)

    @property
    def reason(self) -> str:
        return self.request.redact(self.chain.reason)


def proxy_refusal(url: str) -> HTTPStatusError:
    """Return the error for a response 407, "Proxy Authentication Required"."""
    return _wants_credential(display_host(url), find_proxy(url))


def _proxy_failed(failure: _Failure) -> Exception | None:
    proxy = find_proxy(failure.request.url)
    if not failure.chain.has(requests.exceptions.ProxyError) and not (proxy and failure.chain.has(_INVALID_PROXY)):
        return None
    host, reason = failure.host, failure.reason
    if "SOCKS support" in reason:  # requests looks for the package only when it is imported
        return UsageError(
            _(
                "The SOCKS proxy of {value} needs PySocks. {socks_package}",
                value=proxy.shown if proxy else host,
                socks_package=_(SOCKS_PACKAGE),
            )
        )
    if " 407 " in reason:
        return _wants_credential(host, proxy)
    if proxy is None:
        advised = _(
            "The proxy comes from this machine's settings. Correct or unset it, or add {host} to NO_PROXY.", host=host
        )
    else:
        advised = _(
            "The proxy comes from {name}. Correct or unset it, or add {host} to NO_PROXY.", name=proxy.shown, host=host
        )
    if advice.for_tls(reason, host):
        name = proxy.shown if proxy else _("this machine's settings")
        advised = _("The proxy of {name} does not speak TLS: begin its address with http://.", name=name)
    return _failed(_("The proxy for {host} failed: {reason}", host=host, reason=reason), advised)


def _url_invalid(failure: _Failure) -> Exception | None:
    if not failure.chain.has(_INVALID_URL):
        return None
    return UsageError(
        _("Invalid URL {url!r}. Use a URL such as https://host/v1.", url=display_url(failure.request.url))
    )


def _tls_failed(failure: _Failure) -> Exception | None:
    host = failure.host
    if (verification := failure.chain.find(SSLCertVerificationError)) is not None:
        advised = advice.for_certificate(verification.verify_code, host, *find_ca_bundle())
        return _failed(
            _("The certificate of {host} is not trusted: {reason}", host=host, reason=failure.reason),
            advised,
            retryable=False,
        )
    tls = failure.chain.find(SSLError)
    advised = "" if tls is None else advice.for_tls(tls.reason or str(tls), host)
    return _connection_failed(failure, advised, retryable=False) if advised else None


def _not_connected(failure: _Failure) -> Exception | None:
    if not failure.chain.has(urllib3_errors.NewConnectionError, ConnectionRefusedError):
        return None
    return _connection_failed(failure, advice.for_connecting(failure.chain.errors, failure.request.url))


def _body_broken(failure: _Failure) -> Exception | None:
    if failure.chain.has(urllib3_errors.DecodeError):
        return ProtocolError(_("The response from {host} does not match its content encoding.", host=failure.host))
    if failure.chain.has(urllib3_errors.IncompleteRead, IncompleteRead):
        return ConnectionFailed(_("{host} closed the connection before the response was complete.", host=failure.host))
    return None


def _connection_broken(failure: _Failure) -> Exception | None:
    if not failure.chain.has(ConnectionError):
        return None
    is_plain = failure.request.url.startswith("http:")
    closed = is_plain and failure.chain.has(RemoteDisconnected, ConnectionResetError)
    return _connection_failed(failure, _(advice.IF_TLS) if closed else "")


def _head_too_long(failure: _Failure) -> Exception | None:
    found = failure.chain.find(HeadTooLong)
    return None if found is None else ProtocolError(_("The response is malformed: {error}.", error=found))


def _not_http(failure: _Failure) -> Exception | None:
    if not failure.chain.has(HTTPException, urllib3_errors.InvalidHeader):
        return None
    error = ProtocolError(_("{host} does not speak HTTP.", host=failure.host))
    status = failure.chain.find(BadStatusLine)
    if status is not None and advice.is_tls_record(status.line):
        error.advice = advice.with_scheme("https", failure.host)
    return error


def _wants_credential(host: str, proxy: Proxy | None) -> HTTPStatusError:
    if proxy is None:
        message = _("A proxy before {host} asks for a user name and password (HTTP 407).", host=host)
    elif proxy.has_credential:
        message = _("The proxy of {shown} refused its user name and password (HTTP 407).", shown=proxy.shown)
    else:
        form = f"{proxy.variable}=http://USER:PASSWORD@HOST:PORT"
        message = _(
            "The proxy of {shown} asks for a user name and password (HTTP 407). Set {form}",
            shown=proxy.shown,
            form=form,
        )
    return HTTPStatusError(message, status=407)


def _timed_out(failure: _Failure) -> Exception | None:
    chain, host, url = failure.chain, failure.host, failure.request.url
    if chain.has(urllib3_errors.ConnectTimeoutError):
        by_system = chain.has_errno or failure.limits.connect == math.inf
        late = ProviderTimeout(
            _("Connecting to {host} timed out.", host=host)
            if by_system
            else _("Connecting to {host} timed out after {limit:g} s.", host=host, limit=failure.limits.connect)
        )
        late.advice = advice.for_slow_connect(url)
        return late
    if not chain.has(urllib3_errors.TimeoutError, TimeoutError):
        return None
    if "handshake" in failure.reason:
        late = ProviderTimeout(_("The TLS handshake with {host} timed out.", host=host))
        late.advice = _(advice.IF_PLAIN)
        return late
    silence = failure.limits.silence_of(url)
    if chain.has_errno or silence == math.inf:
        return ProviderTimeout(_("The connection to {host} timed out.", host=host))
    late = ProviderTimeout(_("{host} sent no data for too long ({silence:g} s).", host=host, silence=silence))
    late.advice = advice.for_silence(silence)
    late.is_silence = True
    return late


_RULES: tuple[Callable[[_Failure], Exception | None], ...] = (
    _proxy_failed,
    _url_invalid,
    _tls_failed,
    _not_connected,
    _timed_out,
    _body_broken,
    _connection_broken,
    _head_too_long,
    _not_http,
)
"""Each returns the error if it knows the failure; the first one counts."""


def _connection_failed(failure: _Failure, advised: str, *, retryable: bool = True) -> ConnectionFailed:
    return _failed(
        _("Connection to {host} failed: {reason}", host=failure.host, reason=failure.reason),
        advised,
        retryable=retryable,
    )


def _failed(message: str, advised: str, *, retryable: bool = True) -> ConnectionFailed:
    failed = ConnectionFailed(message)
    if not retryable:
        failed.retryable = False
    failed.advice = advised
    return failed


class Chain:
    """An exception and those it was made from, outermost first.

    Args:
        error: The exception.
        handled: Exception to leave out, with its causes.
    """

    def __init__(self, error: BaseException, handled: BaseException | None) -> None:
        self.errors = list(_walk_causes(error, handled))

    def has(self, *kinds: type[BaseException] | tuple[type[BaseException], ...]) -> bool:
        """Whether one of the exceptions is of one of these kinds."""
        return any(isinstance(error, kinds) for error in self.errors)

    def find(self, kind: type[Any]) -> Any:
        """Return the first exception of this kind, if any."""
        return next((error for error in self.errors if isinstance(error, kind)), None)

    @property
    def has_errno(self) -> bool:
        """Whether the system reported a timeout itself."""
        return any(isinstance(error, TimeoutError) and error.errno for error in self.errors)

    @property
    def reason(self) -> str:
        """Message of the innermost cause that has a readable one."""
        for error in reversed(self.errors):
            if isinstance(error, SSLCertVerificationError):
                return error.verify_message
            if isinstance(error, OSError) and error.strerror:
                return error.strerror
        return next((str(e) for e in reversed(self.errors) if str(e)), type(self.errors[0]).__name__)


def _walk_causes(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    seen = {id(handled)}
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
