"""The connection under an exchange: here credentials join the request, and any thread can hang up.

The only module that knows urllib3's connections and pools from the inside.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http.client import HTTPResponse, IncompleteRead
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager

from ...security.secrets import Secret
from .chunked import ChunkDecoder, MalformedChunk


class Line:
    """What one exchange shares with the connection that serves it: its credentials, and the way to hang up.

    A connection goes back to its pool when the body ends, and may serve another exchange before this one
    has noticed; from then on this line leaves it alone.
    """

    def __init__(self, headers: Mapping[str, Secret], query: Mapping[str, Secret]) -> None:
        self._headers = headers
        self._query = query
        self._connection: WatchedConnection | None = None
        self._handle: socket.socket | None = None
        self._hung_up = False

    @contextmanager
    def carrying(self) -> Iterator[None]:
        """Within the block, what this thread sends goes over this line."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def attach(self, connection: WatchedConnection, sock: socket.socket) -> None:
        """Take note of the connection that serves; one that comes too late is hung up at once."""
        self.release()
        connection.line = self
        self._connection = connection
        # A handle of our own: TLS takes the first one out of the socket before it shakes hands.
        self._handle = socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        if self._hung_up:
            self.hang_up()

    def hang_up(self) -> None:
        """Wake whoever reads or writes, in whichever thread; the connection is of no use afterwards."""
        self._hung_up = True
        if self._handle is not None and self._serving():
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Let the connection go."""
        if self._connection is not None and self._serving():
            self._connection.line = None
        if self._handle is not None:
            self._handle.close()

    def hurry(self, seconds: float) -> bool:
        """Let no further read wait longer than `seconds` (s); False if the connection ends with its body anyway."""
        sock = self._connection.sock if self._connection is not None and self._serving() else None
        if sock is not None:
            sock.settimeout(seconds)
        return sock is not None

    def with_query(self, url: str) -> str:
        """`url` with the credentials that belong into it."""
        if not self._query:
            return url
        query = urlencode({name: secret.reveal() for name, secret in self._query.items()})
        return f"{url}{'&' if '?' in url else '?'}{query}"

    def headers(self) -> Iterator[tuple[str, str]]:
        """The headers that carry credentials."""
        return ((name, secret.reveal()) for name, secret in self._headers.items())

    def _serving(self) -> bool:
        return self._connection is not None and self._connection.line is self


_current: ContextVar[Line] = ContextVar("_current")


class EagerResponse(HTTPResponse):
    """Hands on all chunks of an event stream that have arrived, where http.client hands on one at a time.

    Events tell by themselves where they end. In other bodies a chunk may be all that tells a piece from the next.
    """

    _chunks: ChunkDecoder | None = None

    def read1(self, n: int = -1) -> bytes:
        """Return what has arrived of the body; wait only if nothing has.

        Raises:
            IncompleteRead: the body was cut off, or is not chunked as it says.
        """
        if not self.chunked or self.fp is None or self.headers.get_content_type() != "text/event-stream":
            return super().read1(n)
        if self._chunks is None:
            self._chunks = ChunkDecoder()
        body = b""
        while not (body or self._chunks.done):
            piece = self.fp.read1(n)
            if not piece:
                raise IncompleteRead(b"")
            try:
                body = self._chunks.feed(piece)
            except MalformedChunk:
                raise IncompleteRead(b"") from None
        if self._chunks.done:
            self.close()
        return body


class WatchedConnection(HTTPConnection):
    """A connection that tells its line of its socket, and adds the line's credentials as the bytes leave.

    What is raised while credentials are in local variables leaves without those frames.
    """

    line: Line | None = None
    response_class = EagerResponse
    debuglevel: ClassVar[int] = 0  # type: ignore[misc]  # on purpose not to be set: it prints every header

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        _current.get().attach(self, sock)
        return sock

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        """Begin the request, with the credentials that belong into its address."""
        if self.sock is not None:
            _current.get().attach(self, self.sock)
        try:
            super().putrequest(method, _current.get().with_query(url), *args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # it is raised on, an interrupt too
            raise error.with_traceback(None)  # noqa: B904  # the same error

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        """Add the headers that carry credentials, and send them all."""
        try:
            for header in _current.get().headers():
                super().putheader(*header)
            super().endheaders(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # it is raised on, an interrupt too
            header = ("", "")
            raise error.with_traceback(None)  # noqa: B904  # the same error


def _watched(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    plain = cast("type[HTTPConnection]", pool.ConnectionCls)
    if issubclass(plain, WatchedConnection):
        return pool
    connection = type("Watched" + plain.__name__, (WatchedConnection, plain), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def watch(manager: PoolManager) -> None:
    """Make the pools of `manager` use watched connections from now on."""
    kinds = cast("dict[str, type[HTTPConnectionPool]]", manager.pool_classes_by_scheme)
    manager.pool_classes_by_scheme = {scheme: _watched(pool) for scheme, pool in kinds.items()}
