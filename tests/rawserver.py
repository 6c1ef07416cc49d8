"""A server of scripted bytes on a free port of 127.0.0.1.

::

    def script(peer):
        peer.request()                       # the head and body that came, as `Request`
        peer.send(b"HTTP/1.1 200 OK\\r\\n...")
        peer.wait(event)                     # until the test allows the next step

    with RawServer(script) as server:
        server.url, server.connections, server.requests

Each connection runs the script in a thread of its own; the connection is closed when the script returns. What a
script raises is raised again at the end of the test. Nothing sleeps: a script waits for conditions, at most `PATIENCE`.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

PATIENCE = 30.0
"""Time (s) after which a wait fails the test."""
STRANGER = b"\xff"
"""First byte of ZMTP: a client of a kernel that has ended tries its port for ever, and a server may be given that."""


@dataclass(frozen=True)
class Request:
    """One request as received. Names of headers are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


class Peer:
    """One connection, from the server's side."""

    def __init__(self, server: RawServer, sock: socket.socket, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self._reader = sock.makefile("rb")

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on inside TLS."""
        self._reader.close()
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.server.opened.append(self.sock)
        self._reader = self.sock.makefile("rb")

    def request(self) -> Request | None:
        """Read one request; None when the client closed the connection instead."""
        if self._reader.peek(1)[:1] == STRANGER:
            self.server.strangers += 1
            return None
        line = self._reader.readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return None
        headers = {}
        while (field := self._reader.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        body = self._reader.read(int(headers.get("content-length", 0)))
        request = Request(line, headers, body)
        self.server.requests.append(request)
        self.server.asked.release()
        return request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def answer(self, body: bytes = b"", status: str = "200 OK", **headers: str) -> None:
        """Send a whole answer with Content-Length; an underscore in a header's name is a hyphen."""
        fields = {"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.send(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def wait(self, event: threading.Event) -> None:
        assert event.wait(PATIENCE), "the test did not go on in time"

    def until_gone(self) -> None:
        """Wait until the client has closed the connection, and record it."""
        with suppress(ConnectionError):
            while self._reader.read1(65536):
                pass
        self.server.gone.release()

    def reset(self) -> None:
        """Close with RST in place of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self._reader.close()
        self.sock.close()


Script = Callable[[Peer], None]


class RawServer:
    """Runs `script` for each connection, inside TLS where `tls` is given."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self.opened: list[socket.socket] = []
        self._closing = False
        self.failures: list[BaseException] = []
        self.requests: list[Request] = []
        self.accepted = 0
        self.strangers = 0
        self.asked = threading.Semaphore(0)
        """Released once for each request read."""
        self.gone = threading.Semaphore(0)
        """Released once for each client seen to leave."""

    @property
    def connections(self) -> int:
        """Connections of clients that the test knows."""
        return self.accepted - self.strangers

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> RawServer:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self.opened:
            with suppress(OSError):  # closed already, mostly
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        if kind is None and self.failures:
            raise self.failures[0]

    def wait_for_request(self) -> None:
        assert self.asked.acquire(timeout=PATIENCE), "no request came"

    def wait_until_gone(self, seconds: float = PATIENCE) -> None:
        assert self.gone.acquire(timeout=seconds), "the client did not close the connection"

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small pieces leave at once
            self.accepted += 1
            self.opened.append(sock)
            self._start(self._serve, sock, self.accepted)

    def _serve(self, sock: socket.socket, number: int) -> None:
        peer = Peer(self, sock, number)
        try:
            if self._tls:
                peer.start_tls(self._tls)
            self._script(peer)
        except ssl.SSLError:
            pass  # a client that does not trust us
        except ConnectionError:
            self.gone.release()  # the client left while something was sent, or the test is over
        except BaseException as failure:  # noqa: BLE001  # raised again in __exit__
            if not self._closing:
                self.failures.append(failure)
        finally:
            peer.close()


@contextmanager
def full_port() -> Iterator[int]:
    """Yield a port whose queue is full, so that connecting blocks."""
    with socket.socket() as listener, ExitStack() as clients:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with suppress(TimeoutError):
            while True:
                client = clients.enter_context(socket.socket())
                client.settimeout(0.1)
                client.connect(listener.getsockname())
        yield listener.getsockname()[1]


# Ready-made scripts


def sends(*parts: bytes) -> Script:
    """A script that answers any request with `parts`, then closes."""

    def script(peer: Peer) -> None:
        peer.request()
        for part in parts:
            peer.send(part)

    return script


def answers(peer: Peer) -> None:
    """A script that answers each request, for as long as the client likes."""
    while peer.request():
        peer.answer(b"hello")


def hangs(*parts: bytes) -> Script:
    """A script that sends `parts` and then nothing until the client has gone."""

    def script(peer: Peer) -> None:
        if peer.request():
            for part in parts:
                peer.send(part)
            peer.until_gone()

    return script


def drips(head: bytes, drop: bytes) -> Script:
    """A script that sends `drop` for ever, often enough never to be silent."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head)
        gone = threading.Event()
        threading.Thread(target=lambda: (peer.until_gone(), gone.set()), daemon=True).start()
        while not gone.wait(0.01):
            peer.send(drop)

    return script
