"""One HTTP request and the body of its response, as it arrives, within time limits.

No request object, exception or log of requests and urllib3 ever holds a credential: credentials join in `connection`,
where the bytes leave.
"""

from __future__ import annotations

import functools
import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from types import ModuleType
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3

from ...conversation.cancellation import Cancellation
from ...errors import Cancelled, ConnectionFailed, LockbotsError, ProtocolError, ProviderError, ProviderTimeout
from ...language import _
from .codings import accepted_codings, check_coding
from .connection import ConnectionLease
from .environment import check_ca_bundle, find_proxy
from .json_body import encode_json
from .pools import send
from .request import HTTPRequest, SentRequest, TimeLimits, display_host, is_loopback, warn_if_unencrypted
from .server_wait import find_header_wait, find_stated_wait, parse_should_retry

T = TypeVar("T")

FOREIGN_ERRORS = (urllib3.exceptions.HTTPError, HTTPException, OSError, UnicodeError)
"""What an exchange can raise: also `requests.RequestException`, which is an `OSError`."""

_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)

MAX_READ = 65536
"""Bytes that one read returns at most."""
MAX_ERROR_BODY = 65536
"""Bytes of an error response that are read."""
MAX_REDIRECTS = 3
MAX_TIMEOUT = 1e6
"""Longest timeout (s) that the system accepts; longer ones are cut to it."""
COALESCE_BELOW = 0.005
"""A piece that arrives sooner than this (s) after the previous one is not delivered alone:"""
COALESCE_PAUSE = 0.01
"""reading pauses for at most so long (s) to collect more. Waking for each of 1000 pieces/s costs four times as much."""
COALESCE_SHARE = 0.1
"""The pause is at most this share of the time since the body began, so that a short body is not slowed down."""
_MISDIRECTED = 421
"""HTTP status of a connection that leads to the wrong server: another one may not (RFC 9110, 15.5.20)."""
BODY_TIMEOUT = 30.0
"""Time (s) without data after which a short body, such as that of a refusal, is taken as it is."""
DRAIN_TIMEOUT = 0.1
"""Time (s) to wait for the end of a complete body, so that its connection can be reused."""


class Exchange:
    """One request and the body of its response: a context manager that is iterated for `bytes`.

    Leaving the `with` block closes the connection, unless the body has ended and the connection is reusable.

    Raises:
        ConnectionFailed: Refused, reset or cut off, also in the middle of the body.
        ProviderTimeout: Connecting, waiting for data or the whole exchange took too long.
        ProtocolError: The content encoding is broken, or the server redirects to another host.
        UsageError: The request can't be written as JSON, or its URL is invalid.
        Cancelled: `cancellation` was used, from any thread.
    """

    def __init__(self, request: HTTPRequest, limits: TimeLimits, cancellation: Cancellation) -> None:
        self.request = request
        self._limits = limits
        self._cancellation = cancellation
        self._lease = ConnectionLease(request.secret_headers, request.secret_query)
        self._timed_out = False
        self._ended = False
        self._compressed = False
        self._body: bytes | None = None
        self._timer: threading.Timer | None = None
        self._end_timer: threading.Timer | None = None
        self._response: urllib3.BaseHTTPResponse | None = None

    def __enter__(self) -> Exchange:
        warn_if_unencrypted(self.request)
        try:
            self._start_timer()
            self._cancellation.on_cancel(self._lease.abort)
            self._run_translated(lambda: None)  # raises if it is cancelled or late already
            self._run_translated(self._send)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        piece, waited = b"", math.inf
        first = time.monotonic()
        while True:
            began = time.monotonic()
            if waited < COALESCE_BELOW and len(piece) < MAX_READ // 16:
                time.sleep(min(COALESCE_PAUSE, (began - first) * COALESCE_SHARE))
                began = time.monotonic()
            piece = self._run_translated(self._read)
            waited = time.monotonic() - began
            if not piece:
                break
            yield piece
            if self._has_all:
                break
        self._ended = True

    @property
    def status(self) -> int:
        """HTTP status of the response."""
        return self._get_response().status

    @property
    def content_type(self) -> str:
        """Media type of the response, lower case, without parameters."""
        return self._get_header("content-type").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """Character encoding that the response names; ``""`` if it names none."""
        named = _CHARSET.search(self._get_header("content-type"))
        return named[1] if named else ""

    @property
    def challenge(self) -> str:
        """Header by which the server says which credential it wants; ``""`` if it says nothing."""
        return self._get_header("www-authenticate")

    @property
    def retry_after(self) -> float | None:
        """Pause (s) that the server asks for, in a header or in the body of its refusal."""
        wait = find_header_wait(self._get_response().headers)
        return find_stated_wait(self.read_body().decode("utf-8", "replace")) if wait is None else wait

    @property
    def should_retry(self) -> bool | None:
        """Whether the server says that the request may be sent again; None if it doesn't say."""
        return parse_should_retry(self._get_header("x-should-retry"))

    def read_body(self) -> bytes:
        """Return the body, at most `MAX_ERROR_BODY` bytes of it; of one that breaks or stalls, what came."""
        if self._body is not None:
            return self._body
        pieces, size = [], 0
        self._lease.set_read_timeout(min(BODY_TIMEOUT, self._limits.silence or BODY_TIMEOUT))
        with suppress(ProviderError):
            for piece in self:
                pieces.append(piece)
                size += len(piece)
                if size >= MAX_ERROR_BODY:
                    break
        self._body = b"".join(pieces)[:MAX_ERROR_BODY]
        return self._body

    def finish(self) -> None:
        """Read the end of a response whose format says that it is complete, so that the connection can be reused."""
        if self._ended or not self._lease.set_read_timeout(DRAIN_TIMEOUT):
            return
        with suppress(Exception):
            for _unused in range(4):  # may be left: a blank line, the last chunk, the end of the compressed data
                if not self._ended and not self._read():
                    self._ended = True

    def end_within(self, seconds: float) -> None:
        """Close the connection after `seconds` (s), or later if called again: the body is complete, but goes on."""
        if self._end_timer is not None:
            self._end_timer.cancel()
        self._end_timer = _start_daemon_timer(seconds, self._lease.abort)

    def close(self) -> None:
        """Close the connection at once, or return it to its pool if the body has ended."""
        self._cancellation.on_cancel(None)
        for timer in (self._timer, self._end_timer):
            if timer is not None:
                timer.cancel()
        if not self._ended or (self._response is not None and self._response.status == _MISDIRECTED):
            self._lease.abort()
        if self._response is not None:
            _close_response(self._response)
        self._lease.release()

    def _get_response(self) -> urllib3.BaseHTTPResponse:
        if self._response is None:
            raise RuntimeError(_("An exchange has a response only inside its `with` block."))
        return self._response

    def _get_header(self, name: str) -> str:
        return self._get_response().headers.get(name, "")

    def _start_timer(self) -> None:
        if self._limits.deadline == math.inf:
            return
        remaining = self._limits.remaining
        if remaining <= 0:
            self._timed_out = True
            return
        self._timer = _start_daemon_timer(min(remaining, MAX_TIMEOUT), self._on_deadline)

    def _on_deadline(self) -> None:
        self._timed_out = True
        self._lease.abort()

    def _send(self) -> None:
        url = self.request.url
        body = self.request.content
        if body is None and self.request.json is not None:
            body = encode_json(self.request.json)
        for _unused in range(MAX_REDIRECTS + 1):
            self._response = self._send_to(url, body)
            self._compressed = bool(self._get_header("content-encoding"))
            check_coding(self._get_header("content-encoding"), display_host(url))
            if self.status == 407:
                raise _translation().proxy_refusal(url)
            location = self._get_header("location")
            if self.status not in (301, 302, 303, 307, 308) or not location:
                return
            _close_response(self._response)
            url = self.request.follow_redirect(url, self.status, location)
        raise ProtocolError(_("{host} redirects in a loop.", host=display_host(url)))

    def _send_to(self, url: str, body: bytes | None) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(url)
        if (proxy := find_proxy(url)) is not None:
            proxy.check()
        elif self.request.checks_peer:
            self._lease.check_peer = functools.partial(self.request.check_peer, url)
        own = {"accept-encoding": accepted_codings()}
        if body is not None:
            own["content-type"] = "application/json"
        connect = max(min(self._limits.connect, self._limits.remaining, MAX_TIMEOUT), 0.001)
        with self._lease.in_this_thread():
            request = SentRequest(
                self.request.method,
                url,
                {**own, **self.request.headers},
                body,
                timeout=(connect, min(self._limits.silence_of(url), MAX_TIMEOUT)),
                verify=(check_ca_bundle() or True) if parts.scheme == "https" else True,
            )
            return self._send_on_live(request, may_use_proxy=not is_loopback(parts.hostname or ""))

    def _send_on_live(self, request: SentRequest, *, may_use_proxy: bool) -> urllib3.BaseHTTPResponse:
        """Send a request; again if the server was just closing the connection, kept from before (RFC 9112, 9.3.1)."""
        try:
            return send(request, may_use_proxy=may_use_proxy)
        except FOREIGN_ERRORS:
            if not self._lease.take_stale():
                raise
        return self._send_on_live(request, may_use_proxy=may_use_proxy)

    @property
    def _has_all(self) -> bool:
        """Whether the whole body, of a length that the server told, has been read."""
        response = self._response
        return response is not None and not self._compressed and response.length_remaining == 0

    def _read(self) -> bytes:
        return self._get_response().read1(MAX_READ, decode_content=self._compressed) or b""

    def _run_translated(self, action: Callable[[], T]) -> T:
        """Run `action`; raise its errors as errors of this package, with no foreign object or frame attached."""
        failure: Exception | None = None
        handled = sys.exc_info()[1]  # the caller may be handling an error of its own
        try:
            result = action()
        except LockbotsError as error:
            failure = error.with_traceback(None)
        except FOREIGN_ERRORS as error:
            failure = self._translate(error, handled)
        if self._cancellation.cancelled:
            raise Cancelled
        if self._timed_out:
            raise ProviderTimeout(self._limits.late or _("The whole reply took longer than `total_timeout` allows."))
        if failure is not None:
            raise failure
        return result

    def _translate(self, error: Exception, handled: BaseException | None) -> Exception:
        try:
            translation = _translation()
        except (OSError, ImportError) as closed:  # who has no file left for a connection has none for a module either
            host, reason = display_host(self.request.url), getattr(closed, "strerror", None) or str(closed)
            return ConnectionFailed(_("Connection to {host} failed: {reason}", host=host, reason=reason))
        failure: Exception = translation.translate_error(error, handled, self.request, self._limits)
        return failure


def _translation() -> ModuleType:
    from . import translation  # noqa: PLC0415  # imports requests, for its errors; most exchanges have none

    return translation


def _start_daemon_timer(seconds: float, action: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer


def _close_response(response: urllib3.BaseHTTPResponse) -> None:
    """Close a response: its connection returns to the pool if the body has ended, and is closed otherwise."""
    response.close()
    response.release_conn()
