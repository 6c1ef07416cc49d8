"""Metadata of the transcript output, from which `%lockbots restore` rebuilds the conversations. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..conversation.attachments import ImagePart
from ..conversation.conversation import Conversation
from ..conversation.history_entry import HistoryEntry
from ..conversation.parts import Round
from ..conversation.turn import Turn
from ..storage.output_metadata import metadata_of_several

MAX_CHARACTERS = 200_000
"""Total length of the prompts, images and replies that are saved; the oldest turns are left out."""
MAX_IMAGES = 2_000_000
"""Total length of documents and of images that models made, as they are saved; the oldest are left out."""


class TranscriptMetadata:
    """Collects the conversations that were opened in a panel."""

    def __init__(self) -> None:
        self._opened: tuple[Conversation, ...] = ()
        self._lock = threading.Lock()

    def add(self, conversation: Conversation) -> None:
        """Note that `conversation` is open now."""
        with self._lock:
            self._opened = (*(one for one in self._opened if one is not conversation), conversation)

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
        snapshots: list[HistoryEntry] = []
        told: dict[int, HistoryEntry] = {}  # by serial number: forks share their first turns
        for conversation in (one for one in opened if one in listed):
            snapshot = conversation.snapshot()
            if snapshot.info and (snapshot.order or snapshot.info.former):
                snapshots.append(snapshot)
                told |= {entry.serial: entry for entry in conversation.entries()}
        return metadata_of_several([*_latest(told.values()), *snapshots])


def _latest(entries: Iterable[HistoryEntry]) -> list[HistoryEntry]:
    """Return the entries of the latest turns, within `MAX_CHARACTERS`."""
    turns = [(entry.turn, entry) for entry in entries if entry.turn]
    turns.sort(key=lambda one: one[0].started)
    kept: list[HistoryEntry] = []
    size, room = 0, MAX_IMAGES
    for turn, entry in reversed(turns):
        size += sum(map(len, (turn.prompt, turn.reply, *turn.images, *(one.text for one in turn.documents))))
        if size > MAX_CHARACTERS:
            break
        image_size = sum(len(image.url) for image in turn.made_images)
        image_size += sum(len(document.url) for document in turn.documents)
        room -= image_size
        kept.insert(0, entry if room >= 0 or not image_size else replace(entry, turn=_without_attachments(turn)))
    return kept


def _without_attachments(turn: Turn) -> Turn:
    """Return a copy of `turn` without the images that the model made, and with the text of documents only."""
    left_out = ImagePart("", "not saved with the panel")
    rounds = (tuple(left_out if isinstance(part, ImagePart) else part for part in one.parts) for one in turn.rounds)
    documents = tuple(document.without_file() for document in turn.documents)
    return replace(turn, rounds=tuple(map(Round, rounds)), documents=documents)
