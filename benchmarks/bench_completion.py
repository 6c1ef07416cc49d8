"""How long a TAB takes on our lines, beside what IPython alone takes for the same cell, and for an expression."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from common import figure, median, spread, table, title
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.interactiveshell import InteractiveShell

from lockbots_magic.completion import register
from lockbots_magic.magics import session_of
from lockbots_magic.messages import ModelInfo
from lockbots_magic.model_lists import lists_of

VARIABLES = 500
MODELS = 400
FILES = 2_000
REPETITIONS = 15
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
    "a name in braces": f"{BRACES}variable_123",
    "an attribute in braces": f"{BRACES}text.upp",
}


def notebook() -> tuple[Any, Any]:
    """A shell with much to choose from, and what takes our completion out of it for a while."""
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "lockbots_magic")
    session = session_of(shell)
    lists_of(session).keep("openai", "https://api.openai.com/v1", [ModelInfo(f"model-{n}") for n in range(MODELS)])
    shell.user_ns.update({f"variable_{n}": n for n in range(VARIABLES)}, text="text")
    shell.user_ns.update({f"function_{n}": len for n in range(50)})
    shell.Completer.custom_matchers.clear()
    register(shell, session)
    return shell, list(shell.Completer.custom_matchers)


def timed(shell: Any, cell: str) -> float:
    started = time.perf_counter()
    with provisionalcompleter():
        list(rectify_completions(cell, shell.Completer.completions(cell, len(cell))))
    return time.perf_counter() - started


def measure() -> None:
    shell, matchers = notebook()
    first = timed(shell, CELLS["a model"])
    ours: dict[str, list[float]] = {name: [] for name in CELLS}
    alone: dict[str, list[float]] = {name: [] for name in CELLS}
    for n in range(REPETITIONS + 1):
        for name, cell in CELLS.items():
            shell.Completer.custom_matchers[:] = []
            bare = timed(shell, cell.removeprefix(BRACES))
            shell.Completer.custom_matchers[:] = matchers
            with_ours = timed(shell, cell)
            if n:  # the first round warms up
                alone[name].append(bare)
                ours[name].append(with_ours)
    title(f"TAB with {VARIABLES:,} variables, {MODELS} models and {FILES:,} files, median of {REPETITIONS}, ms")
    rows = []
    for name in CELLS:
        ratio = median([mine / bare for mine, bare in zip(ours[name], alone[name], strict=True)])
        rows.append((name, *spread(ours[name], 1, 1e3), *spread(alone[name], 1, 1e3), f"{ratio:.2f} x"))
    table(("completing", "ours", "lowest", "highest", "IPython alone", "lowest", "highest", "over it"), *rows)
    lines = {name: median(times) for name, times in ours.items() if not CELLS[name].startswith(BRACES)}
    slowest = max(lines, key=lines.__getitem__)
    figure(f"completion of a line, the slowest ({slowest})", f"{lines[slowest] * 1e3:.1f} ms", "<= 30 ms")
    for name in (name for name in CELLS if name not in lines):
        extra = median([mine - bare for mine, bare in zip(ours[name], alone[name], strict=True)])
        figure(f"completion of {name}, over IPython's own of it", f"{extra * 1e3:.1f} ms", "<= 30 ms")
    figure("the first completion of all", f"{first * 1e3:.0f} ms", "not felt")


def main() -> None:
    home = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, home)  # after IPython, which writes there when it ends
    os.environ["IPYTHONDIR"] = home
    os.chdir(home)
    for n in range(FILES):
        Path(f"file-{n}.json").touch()
    measure()


if __name__ == "__main__":
    main()
