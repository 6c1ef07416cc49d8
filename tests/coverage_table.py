"""The table of `make coverage`: how many lines of each room the tests run, beside its aim.

`python -m tests.coverage_table FILE` reads what `coverage json` wrote to FILE and prints Markdown. Its status is 1 if
an aim is missed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

PACKAGE_AIM = 95.0
"""Percentage of the package's lines that the tests run."""
WHOLE = ("batch", "conversation", "providers/wire", "security")
"""Rooms of which no line may go untested."""


def room_of(path: str) -> str:
    """Return the room of a file, such as `providers/wire`; a file at the top is its own."""
    _, *rooms, name = PurePath(path.replace("\\", "/")).parts
    if rooms[:2] == ["providers", "wire"]:
        return "providers/wire"
    return rooms[0] if rooms else name


def table(report: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table as Markdown, and whether every aim is met."""
    lines: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    gaps = []
    for path, file in sorted(report["files"].items()):
        room = room_of(path)
        lines[room] += file["summary"]["num_statements"]
        missed[room] += file["summary"]["missing_lines"]
        if room in WHOLE and file["missing_lines"]:
            gaps.append(f"- `{path}`: lines {', '.join(map(str, file['missing_lines']))}")
    total = _share(lines.total(), missed.total())
    rows = [_row("**package**", lines.total(), missed.total(), f"{PACKAGE_AIM:.0f} %")]
    rows += [_row(f"`{room}`", lines[room], missed[room], "100 %" if room in WHOLE else "") for room in sorted(lines)]
    head = ["| room | lines | not run | run | aim |", "|---|---:|---:|---:|---:|"]
    below = ["", "Not run, although they should be:", "", *gaps] if gaps else []
    return "\n".join([*head, *rows, *below, ""]), total >= PACKAGE_AIM and not gaps


def _row(name: str, lines: int, missed: int, aim: str) -> str:
    return f"| {name} | {lines} | {missed} | {_share(lines, missed):.1f} % | {aim} |"


def _share(lines: int, missed: int) -> float:
    return 100.0 * (lines - missed) / lines if lines else 100.0


def main() -> int:
    """Print the table."""
    text, met = table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    sys.stdout.write(text)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
