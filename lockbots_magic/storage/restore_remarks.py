"""Remarks on a notebook whose conversations were restored: what is missing, edited or ambiguous. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ..conversation.history_entry import RestoredConversation
from ..conversation.turn import Turn
from ..language import _
from .cell_binding import CellBinding
from .foreign_remarks import foreign_remarks
from .notebook_cells import CodeCell, TurnOutput, quoted
from .output_metadata import digest

MAX_NAMED = 8
"""Most cells, or turns, that one remark names."""


def remarks_on(
    cells: Sequence[CodeCell], conversations: Sequence[RestoredConversation], binding: CellBinding
) -> list[str]:
    """Return the remarks, a sentence each, the most important first.

    Args:
        cells: The code cells.
        conversations: What was rebuilt from them, not yet bound to cells.
        binding: How the turns are bound.
    """
    return [
        *_on_conversations(conversations),
        *_on_cells(cells, conversations),
        *_on_ids(cells, conversations, binding),
    ]


def _on_conversations(conversations: Sequence[RestoredConversation]) -> Iterator[str]:
    for one in conversations:
        name = quoted(one.info.name)
        if one.gaps:
            places = _join_words([quoted(t.prompt) for t in one.turns if t.id in one.gaps])
            yield (
                _(
                    "{name}: turns are missing right before {places}: their cells were deleted, cleared or "
                    "run for something else. The turns after them are stale.",
                    name=name,
                    places=places,
                )
            )
        if one.original_name != one.info.name:
            yield _(
                "{name} is an older conversation that was also called {original}.",
                name=name,
                original=quoted(one.original_name),
            )
        yield from foreign_remarks(one.info.name, one.info.system, one.turns)


def _on_cells(cells: Sequence[CodeCell], conversations: Sequence[RestoredConversation]) -> Iterator[str]:
    restored = {turn.id for one in conversations for turn in one.turns}
    shown = [(cell, output) for cell in cells for output in cell.turn_outputs if _turn_id(output) in restored]
    changed = [(cell, output) for cell, output in shown if output.is_altered]
    unchanged = {_turn_id(output) for _cell, output in shown if not output.is_altered}
    replaced = [(c, output) for c, output in changed if output.holds_reply and _turn_id(output) not in unchanged]
    chats = [cell for cell in cells if cell.is_chat and not cell.turn_outputs]
    no_turn = _(
        "the output holds no turn (it was saved before the reply ended, shown as plain text, or is from another tool), "
        "so the history has none. Run the cell again to add it."
    )
    edited = _("edited after the reply; the turn keeps the old prompt.")
    altered = _("the output was edited; the turn keeps the old reply.")
    edited_reply = _("the output was edited; the turn has the reply as it stands there now.")
    lost_reply = _("the text of the output was removed, and the reply with it: the turn has none. Run the cell again.")
    notes = (
        ([c for c in chats if c.has_reply], no_turn),
        ([c for c in chats if not c.has_reply], _("there is no reply: cleared, failed, or not run yet.")),
        ([c for c, output in shown if _is_edited(c, output)], edited),
        ([c for c, output in changed if _turn_id(output) in unchanged or not output.holds_reply], altered),
        ([c for c, output in replaced if output.reply], edited_reply),
        ([c for c, output in replaced if not output.reply], lost_reply),
        (_copies(shown), _("a copy of another cell with its output; the turn counts once.")),
    )
    for where, note in notes:
        if where:
            yield f"{_name_cells(where)}: {note}"
    for cell, output in shown:
        for parameter in output.record.described:
            yield _(
                "{cell}: a notebook can't hold the parameter {parameter}; the turn was restored without it.",
                cell=cell,
                parameter=quoted(parameter),
            )


def _on_ids(
    cells: Sequence[CodeCell], conversations: Sequence[RestoredConversation], binding: CellBinding
) -> Iterator[str]:
    owners = {turn.cell_id for one in conversations for turn in one.turns}
    again = _("If it runs again, it adds a turn and replaces none.")
    twice = [cell for cell in cells if cell.id in binding.ambiguous and cell.id in owners]
    if twice:
        yield _(
            "{cells}: another cell has the same id, so the turn is bound to no cell. {again}",
            cells=_name_cells(twice),
            again=again,
        )
    strange = [c for c in cells if {output.record.cell for output in c.turn_outputs} & binding.unknown & owners]
    if strange and not any(cell.id for cell in cells):
        yield _(
            "The notebook's cells have no ids (its format is older than 4.5), so no cell owns a turn. {again}",
            again=again,
        )
    elif strange:
        yield _(
            "{cells}: it ran under another id, so the turn is bound to no cell. {again}",
            cells=_name_cells(strange),
            again=again,
        )
    number = {cell.id: cell.number for cell in cells}
    for one in conversations:
        if not _is_sorted(one.turns, binding, number):
            yield _(
                "{name}: the cells were reordered; the history keeps the order of the conversation.",
                name=quoted(one.info.name),
            )


def _is_sorted(turns: Iterable[Turn], binding: CellBinding, number: dict[str | None, int]) -> bool:
    places = [number[cell] for t in turns if (cell := binding.current_id(t.cell_id)) is not None and cell in number]
    return all(a <= b for a, b in pairwise(places))


def _turn_id(output: TurnOutput) -> str | None:
    entry = output.record.entry
    return entry.turn.id if entry.turn and entry.info else None


def _is_edited(cell: CodeCell, output: TurnOutput) -> bool:
    return bool(output.record.source) and output.record.source != digest(cell.source)


def _copies(shown: Sequence[tuple[CodeCell, TurnOutput]]) -> list[CodeCell]:
    """Return the cells that show a turn which the cell that made it shows too, or an earlier cell."""
    first: dict[str | None, CodeCell] = {}
    for cell, output in sorted(shown, key=lambda one: one[0].id != one[1].record.cell):
        first.setdefault(_turn_id(output), cell)
    return [cell for cell, output in shown if first[_turn_id(output)] is not cell]


def _name_cells(cells: Iterable[CodeCell]) -> str:
    """Name one cell by its first words, several by their numbers."""
    unique = list(dict.fromkeys(cells))
    if len(unique) == 1:
        return str(unique[0])
    return _("cells {names}", names=_join_words([str(cell.number) for cell in unique]))


def _join_words(words: Sequence[str]) -> str:
    if len(words) > MAX_NAMED:
        return _("{names} and {n} more", names=", ".join(words[:MAX_NAMED]), n=len(words) - MAX_NAMED)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
