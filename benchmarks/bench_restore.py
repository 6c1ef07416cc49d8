"""Time of `%lockbots restore` for a notebook with 500 chat cells, compared with reading the file as JSON."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import figure, median, reply, spread, table, title

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.session import Session
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.mime_bundle import bundle
from lockbots_magic.storage.output_metadata import metadata

CELLS = 500
RUN_AGAIN = 50
REPETITIONS = 9
SIZES = {"replies of 1 KB": 1_000, "replies of 10 KB": 10_000}


def cell(conversation: Conversation, number: int, run: str, size: int) -> dict[str, Any]:
    """Return a cell as saved after it ran."""
    cell_id, text = f"cell-{number}", reply(size // 3 + 10)[:size]
    source = f"%%chat\nQuestion {number}, run {run}: what is item {number}?"
    turn = Turn(source.partition("\n")[2], text, "demo", "openai", {"temperature": 0.2}, cell_id=cell_id, run=run)
    entry = conversation.commit(turn, conversation.slot(cell_id, run))
    output = {
        "output_type": "display_data",
        "data": {kind: form.splitlines(keepends=True) for kind, form in bundle(text, render(text)).items()},
        "metadata": metadata(entry, cell_id, source),
    }
    lines = source.splitlines(keepends=True)
    return {"cell_type": "code", "id": cell_id, "metadata": {}, "source": lines, "outputs": [output]}


def notebook(path: Path, size: int) -> None:
    conversation = Conversation()
    cells = [cell(conversation, number, "first", size) for number in range(CELLS)]
    for number in range(0, CELLS, CELLS // RUN_AGAIN):
        cells[number] = cell(conversation, number, "second", size)
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book, indent=1, ensure_ascii=False), encoding="utf-8")


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def restore(path: Path) -> None:
    said = commands.run(Session(), f"restore '{path}'")
    if f"main: {CELLS} turns" not in str(said):
        raise RuntimeError(f"this is not the conversation: {said}")


def main() -> None:
    rows, figures = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.ipynb"
        for name, size in SIZES.items():
            notebook(path, size)
            restored, parsed = [], []
            for n in range(REPETITIONS + 1):
                taken = timed(lambda: json.loads(path.read_bytes())), timed(lambda: restore(path))
                if n:  # the first round warms up
                    parsed.append(taken[0])
                    restored.append(taken[1])
            ratio = median([mine / bare for mine, bare in zip(restored, parsed, strict=True)])
            megabytes = f"{path.stat().st_size / 1e6:.1f}"
            rows.append((name, megabytes, *spread(restored), *spread(parsed), f"{ratio:.2f} x"))
            figures.append((f"restore of {CELLS} chat cells, {name}", f"{median(restored):.3f} s", "<= 0.3 s"))
    title(f"restore of a notebook with {CELLS} chat cells, {RUN_AGAIN} of them run again, s")
    head = ("notebook", "MB", "restore", "lowest", "highest", "json.loads", "lowest", "highest", "over it")
    table(head, *rows)
    for one in figures:
        figure(*one)


if __name__ == "__main__":
    main()
