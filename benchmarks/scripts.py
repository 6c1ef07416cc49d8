"""The figures that the scripts bench_*.py print, each script as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rows import Figure

FOLDER = Path(__file__).parent
LINE = re.compile(r"figure: (?P<name>.+) = (?P<value>.+) \(aim (?P<aim>.+)\)")
BY_THE_CLOCK = re.compile(r"^\s*(s|ms|µs)\b")


def names() -> list[str]:
    """Return the topics of the scripts: `batch` for `bench_batch.py`."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def figures(name: str) -> Iterator[Figure]:
    """Run a script to its end, and yield what it told.

    Raises:
        RuntimeError: The script failed; its figures until then were yielded.
    """
    command = [sys.executable, FOLDER / f"bench_{name}.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, file=sys.stderr)
    for line in done.stdout.splitlines():
        if (found := LINE.fullmatch(line)) and (figure := parse(name, **found.groupdict())):
            yield figure
    if done.returncode:
        raise RuntimeError(f"bench_{name}.py failed: {done.stderr.strip()[-500:]}")


def parse(topic: str, name: str, value: str, aim: str) -> Figure | None:
    """Read a figure; None if its value is no number."""
    found = re.match(r"([+-]?[\d,.]*\d)\s*(%|(?!(?:of|to)\b)[^\W\d_][^\s,;(]*)?(.*)", value)
    if not found:
        return None
    number, unit, rest = found.groups()
    amount = float(number.replace(",", ""))
    unit = unit or ""
    return Figure(topic, name, unit, amount, aim, note=rest.strip(" ,;"), clock=bool(BY_THE_CLOCK.match(unit)))
