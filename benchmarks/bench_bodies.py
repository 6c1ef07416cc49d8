"""Bodies in many small pieces, in every form of HTTP: time to read them, over the time to read the bare bytes.

Each body is sent in 2,000 pieces, at once or by the clock. The bare bytes are read from the socket in the same run, so
that a busy machine slows both.
"""

from __future__ import annotations

import gzip
import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from common import figure, median, spread, table, title

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.providers.http import HTTPRequest, TimeLimits, open_exchange

PIECES = 2000
REPETITIONS = 15
RATES = {"at once": 0, "4,000/s": 4000}
"""Pieces per second; 0: as fast as possible."""
EVENT = b'data: {"choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": null}]}\n\n'
KINDS = {
    "chunked events": "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked",
    "chunked text": "Content-Type: text/plain\r\nTransfer-Encoding: chunked",
    "chunked, no type": "Transfer-Encoding: chunked",
    "chunked gzip": "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked",
    "length": f"Content-Type: application/json\r\nContent-Length: {len(EVENT) * PIECES}",
    "until close": "Content-Type: application/octet-stream\r\nConnection: close",
}


def body_of(kind: str) -> list[bytes]:
    """Return the pieces that are sent, each by a write of its own."""
    pieces = [EVENT] * PIECES
    if "gzip" in kind:
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb") as file:
            ends = []
            for piece in pieces:
                file.write(piece)
                file.flush()
                ends.append(packed.tell())
        data = packed.getvalue()
        ends[-1] = len(data)
        pieces = [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    if "chunked" in kind:
        pieces = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
        pieces[-1] += b"0\r\n\r\n"
    return pieces


def send(sock: socket.socket, pieces: list[bytes], rate: int) -> None:
    began = time.monotonic()
    for n, piece in enumerate(pieces):
        if rate and (ahead := began + n / rate - time.monotonic()) > 0:
            time.sleep(ahead)
        sock.sendall(piece)


def serve() -> None:
    bodies = {kind: body_of(kind) for kind in KINDS}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += sock.recv(65536)
                _, kind, rate = head.split()[1].decode().split("/")
                name = list(KINDS)[int(kind)]
                sock.sendall(f"HTTP/1.1 200 OK\r\n{KINDS[name]}\r\n\r\n".encode())
                send(sock, bodies[name], int(rate))


@contextmanager
def server() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def read_bare(port: int, path: str) -> float:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while sock.recv(1 << 16):
            pass
    return time.monotonic() - began


def read_exchange(port: int, path: str) -> float:
    began = time.monotonic()
    request = HTTPRequest("GET", f"http://127.0.0.1:{port}{path}")
    with open_exchange(request, TimeLimits(10, 10), Cancellation()) as exchange:
        size = sum(map(len, exchange))
    if size != len(EVENT) * PIECES:
        raise RuntimeError(f"{size} bytes of {len(EVENT) * PIECES}")
    return time.monotonic() - began


def main() -> None:
    rows, worst = [], dict.fromkeys(RATES, 0.0)
    with server() as port:
        for n, kind in enumerate(KINDS):
            for rate, number in RATES.items():
                path = f"/{n}/{number}"
                read_exchange(port, path)
                repetitions = REPETITIONS if not number else 3
                times = [(read_bare(port, path), read_exchange(port, path)) for _ in range(repetitions)]
                ratios = [own / bare for bare, own in times]
                bare, own = (median(column) for column in zip(*times, strict=True))
                rows.append((f"{kind}, {rate}", f"{bare * 1e3:.1f}", f"{own * 1e3:.1f}", *spread(ratios, 2)))
                worst[rate] = max(worst[rate], own / bare)
    title(f"a body in {PIECES:,} pieces, read by an exchange, over its bare bytes")
    table(("body", "bare ms", "exchange ms", "ratio", "lowest", "highest"), *rows)
    for rate, ratio in worst.items():
        figure(f"slowest body, {rate}", f"{ratio:.2f} x", "<= 1.2 x")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
