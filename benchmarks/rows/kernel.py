"""Chat cells in a real kernel, watched as a front end watches them: start, cost of a token, load, and bytes sent."""

from __future__ import annotations

import functools
import itertools
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import texts
from common import PEERS_PYTHON, Execution, Kernel, Server, kernel, median, server

import rows

from . import Measured, row

KERNELS, FEW_KERNELS = 5, 3
"""Fresh kernels for what is measured cold, and in haste; one before them compiles."""
CHAT = "%%chat -m openai:{model} --base-url {url} {options}\nGo on."
READ = """\
from lockbots_magic.providers.openai_compatible import OpenAICompatible
messages = [{{"role": "user", "content": "Go on."}}]
for _ in OpenAICompatible.create_completion({model!r}, messages, base_url={url!r}): pass
"""
RESET_PEAK = "open('/proc/self/clear_refs', 'w').write('5');"
PEAK = """\
import re
print(*re.findall(r"Vm(?:HWM|RSS):\\s+(\\d+)", open("/proc/self/status").read()))
"""
IDLE = 3.0
"""Time (s) in which somebody writes a first prompt, and the kernel imports what it needs."""
PEERS = (
    ("chatlas", sys.executable, "import chatlas"),
    ("llm", sys.executable, "import llm"),
    ("jupyter_ai_magics", PEERS_PYTHON, "%load_ext jupyter_ai_magics"),
)
"""Name, Python and cell of packages that do the same."""
REPLIES = 10
MAX_STILL = 0.5
"""Time (s) within which each of several replies must be seen to move."""


def chat(source: Server, model: str, options: str = "") -> str:
    return CHAT.format(model=model, url=source.url, options=options)


@row("kernel", "%load_ext, cold", unit="ms", aim="<= 100 ms", limit="an empty cell", clock=True)
def load_ext() -> Measured:
    compile_all()
    ours, empty = [], []
    for _ in range(kernels()):
        with kernel() as fresh:
            fresh.run("pass")
            empty.append(fresh.run("pass").seconds * 1e3)
            ours.append(fresh.run("%load_ext lockbots_magic").seconds * 1e3)
    return Measured(median(ours) - median(empty), median(empty), "an empty cell", peers_of_load())


def kernels() -> int:
    """Return how many kernels are started for a figure."""
    return FEW_KERNELS if rows.IN_HASTE else KERNELS


@functools.cache
def compile_all() -> None:
    """Run a kernel and a chat cell, so that byte code is compiled."""
    with server() as source, kernel() as fresh:
        fresh.run("%load_ext lockbots_magic")
        fresh.run(chat(source, "20"), cell_id="cell")


def peers_of_load() -> dict[str, float]:
    """Return what the first import of other packages takes in a kernel (ms); none for what is not installed."""
    found = {}
    for name, python, cell in PEERS:
        if not Path(python).exists():
            continue
        with suppress(RuntimeError):  # it is not installed
            for _ in range(2):  # the first one compiles
                with kernel(python) as fresh:
                    fresh.run("pass")
                    found[name] = fresh.run(cell).seconds * 1e3
    return found


@row("kernel", "%load_ext, processor, cold", unit="ms", aim="<= 100 ms", limit="an empty cell", quick=True)
def load_ext_processor() -> Measured:
    compile_all()
    ours, empty = [], []
    for _ in range(kernels()):
        with kernel() as fresh:
            fresh.run("pass")
            empty.append(fresh.processor_ms("pass"))
            ours.append(fresh.processor_ms("%load_ext lockbots_magic"))
    return Measured(median(ours) - median(empty), median(empty), "an empty cell")


def first_text(fresh: Kernel, cell: str) -> float:
    """Return the time (ms) from running a cell to its first output with text of the reply."""
    execution = fresh.run(cell, cell_id="cell")
    return (next(at for at, kind, _ in execution.outputs if kind.endswith("display_data")) - execution.sent) * 1e3


def compare_first_with_second(model: str, measure: Callable[[Kernel, str], float], idle: float = 0) -> Measured:
    """Measure the first `%%chat` of fresh kernels beside the second one.

    Args:
        model: Model of the mock server: its number of tokens, and after an ``@`` their number per second.
        measure: Returns the cost (ms) of running a cell.
        idle: Time (s) between `%load_ext` and the first `%%chat`.
    """
    compile_all()
    cold, warm = [], []
    with server() as source:
        for _ in range(kernels()):
            with kernel() as fresh:
                fresh.run("%load_ext lockbots_magic")
                time.sleep(idle)
                cell = chat(source, model)
                cold.append(measure(fresh, cell))
                warm.append(measure(fresh, cell))
    return Measured(median(cold), median(warm), "the second %%chat")


@row("kernel", "first %%chat of a kernel to first text", unit="ms", aim="<= 40 ms", limit="1 RTT", clock=True)
def first_chat() -> Measured:
    return compare_first_with_second("20@50-paragraph", first_text)  # the first token of this is a word


@row("kernel", "first %%chat, processor, cold", unit="ms", aim="<= 40 ms", limit="the second %%chat", quick=True)
def first_chat_processor() -> Measured:
    return compare_first_with_second("20", lambda fresh, cell: fresh.processor_ms(cell, cell_id="cell"))


@row("kernel", "first %%chat, processor, 3 s after %load_ext", unit="ms", aim="<= 2 x", limit="the second %%chat")
def first_chat_of_an_idle_kernel() -> Measured:
    return compare_first_with_second("20", lambda fresh, cell: fresh.processor_ms(cell, cell_id="cell"), IDLE)


@functools.cache
def streamed(count: int, rate: int) -> tuple[float, float, Execution]:
    """Return the processor time (µs) of a token of a cell, and of reading alone; and the cell's run."""
    model = f"{count}@{rate}-document"
    with server() as source, kernel() as running:
        running.run("%load_ext lockbots_magic")
        running.run(chat(source, "2000@4000-document"), cell_id="warm-up")
        running.run(READ.format(model="2000", url=source.url))
        before = running.processor_time()
        running.run(READ.format(model=model, url=source.url))
        between = running.processor_time()
        execution = running.run(chat(source, model, "--no-history"), cell_id="cell")
        after = running.processor_time()
    return (after - between) / count * 1e6, (between - before) / count * 1e6, execution


def over_reading(count: int, rate: int) -> Measured:
    ours, reading, _ = streamed(count, rate)
    return Measured(ours - reading, reading, "reading alone")


@row("kernel", "processor a token over reading, 50 KB", unit="µs", aim="<= 15 µs", limit="about 2 µs")
def token_50() -> Measured:
    return over_reading(12_500, 1_000)


@row("kernel", "processor a token over reading, 500 KB", unit="µs", aim="<= 15 µs", limit="about 2 µs")
def token_500() -> Measured:
    return over_reading(125_000, 5_000)


@row("kernel", "bytes to the page, 50 KB", unit="MB", aim="<= 0.4 MB", limit="0.05 MB")
def bytes_to_the_page() -> Measured:
    _, _, execution = streamed(12_500, 1_000)
    size = sum(len(json.dumps(content, ensure_ascii=False).encode()) for _, _, content in execution.outputs)
    return Measured((size + 700 * len(execution.outputs)) / 1e6, 0.05, "the reply", note=f"{len(execution.outputs)}")


def together(count: int) -> tuple[float, float]:
    """Stream `count` replies at once, in the background; return processor time (s) and the longest halt of one (s)."""
    model = "2000@200-document"
    with server() as source, kernel() as running:
        running.run("%load_ext lockbots_magic")
        running.run(chat(source, "2000@4000-document"), cell_id="warm-up")
        before = running.processor_time()
        for number in range(count):
            running.run(chat(source, model, f"--background -c talk{number}"), cell_id=f"cell-{number}")
        seen = running.follow(lambda texts_: sum(texts.END in text for text in texts_) >= count, timeout=60)
        spent = running.processor_time() - before
    return spent, max(max((b - a for a, b in itertools.pairwise(times)), default=0) for times in seen)


@functools.cache
def ten_and_one() -> tuple[float, float, float]:
    (one, _), (ten, still) = together(1), together(REPLIES)
    return one, ten, still


@row("kernel", "ten replies at once", unit="s", aim="<= 11 x", limit="10 x one")
def ten_at_once() -> Measured:
    one, ten, _ = ten_and_one()
    return Measured(ten, one, "one reply")


@row("kernel", "ten replies at once, longest halt of one", unit="s", aim="<= 0.5 s", limit="a frame", clock=True)
def none_starved() -> Measured:
    return Measured(ten_and_one()[2])


@row("kernel", "memory of a streaming cell of 1 MB", unit="MB", aim="<= 8 MB", limit="1 MB")
def memory_of_a_cell() -> Measured:
    with server() as source, kernel() as running:
        running.run("%load_ext lockbots_magic")
        for _ in range(2):
            running.run(chat(source, "12500@20000-document", "--no-history"), cell_id="warm-up")
        running.run(RESET_PEAK)
        _, before = peak(running)
        running.run(chat(source, "250000@20000-document", "--no-history"), cell_id="cell", timeout=300)
        most, _ = peak(running)
    return Measured((most - before) / 1e3, 1.0, "the text")


def peak(running: Kernel) -> tuple[int, int]:
    """Return the most memory and the memory of a kernel (KB)."""
    told = "".join(content["text"] for _, kind, content in running.run(PEAK).outputs if kind == "stream")
    most, now = map(int, told.split())
    return most, now
