"""Binds the turns of a saved notebook to its cells; if in doubt, to none. No I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..conversation.history_entry import RestoredConversation
from .notebook_cells import CodeCell
from .output_metadata import OutputRecord, digest

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # nbformat 4.5


@dataclass(frozen=True)
class CellBinding:
    """The ids that cells had when they ran, compared with those they have now."""

    renamed: Mapping[str, str]
    """Old id -> the id that the same cell has now."""
    ambiguous: frozenset[str]
    """Ids of several cells: which of them ran is unknown."""
    unknown: frozenset[str]
    """Ids that no cell has, though a cell shows what ran under them."""
    found_in: Mapping[str, str]
    """For cells that ran without an id, as programs run notebooks: id of the turn -> id of the cell that shows it."""

    def apply(self, conversation: RestoredConversation) -> RestoredConversation:
        """Return `conversation` with its turns bound to the cells as they are now."""
        turns = (replace(t, cell_id=self.found_in.get(t.id) or self.current_id(t.cell_id)) for t in conversation.turns)
        return replace(conversation, turns=tuple(turns))

    def current_id(self, cell_id: str | None) -> str | None:
        """Return the present id of a cell. An id that no cell has is kept: no other cell gets it."""
        if cell_id is None or cell_id in self.ambiguous or not is_portable(cell_id):
            return None
        return self.renamed.get(cell_id, cell_id)


def is_portable(cell_id: str | None) -> bool:
    """Return whether a notebook can hold the id. VS Code gives cells ids of its own, new in each session."""
    return cell_id is not None and _ID.fullmatch(cell_id) is not None


def bind_cells(cells: Sequence[CodeCell], ids: Iterable[str]) -> CellBinding:
    """Compare the ids under which cells ran with those they have.

    Args:
        cells: The code cells.
        ids: The ids of all cells.
    """
    count = Counter(ids)
    shown_in: dict[str, list[CodeCell]] = {}
    for cell in cells:
        for ran_as in {output.record.cell for output in cell.turn_outputs}:
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
        and _is_same_cell(old, where[0], shown_in)
    }
    ambiguous = frozenset(one for one, times in count.items() if times > 1)
    return CellBinding(renamed, ambiguous, frozenset(lost) - renamed.keys(), _cells_without_id(cells, count))


def _cells_without_id(cells: Iterable[CodeCell], count: Mapping[str, int]) -> dict[str, str]:
    """Return the cells that had no id when they ran, by the turn they show."""
    shown = [
        (turn, cell, output.record)
        for cell in cells
        for output in cell.turn_outputs
        if (turn := output.record.entry.turn) and turn.cell_id is None
    ]
    times = Counter(turn.id for turn, _, _ in shown)
    return {
        turn.id: cell.id
        for turn, cell, record in shown
        if cell.id and count[cell.id] == times[turn.id] == 1 and _ran_in(record, cell)
    }


def _ran_in(record: OutputRecord, cell: CodeCell) -> bool:
    """Return whether a record without the id of its cell is certainly of `cell`."""
    return record.cell is None and record.source == digest(cell.source)


def _is_same_cell(old: str, cell: CodeCell, shown_in: Mapping[str, Sequence[CodeCell]]) -> bool:
    """Return whether `cell` certainly ran as `old`: all its outputs are of that id and of its present source."""
    ran = {(output.record.cell, output.record.source) for output in cell.turn_outputs}
    return ran == {(old, digest(cell.source))} and cell.id not in shown_in
