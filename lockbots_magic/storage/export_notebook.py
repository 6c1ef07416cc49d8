"""Export as a notebook: each turn a cell with its reply (nbformat 4.5). No I/O.

Source: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..conversation.conversation import Conversation
from ..conversation.history_entry import HistoryEntry
from ..conversation.turn import Turn
from ..providers import names
from ..rendering.attachments import attachments_of
from ..rendering.calls import reply_forms
from ..rendering.mime_bundle import bundle
from ..rendering.notices import notices_of
from ..rendering.safe_markdown.inline import literal
from ..security.exits import clean_bundles
from .cell_binding import is_portable
from .export_cells import NotebookDefaults, cell_source
from .export_common import context_turns, dump_json, title_of
from .output_metadata import digest, metadata
from .reply_form import saved_once


def to_notebook(conversation: Conversation) -> str:
    """Return `conversation` as a notebook: its name, cells that set up the kernel, and a cell for each turn.

    Raises:
        UsageError: If a parameter of a turn can't be written as an option; the message names it.
    """
    first = [digest(f"{conversation.id} {number}") for number in range(3)]
    turns = _assign_cells(context_turns(conversation), first)
    exported = Conversation(conversation.name, system=conversation.system, turns=turns, id=conversation.id)
    providers = names()
    defaults = NotebookDefaults(system=conversation.system)
    if turns:
        defaults = NotebookDefaults.from_turns(turns, providers)
    title = f"# {literal(title_of(conversation), heading=True)}"
    cells = [
        {"cell_type": "markdown", "id": first[0], "metadata": {}, "source": title},
        *(_code(identity, source) for identity, source in zip(first[1:], defaults.cells(), strict=False)),
        *_chat_cells(turns, exported.entries(), [cell_source(turn, defaults, providers) for turn in turns]),
    ]
    return dump_json(_notebook(cells))


def _notebook(cells: list[dict[str, Any]]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def _code(identity: str | None, source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identity,
        "metadata": {},
        "outputs": [*outputs],
        "source": source,
    }


def _chat_cells(
    turns: Sequence[Turn], entries: Sequence[HistoryEntry], sources: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield the cell of each turn, with the reply as its output."""
    outputs = clean_bundles(map(_forms, turns))
    records = [
        metadata(entry, turn.cell_id, source) for turn, entry, source in zip(turns, entries, sources, strict=True)
    ]
    for turn, source, output, record in zip(turns, sources, outputs, records, strict=True):
        forms, about = saved_once(output, record)
        yield _code(turn.cell_id, source, {"output_type": "display_data", "data": forms, "metadata": about})


def _forms(turn: Turn) -> Mapping[str, str]:
    html, markdown = reply_forms(turn)
    return bundle(turn.reply, html, notices_of(turn), attachments_of(turn), reasoning=turn.reasoning, written=markdown)


def _assign_cells(turns: Sequence[Turn], taken: Iterable[str]) -> list[Turn]:
    """Return `turns`, each with a cell of its own: the old one if possible, else one derived from its id."""
    used = set(taken)
    placed = []
    for number, turn in enumerate(turns):
        known = turn.cell_id or ""
        cell_id = known if is_portable(known) and known not in used else digest(f"{turn.id} {number}")
        used.add(cell_id)
        placed.append(replace(turn, cell_id=cell_id))
    return placed
