"""Metadata of the transcript output, from which `%lockbots restore` rebuilds the conversations. Pure."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..conversation.conversation import Conversation
from ..conversation.history_entry import Entry, Neighbour, Owner, Trail
from ..conversation.turn import Turn
from ..security.secrets import redacted
from ..storage.output_metadata import metadata_of_several

MAX_CHARACTERS = 200_000
"""Total length of the prompts, images and replies that are saved; the oldest turns are left out."""
_STALE = "stale"
"""Trail that matches no history: marks a turn whose earlier turns have changed since."""
_UNKNOWN_DATE = 1.0
"""Date (Unix time, s) of turns that a conversation was created with: a saved turn must have one."""


class TranscriptMetadata:
    """Collects the conversations that were opened in a panel."""

    def __init__(self) -> None:
        self._opened: tuple[Conversation, ...] = ()
        self._lock = threading.Lock()

    def add(self, conversation: Conversation) -> None:
        """Note that `conversation` is open now."""
        with self._lock:
            self._opened = (*(other for other in self._opened if other is not conversation), conversation)

    def build(self, known: Iterable[Conversation]) -> dict[str, Any]:
        """Return the metadata of the output for the current state of the conversations.

        It includes turns of cells, because a turn that was regenerated in the panel is in no cell's output, and
        conversations that were opened in another panel, because the output of that panel may be gone.

        Args:
            known: The conversations that were not deleted. The open one is saved even if it was.

        Returns:
            Metadata of an output, without credentials.
        """
        known = list(known)
        from_panels = [one for one in known if any(t.cell_id is None for t in one.turns)]
        opened = list(dict.fromkeys([*(one for one in from_panels if one not in self._opened), *self._opened]))
        listed = {*known, *opened[-1:]}
        endings: list[Entry] = []
        entries: list[Entry] = []
        for conversation in opened:
            turns = [t for t in conversation.turns if t.is_shown]
            ending = conversation.ending() if conversation in listed else None
            if ending and ending.owner and (turns or ending.owner.former):
                endings.append(ending)
                entries += _entries(ending.owner, turns)
        return metadata_of_several([*_newest(entries), *endings], redacted)


def _entries(owner: Owner, turns: list[Turn]) -> Iterator[Entry]:
    """Yield an entry for each turn, except for those that a fork shares with its origin: the origin saves them."""
    trail = Trail()
    neighbours: list[Neighbour | None] = [None, *(Neighbour(t.id, t.place) for t in turns), None]
    origin = owner.origin
    for number, turn in enumerate(turns):
        if not (origin and turn.place <= origin.last and turn.made <= origin.made):
            before = _STALE if turn.stale else str(trail)
            dated = turn if turn.made else replace(turn, made=turn.started or _UNKNOWN_DATE)
            yield Entry(owner, dated, neighbours[number], neighbours[number + 2], before)
        trail.add(turn)


def _newest(entries: Iterable[Entry]) -> list[Entry]:
    """Return the newest entries, oldest first, up to `MAX_CHARACTERS`."""
    kept: list[Entry] = []
    size = 0
    for entry in sorted(entries, key=lambda one: one.made, reverse=True):
        if entry.turn:
            size += sum(map(len, (entry.turn.prompt, entry.turn.reply, *entry.turn.images)))
        if size > MAX_CHARACTERS:
            break
        kept.insert(0, entry)
    return kept
