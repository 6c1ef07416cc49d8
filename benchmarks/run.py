"""Measure the rows, and write the table.

    run.py                      everything: build/bench/results.json, results.md and a plot of each topic
    run.py conversation saved   these topics alone; the others keep what was measured before
    run.py --quick              the rows that cost little and that other work hardly changes
    run.py --list               the topics

Each topic runs in a process of its own. A row that fails is reported and left out; each measurement is written at once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import report
import rows
import scripts

OUTPUT = Path(__file__).parent.parent / "build" / "bench"


def measure(topic: str, quick: bool) -> list[rows.Figure]:
    """Measure a topic in this process."""
    figures: list[rows.Figure] = []
    rows.IN_HASTE = quick
    try:
        if topic in rows.topics():
            for one in rows.load(topic):
                if one.quick or not quick:
                    figures += measure_row(one)
        elif not quick:
            figures.extend(scripts.figures(topic))
    except Exception:  # noqa: BLE001  # a topic may need what is not installed
        traceback.print_exc()
    return figures


def measure_row(one: rows.Row) -> list[rows.Figure]:
    print(f"{one.topic}: {one.name} ...", file=sys.stderr, flush=True)
    try:
        return [one.figure()]
    except Exception:  # noqa: BLE001  # the other rows are worth having
        traceback.print_exc()
        return []


def in_own_process(topic: str, quick: bool) -> list[rows.Figure]:
    with tempfile.NamedTemporaryFile("r", suffix=".json", encoding="utf-8") as file:
        command = [sys.executable, __file__, topic, "--into", file.name, *(["--quick"] if quick else [])]
        subprocess.run(command, check=False)
        return [rows.Figure.from_dict(one) for one in json.loads(file.read() or "[]")]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the rows of the benchmark table.")
    parser.add_argument("topics", nargs="*", help="topics; all by default")
    parser.add_argument("--quick", action="store_true", help="only the rows that are cheap and calm")
    parser.add_argument("--list", action="store_true", help="print the topics")
    parser.add_argument("--into", type=Path, help="write the figures as JSON, nothing else (one topic)")
    options = parser.parse_args()
    known = [*rows.topics(), *scripts.names()]
    if options.list:
        print("\n".join(known))
        return
    if unknown := [topic for topic in options.topics if topic not in known]:
        parser.error(f"Unknown topic {', '.join(unknown)}. There are {', '.join(known)}.")
    if options.into:
        figures = measure(options.topics[0], options.quick)
        options.into.write_text(json.dumps([figure.to_dict() for figure in figures]), encoding="utf-8")
        return
    for topic in options.topics or known:
        if found := in_own_process(topic, options.quick):
            report.keep(OUTPUT, topic, found)
    report.write(OUTPUT)
    print((OUTPUT / "results.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
