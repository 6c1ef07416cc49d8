"""The loopback server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from .answers import BODIES
from .faults import FAULTS
from .handler import Handler
from .record import Log, Recorded
from .services import SERVICES
from .settings import Settings


class MockServer:
    """The server: a context manager, or `start` and `stop`.

    Args:
        port: the port on 127.0.0.1; 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: _Server | None = None
        self._log = Log()

    def start(self) -> MockServer:
        """Start to listen, in a thread of its own; return the mock server."""
        if self._server is None:
            self._server = _Server(self, self._port)
            serve = self._server.serve_forever
            threading.Thread(target=serve, args=(0.02,), name="mock", daemon=True).start()
        return self

    def stop(self) -> None:
        """Close every connection, streams included, and stop to listen."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.hang_up()
            server.server_close()

    def __enter__(self) -> MockServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def origin(self) -> str:
        """The address of the server itself, ``http://127.0.0.1:PORT``."""
        if self._server is None:
            raise RuntimeError("the mock server is not running; use it in a with statement, or start() it")
        return self._server.origin

    def url(self, service: str, **settings: Any) -> str:
        """The base URL of `service` ("lockchat", "liaobots", "liaobots-events" or "openai").

        Args:
            service: the wire format.
            settings: see `Settings`.

        Raises:
            ValueError: there is no such service, setting or fault, or the service can't fail so.
        """
        if service not in SERVICES:
            raise ValueError(f"the mock server has no service {service!r}; it has: {', '.join(SERVICES)}")
        given = Settings.of(settings)
        if given.fault and (given.fault not in FAULTS or service not in FAULTS[given.fault].services):
            raise ValueError(f"{service} can't fail by {given.fault!r}")
        if given.body not in BODIES:
            raise ValueError(f"there is no body {given.body!r}; there are: {', '.join(BODIES)}")
        return f"{self.origin}/{service}{given}{SERVICES[service].base}"

    @property
    def requests(self) -> list[Recorded]:
        """The requests so far, oldest first."""
        return list(self._log.requests)

    @property
    def connections(self) -> int:
        """The TCP connections accepted so far."""
        return self._log.connections

    @property
    def disconnects(self) -> list[float]:
        """When it was noticed that a client closed before its answer was over, `time.monotonic()` (s) each."""
        return list(self._log.disconnects)

    def wait_for_request(self, timeout: float = 5.0, *, count: int = 1) -> Recorded:
        """Wait until `count` requests have come; return the last of them.

        Raises:
            TimeoutError: they have not, within `timeout` (s).
        """
        log = self._log
        with log.changed:
            if not log.changed.wait_for(lambda: len(log.requests) >= count, timeout):
                raise TimeoutError(f"{len(log.requests)} of {count} requests came within {timeout:g} s")
            return log.requests[count - 1]

    def wait_for_disconnect(self, timeout: float = 5.0) -> float:
        """Wait until a client closes before its answer is over; each call waits for one more.

        Returns:
            When the server noticed, `time.monotonic()` (s).

        Raises:
            TimeoutError: none did, within `timeout` (s).
        """
        log = self._log
        with log.changed:
            if not log.changed.wait_for(lambda: len(log.disconnects) > log.awaited, timeout):
                raise TimeoutError(f"no client closed its connection within {timeout:g} s")
            log.awaited += 1
            return log.disconnects[log.awaited - 1]

    def forget(self) -> None:
        """Forget the requests, connections and disconnects so far, and which faults have had their times."""
        self._log = Log()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, box: MockServer, port: int) -> None:
        self.box = box
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """`HTTPServer` would ask the name service for the name of 127.0.0.1."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.origin = f"http://127.0.0.1:{self.server_port}"

    @property
    def log(self) -> Log:
        """The log of now."""
        return self.box._log

    def process_request(self, request: Any, client_address: Any) -> None:
        log = self.log
        with log.changed:
            log.connections += 1
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self) -> None:
        """End every connection and wait for their threads."""
        with self._changed:
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, 2.0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to report."""
