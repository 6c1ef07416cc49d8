"""Compare two commits by the rows that other work hardly changes, in about two minutes.

    quick.py [BASE] [--topics saved conversation] [--rounds 2]

The rows of this checkout measure BASE (by default the commit before the changes: `main`, or HEAD~ on it) and what is
checked out, in turn: A B A B, so that other work on the machine hits both alike. It prints ratios and never fails by
them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rows
from common import median, table, title
from rows import Figure

ROOT = Path(__file__).parent.parent
TOPICS = ("conversation", "saved", "kernel")
BUDGET = 120.0
"""Time (s) after which no further round begins."""
CALM = 0.05
"""Change below which a ratio tells nothing."""

Key = tuple[str, str]


def git(*arguments: str | Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Yield a folder with the package as of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git("worktree", "add", "--quiet", "--detach", tree, commit)
        try:
            yield tree
        finally:
            git("worktree", "remove", "--force", tree)


def default_base() -> str:
    """Return `main`, or where nothing differs from it, the commit before."""
    if git("rev-parse", "HEAD") == git("rev-parse", "main") and not git("status", "--porcelain"):
        return "HEAD~"
    return "main"


def measure(tree: Path, topic: str) -> dict[Key, Figure]:
    """Measure a topic with the package of a tree; rows that it lacks something for are left out."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    with tempfile.NamedTemporaryFile("r", suffix=".json", encoding="utf-8") as file:
        command = [sys.executable, ROOT / "benchmarks" / "run.py", topic, "--quick", "--into", file.name]
        done = subprocess.run(command, cwd=tree, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        figures = [Figure.from_dict(one) for one in json.loads(file.read() or "[]")]
    if "Traceback" in done.stderr:
        print(f"{topic}: a row failed: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    return {(figure.topic, figure.name): figure for figure in figures}


def compare(base: str, topics: Sequence[str], rounds: int) -> None:
    values: dict[Key, tuple[list[float], list[float]]] = {}
    units: dict[Key, str] = {}
    began = time.monotonic()
    with checked_out(base) as tree:
        for number in range(rounds):
            if number and (time.monotonic() - began) * (number + 1) / number > BUDGET:
                print(f"stopped after {number} of {rounds} rounds", file=sys.stderr)
                break
            for topic in topics:
                for which, place in enumerate((tree, ROOT)):
                    for key, figure in measure(place, topic).items():
                        values.setdefault(key, ([], []))[which].append(figure.value)
                        units[key] = figure.unit
    title(f"{git('describe', '--always', '--dirty')} over {git('rev-parse', '--short', base)}, medians")
    table(("work", "before", "now", "", "ratio", ""), *(line(key, *of, units[key]) for key, of in values.items()))


def line(key: Key, before: list[float], now: list[float], unit: str) -> tuple[str, ...]:
    name = f"{key[0]}: {key[1]}"
    if not before or not now:
        return name, *(f"{median(one):.4g}" if one else "-" for one in (before, now)), unit, "-", ""
    old, new = median(before), median(now)
    ratio = new / old if old else 1.0
    apart = len(before) > 1 and (max(now) < min(before) or min(now) > max(before))
    mark = ("less" if ratio < 1 else "MORE") if apart and abs(ratio - 1) > CALM else ""
    return name, f"{old:.4g}", f"{new:.4g}", unit, f"{ratio:.2f} x", mark


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare two commits by figures that other work hardly changes.")
    parser.add_argument("base", nargs="?", help="commit to compare with")
    parser.add_argument("--topics", nargs="+", default=TOPICS, choices=rows.topics())
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    compare(options.base or default_base(), options.topics, options.rounds)


if __name__ == "__main__":
    main()
