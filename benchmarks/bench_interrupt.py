"""From an interrupt inside a read to the closed connection, as the server sees it; and beside it a bare socket's."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from common import figure, median, spread, table, title

from lockbots_magic.conversation.messages import ChatRequest, Message
from lockbots_magic.providers.presets import presets

RUNS = 20
START = (
    b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {"choices": [{"delta": {"content": "he"}}]}\n\n'
)


def measure(read: Callable[[int], object]) -> float:
    """Return the time (s) from the signal to the end of the connection; `read` gets the server's port."""
    times: list[float] = []

    def serve(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(START)
            time.sleep(0.2)  # until the client waits for more
            times.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
            while peer.recv(65536):
                pass
            times.append(time.monotonic())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        with suppress(KeyboardInterrupt):
            read(listener.getsockname()[1])
        server.join()
    return times[1] - times[0]


def read_stream(port: int) -> None:
    provider = presets.vllm(base_url=f"http://127.0.0.1:{port}/v1")
    for _ in provider.stream(ChatRequest("m", (Message("user", "hi"),))):
        pass


def read_socket(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\n\r\n")
        while client.recv(65536):
            pass


def main() -> None:
    ours, bare = [], []
    for _ in range(RUNS):
        bare.append(measure(read_socket))
        ours.append(measure(read_stream))
    title(f"interrupt -> connection closed, {RUNS} runs, ms")
    rows = (("a bare socket", bare), ("a stream of ours", ours))
    table(("", "median", "lowest", "highest"), *((name, *spread(times, 2, 1e3)) for name, times in rows))
    figure("interrupt to closed connection", f"{median(ours) * 1e3:.1f} ms", "<= 100 ms")
    figure("interrupt to closed connection, over a bare socket", f"{median(ours) / median(bare):.1f} x", "none")


if __name__ == "__main__":
    main()
