"""The loopback server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from .batch_api import BatchStore
from .faults import FAULTS
from .handler import Handler
from .request_log import MockRequest, RequestLog
from .responses import BODIES
from .service_table import SERVICES
from .settings import MockSettings


class MockServer:
    """Loopback server: use it as a context manager, or with `start` and `stop`.

    Args:
        port: Port on 127.0.0.1; 0 for a free one.

    Raises:
        OSError: The port is in use (when it starts).

    Example:
        ::

            with MockServer() as server:
                Chat("openai:demo", base_url=server.url("openai")).ask("say hi")
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: _LoopbackServer | None = None
        self._log = RequestLog()
        self._batches = BatchStore()

    def start(self) -> MockServer:
        """Listen in a thread of its own; return the mock server."""
        if self._server is None:
            self._server = _LoopbackServer(self, self._port)
            serve = self._server.serve_forever
            threading.Thread(target=serve, args=(0.02,), name="mock", daemon=True).start()
        return self

    def stop(self) -> None:
        """Close every connection, streams included, and stop listening."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.close_connections()
            server.server_close()

    def __enter__(self) -> MockServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def origin(self) -> str:
        """URL of the server, ``http://127.0.0.1:PORT``."""
        if self._server is None:
            raise RuntimeError("The mock server is not running. Use it in a `with` statement, or call `start()`.")
        return self._server.origin

    def url(self, service: str, **settings: Any) -> str:
        """Return the base URL of a service.

        Args:
            service: Wire format: "lockchat", "liaobots", "liaobots-events" or "openai".
            settings: See `MockSettings`.

        Raises:
            ValueError: The service, a setting or the fault is unknown, or the service does not have the fault.
        """
        if service not in SERVICES:
            raise ValueError(f"Unknown service {service!r}. Known services: {', '.join(SERVICES)}.")
        parsed = MockSettings.from_mapping(settings)
        if parsed.fault and (parsed.fault not in FAULTS or service not in FAULTS[parsed.fault].services):
            raise ValueError(f"Unknown fault {parsed.fault!r} for {service}.")
        if parsed.body not in BODIES:
            raise ValueError(f"Unknown body {parsed.body!r}. Known bodies: {', '.join(BODIES)}.")
        return f"{self.origin}/{service}{parsed}{SERVICES[service].base}"

    @property
    def requests(self) -> list[MockRequest]:
        """Requests so far, oldest first; the latest 10,000, or 64 MB of them."""
        return list(self._log.requests)

    @property
    def connections(self) -> int:
        """Number of TCP connections accepted so far."""
        return self._log.connections

    @property
    def disconnects(self) -> list[float]:
        """Times at which clients disconnected before the end of a response, as `time.monotonic()` (s)."""
        return list(self._log.disconnects)

    def wait_for_request(self, timeout: float = 30.0, *, count: int = 1) -> MockRequest:
        """Wait until `count` requests have been received; return the last of them.

        Args:
            timeout: Longest wait (s).
            count: Number of requests since the last `forget`.

        Raises:
            TimeoutError: Fewer were received in time.
        """
        log = self._log
        with log.changed:
            if not log.changed.wait_for(lambda: log.received >= count, timeout):
                raise TimeoutError(f"{log.received} of {count} requests received within {timeout:g} s.")
            return log.requests[max(count - 1 - log.received + len(log.requests), 0)]

    def wait_for_disconnect(self, timeout: float = 30.0) -> float:
        """Wait until a client disconnects before the end of a response; each call waits for one more.

        Args:
            timeout: Longest wait (s).

        Returns:
            Time at which the server noticed, as `time.monotonic()` (s).

        Raises:
            TimeoutError: No client disconnected in time.
        """
        log = self._log
        with log.changed:
            if not log.changed.wait_for(lambda: len(log.disconnects) > log.awaited, timeout):
                raise TimeoutError(f"No client disconnected within {timeout:g} s.")
            log.awaited += 1
            return log.disconnects[log.awaited - 1]

    def forget(self) -> None:
        """Clear the log: requests, connections, disconnects, counts of the setting `times`, and jobs of batch APIs."""
        self._log = RequestLog()
        self._batches = BatchStore()


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, mock_server: MockServer, port: int) -> None:
        self.mock_server = mock_server
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without the DNS query for 127.0.0.1 that `HTTPServer` makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
        self.origin = f"http://127.0.0.1:{self.server_port}"

    @property
    def log(self) -> RequestLog:
        """The current log."""
        return self.mock_server._log

    @property
    def batches(self) -> BatchStore:
        """Jobs of the batch APIs."""
        return self.mock_server._batches

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

    def close_connections(self) -> None:
        """Close every connection and wait for their threads."""
        with self._changed:
            for sock in self._open:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, 2.0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report nothing: a client that disconnects is expected."""
