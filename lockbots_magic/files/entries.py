"""What the outputs of an exported notebook remember, so that `%lockbots restore` gives the conversation back. Pure."""

from __future__ import annotations

import uuid
from bisect import bisect
from collections.abc import Sequence
from dataclasses import replace

from ..conversation import Conversation
from ..messages import Turn
from ..notebook.record import LONGEST_ID, Entry, Neighbour, Owner


def entries_of(conversation: Conversation, turns: Sequence[Turn]) -> list[tuple[Turn, Entry]]:
    """Return `turns`, which make up the conversation in the notebook, each with the entry that its output holds.

    An entry says what stood around its turn when that was made: of the turns beside it, those that are older.
    """
    owner = Owner(conversation.id[:LONGEST_ID], conversation.name[:LONGEST_ID] or "main", conversation.system)
    turns = _in_time(_told_apart(turns))
    entries: dict[int, Entry] = {}
    older: list[int] = []
    for index in sorted(range(len(turns)), key=lambda n: turns[n].made):
        at = bisect(older, index)
        after = _neighbour(turns[older[at - 1]]) if at else None
        before = _neighbour(turns[older[at]]) if at < len(older) else None
        entries[index] = Entry(owner, turns[index], after, before)
        older.insert(at, index)
    return [(turn, entries[index]) for index, turn in enumerate(turns)]


def _neighbour(turn: Turn) -> Neighbour:
    return Neighbour(turn.id, turn.place)


def _told_apart(turns: Sequence[Turn]) -> list[Turn]:
    """Return `turns` with ids by which each can be known; those from a file may have any."""
    seen = {""}
    apart = []
    for turn in turns:
        known = turn if turn.id not in seen and len(turn.id) <= LONGEST_ID else replace(turn, id=uuid.uuid4().hex)
        seen.add(known.id)
        apart.append(known)
    return apart


def _in_time(turns: Sequence[Turn]) -> list[Turn]:
    """Return `turns`, each with its moment: imported ones have none. A stale turn is older than one before it."""
    if all(turn.made for turn in turns) and len({turn.made for turn in turns}) == len(turns):
        return list(turns)
    count = len(turns)
    return [replace(turn, made=float(n if turn.stale else count + n)) for n, turn in enumerate(turns, 1)]
