"""Difference between the turns that the views have and those of the conversation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..conversation.turn import Turn

SentTurns = tuple[tuple[str, bool], ...]
"""The turns that the views have: for each its id, and whether it is marked as outdated."""


@dataclass(frozen=True)
class AddedTurn:
    """The only new turn of a conversation.

    Args:
        turn: The turn.
        replaces: Id of the turn that it replaces, if any.
        after: Id of the turn before it; None if it is the first.
    """

    turn: Turn
    replaces: str | None
    after: str | None


def sent_turns(turns: Sequence[Turn]) -> SentTurns:
    """Return what views have after they were sent `turns`."""
    return tuple((turn.id, turn.stale) for turn in turns)


def find_added_turn(sent: SentTurns, turns: Sequence[Turn]) -> AddedTurn | None:
    """Compare the views' turns with the conversation's.

    Returns:
        The one turn that was added, in place of at most one other; None if more than that has changed and the views
        need all turns again.
    """
    old, new = [turn_id for turn_id, _ in sent], [turn.id for turn in turns]
    added = [turn for turn in turns if turn.id not in old]
    removed = [turn_id for turn_id in old if turn_id not in new]
    in_order = [turn_id for turn_id in old if turn_id in new] == [turn_id for turn_id in new if turn_id in old]
    if len(added) != 1 or len(removed) > 1 or not in_order:
        return None
    index = new.index(added[0].id)
    return AddedTurn(added[0], replaces=removed[0] if removed else None, after=new[index - 1] if index else None)


def newly_stale(sent: SentTurns, turns: Sequence[Turn]) -> list[str]:
    """Return the ids of the turns that have become outdated since the views were sent them."""
    marked = dict(sent)
    return [turn.id for turn in turns if turn.stale and not marked.get(turn.id, False)]
