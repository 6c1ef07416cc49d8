"""Latency of TAB on lines of the magics, compared with IPython alone for the same cell or expression."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import figure, median, spread, table, title
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.interactiveshell import InteractiveShell

from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.notebook.completion import register
from lockbots_magic.notebook.extension import session_of

VARIABLES = 3_000
MODELS = 400
FILES = 2_000
REPETITIONS = 15
SLOW_REPETITIONS = 3
SCRIPT = Path(__file__).resolve()
BRACES = "%%chat\nThe value is {{ "
CELLS = {
    "an option": "%chat --te",
    "a provider": "%chat -m ope",
    "a model": "%chat -m openai:model-1",
    "a conversation": "%%chat -c ma",
    "a variable": "%%chat --to variable_12",
    "a function": "%%chat --tools function_",
    "a file": "%lockbots save file-1",
    "a command": "%lockbots sw",
    "prose": "%%chat\n" + "The quick brown fox jumps over the lazy dog.\n" * 200 + "And the qu",
    "nothing yet in braces": BRACES,
    "a name in braces": f"{BRACES}variable_123",
    "an attribute in braces": f"{BRACES}text.upp",
    "all of a module": f"{BRACES}os.",
    "the last of a longer expression": f"{BRACES}[x for x in os.path.",
    "all of a data frame": f"{BRACES}frame.",
    "a column": f"{BRACES}frame['",
    "one of 1,000,000 keys": f"{BRACES}many['key 99",
    "a file in braces": f"{BRACES}open('file-1",
    "a prompt of a command": "%lockbots compare guide -- see {{ text.upp",
}
FIRST = ("an option", "a model", "a command", "nothing yet in braces", "all of a module")
"""First completion in a fresh process."""


def notebook() -> tuple[Any, Any]:
    """Return a shell with many names, and a context manager that disables our completion."""
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "lockbots_magic")
    session = session_of(shell)
    session.catalog.keep("openai", "https://api.openai.com/v1", [ModelInfo(f"model-{n}") for n in range(MODELS)])
    shell.user_ns.update({f"variable_{n}": n for n in range(VARIABLES)}, text="text")
    shell.user_ns.update({f"function_{n}": len for n in range(50)}, os=os)
    shell.Completer.custom_matchers.clear()
    register(shell, session)
    return shell, list(shell.Completer.custom_matchers)


def timed(shell: Any, cell: str) -> float:
    started = time.perf_counter()
    with provisionalcompleter():
        list(rectify_completions(cell, shell.Completer.completions(cell, len(cell))))
    return time.perf_counter() - started


def filled(shell: Any) -> None:
    """Add large values and modules that are slow to import."""
    import pandas as pd  # noqa: PLC0415  # a first TAB is measured without it

    frame = pd.DataFrame({f"column {n}": [n] for n in range(100)})
    shell.user_ns.update(frame=frame, many={f"key {n}": n for n in range(1_000_000)})


def code_of(cell: str) -> str:
    """Return the text that IPython alone completes: of a prompt, the expression."""
    return cell.rpartition("{{ ")[2] if "{{" in cell else cell


def measure(home: str) -> None:
    shell, matchers = notebook()
    filled(shell)
    ours: dict[str, list[float]] = {name: [] for name in CELLS}
    alone: dict[str, list[float]] = {name: [] for name in CELLS}
    for n in range(REPETITIONS + 1):
        for name, cell in CELLS.items():
            shell.Completer.custom_matchers[:] = []
            bare = timed(shell, code_of(cell)) if n <= SLOW_REPETITIONS else 0.0
            shell.Completer.custom_matchers[:] = matchers
            with_ours = timed(shell, cell)
            if n:  # the first round warms up
                ours[name].append(with_ours)
            if 0 < n <= SLOW_REPETITIONS:
                alone[name].append(bare)
    title(
        f"TAB with {VARIABLES:,} variables, {MODELS} models and {FILES:,} files,"
        f" median of {REPETITIONS}, of IPython alone of {SLOW_REPETITIONS}, ms"
    )
    rows = [(name, *spread(ours[name], 1, 1e3), *spread(alone[name], 1, 1e3)) for name in CELLS]
    table(("completing", "ours", "lowest", "highest", "IPython alone", "lowest", "highest"), *rows)
    slowest = max(ours, key=lambda name: median(ours[name]))
    figure(f"completion, the slowest of all lines ({slowest})", f"{median(ours[slowest]) * 1e3:.1f} ms", "<= 30 ms")
    first = {name: median(firsts(home, name)) for name in FIRST}
    slowest = max(first, key=first.__getitem__)
    figure(f"the first TAB of a process, the slowest ({slowest})", f"{first[slowest] * 1e3:.0f} ms", "<= 30 ms")


def firsts(home: str, name: str) -> list[float]:
    """Measure the first TAB in fresh processes, with compiled byte code as after an installation."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{home}/compiled"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, str(SCRIPT), "--first", name]
    runs = [subprocess.run(command, env=environment, capture_output=True, text=True, check=True) for _ in range(6)]
    return [float(run.stdout.split()[-1]) for run in runs[1:]]  # the first one compiles


def main() -> None:
    if sys.argv[1:2] == ["--first"]:
        print(timed(notebook()[0], CELLS[sys.argv[2]]))
        return
    home = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, home)  # after IPython, which writes there when it ends
    os.environ["IPYTHONDIR"] = home
    os.chdir(home)
    for n in range(FILES):
        Path(f"file-{n}.json").touch()
    measure(home)


if __name__ == "__main__":
    main()
