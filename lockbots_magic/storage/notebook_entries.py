"""What the outputs of an exported notebook remember, so that `%lockbots restore` gives the conversation back. Pure."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import replace

from ..conversation.conversation import Conversation
from ..conversation.history_entry import Entry, Neighbour, Owner, Trail
from ..conversation.turn import Turn
from .output_metadata import LONGEST_ID

_STALE = "stale"
"""A trail that leads nowhere: the turn was made when others stood before it."""


def entries_of(conversation: Conversation, turns: Sequence[Turn]) -> list[tuple[Turn, Entry]]:
    """Return `turns`, which make up the conversation in the notebook, each with the entry that its output holds.

    They are told as if each had been made after the one before it.
    """
    owner = Owner(conversation.id[:LONGEST_ID], conversation.name[:LONGEST_ID] or "main", conversation.system)
    told: list[tuple[Turn, Entry]] = []
    trail, after = Trail(), None
    for turn in _in_time(_told_apart(turns)):
        told.append((turn, Entry(owner, turn, after, trail=_STALE if turn.stale else str(trail))))
        trail.add(turn)
        after = Neighbour(turn.id, turn.place)
    return told


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
    """Return `turns`, each made later than the one before; those from a file may tell no time, or any."""
    sorted_, latest = [], 0.0
    for turn in turns:
        latest = max(turn.made if math.isfinite(turn.made) else 0.0, math.nextafter(latest, math.inf))
        sorted_.append(replace(turn, made=latest))
    return sorted_
