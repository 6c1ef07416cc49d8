"""What a hostile server can take of a kernel: memory, and the time in which an interrupt is answered."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
from common import figure, table, title
from jupyter_client import KernelManager

SECONDS = 1.5
"""Time (s) from the prompt to the interrupt."""
RATE = 10_000_000
"""Bytes per second of an endless body."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n%s\r\n"

Body = Callable[[], Iterator[bytes]]


def event(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def endless(piece: bytes, first: bytes = b"") -> Body:
    def pieces() -> Iterator[bytes]:
        yield first
        began, sent = time.monotonic(), 0
        while True:
            yield piece
            sent += len(piece)
            time.sleep(max(0.0, sent / RATE - (time.monotonic() - began)))

    return pieces


def once(body: bytes) -> Body:
    return lambda: iter([body])


def bomb() -> bytes:
    return gzip.compress(gzip.compress(event(content="word " * 2000) * 40_000))


def reply(text: str) -> Body:
    return endless(b": still here\n\n", event(content=text))


CASES: dict[str, tuple[Body, bytes]] = {
    "endless text, 10 MB/s": (endless(event(content="word " * 2000 + "\n\n")), b""),
    "endless text of one paragraph": (endless(event(content="word " * 2000)), b""),
    "endless code": (endless(event(content="x = 'a'  # b\n" * 500), event(content="```python\n")), b""),
    "endless reasoning": (endless(event(reasoning_content="word " * 2000)), b""),
    "endless white space": (endless(event(content=" \n" * 5000)), b""),
    "endless letters, one a chunk": (endless(event(content="x") * 500), b""),
    "endless event": (endless(b"x" * 65536, b"data: "), b""),
    "endless lines of an event": (endless(b"data:\n" * 10_000), b""),
    "endless comments": (endless(b": x\n" * 10_000), b""),
    "endless arguments": (
        endless(event(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": "x" * 9}}]) * 200),
        b"",
    ),
    "endless JSON document": (endless(b"word " * 2000, b'{"choices": [{"message": {"content": "'), b""),
    "3 KB of gzip in gzip": (once(bomb()), b"Content-Encoding: gzip, gzip\r\n"),
    "JSON of 5 million values": (once(b"data: [" + b"{}," * 5_000_000 + b"{}]\n\n"), b""),
    "hostile Java, 60 KB": (reply("```java\n" + "\n" * 60_000 + "\n```\n"), b""),
    "hostile autohotkey, 60 KB": (reply("```autohotkey\n" + "\n" * 60_000 + "\n```\n"), b""),
    "100 KB of [](": (reply("[](" * 33_000), b""),
    "100 KB of <details>": (reply("<details>\n" * 10_000), b""),
    "100 KB of \\[": (reply("\\[" * 50_000), b""),
}


@contextmanager
def server(body: Body, coding: bytes) -> Iterator[int]:
    def serve(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.recv(65536)
            peer.sendall(HEAD % (b"text/event-stream", coding))
            for piece in body():
                peer.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


class WatchedKernel:
    """A kernel whose memory is watched."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(60)
        self.process = psutil.Process(self.manager.provisioner.process.pid)  # type: ignore[union-attr]
        self.idle: dict[str, float] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            with suppress(Exception):
                message = self.client.get_iopub_msg(timeout=1)
                if message["content"].get("execution_state") == "idle":
                    self.idle[message["parent_header"].get("msg_id", "")] = time.monotonic()

    def send(self, code: str) -> str:
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        live = {"cellId": uuid.uuid4().hex[:8]}
        message = self.client.session.msg("execute_request", {**content, "user_expressions": {}}, metadata=live)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def wait(self, sent: str, seconds: float) -> float | None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and sent not in self.idle:
            time.sleep(0.005)
        return self.idle.get(sent)

    def memory(self) -> float:
        return float(self.process.memory_info().rss) / 2**20


def measure(kernel: WatchedKernel, body: Body, coding: bytes) -> tuple[float, float | None]:
    """Return the most memory (MB) that the reply took, and the time (s) from the interrupt to the end of the cell."""
    with server(body, coding) as port:
        kernel.wait(kernel.send(f"%lockbots use openai:m --base-url http://127.0.0.1:{port}/v1"), 30)
        before = kernel.memory()
        most = before
        sent = kernel.send("%%chat\nhello")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            most = max(most, kernel.memory())
            time.sleep(0.02)
        ended = sent in kernel.idle
        interrupted = time.monotonic()
        if not ended:
            kernel.manager.interrupt_kernel()
        answered = kernel.wait(sent, 60)
        most = max(most, kernel.memory())
        kernel.wait(kernel.send("%lockbots clear\nimport gc; _ = gc.collect()"), 60)
    took = None if ended else (60.0 if answered is None else answered - interrupted)
    return most - before, took


def main() -> None:
    rows, memory, interrupts = [], [], []
    for name, (body, coding) in CASES.items():
        kernel = WatchedKernel()  # a kernel of its own: memory is not given back to the system
        try:
            kernel.wait(kernel.send("%load_ext lockbots_magic"), 60)
            most, took = measure(kernel, body, coding)
        finally:
            kernel.manager.shutdown_kernel(now=True)
        memory.append(most)
        interrupts.append(took or 0.0)
        rows.append((name, f"{most:.0f}", "ended before" if took is None else f"{took:.2f}"))
        print(*rows[-1], flush=True)
    title(f"memory, MB, and interrupt to the end of the cell, s; interrupted after {SECONDS:g} s")
    table(("", "memory", "interrupt"), *rows)
    figure("most memory", f"{max(memory):.0f} MB", "< 200 MB")
    figure("slowest interrupt", f"{max(interrupts):.2f} s", "< 0.3 s")


if __name__ == "__main__":
    main()
