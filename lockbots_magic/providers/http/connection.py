"""Connections that add credentials as the bytes leave, and that any thread can abort.

The only module that depends on the internals of urllib3's connections and pools.
"""

from __future__ import annotations

import functools
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager

from ...language import _
from ...security.log_filter import redact_loggers
from ...security.secrets import Secret
from .eager_response import EagerResponse

MAX_POOLED = 64
"""Idle connections to one server that are kept: as many as a batch has requests under way, and more."""
MAX_JOINED = 65536
"""Bytes of the longest body that is sent in one piece with its headers."""
_PLAIN_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: (?!@@@| )[\x20-\x7e]*")
"""A header that is sent as it is; values of urllib3's own, which leave a header out, begin with ``@@@``."""
SIGNAL_CHECK = 0.1
"""Time (s) after which a wait is begun anew, as a signal that arrives just before a wait does not end it."""

CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Errors of a connection that the other side has closed."""

redact_loggers(f"urllib3.{name}" for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"))


class ConnectionLease:
    """The hold of one exchange on the connection that serves it: supplies its credentials, and can abort it.

    A connection returns to its pool when the body ends, and may serve another exchange before this one
    has noticed; from then on this lease has no effect on it.
    """

    def __init__(self, headers: Mapping[str, Secret], query: Mapping[str, Secret]) -> None:
        self._headers = headers
        self._query = query
        self._connection: TrackedConnection | None = None
        self._aborted = False
        self._wake: threading.Event | None = None  # made to connect, which few exchanges do
        self.check_peer: Callable[[str], None] | None = None
        """Called with the IP address of the peer before anything is sent to it; it may raise."""
        self._was_stale = False

    @contextmanager
    def in_this_thread(self) -> Iterator[None]:
        """Within the block, a connection that this thread sends on is held by this lease."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def connect(self, make: Callable[[], socket.socket]) -> socket.socket:
        """Return `make()`, which looks up a host and connects; run in a thread, as no signal ends a lookup.

        Raises:
            ConnectionAbortedError: The exchange was aborted meanwhile. The thread closes the connection if it is made.
        """
        wake = self._wake = threading.Event()
        if self._aborted:
            wake.set()
        attempt = _ConnectAttempt(make, wake)
        try:
            attempt.start()
            while not wake.wait(SIGNAL_CHECK):
                pass
            return attempt.take()
        except BaseException:  # an interrupt too
            attempt.abandon()
            raise

    def attach(self, connection: TrackedConnection, sock: socket.socket) -> None:
        """Hold `connection`; abort it at once if the exchange was aborted meanwhile."""
        self.release()
        connection.lease = self
        self._connection = connection
        if self._aborted:
            self.abort()
        if self.check_peer is not None:
            self.check_peer(str(sock.getpeername()[0]))

    def abort(self) -> None:
        """Shut the socket down, which wakes a thread that is reading or writing. Thread-safe."""
        self._aborted = True
        if self._wake is not None:
            self._wake.set()
        connection = self._connection
        if connection is not None and connection.handle is not None and self._is_serving():
            with suppress(OSError):
                connection.handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give up the connection."""
        if self._connection is not None and self._is_serving():
            self._connection.lease = None
            self._connection.drop_handle()

    def set_read_timeout(self, seconds: float) -> bool:
        """Limit each further read to `seconds` (s); False if the connection ends with its body anyway."""
        connection = self._connection
        if connection is None or not self._is_serving():
            return False
        sock = connection.sock or connection.sock_of_response
        if sock is not None:
            with suppress(OSError):  # the response has ended, and closed it
                sock.settimeout(seconds)
        return connection.sock is not None

    def note_failure(self, connection: TrackedConnection) -> None:
        """Take note that `connection` failed before its response had begun."""
        self._was_stale = connection.is_kept and not self._aborted

    def take_stale(self) -> bool:
        """Return, once, whether the request failed only because the server was closing a connection that was kept."""
        stale, self._was_stale = self._was_stale, False
        return stale

    def add_query(self, url: str) -> str:
        """Return `url` with the credentials that belong in its query."""
        if not self._query:
            return url
        query = urlencode({name: secret.reveal() for name, secret in self._query.items()})
        return f"{url}{'&' if '?' in url else '?'}{query}"

    def reveal_headers(self) -> Iterator[tuple[str, str]]:
        """Return the headers that carry credentials."""
        return ((name, secret.reveal()) for name, secret in self._headers.items())

    def _is_serving(self) -> bool:
        return self._connection is not None and self._connection.lease is self


class _ConnectAttempt(threading.Thread):
    """Makes one connection in a thread, which nobody needs to wait for.

    Args:
        make: Makes the connection.
        done: Set once it is made, or has failed.
    """

    def __init__(self, make: Callable[[], socket.socket], done: threading.Event) -> None:
        super().__init__(name="lockbots connect", daemon=True)
        self._make = make
        self._done = done
        self._lock = threading.Lock()
        self._abandoned = False
        self._sock: socket.socket | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Connect."""
        try:
            sock = self._make()
            with self._lock:
                if self._abandoned:
                    sock.close()
                else:
                    self._sock = sock
        except BaseException as error:  # noqa: BLE001  # raised by `take`
            self._failure = error
        self._done.set()

    def take(self) -> socket.socket:
        """Return the connection, or raise what prevented it."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._sock is None:
                raise ConnectionAbortedError(_("the exchange was stopped"))
            sock, self._sock = self._sock, None
            return sock

    def abandon(self) -> None:
        """Close the connection, as soon as it is made."""
        with self._lock:
            self._abandoned = True
            if self._sock is not None:
                self._sock.close()


_current: ContextVar[ConnectionLease] = ContextVar("_current")


def is_plain_header(name: str, value: str) -> bool:
    """Return whether a header can be sent as it is."""
    return _encode_header(name, value) is not None


@functools.lru_cache(maxsize=256)
def _encode_header(name: str, value: str) -> bytes | None:
    """Return a header as it is sent; None if http.client is to judge it."""
    line = f"{name}: {value}"
    return line.encode("ascii") if _PLAIN_HEADER.fullmatch(line) else None


class TrackedConnection(HTTPConnection):
    """A connection that attaches itself to the lease of this thread, and adds its credentials as the bytes leave.

    Errors are raised without the frames that hold credentials in local variables.
    """

    lease: ConnectionLease | None = None
    handle: socket.socket | None = None
    """Duplicate of the socket's handle, by which any thread shuts it down: TLS detaches its own before the handshake,
    and a connection that ends with its body gives its own to the response."""
    sock_of_response: Any = None
    """The socket that such a connection gave to the response."""
    is_kept = False
    """Whether it has served before: the server may close it just as the next request leaves."""
    response_class = EagerResponse
    debuglevel: ClassVar[int] = 0  # type: ignore[misc]  # must not be set: it prints every header
    _holds = False
    """Whether the headers wait for the body, to leave with it: one packet instead of two."""
    _held = b""

    def _new_conn(self) -> socket.socket:
        sock = _current.get().connect(super()._new_conn)
        self._close_handle()
        self.is_kept = False
        self.handle = socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        try:
            _current.get().attach(self, sock)
        except BaseException:  # its address was refused
            sock.close()
            raise
        return sock

    def close(self) -> None:
        """Close the connection; while an exchange still reads from it, that can be aborted."""
        sock = self.sock
        super().close()
        if self.lease is None:
            self._close_handle()
        elif sock is not None:
            self.sock_of_response = sock

    def drop_handle(self) -> None:
        """Close the duplicate handle of a connection that is closed and no longer read from."""
        if self.sock is None:
            self._close_handle()

    def _close_handle(self) -> None:
        handle, self.handle, self.sock_of_response = self.handle, None, None
        if handle is not None:
            handle.close()

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **kwargs: Any) -> None:
        """Send a request; a short body leaves together with the headers."""
        self._holds = isinstance(body, bytes) and 0 < len(body) <= MAX_JOINED
        try:
            super().request(method, url, body, headers, **kwargs)
        except BaseException as error:  # noqa: BLE001  # re-raised, an interrupt too
            if isinstance(error, CLOSED):
                _current.get().note_failure(self)
            raise error.with_traceback(None)  # noqa: B904  # the same error
        finally:
            self._holds, self._held = False, b""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 declares it
        """Wait for the response, and read its head."""
        try:
            response = super().getresponse()
        except CLOSED:
            _current.get().note_failure(self)
            raise
        self.is_kept = True
        return response

    def send(self, data: Any) -> None:
        """Send data, or hold the headers until the body follows."""
        if self._holds:
            self._holds, self._held = False, data
            return
        if self._held:
            data, self._held = self._held + data, b""
        super().send(data)

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        """Begin the request, with the credentials that belong in its query."""
        if self.sock is not None:
            _current.get().attach(self, self.sock)
        try:
            super().putrequest(method, _current.get().add_query(url), *args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # re-raised, an interrupt too
            raise error.with_traceback(None)  # noqa: B904  # the same error

    def putheader(self, header: str, *values: str) -> None:  # type: ignore[override]  # as urllib3 declares it
        """Add a header; one that holds no credential is checked and encoded once."""
        line = _encode_header(header, *values) if len(values) == 1 and type(values[0]) is str else None
        if line is None:
            super().putheader(header, *values)
        else:
            self._output(line)  # type: ignore[attr-defined]  # not in the stubs

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        """Add the headers that carry credentials, and send all headers."""
        try:
            for header in _current.get().reveal_headers():
                super().putheader(*header)
            super().endheaders(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # re-raised, an interrupt too
            header = ("", "")
            raise error.with_traceback(None)  # noqa: B904  # the same error


def _track_pool(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    plain = cast("type[HTTPConnection]", pool.ConnectionCls)
    if issubclass(plain, TrackedConnection):
        return pool
    connection = type("Tracked" + plain.__name__, (TrackedConnection, plain), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def track_connections(manager: PoolManager) -> None:
    """Make the pools of `manager` use `TrackedConnection`s from now on."""
    kinds = cast("dict[str, type[HTTPConnectionPool]]", manager.pool_classes_by_scheme)
    manager.pool_classes_by_scheme = {scheme: _track_pool(pool) for scheme, pool in kinds.items()}
