"""The table of the benchmarks, as JSON and as Markdown, and a plot of each topic."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from rows import Aim, Figure

HEAD = "| work | value | baseline | ratio | limit | aim | met | others |\n|---|---:|---:|---:|---|---|---|---|"
INK, MET, MISSED = "#808890", "#2e9e6b", "#d9822b"
"""Colours that can be read on white and on black."""


def keep(folder: Path, topic: str, figures: Sequence[Figure]) -> None:
    """Put a topic's figures into `results.json`, in place of those that it holds."""
    held = read(folder)
    held[topic] = list(figures)
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "measured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "topics": {name: [one.to_dict() for one in of] for name, of in sorted(held.items())},
    }
    (folder / "results.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, list[Figure]]:
    path = folder / "results.json"
    topics = json.loads(path.read_text(encoding="utf-8"))["topics"] if path.exists() else {}
    return {name: [Figure.from_dict(one) for one in of] for name, of in topics.items()}


def write(folder: Path) -> None:
    """Write `results.md`, and a plot of each topic where matplotlib is installed."""
    lines = []
    for topic, figures in read(folder).items():
        plot = _plot(folder / f"{topic}.svg", figures)
        lines += [f"## {topic.capitalize()}", "", *([f"![{topic}]({topic}.svg)", ""] if plot else [])]
        lines += [HEAD, *map(_line, figures), ""]
    (folder / "results.md").write_text("\n".join(lines), encoding="utf-8")


INTRODUCTION = """\
Measured {measured} with Python {python} on {cores} cores. Values are processor time; a star marks wall time. The aim
bounds the value, or its ratio to the baseline, which was measured in the same run.

"""


def publish(folder: Path, docs: Path) -> None:
    """Store the table and the plots where `docs.generate` finds them for the page on benchmarks."""
    data = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    stored = docs / "benchmarks"
    stored.mkdir(exist_ok=True)
    for plot in folder.glob("*.svg"):
        (stored / plot.name).write_text(plot.read_text(encoding="utf-8"), encoding="utf-8")
    table = (folder / "results.md").read_text(encoding="utf-8").replace("](", "](benchmarks/")
    (stored / "figures.txt").write_text(INTRODUCTION.format(**data) + table, encoding="utf-8")


def _line(figure: Figure) -> str:
    baseline = "" if figure.baseline is None else f"{_amount(figure.baseline, figure.unit)} ({figure.baseline_name})"
    cells = (
        figure.name + (" *" if figure.clock else ""),
        _amount(figure.value, figure.unit) + (f" ({figure.note})" if figure.note else ""),
        baseline,
        "" if figure.ratio is None else f"{figure.ratio:.2f} x",
        figure.limit,
        figure.aim,
        {True: "yes", False: "**no**", None: ""}[figure.met],
        ", ".join(f"{name} {_amount(value, figure.unit)}" for name, value in figure.peers.items()),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _amount(value: float, unit: str) -> str:
    digits = 0 if value == int(value) or abs(value) >= 1000 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f} {unit}".strip()


def _plot(path: Path, figures: Sequence[Figure]) -> bool:
    """Draw each row as a share of its aim, so that rows of all units stand in one plot; the bar of 100 % is the aim."""
    shares = [(figure, share) for figure in figures if (share := _share_of_aim(figure)) is not None]
    try:
        import matplotlib as mpl  # noqa: PLC0415  # heavy, and the table can do without
        from matplotlib.figure import Figure as Plot  # noqa: PLC0415
    except ImportError:
        return False
    if not shares:
        return False
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9})
    plot = Plot(figsize=(7, 0.6 + 0.28 * len(shares)), layout="constrained")
    axes = plot.subplots()
    names = [figure.name for figure, _ in shares]
    bars = axes.barh(names, [s for _, s in shares], color=[MET if f.met else MISSED for f, _ in shares], height=0.6)
    axes.bar_label(bars, [_amount(f.value, f.unit) for f, _ in shares], color=INK, padding=3)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_xlabel("share of the aim (lower is better)", color=INK)
    axes.set_xlim(0, max(1.3, 1.15 * max(s for _, s in shares)))
    axes.invert_yaxis()
    axes.tick_params(colors=INK)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(INK)
    plot.savefig(path, transparent=True, metadata={"Date": None})
    return True


def _share_of_aim(figure: Figure) -> float | None:
    aim = Aim.parse(figure.aim)
    if aim is None or not aim.bound:
        return None
    value = figure.ratio if aim.unit == "x" and figure.unit != "x" else figure.value
    if value is None:
        return None
    return aim.bound / value if aim.sign.startswith(">") and value else value / aim.bound


if __name__ == "__main__":
    publish(*map(Path, sys.argv[1:]))
