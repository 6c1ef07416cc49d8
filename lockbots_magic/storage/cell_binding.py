"""Which cell owns a turn that comes from a notebook: never a wrong one. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..conversation.history_entry import Past
from .notebook_cells import Cell
from .output_metadata import Record, digest

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # as the notebook format has it, 4.5


@dataclass(frozen=True)
class Binding:
    """The ids that cells had when they ran, and what became of them."""

    renamed: Mapping[str, str]
    """Old id -> the id that the same cell has now."""
    ambiguous: frozenset[str]
    """Ids of several cells: nobody knows which of them ran."""
    unknown: frozenset[str]
    """Ids that no cell has, though a cell shows what it ran under them."""
    found_in: Mapping[str, str]
    """A turn of a cell that ran without an id, as programs run notebooks -> the id of the cell that shows it."""

    def applied(self, past: Past) -> Past:
        """Return `past` with its turns bound to the cells as they are now."""
        turns = (replace(t, cell_id=self.found_in.get(t.id) or self.of(t.cell_id)) for t in past.turns)
        return replace(past, turns=tuple(turns))

    def of(self, cell_id: str | None) -> str | None:
        """The id by which a cell is known now; one that no cell has is left: another cell never gets it."""
        if cell_id is None or cell_id in self.ambiguous or not is_portable(cell_id):
            return None
        return self.renamed.get(cell_id, cell_id)


def is_portable(cell_id: str | None) -> bool:
    """Whether a notebook can hold the id. VS Code numbers cells anew each time, under ids of its own."""
    return cell_id is not None and _ID.fullmatch(cell_id) is not None


def binding_of(cells: Sequence[Cell], ids: Iterable[str]) -> Binding:
    """Compare the ids under which cells ran with those they have.

    Args:
        cells: the cells of code.
        ids: the ids of all cells.
    """
    count = Counter(ids)
    shown_in: dict[str, list[Cell]] = {}
    for cell in cells:
        for ran_as in {found.record.cell for found in cell.found}:
            if ran_as is not None:
                shown_in.setdefault(ran_as, []).append(cell)
    lost = {old: where for old, where in shown_in.items() if old not in count}
    renamed = {
        old: where[0].id
        for old, where in lost.items()
        if is_portable(old)
        and len(where) == 1
        and where[0].id
        and count[where[0].id] == 1
        and _is_same(old, where[0], shown_in)
    }
    ambiguous = frozenset(one for one, times in count.items() if times > 1)
    return Binding(renamed, ambiguous, frozenset(lost) - renamed.keys(), _found_in(cells, count))


def _found_in(cells: Iterable[Cell], count: Mapping[str, int]) -> dict[str, str]:
    shown = [
        (turn, cell, found.record)
        for cell in cells
        for found in cell.found
        if (turn := found.record.entry.turn) and turn.cell_id is None
    ]
    times = Counter(turn.id for turn, _, _ in shown)
    return {
        turn.id: cell.id
        for turn, cell, record in shown
        if cell.id and count[cell.id] == times[turn.id] == 1 and _is_of(record, cell)
    }


def _is_of(record: Record, cell: Cell) -> bool:
    """Whether a cell that had no id when it ran surely is `cell`."""
    return record.cell is None and record.source == digest(cell.source)


def _is_same(old: str, cell: Cell, shown_in: Mapping[str, Sequence[Cell]]) -> bool:
    """Whether `cell` is surely the one that ran as `old`: all that it shows came from there, and of this source."""
    ran = {(found.record.cell, found.record.source) for found in cell.found}
    return ran == {(old, digest(cell.source))} and cell.id not in shown_in
