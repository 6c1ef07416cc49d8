"""Shared by the benchmarks: a loopback server, a real kernel, and tables.

The server runs in a process of its own, so that its time is not measured. The name of the model sets what it sends:
`20000` is 20,000 tokens at once, `20000@4000` as many at 4,000/s, `40@50+0.2` waits 0.2 s first, and `20000@4000-code`
is one long code block instead of mixed Markdown; texts.py has more kinds.
"""

from __future__ import annotations

import functools
import http.client
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import texts
from jupyter_client import KernelManager

COMPILED = f"{tempfile.gettempdir()}/bench-pycache-{os.getuid()}"
"""Compiled byte code of kernels: after an installation there is some, so a cold start is not the compiler's time."""

PEERS_PYTHON = Path(sys.prefix) / "peers" / "bin" / "python"
"""Python of the environment that `make bench` makes for a package that can't be installed beside the tests."""

MIXED = """\
## Section {n}

The reply goes on with a paragraph of ordinary prose, *some* of it **emphasised**, with `code` in the line, a
[link](https://example.org/{n}) and a formula, $e^{{i\\pi}} + 1 = 0$, so that every inline rule has its work.

- a first point about item {n}
- a second one, a little longer than the first, which wraps in a narrow window
- a third

```python
def item_{n}(values: list[int]) -> int:
    \"\"\"Return the sum of the values that are odd.\"\"\"
    return sum(value for value in values if value % 2)  # {n}
```

| name | value |
|------|-------|
| left | {n} |
| right | 0.25 |

"""
CODE = '    parts[{n}] = transform(parts[{n}], "label {n}", scale=0.25)  # step {n}\n'


def tokens(count: int, kind: str = "mixed") -> list[str]:
    """A reply in `count` tokens, about as long as a model's."""
    if kind in texts.KINDS:
        return texts.tokens(count, kind)
    if kind == "code":
        text = "```python\n", *(CODE.format(n=n) for n in range(count // 10))
    else:
        text = tuple(MIXED.format(n=n) for n in range(count // 100 + 1))
    found = re.findall(r" ?\w{1,8}|\s+|[^\w\s]+", "".join(text))
    return list(itertools.islice(itertools.cycle(found), count))


def reply(count: int, kind: str = "mixed") -> str:
    return "".join(tokens(count, kind))


def _event(delta: dict[str, Any], finish_reason: str | None = None, usage: dict[str, int] | None = None) -> bytes:
    """One event as api.openai.com sends it, in an HTTP chunk of its own."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    data = {
        "id": "chatcmpl-C8xVtW1pDq0Zs7YkQmJr4nLbEhUaG",
        "object": "chat.completion.chunk",
        "created": 1754985600,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_560af6e559",
        "choices": [] if usage else [choice],
        "usage": usage,
        "obfuscation": "qK3v9Xw2",
    }
    return _chunk(b"data: " + json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@functools.cache
def _stream(count: int, kind: str) -> tuple[bytes, list[bytes], bytes]:
    """Return the text before the tokens, the tokens, and the text after them."""
    events = [_event({"content": token}) for token in tokens(count, kind)]
    usage = {"prompt_tokens": 9, "completion_tokens": count, "total_tokens": count + 9}
    end = [_event({}, "stop"), _event({}, usage=usage), _chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n"]
    return _event({"role": "assistant", "content": "", "refusal": None}), events, b"".join(end)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    times: dict[str, float] = {}  # noqa: RUF012  # of the last stream, shared by the requests

    def do_GET(self) -> None:
        body = json.dumps(self.times).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        spec = re.fullmatch(r"(\d+)(?:@(\d+))?(?:\+([\d.]+))?(?:-(\w+))?", request["model"])
        count, rate, pause, kind = spec.groups()
        start, events, end = _stream(int(count), kind or "mixed")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(start)
        time.sleep(float(pause or 0))
        first = time.monotonic()
        if rate:
            self._pace(events, int(rate))
        else:
            self.wfile.write(b"".join(events))
        last = time.monotonic()
        self.wfile.write(end)
        self.times.update(first=first, last=last)

    def _pace(self, events: list[bytes], rate: int) -> None:
        """Send by the clock: the next write makes up for a sleep that was too long."""
        began, sent = time.monotonic(), 0
        while sent < len(events):
            due = min(len(events), int((time.monotonic() - began) * rate) + 1)
            self.wfile.write(b"".join(events[sent:due]))
            sent = due
            time.sleep(max(0.0, began + sent / rate - time.monotonic()))

    def log_message(self, *_: Any) -> None:
        pass


class Server:
    def __init__(self, url: str) -> None:
        self.url = url

    def times(self) -> dict[str, float]:
        """Return when the first and the last token of the last stream were sent, by `time.monotonic()`."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.url + "/times") as answer:
            return json.load(answer)


def read_bytes(url: str, model: str) -> float:
    """Read a model's stream and discard it; return the duration (s), a lower bound for any reader."""
    started = time.monotonic()
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    connection.request("POST", f"{parts.path}/chat/completions", json.dumps({"model": model}))
    end = b""
    while not end.endswith(b"\r\n0\r\n\r\n"):
        end = end[-16:] + connection.sock.recv(1 << 20)
    connection.close()
    return time.monotonic() - started


@contextmanager
def server() -> Iterator[Server]:
    process = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)
    try:
        yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}/v1")
    finally:
        process.terminate()
        process.wait()


@dataclass
class Execution:
    """One cell's run; all times are `time.monotonic()`."""

    sent: float
    idle: float = 0.0
    outputs: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    """(arrival, type, content) of every message that shows something."""

    @property
    def seconds(self) -> float:
        return self.idle - self.sent

    @property
    def displays(self) -> list[tuple[float, str]]:
        """(arrival, plain text) of every display and update."""
        return [(at, c["data"].get("text/plain", "")) for at, kind, c in self.outputs if kind.endswith("display_data")]


class Kernel:
    def __init__(self, manager: Any, client: Any) -> None:
        self._manager = manager
        self._client = client

    @property
    def pid(self) -> int:
        return self._manager.provisioner.pid

    def processor_time(self) -> float:
        """Return the processor time (s) of the kernel so far."""
        if sys.platform == "linux":
            return time.clock_gettime((~self.pid << 3) | 2)  # as clock_getcpuclockid makes it; in ns, not in ticks
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def processor_ms(self, code: str, cell_id: str | None = None) -> float:
        """Run a cell; return the processor time (ms) that all threads of the kernel took for it."""
        before = self.processor_time()
        self.run(code, cell_id)
        return (self.processor_time() - before) * 1e3

    def follow(self, done: Callable[[list[str]], bool], timeout: float) -> list[list[float]]:
        """Take in what outputs show, of cells that have ended, until `done` with the last text of each.

        Returns:
            The times at which each output changed.

        Raises:
            TimeoutError: It was not done in time (s).
        """
        session, iopub = self._client.session, self._client.iopub_channel.socket
        times: dict[str, list[float]] = {}
        shown: dict[str, str] = {}
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not iopub.poll(1000):
                continue
            told = session.deserialize(session.feed_identities(iopub.recv_multipart())[1])
            if told["msg_type"].endswith("display_data"):
                name = str(told["parent_header"].get("msg_id"))
                shown[name] = "".join(map(str, told["content"]["data"].values()))
                times.setdefault(name, []).append(time.monotonic())
                if done(list(shown.values())):
                    return list(times.values())
        raise TimeoutError(f"{len(shown)} outputs")

    def run(self, code: str, cell_id: str | None = None, timeout: float = 120) -> Execution:
        """Run a cell; with `cell_id`, as a front end that shows it to a person does."""
        session, iopub = self._client.session, self._client.iopub_channel.socket
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
        execution = Execution(sent=time.monotonic())
        self._client.shell_channel.send(message)
        while iopub.poll(timeout * 1000):
            frames = iopub.recv_multipart()
            now = time.monotonic()
            told = session.deserialize(session.feed_identities(frames)[1])
            if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            kind = told["msg_type"]
            if kind == "status" and told["content"]["execution_state"] == "idle":
                execution.idle = now
                self._client.get_shell_msg(timeout=timeout)
                return execution
            if kind == "error":
                raise RuntimeError("\n".join(told["content"]["traceback"]))
            if kind not in ("status", "execute_input"):
                execution.outputs.append((now, kind, told["content"]))
        raise TimeoutError(code)


@contextmanager
def kernel(python: str | Path = sys.executable) -> Iterator[Kernel]:
    """Yield a fresh kernel of this Python or another one, without settings or credentials of the user."""
    with tempfile.TemporaryDirectory() as home:
        private = ("OPENAI_", "LOCKBOTS_", "IPYTHON", "JUPYTER_")
        env = {k: v for k, v in os.environ.items() if not k.upper().startswith(private)}
        env["IPYTHONDIR"] = home
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["PYTHONPYCACHEPREFIX"] = COMPILED
        manager = KernelManager()
        manager.kernel_spec.argv = [str(python), "-Xfrozen_modules=off", "-m", "ipykernel_launcher"]
        manager.kernel_spec.argv += ["-f", "{connection_file}"]
        manager.start_kernel(env=env, cwd=home, stderr=subprocess.DEVNULL)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            yield Kernel(manager, client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def title(text: str) -> None:
    print(f"\n{text}")


def table(head: Sequence[str], *rows: Sequence[Any]) -> None:
    cells = [[str(c) for c in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for n, row in enumerate(cells):
        print(
            "  "
            + "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        )
        if n == 0:
            print("  " + "  ".join("-" * w for w in widths))


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 3, factor: float = 1) -> tuple[str, str, str]:
    """Median, lowest and highest, as cells of a table."""
    return tuple(f"{v * factor:.{digits}f}" for v in (median(values), min(values), max(values)))


def figure(name: str, value: str, aim: str) -> None:
    print(f"figure: {name} = {value} (aim {aim})")


if __name__ == "__main__":
    serving = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    serving.daemon_threads = True
    print(serving.server_address[1], flush=True)
    serving.serve_forever()
