"""Batches: rows a second beside other clients, a slow server, CPU a row, a long journal, and two Dask workers.

The figures are ratios within one run, so that a busy machine changes them little. Usage: bench_batch.py [ROWS]
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
from chatlas import ChatOpenAICompletions, parallel_chat
from common import figure, table, title
from distributed import Client, LocalCluster

from lockbots_magic import Chat
from lockbots_magic.batch.keys import RowKeys
from lockbots_magic.batch.run import BatchPlan
from lockbots_magic.cassette.journal import Journal
from lockbots_magic.cassette.recording import Recording
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.conversation.messages import Message
from lockbots_magic.prompt.part import PromptPart

ACTIVE = 32
ROUNDS = 3
TEMPLATE = "Classify: {{ text }}"
_REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "positive"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}


class _Answers(asyncio.Protocol):
    """Answers each request of a connection with one reply, after a pause."""

    pause = 0.0

    def __init__(self) -> None:
        self._received = b""
        body = json.dumps(_REPLY).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._answer = head.encode() + body

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            if self.pause:
                asyncio.get_running_loop().call_later(self.pause, self._transport.write, self._answer)
            else:
                self._transport.write(self._answer)


async def _serve(pause: float) -> None:
    _Answers.pause = pause
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def server(pause: float = 0.0) -> Iterator[str]:
    """Serve in a process of its own; give the base URL."""
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(pause)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()


def ours(url: str, count: int) -> None:
    rows = [{"text": f"row {n}"} for n in range(count)]
    batch = Chat("openai:m", base_url=url, auth="k").map(TEMPLATE, rows, active=ACTIVE, progress=False)
    assert not batch.failed


def async_openai(url: str, count: int) -> None:
    async def run() -> None:
        limit = asyncio.Semaphore(ACTIVE)
        async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:

            async def ask(n: int) -> str:
                messages: Any = [{"role": "user", "content": f"Classify: row {n}"}]
                async with limit:
                    answer = await client.chat.completions.create(model="m", messages=messages)
                return answer.choices[0].message.content

            await asyncio.gather(*map(ask, range(count)))

    asyncio.run(run())


def chatlas(url: str, count: int) -> None:
    chat = ChatOpenAICompletions(base_url=url, api_key="k", model="m")
    prompts = [f"Classify: row {n}" for n in range(count)]
    asyncio.run(parallel_chat(chat, prompts, max_active=ACTIVE, rpm=10**9))


CLIENTS: dict[str, Callable[[str, int], None]] = {
    "lockbots": ours,
    "AsyncOpenAI": async_openai,
    "chatlas parallel_chat": chatlas,
}


def throughput(count: int) -> None:
    title(f"rows/s, {ACTIVE} requests under way, a server that answers at once")
    speeds: dict[str, list[float]] = {name: [] for name in CLIENTS}
    cpu: dict[str, list[float]] = {name: [] for name in CLIENTS}
    with server() as url:
        for client in CLIENTS.values():
            client(url, ACTIVE * 2)
        for _ in range(ROUNDS):  # in turn, so that what else the machine does hits all alike
            for name, client in CLIENTS.items():
                started, worked = time.perf_counter(), time.process_time()
                client(url, count)
                speeds[name].append(count / (time.perf_counter() - started))
                cpu[name].append((time.process_time() - worked) / count * 1000)
    rows = [(name, f"{statistics.median(v):.0f}", f"{statistics.median(cpu[name]):.2f}") for name, v in speeds.items()]
    table(["client", "rows/s", "CPU ms a row"], *rows)
    own = statistics.median(speeds["lockbots"])
    figure("rows/s beside chatlas", f"{own / statistics.median(speeds['chatlas parallel_chat']):.2f} x", ">= 2 x")
    figure("rows/s beside AsyncOpenAI", f"{own / statistics.median(speeds['AsyncOpenAI']):.2f} x", ">= 1.5 x")
    figure("CPU a row", f"{statistics.median(cpu['lockbots']):.2f} ms", "<= 1 ms")


def slow_server(count: int = 640, pause: float = 0.2) -> None:
    title(f"a server that takes {pause * 1000:.0f} ms")
    with server(pause) as url:
        ours(url, ACTIVE)
        started = time.perf_counter()
        ours(url, count)
        took = time.perf_counter() - started
    figure("share of the ideal", f"{count / ACTIVE * pause / took:.1%}", ">= 95 %")


def long_journal(count: int = 100_000) -> None:
    title(f"a journal of {count:,} rows")
    with tempfile.TemporaryDirectory() as folder:
        keep = Path(folder) / "rows.jsonl"
        chat = Chat(lambda prompt: "positive")
        keys = _write_journal(chat, keep, count)
        opened = _memory()
        started, worked = time.perf_counter(), time.process_time()
        rows = ({"text": f"row {n}"} for n in range(count))
        reused = sum(row.reused for row in chat.rows(TEMPLATE, rows, keep=keep))
        took = time.perf_counter() - started
        assert reused == count, (reused, keys)
        figure("resume", f"{took:.2f} s, CPU {time.process_time() - worked:.2f} s", "<= 3 s")
        figure("memory for it", f"{_memory() - opened:.0f} MB", "flat: below 10 MB")
        spent = []
        for _ in range(2):
            journal = Journal(keep)
            started = time.perf_counter()
            for n in range(200):
                journal.add([(f"{time.time_ns():032x}"[-32:], [_recording(n)])])
            spent.append(time.perf_counter() - started)
            journal.close()
        small = Journal(Path(folder) / "small.jsonl")
        started = time.perf_counter()
        for n in range(200):
            small.add([(f"{n:032x}", [_recording(n)])])
        first = time.perf_counter() - started
        small.close()
    figure("cost of adding at the end", f"{min(spent) / first:.2f} x", "<= 1.2 x that at the start")


def _write_journal(chat: Chat, keep: Path, count: int) -> int:
    """Write a journal as a batch does, without the time that its requests would take."""
    plan = BatchPlan(chat, TEMPLATE, [{"text": "x"}], keep=keep)
    keys = RowKeys(plan.settings.identity)
    journal = Journal(keep)
    for begin in range(0, count, 1000):
        rows = range(begin, min(begin + 1000, count))
        journal.add([(keys.of(PromptPart(f"Classify: row {n}")), [_recording(n)]) for n in rows])
    journal.close()
    return count


def _recording(number: int) -> Recording:
    request = RecordedRequest("function", "m", (Message("user", f"Classify: row {number}"),))
    return Recording(request, "positive", rhythm=[[1, 8], [2]], finish_reason="stop")


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def busy(prompt: str) -> str:
    """A worker that computes, for about 0.1 s.

    Dask itself takes some 5 ms a call of the parent, which on two cores stands beside two workers.
    """
    total = 0
    for n in range(2_000_000):
        total += n * n
    return str(total % 7) + prompt[:1]


def dask(count: int = 60) -> None:
    title("workers of Dask")
    took = {}
    for workers in (1, 2):
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            executor = client.get_executor()
            chat = Chat(busy)
            chat.map("{{ value }}", [f"warm {n}" for n in range(4)], executor=executor, progress=False)
            started = time.perf_counter()
            chat.map("{{ value }}", [f"row {n}" for n in range(count)], executor=executor, progress=False)
            took[workers] = time.perf_counter() - started
    figure("two Dask workers", f"{took[1] / took[2]:.2f} x one", ">= 1.7 x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(_serve(float(sys.argv[2])))
    else:
        throughput(int(sys.argv[1]) if sys.argv[1:] else 2000)
        slow_server()
        long_journal()
        dask()
