"""What is saved, and what reads it: the size of a reply in a notebook, restore, export."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import texts
from common import Kernel, kernel, server

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.session import Session
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.mime_bundle import bundle
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage import files
from lockbots_magic.storage.output_metadata import metadata

from . import Measured, row
from ._measuring import interleaved_ms

CELLS = 500
TURNS = 1_000


def saved_size(running: Kernel, url: str, model: str) -> int:
    """Run a chat cell, and return the size (bytes) of its output as a notebook file holds it."""
    execution = running.run(f"%%chat -m openai:{model} --base-url {url} --no-history\nGo on.", cell_id="cell")
    _, _, content = execution.outputs[-1]
    data = {kind: form.splitlines(keepends=True) for kind, form in content["data"].items()}
    output = {"data": data, "metadata": content["metadata"], "output_type": "display_data"}
    return len(json.dumps(output, indent=1, ensure_ascii=False).encode())


@functools.cache
def saved_sizes() -> dict[str, tuple[int, int]]:
    """Return the sizes (bytes) of replies, by model: as a notebook saves them, and their own."""
    counts = {"prose": (1_000, "paragraph"), "mixed": (2_200, "document"), "long": (50_000, "document")}
    found = {}
    with server() as source, kernel() as running:
        running.run("%load_ext lockbots_magic")
        for name, (size, kind) in counts.items():
            model = f"{size // texts.PER_TOKEN}-{kind}"
            own = len("".join(texts.tokens(size // texts.PER_TOKEN, kind)).encode())
            found[name] = saved_size(running, source.url, model), own
    return found


def of_size(name: str) -> Measured:
    saved, own = saved_sizes()[name]
    return Measured(saved / 1e3, own / 1e3, "the reply")


@row("saved", "saved reply of 1 KB, prose", unit="KB", aim="<= 3 x", limit="1 x", quick=True)
def saved_prose() -> Measured:
    return of_size("prose")


@row("saved", "saved reply of 2 KB, code, table, formulas", unit="KB", aim="<= 3 x", limit="1 x", quick=True)
def saved_mixed() -> Measured:
    return of_size("mixed")


@row("saved", "saved reply of 50 KB", unit="KB", aim="<= 2.2 x", limit="1 x", quick=True)
def saved_long() -> Measured:
    return of_size("long")


def saved_cell(conversation: Conversation, number: int) -> dict[str, Any]:
    """Return a chat cell as a notebook file holds it."""
    source = f"%%chat\nQuestion {number}: what is item {number}?"
    text = texts.text(1_000, "paragraph")
    turn = Turn(source.partition("\n")[2], text, "demo", "openai", cell_id=f"cell-{number}", run="1")
    entry = conversation.commit(turn, conversation.slot(turn.cell_id, "1"))
    output = {
        "output_type": "display_data",
        "data": {kind: form.splitlines(keepends=True) for kind, form in bundle(text, render(text)).items()},
        "metadata": metadata(entry, turn.cell_id, source),
    }
    lines = source.splitlines(keepends=True)
    return {"cell_type": "code", "id": turn.cell_id, "metadata": {}, "source": lines, "outputs": [output]}


@row("saved", "restore of 500 cells", unit="ms", aim="<= 300 ms", limit="reading the file", quick=True)
def restore_500() -> Measured:
    conversation = Conversation()
    cells = [saved_cell(conversation, number) for number in range(CELLS)]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "talk.ipynb"
        path.write_text(json.dumps(book, indent=1, ensure_ascii=False), encoding="utf-8")
        taken, read = interleaved_ms(
            lambda: commands.run(Session(), f"restore '{path}'"), lambda: json.loads(path.read_bytes())
        )
    return Measured(taken, read, "json.loads")


@functools.cache
def thousand_turns() -> Conversation:
    text = texts.text(3_000, "document")
    return Conversation(turns=[Turn(f"What is item {n}?", text[n : n + 1_000], "demo", "openai") for n in range(TURNS)])


def export_to(ending: str) -> Measured:
    conversation = thousand_turns()
    plain = [turn.to_dict() for turn in conversation.turns]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"talk{ending}"
        taken, written = interleaved_ms(
            lambda: files.export_conversation(conversation, path),
            lambda: path.with_suffix(".plain").write_text(json.dumps(plain, indent=1, ensure_ascii=False)),
            repetitions=3,
        )
    return Measured(taken, written, "json.dumps")


def export_with_keys(ending: str) -> Measured:
    """Export while two credentials are in use, for which all that is written is searched."""
    keys = [Secret(f"sk-{name}-0123456789abcdefghijABCDEFGHIJ") for name in ("openai", "anthropic")]
    measured = export_to(ending)
    del keys
    return measured


def _register_exports() -> None:
    for ending in files.EXPORT_FORMATS:
        name = f"export of 1,000 turns as {ending}"
        row("saved", name, unit="ms", aim="<= 500 ms", limit="reading the file", quick=ending == ".json")(
            functools.partial(export_to, ending)
        )
        row("saved", f"{name}, two credentials in use", unit="ms", aim="<= 500 ms", limit="reading the file")(
            functools.partial(export_with_keys, ending)
        )


_register_exports()
