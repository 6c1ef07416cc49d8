"""Time of `%load_ext lockbots_magic` in a fresh kernel."""

from __future__ import annotations

import re
import subprocess
import sys

from common import figure, kernel, median, spread, table, title

KERNELS = 9
CELLS = {
    "empty cell": "pass",
    "a small stdlib module": "import wave",
    "import requests": "import requests",
    "%load_ext lockbots_magic": "%load_ext lockbots_magic",
}
BARE = "import ipykernel.kernelapp, ipykernel.ipkernel, ipykernel.zmqshell"


def timed(code: str) -> float:
    with kernel() as fresh:
        fresh.run("pass")
        return fresh.run(code).seconds


def import_times() -> dict[str, tuple[float, float]]:
    """Module -> (own, with what it imports), in s, of what the extension adds to a process that has ipykernel."""
    code = f"{BARE}\nimport lockbots_magic.notebook.extension"
    run = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True)
    rows = re.findall(r"import time: +(\d+) \| +(\d+) \| ( *)(\S+)$", run.stderr, re.MULTILINE)
    at = max(i for i, row in enumerate(rows) if row[3] == "ipykernel.zmqshell" or "ipykernel" in row[3])
    return {name: (int(own) / 1e6, int(whole) / 1e6) for own, whole, _, name in rows[at + 1 :]}


def main() -> None:
    title(f"%load_ext in a fresh kernel, median of {KERNELS} kernels each, s")
    timed(CELLS["%load_ext lockbots_magic"])  # byte code and file cache
    taken: dict[str, list[float]] = {name: [] for name in CELLS}
    for _ in range(KERNELS):
        for name, code in CELLS.items():
            taken[name].append(timed(code))
    table(("cell", "median", "lowest", "highest"), *((name, *spread(times)) for name, times in taken.items()))

    runs = [import_times() for _ in range(5)]
    totals = [sum(own for own, _ in run.values()) for run in runs]
    title("the imports alone, python -X importtime after ipykernel's own, s")
    table(("", "median", "lowest", "highest"), (f"{len(runs[0])} modules", *spread(totals)))
    title("the dearest modules, own time, ms")
    own = {name: median([run[name][0] for run in runs if name in run]) for name in runs[0]}
    dearest = sorted(own, key=own.__getitem__, reverse=True)[:8]
    table(("module", "ms"), *((name, f"{own[name] * 1e3:.1f}") for name in dearest))

    cost = median(taken["%load_ext lockbots_magic"]) - median(taken["empty cell"])
    figure("load_ext over a bare kernel", f"{cost:.3f} s", "<= 0.1 s")


if __name__ == "__main__":
    main()
