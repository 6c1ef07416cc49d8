"""Measurements of one reply in one cell of JupyterLab in Chromium, each with a fresh page and kernel."""

from __future__ import annotations

import itertools
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Server
from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browser.lab import CHROMIUM, FLAGS, Lab, Notebook

SCRIPT = Path(__file__).with_name("page.js")
QUIET = 2000
"""Time (ms) without changes after which a reply counts as shown."""
PATIENCE = 120
"""Maximum wait (s) for that after the end of the stream."""
READING = 5
"""Seconds of the stream that are read and discarded, to measure the cost of reading."""

READ = """\
from lockbots_magic.providers.openai_compatible import OpenAICompatible
messages = [{{"role": "user", "content": "Go on."}}]
pieces = OpenAICompatible.create_completion({model!r}, messages, base_url={url!r})
"""
FRAMES = """\
import time
from IPython.display import HTML, Markdown, display
handle, text, due = display(Markdown(""), display_id=True), "", 0
for piece in pieces:
    text += piece
    if time.monotonic() > due:
        handle.update({shown})
        due = time.monotonic() + 0.05
handle.update({shown})
"""
RENDERER = """\
from markdown_it import MarkdownIt
render = MarkdownIt("commonmark", {{"html": False}}).enable("table").render
"""
STDOUT = """\
from IPython.display import HTML, clear_output, display
text = ""
for piece in pieces:
    text += piece
    print(piece, end="")
clear_output(wait=True)
display(HTML(render(text)))
"""
SETUP = """\
%load_ext lockbots_magic
import os, pathlib
pathlib.Path("pid").write_text(str(os.getpid()));
"""
OURS = "%%chat -m openai:{model} --base-url {url}\nGo on."
CELLS = {
    "markdown": READ + FRAMES.format(shown="Markdown(text)"),
    "html": READ + RENDERER + FRAMES.format(shown="HTML(render(text))"),
    "stdout": READ + RENDERER + STDOUT,
    "ours": OURS,
}
"""Way to show a reply -> the cell that does it."""


@dataclass(frozen=True)
class Stream:
    """A reply of `count` tokens at `rate` per second, of one of the `texts.KINDS`."""

    count: int
    rate: int
    kind: str = "document"

    @property
    def model(self) -> str:
        return f"{self.count}@{self.rate}-{self.kind}"


@dataclass(frozen=True)
class Watched:
    """Measurements of one reply. Times are Unix times (s)."""

    stream: Stream
    first: float
    last: float
    """Times at which the server sent the first and the last token."""
    page: dict[str, Any]
    """As page.js reports it."""
    busy: dict[str, float]
    """What the page's main thread did (s), by name of Chromium's; over what it does when nothing happens."""
    processor: float
    reading: float
    """Processor time of the kernel per token (s), and what reading alone takes of it, if that was measured."""
    limits: int
    """Number of exceeded limits in the server's log."""

    @property
    def end(self) -> float:
        """When the page was finished and the kernel was shown to be idle; infinite if that never came."""
        if not self.page["finished"]:
            return float("inf")
        return max(self.page["last"], self.page["idle"], self.page["numbered"]) / 1e3

    @property
    def after(self) -> float:
        return self.end - self.last

    @property
    def after_on_screen(self) -> float:
        """The time (s) after the last token until all text is on the page; what follows changes nothing to be seen."""
        return self.page.get("ended", float("inf")) / 1e3 - self.last

    @property
    def visible(self) -> float:
        return self.page["first"] / 1e3 - self.first

    @property
    def longest_halt(self) -> float:
        """The longest time (s), while tokens came, in which the page showed nothing new."""
        shown = [t / 1e3 for t in self.page["grew"]]
        moments = [self.first, *(t for t in shown if self.first < t < self.last), self.last]
        return max(b - a for a, b in itertools.pairwise(moments))

    @property
    def long_tasks(self) -> float:
        """Time (s) in tasks of more than 50 ms, the whole of each."""
        return sum(task["duration"] for task in self.page["tasks"]) / 1e3

    @property
    def excess(self) -> float:
        """Of that, what goes beyond 50 ms in each."""
        return sum(task["duration"] - 50 for task in self.page["tasks"]) / 1e3

    @property
    def longest_block(self) -> float:
        """The longest time (s) for which the main thread was blocked, a second after the first text or later."""
        late = self.page["first"] + 1000
        return max((task["duration"] for task in self.page["tasks"] if task["start"] > late), default=0) / 1e3


@dataclass
class Stage:
    """JupyterLab and a browser.

    Args:
        lab: The server.
        context: The browser. Its pages share what they fetched, and no more.
        patience: Time (s) that all measurements together wait until the machine is quiet.
    """

    lab: Lab
    context: BrowserContext
    patience: float = 60

    @contextmanager
    def page(self, height: int = 900) -> Iterator[Page]:
        """Open an empty page of this height (px); its kernels end with it."""
        page = self.context.new_page()
        page.set_viewport_size({"width": 1200, "height": height})
        try:
            yield page
        finally:
            page.close()

    def wait_for_quiet(self) -> None:
        """Wait until other work on the machine has ended; warn if it does not."""
        started = time.monotonic()
        wait_for_quiet(self.patience)
        self.patience -= min(self.patience, time.monotonic() - started)


@contextmanager
def stage() -> Iterator[Stage]:
    """Start JupyterLab and a browser."""
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield Stage(lab, browser.new_context())
        browser.close()


def watch(way: str, stream: Stream, source: Server, on: Stage, *, reads: bool = True) -> Watched:
    """Measure a reply.

    Args:
        way: One of `CELLS`.
        stream: The reply.
        source: The server that sends it.
        on: Where it is shown.
        reads: Whether to measure what reading alone takes of the kernel, too: `READING` seconds more.
    """
    warming, reading = Stream(600, 1_000), Stream(READING * stream.rate, stream.rate)
    cells = (OURS, warming), (READ + "for _ in pieces: pass", reading), (CELLS[way], stream)
    sources = [cell.format(model=of.model, url=source.url) for cell, of in cells]
    with on.page() as page:
        page.add_init_script(path=SCRIPT)
        notebook = on.lab.open(page, SETUP, *sources)
        warm_up(page, notebook)
        pid = int((on.lab.notebooks / "pid").read_text())
        started = processor_time(pid)
        if reads:
            notebook.run(2)
        before = processor_time(pid)
        on.wait_for_quiet()
        exceeded = exceeded_limits(on.lab)
        thread = MainThread(page)
        page.evaluate("bench.start(3)")
        idle = thread.rest()
        notebook.run(3, wait=False)
        finished = wait_for_rest(page, stream.count / stream.rate + PATIENCE)
        busy = thread.since(idle)
        seen = page.evaluate("bench.report()")
        times = source.times()
        epoch = time.time() - time.monotonic()
        return Watched(
            stream=stream,
            first=times["first"] + epoch,
            last=times["last"] + epoch,
            page={**seen, "finished": finished},
            busy=busy,
            processor=(processor_time(pid) - before) / stream.count,
            reading=(before - started) / reading.count if reads else math.nan,
            limits=exceeded_limits(on.lab) - exceeded,
        )


def exceeded_limits(lab: Lab) -> int:
    return (lab.folder / "server.log").read_text().count("rate exceeded")


def warm_up(page: Page, notebook: Notebook) -> None:
    """Load everything that a first reply needs; MathJax is fetched with the first formula."""
    notebook.run(0)
    notebook.run(1)
    try:
        notebook.cell(1).locator("mjx-container").first.wait_for()
    except PlaywrightTimeoutError as error:
        raise RuntimeError("\n".join(page.locator(".jp-OutputArea-output").all_inner_texts())) from error
    page.wait_for_timeout(500)
    notebook.cell(3).scroll_into_view_if_needed()


def wait_for_quiet(seconds: float = 60) -> None:
    """Wait until other work on the machine has ended; warn if it does not."""
    deadline = time.monotonic() + seconds
    while (share := share_of_others()) > 0.2:
        if time.monotonic() > deadline:
            print(f"measured beside other work, which takes {share:.0%} of the machine", file=sys.stderr)
            return


def share_of_others() -> float:
    """Return the load of the machine while the page is idle."""

    def ticks() -> tuple[int, int]:
        fields = [int(n) for n in Path("/proc/stat").read_text(encoding="utf-8").split("\n")[0].split()[1:]]
        return sum(fields), fields[3] + fields[4]  # all, and idle

    before = ticks()
    time.sleep(1)
    total, idle = (b - a for a, b in zip(before, ticks(), strict=True))
    return 1 - idle / total


def wait_for_rest(page: Page, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        page.wait_for_timeout(500)
        if page.evaluate(f"bench.rested({QUIET})"):
            return True
    return False


class MainThread:
    """Time (s) of the main thread of a page, as Chromium counts it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable")
        self._before: dict[str, float] = {}

    def rest(self) -> dict[str, float]:
        """Start, and return the idle cost of each second."""
        before = self._metrics()
        self._page.wait_for_timeout(2000)
        self._before = self._metrics()
        return {
            n: v / (self._before["Timestamp"] - before["Timestamp"]) for n, v in _less(self._before, before).items()
        }

    def since(self, idle: dict[str, float]) -> dict[str, float]:
        """Return the cost since the start, minus the idle cost."""
        done = _less(self._metrics(), self._before)
        return {n: max(0.0, value - idle[n] * done["Timestamp"]) for n, value in done.items()}

    def _metrics(self) -> dict[str, float]:
        return {m["name"]: m["value"] for m in self._devtools.send("Performance.getMetrics")["metrics"]}


def _less(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: value - before[name] for name, value in after.items()}


def processor_time(pid: int) -> float:
    """Return the processor time (s) of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
