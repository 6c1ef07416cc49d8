"""What a person should know of a notebook whose conversations were rebuilt. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..conversation.history_entry import Past
from ..conversation.turn import Turn
from .cell_binding import Binding
from .notebook_cells import Cell, Found, quoted
from .output_metadata import digest

MOST_NAMED = 8
"""Cells, or turns, that one remark names."""


def remarks_on(cells: Sequence[Cell], pasts: Sequence[Past], binding: Binding) -> list[str]:
    """Return the remarks, a sentence each, the most important first.

    Args:
        cells: the cells of code.
        pasts: what was rebuilt from them, not yet bound to cells.
        binding: how the turns are bound.
    """
    return [*_on_conversations(pasts), *_on_cells(cells, pasts), *_on_ids(cells, pasts, binding)]


def _on_conversations(pasts: Sequence[Past]) -> Iterator[str]:
    for past in pasts:
        name = quoted(past.owner.name)
        if past.gaps:
            places = _listed([quoted(t.prompt) for t in past.turns if t.id in past.gaps])
            yield (
                f"{name}: a turn is missing right before {places}: its cell was deleted, cleared or run for something"
                " else; turns that were told of it are stale"
            )
        if past.called != past.owner.name:
            yield f"{name} is an older conversation that was called {quoted(past.called)} too"
        if past.owner.system:
            yield f"{name} brings a system prompt: {quoted(past.owner.system)}"


def _on_cells(cells: Sequence[Cell], pasts: Sequence[Past]) -> Iterator[str]:
    alive = {turn.id for past in pasts for turn in past.turns}
    shown = [(cell, found) for cell in cells for found in cell.found if _id(found) in alive]
    chats = [cell for cell in cells if cell.is_chat and not cell.found]
    notes = (
        ([c for c in chats if c.has_reply], "no turn is saved with the output (it was saved before its end, shown as"
         " plain text, or is not ours), so there is none in the history; run again what should be in it"),
        ([c for c in chats if not c.has_reply], "no reply is there: cleared, failed, or not run yet"),
        ([c for c, found in shown if _is_edited(c, found)], "edited after the reply; the turn is as it was asked"),
        ([c for c, found in shown if _is_altered(found)], "the output was altered by hand; the turn is as it came"),
        (_copies(shown), "a copy of another cell with its output; the turn counts once"),
    )  # fmt: skip
    for where, note in notes:
        if where:
            yield f"{_named(where)}: {note}"
    for cell, found in shown:
        for parameter in found.record.described:
            yield f"{cell}: a notebook can't hold the parameter {quoted(parameter)}; the turn is without it"


def _on_ids(cells: Sequence[Cell], pasts: Sequence[Past], binding: Binding) -> Iterator[str]:
    owners = {turn.cell_id for past in pasts for turn in past.turns}
    again = "run again, it adds a turn and replaces none"
    twice = [cell for cell in cells if cell.id in binding.ambiguous and cell.id in owners]
    if twice:
        yield f"{_named(twice)}: another cell has the same id, so its turn is bound to no cell; {again}"
    strange = [c for c in cells if {found.record.cell for found in c.found} & binding.unknown & owners]
    if strange and not any(cell.id for cell in cells):
        yield f"the notebook's cells have no ids (its format is older than 4.5): where a cell is {again}"
    elif strange:
        yield f"{_named(strange)}: it ran under another id, so its turn is bound to no cell; {again}"
    number = {cell.id: cell.number for cell in cells}
    for past in pasts:
        if not _is_sorted(past.turns, binding, number):
            yield (
                f"{quoted(past.owner.name)}: the cells stand in another order than the turns; the history keeps the"
                " order of the conversation"
            )


def _is_sorted(turns: Iterable[Turn], binding: Binding, number: dict[str | None, int]) -> bool:
    places = [number[cell] for t in turns if (cell := binding.of(t.cell_id)) is not None and cell in number]
    return all(a <= b for a, b in pairwise(places))


def _id(found: Found) -> str | None:
    entry = found.record.entry
    return entry.turn.id if entry.turn and entry.owner else None


def _is_edited(cell: Cell, found: Found) -> bool:
    return bool(found.record.source) and found.record.source != digest(cell.source)


def _is_altered(found: Found) -> bool:
    return found.record.shown != digest(found.plain)


def _copies(shown: Sequence[tuple[Cell, Found]]) -> list[Cell]:
    """The cells that show a turn which the cell that made it shows too, or which came before."""
    first: dict[str | None, Cell] = {}
    for cell, found in sorted(shown, key=lambda one: one[0].id != one[1].record.cell):
        first.setdefault(_id(found), cell)
    return [cell for cell, found in shown if first[_id(found)] is not cell]


def _named(cells: Iterable[Cell]) -> str:
    """Name the cells: one by its first words, several by their numbers."""
    places = list(dict.fromkeys(cells))
    if len(places) == 1:
        return str(places[0])
    return f"cells {_listed([str(cell.number) for cell in places])}"


def _listed(words: Sequence[str]) -> str:
    if len(words) > MOST_NAMED:
        return f"{', '.join(words[:MOST_NAMED])} and {len(words) - MOST_NAMED} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
