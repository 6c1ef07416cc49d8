"""Cost of a streaming reply in JupyterLab in Chromium: several ways to show it, and ours at ten times the length.

`bench_rendering.py` runs everything, which takes ten minutes; `bench_rendering.py ours-50k fence` runs those cases
alone. Other work on the machine lengthens what is measured by the clock, tasks too; it hardly touches processor times.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable

import texts
from common import Server, figure, median, server, table, title
from in_lab import Stage, Stream, Watched, stage, watch
from playwright.sync_api import Error as PlaywrightError

SHORT, LONG = Stream(12_500, 1_000), Stream(125_000, 5_000)
BLOCKS = {
    "fence": Stream(50_000, 5_000, "fence"),
    "paragraph": Stream(50_000, 5_000, "paragraph"),
    "table": Stream(20_000, 5_000, "table"),
    "items": Stream(20_000, 5_000, "items"),
    "quote": Stream(50_000, 5_000, "quote"),
}
QUARTERS = {f"{name}-quarter": Stream(s.count // 4, s.rate, s.kind) for name, s in BLOCKS.items()}
CASES: dict[str, tuple[str, Stream]] = {
    "markdown": ("markdown", SHORT),
    "html": ("html", SHORT),
    "stdout": ("stdout", SHORT),
    "ours-50k": ("ours", SHORT),
    "ours-500k": ("ours", LONG),
    **{name: ("ours", stream) for name, stream in {**QUARTERS, **BLOCKS}.items()},
}
REPETITIONS = {"ours-50k": 3}

MEASURES: dict[str, tuple[Callable[[Watched], float], int]] = {
    "first token sent to finished page (s)": (lambda w: w.end - w.first, 2),
    "  of it after the last token (s)": (lambda w: w.after, 2),
    "  last token to its text (s)": (lambda w: w.after_on_screen, 2),
    "  the stream itself (s)": (lambda w: w.last - w.first, 2),
    "first token sent to first text (ms)": (lambda w: w.visible * 1e3, 0),
    "longest time with nothing new (ms)": (lambda w: w.longest_halt * 1e3, 0),
    "main thread, long tasks, whole (s)": (lambda w: w.long_tasks, 2),
    "  of it what exceeds 50 ms (s)": (lambda w: w.excess, 2),
    "  the longest (ms)": (lambda w: max((task["duration"] for task in w.page["tasks"]), default=0), 0),
    "main thread, processor time (s)": (lambda w: w.busy["ThreadTime"], 2),
    "  all tasks by the clock (s)": (lambda w: w.busy["TaskDuration"], 2),
    "  of it layout and style (s)": (lambda w: w.busy["LayoutDuration"] + w.busy["RecalcStyleDuration"], 2),
    "  this benchmark's watching (s)": (lambda w: w.page["own"] / 1e3, 2),
    "websocket (MB)": (lambda w: w.page["sockets"]["bytes"] / 1e6, 2),
    "  of it headers (MB)": (lambda w: w.page["sockets"]["headers"] / 1e6, 2),
    "  messages": (lambda w: w.page["sockets"]["messages"], 0),
    "  the largest (KB)": (lambda w: w.page["sockets"]["largest"] / 1e3, 0),
    "outputs, most": (lambda w: w.page["most"], 0),
    "outputs, at the end": (lambda w: w.page["outputs"], 0),
    "frames with something changed": (lambda w: w.page["frames"], 0),
    "  with a formula as raw TeX": (lambda w: w.page["raw"], 0),
    "formulas missing at the end": (lambda w: texts.formulas(text_of(w.stream)) - w.page["formulas"], 0),
    "layout shift score": (lambda w: w.page["shift"], 2),
    "reader's line moved (times)": (lambda w: read(w, w.page["moves"]), 0),
    "  farthest (px)": (lambda w: read(w, w.page["farthest"]), 0),
    "  gone (frames)": (lambda w: read(w, w.page["lost"]), 0),
    "scrolled by itself (times)": (lambda w: read(w, len(w.page["scrolls"])), 0),
    "kernel processor (us/token)": (lambda w: w.processor * 1e6, 1),
    "  over reading alone (us/token)": (lambda w: (w.processor - w.reading) * 1e6, 1),
    "IOPub limits passed": (lambda w: w.limits, 0),
}
COSTS: dict[str, tuple[Callable[[Watched], float], int]] = {
    "main thread, long tasks, whole (s)": MEASURES["main thread, long tasks, whole (s)"],
    "main thread, processor time (s)": MEASURES["main thread, processor time (s)"],
    "websocket (MB)": MEASURES["websocket (MB)"],
    "kernel processor (s)": (lambda w: w.processor * w.stream.count, 2),
    "  over reading alone (s)": (lambda w: (w.processor - w.reading) * w.stream.count, 2),
    "after the last token (s)": (lambda w: w.after, 2),
}

SCALING = "main thread, processor time (s)", "websocket (MB)", "kernel processor (s)"


def text_of(stream: Stream) -> str:
    return "".join(texts.tokens(stream.count, stream.kind))


def read(watched: Watched, value: float) -> float:
    """Return `value` if a line of the reply was read while it grew; NaN for a short reply or a single block."""
    return value if "reads" in watched.page else math.nan


def cell(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


class Figures:
    """The medians of all runs."""

    def __init__(self) -> None:
        self._runs: dict[str, list[Watched]] = {}

    def add(self, name: str, watched: Watched) -> None:
        self._runs.setdefault(name, []).append(watched)

    def __contains__(self, name: str) -> bool:
        return name in self._runs

    def get(self, name: str, of: Callable[[Watched], float]) -> float:
        return median([of(w) for w in self._runs[name]])

    def show(self, about: str, names: Iterable[str]) -> None:
        if names := [n for n in names if n in self]:
            title(about)
            rows = ((m, *(cell(self.get(n, of), digits) for n in names)) for m, (of, digits) in MEASURES.items())
            table(("", *names), *rows)

    def compare(self, name: str, base: str) -> None:
        if name in self and base in self:
            title(f"{name} over {base}")
            rows = []
            for cost, (of, digits) in COSTS.items():
                rows.append(
                    (cost, *(f"{self.get(n, of):.{digits}f}" for n in (base, name)), self.ratio(cost, name, base))
                )
            table(("", base, name, "ratio"), *rows)

    def compare_ways(self, names: Iterable[str], ours: str) -> None:
        if ours in self and (names := [n for n in names if n in self and n != ours]):
            title(f"the others over {ours}")
            table(("cost", *names), *((cost, *(self.ratio(cost, n, ours) for n in names)) for cost in COSTS))

    def ratio(self, cost: str, name: str, base: str) -> str:
        of, digits = COSTS[cost]
        lower = self.get(base, of)
        return f"{self.get(name, of) / lower:.2f} x" if lower >= 5 * 10**-digits else "-"  # else it tells nothing

    def print(self, name: str, measure: str, aim: str) -> None:
        of, digits = MEASURES[measure]
        runs = self._runs[name]
        spread = f", {min(map(of, runs)):.{digits}f} to {max(map(of, runs)):.{digits}f}" if len(runs) > 1 else ""
        figure(f"{name}, {measure.strip()}", f"{self.get(name, of):.{digits}f}{spread}", aim)

    def print_all(self) -> None:
        if "ours-50k" in self:
            self.print("ours-50k", "  last token to its text (s)", "<= 0.3")
            self.print("ours-50k", "main thread, long tasks, whole (s)", "<= 1")
            self.print("ours-50k", "websocket (MB)", "<= 0.4")
            self.print("ours-50k", "outputs, most", "<= 40")
            self.print("ours-50k", "outputs, at the end", "1")
            self.print("ours-50k", "kernel processor (us/token)", "none")
            self.print("ours-50k", "  over reading alone (us/token)", "<= 15")
            self.print("ours-50k", "first token sent to first text (ms)", "<= 50")
            self.print("ours-50k", "formulas missing at the end", "0")
        self._print_ratios("ours-500k", "ours-50k", COSTS, "<= 10.5 x")
        for name in BLOCKS:
            self._print_ratios(name, f"{name}-quarter", SCALING, "about 4 x or less")
        if ours := [w for name, runs in self._runs.items() if CASES[name][0] == "ours" for w in runs]:
            figure("IOPub limits passed by ours", str(sum(w.limits for w in ours)), "0")

    def _print_ratios(self, name: str, base: str, costs: Iterable[str], aim: str) -> None:
        if name in self and base in self:
            for cost in costs:
                figure(f"{name} over {base}, {cost.strip()}", self.ratio(cost, name, base), aim)


def main(*wanted: str) -> None:
    names = [n for w in wanted for n in ((f"{w}-quarter", w) if w in BLOCKS else (w,))] or list(CASES)
    if unknown := [name for name in names if name not in CASES]:
        sys.exit(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    for name in [n for n in os.environ if n.startswith(("OPENAI_", "LOCKBOTS_", "JUPYTER_"))]:
        del os.environ[name]
    figures = Figures()
    try:
        with server() as source, stage() as on:
            for name in [n for n in names for _ in range(REPETITIONS.get(n, 1))]:
                print(f"{name} ...", file=sys.stderr)
                figures.add(name, watched(name, source, on))
    finally:  # what is known so far is worth ten minutes
        report(figures)


def watched(name: str, source: Server, on: Stage) -> Watched:
    try:
        return watch(*CASES[name], source, on)
    except PlaywrightError as error:  # a page that does not start, once in a while, on a busy machine
        print(f"once more: {str(error).splitlines()[0]}", file=sys.stderr)
        return watch(*CASES[name], source, on)


def report(figures: Figures) -> None:
    ways = [name for name, (_, stream) in CASES.items() if stream is SHORT]
    figures.show("50 KB of Markdown at 1,000 tokens/s, one cell", ways)
    figures.compare_ways(ways, "ours-50k")
    figures.show("500 KB of Markdown at 5,000 tokens/s, one cell", ["ours-500k"])
    figures.compare("ours-500k", "ours-50k")
    for name in BLOCKS:
        figures.show(f"one {name} without end, at 5,000 tokens/s, ours", (f"{name}-quarter", name))
        figures.compare(name, f"{name}-quarter")
    print()
    figures.print_all()


if __name__ == "__main__":
    main(*sys.argv[1:])
