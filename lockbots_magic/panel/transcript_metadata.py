"""What the transcript of a panel remembers, so that `%lockbots restore` gives the conversations back. Pure."""

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

MOST_CHARACTERS = 200_000
"""Of all prompts, images and replies that are remembered; the oldest ones are not."""
_STALE = "stale"
"""A trail that leads nowhere: the turn was made when others stood before it."""
_LONG_AGO = 1.0
"""When turns were made that a conversation was given by hand: a record without that is no record."""


class TranscriptMetadata:
    """Knows which conversations were open in a panel."""

    def __init__(self) -> None:
        self._opened: tuple[Conversation, ...] = ()
        self._lock = threading.Lock()

    def take_up(self, conversation: Conversation) -> None:
        """This conversation is open now."""
        with self._lock:
            self._opened = (*(one for one in self._opened if one is not conversation), conversation)

    def metadata(self, known: Iterable[Conversation]) -> dict[str, Any]:
        """Return the metadata of an output that remembers these conversations as they stand.

        Turns of cells are among them: one that was asked again in the panel is shown by no cell. So are conversations
        that were open in another panel, whose output may be gone.

        Args:
            known: those that were not deleted; the one that is open may be.
        """
        known = list(known)
        said_elsewhere = [one for one in known if any(t.cell_id is None for t in one.turns)]
        opened = list(dict.fromkeys([*(one for one in said_elsewhere if one not in self._opened), *self._opened]))
        listed = {*known, *opened[-1:]}
        endings: list[Entry] = []
        told: list[Entry] = []
        for conversation in opened:
            turns = [t for t in conversation.turns if t.is_shown]
            ending = conversation.ending() if conversation in listed else None
            if ending and ending.owner and (turns or ending.owner.former):
                endings.append(ending)
                told += _entries(ending.owner, turns)
        return metadata_of_several([*_latest(told), *endings], redacted)


def _entries(owner: Owner, turns: list[Turn]) -> Iterator[Entry]:
    """Tell of turns as they stand; what a copy has of its original, that tells."""
    trail = Trail()
    neighbours: list[Neighbour | None] = [None, *(Neighbour(t.id, t.place) for t in turns), None]
    origin = owner.origin
    for number, turn in enumerate(turns):
        if not (origin and turn.place <= origin.last and turn.made <= origin.made):
            before = _STALE if turn.stale else str(trail)
            dated = turn if turn.made else replace(turn, made=turn.started or _LONG_AGO)
            yield Entry(owner, dated, neighbours[number], neighbours[number + 2], before)
        trail.add(turn)


def _latest(entries: Iterable[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    size = 0
    for entry in sorted(entries, key=lambda one: one.made, reverse=True):
        if entry.turn:
            size += sum(map(len, (entry.turn.prompt, entry.turn.reply, *entry.turn.images)))
        if size > MOST_CHARACTERS:
            break
        kept.insert(0, entry)
    return kept
