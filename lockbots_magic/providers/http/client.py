"""HTTP: one pooled session, bodies as they arrive, time limits, and foreign errors as our own.

The only module that knows `requests`. No request object, foreign exception or log of the libraries below
ever holds a credential: those join in `connection`, where the bytes leave.
"""

from __future__ import annotations

import functools
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException, IncompleteRead
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLCertVerificationError
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as lower

from ...conversation.cancellation import Cancellation
from ...errors import (
    Cancelled,
    ConnectionFailed,
    LockbotsError,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    UsageError,
)
from .connection import Line, watch
from .request import Call, Limits, is_loopback, shown_host, shown_url, warn_if_readable
from .retry import parse_retry_after

__all__ = ["Call", "Exchange", "Limits"]

T = TypeVar("T")

PIECE = 65536
"""Bytes that one read returns at most."""
MAX_ERROR_BODY = 65536
MAX_REDIRECTS = 3
LONGEST = 1e6
"""What the system takes as a time limit (s); longer ones are meant as none."""
BRISK = 0.005
"""A piece that comes sooner than this (s) after the one before is not worth a wake-up of its own:"""
REST = 0.01
"""so that long (s) it is left to gather company. A thousand pieces a second cost four times as much one by one."""
DRAIN_TIMEOUT = 0.1
"""How long (s) the end of a finished body is waited for, so that its connection can serve again."""


class Exchange:
    """One request and the body of its answer: a context manager that is iterated for `bytes`.

    Leaving the `with` block closes the connection, unless the body has ended and the connection is reusable.

    Raises:
        ConnectionFailed: refused, reset or cut off, also in the middle of the body.
        ProviderTimeout: no connection in time, too long a silence, or the deadline passed.
        ProtocolError: the body's encoding is broken, or the server redirects elsewhere.
        UsageError: the request can't be written as JSON, or its address is none.
        Cancelled: `cancellation` was used, from any thread.
    """

    def __init__(self, call: Call, limits: Limits, cancellation: Cancellation) -> None:
        self.call = call
        self._limits = limits
        self._cancellation = cancellation
        self._line = Line(call.secret_headers, call.secret_query)
        self._late = False
        self._ended = False
        self._compressed = False
        self._timer: threading.Timer | None = None
        self._response: requests.Response | None = None

    def __enter__(self) -> Exchange:
        warn_if_readable(self.call)
        try:
            self._start_clock()
            self._cancellation.on_cancel(self._line.hang_up)
            self._guard(lambda: None)
            self._guard(self._send)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        piece, waited = b"", math.inf
        while True:
            if waited < BRISK and len(piece) < PIECE // 16:
                time.sleep(REST)
            began = time.monotonic()
            piece = self._guard(self._read)
            waited = time.monotonic() - began
            if not piece:
                break
            yield piece
        self._ended = True

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self._answer.status_code

    @property
    def content_type(self) -> str:
        """The media type of the answer, lower case, without parameters."""
        return self._header("content-type").partition(";")[0].strip().lower()

    def body(self) -> bytes:
        """The whole body, at most `MAX_ERROR_BODY` bytes of it, as far as it arrives."""
        pieces, size = [], 0
        with suppress(ProviderError):
            for piece in self:
                pieces.append(piece)
                size += len(piece)
                if size >= MAX_ERROR_BODY:
                    break
        return b"".join(pieces)[:MAX_ERROR_BODY]

    def retry_after(self) -> float | None:
        """The pause (s) asked for by the header `Retry-After`, given in seconds or as a date."""
        return parse_retry_after(self._header("retry-after"))

    def finish(self) -> None:
        """The answer is complete, as far as its format tells: let the connection serve again if the body ends."""
        if self._ended or not self._line.hurry(DRAIN_TIMEOUT):
            return
        with suppress(Exception):
            for _ in range(4):  # what is left: a blank line, the last chunk, the end of the compression
                if not self._ended and not self._read():
                    self._ended = True

    def close(self) -> None:
        """Close the connection at once, or hand it back if the body has ended."""
        self._cancellation.on_cancel(None)
        if self._timer is not None:
            self._timer.cancel()
        if not self._ended:
            self._line.hang_up()
        if self._response is not None:
            self._response.close()
        self._line.release()

    @property
    def _answer(self) -> requests.Response:
        if self._response is None:
            raise RuntimeError("an exchange has an answer only inside its `with` block")
        return self._response

    def _header(self, name: str) -> str:
        return self._answer.headers.get(name, "")

    def _start_clock(self) -> None:
        if self._limits.deadline == math.inf:
            return
        remaining = self._limits.remaining
        if remaining <= 0:
            self._late = True
            return
        self._timer = threading.Timer(min(remaining, LONGEST), self._on_deadline)
        self._timer.daemon = True
        self._timer.start()

    def _on_deadline(self) -> None:
        self._late = True
        self._line.hang_up()

    def _send(self) -> None:
        url = self.call.url
        body = _json_bytes(self.call.json)
        for _ in range(MAX_REDIRECTS + 1):
            self._response = self._request(url, body)
            self._compressed = bool(self._header("content-encoding"))
            location = self._header("location")
            if self.status not in (301, 302, 303, 307, 308) or not location:
                return
            self._response.close()
            url = self.call.redirected(url, self.status, location)
        raise ProtocolError(f"{shown_host(url)} redirects in a circle")

    def _request(self, url: str, body: bytes | None) -> requests.Response:
        host = urlsplit(url).hostname or ""
        kind = {} if body is None else {"content-type": "application/json"}
        connect = max(min(self._limits.connect, self._limits.remaining, LONGEST), 0.001)
        with self._line.carrying():
            return _session().request(
                self.call.method,
                url,
                data=body,
                headers={**kind, **self.call.headers},
                stream=True,
                timeout=(connect, min(self._limits.silence, LONGEST)),
                allow_redirects=False,
                auth=_unchanged,
                proxies={"no_proxy": host} if is_loopback(host) else None,
            )

    def _read(self) -> bytes:
        return self._answer.raw.read1(PIECE, decode_content=self._compressed) or b""

    def _guard(self, action: Callable[[], T]) -> T:
        """Run `action`; what it raises leaves as one of our errors, with no foreign object or frame attached."""
        failure: Exception | None = None
        handled = sys.exc_info()[1]  # whoever asks may be handling an error of their own
        try:
            result = action()
        except LockbotsError as error:
            failure = error.with_traceback(None)
        except _FOREIGN as error:
            failure = _translated(error, handled, self.call)
        if self._cancellation.cancelled:
            raise Cancelled
        if self._late:
            raise ProviderTimeout("the time for the whole reply is over")
        if failure is not None:
            raise failure
        return result


def _json_bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        message = "a parameter can't be written as JSON; give numbers, text, lists or dicts"
    raise UsageError(message)


# What requests raises until the body begins, and urllib3 and http.client from there on.
_FOREIGN = (requests.RequestException, lower.HTTPError, HTTPException, OSError, UnicodeError)

# The first row that knows one of the exceptions tells what happened; `reason` is the innermost cause, in words.
_MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[Exception], str], ...] = (
    (SSLCertVerificationError, ConnectionFailed, "the certificate of {host} is not to be trusted: {reason}"),
    (
        (requests.exceptions.InvalidSchema, requests.exceptions.InvalidProxyURL, lower.ProxySchemeUnknown),
        UsageError,
        "the proxy that the environment names can't be used: {reason}",
    ),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, UnicodeError),
        UsageError,
        "{url!r} is not a URL; give one like https://host/v1",
    ),
    (requests.exceptions.ProxyError, ConnectionFailed, "the proxy on the way to {host} failed: {reason}"),
    (lower.NewConnectionError, ConnectionFailed, "the connection to {host} failed: {reason}"),
    (lower.ConnectTimeoutError, ProviderTimeout, "no connection to {host} in time"),
    ((lower.TimeoutError, TimeoutError), ProviderTimeout, "{host} was silent for too long"),
    (lower.DecodeError, ProtocolError, "the answer of {host} is not encoded as it says"),
    ((lower.IncompleteRead, IncompleteRead), ConnectionFailed, "{host} cut the answer off"),
    (ConnectionError, ConnectionFailed, "the connection to {host} failed: {reason}"),
    ((HTTPException, lower.InvalidHeader), ProtocolError, "{host} does not speak HTTP"),
    (Exception, ConnectionFailed, "the connection to {host} failed: {reason}"),
)


def _translated(error: Exception, handled: BaseException | None, call: Call) -> Exception:
    chain = list(_chain(error, handled))
    kind, words = next((k, w) for known, k, w in _MEANINGS if any(isinstance(e, known) for e in chain))
    words = words.format(host=shown_host(call.url), url=shown_url(call.url), reason=call.redact(_reason(chain)))
    failure = kind(words)
    if isinstance(failure, ProviderError) and any(isinstance(e, SSLCertVerificationError) for e in chain):
        failure.retryable = False
    return failure


def _chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """The exception and those it was made from, outermost first, short of the one that was `handled` before."""
    seen = {id(handled)}
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _reason(chain: list[BaseException]) -> str:
    """The innermost cause that a person can read."""
    for error in reversed(chain):
        if isinstance(error, SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
    return next((str(e) for e in reversed(chain) if str(e)), type(chain[0]).__name__)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands where an authenticator may stand: without one, requests would add a password from ~/.netrc."""
    return request


class _Adapter(HTTPAdapter):
    """Makes every pool, those behind proxies too, use watched connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools; see `HTTPAdapter`."""
        super().init_poolmanager(*args, **kwargs)
        watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        """Return the pools behind `proxy`; see `HTTPAdapter`."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        watch(manager)
        return manager


class _Session(requests.Session):
    """Keeps connections and nothing else: no cookie passes from one caller to another."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: asked for the next address, requests would first read all of the body. `Exchange` sees to it."""
        return None


@functools.cache
def _session() -> requests.Session:
    return _Session()
