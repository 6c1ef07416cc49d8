"""Recordings in order, found by id, by request, and by the thread that they end."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Hashable

from .recording import Recording
from .request import RecordedRequest, Thread


class Recordings:
    """Recordings of one cassette, oldest first."""

    def __init__(self) -> None:
        self.all: list[Recording] = []
        self.by_id: dict[str, Recording] = {}
        self._by_key: dict[Hashable, list[Recording]] = {}
        self._by_end: dict[Thread, Recording] = {}

    def add(self, recording: Recording) -> None:
        """Add a recording, whose id is unique."""
        self.all.append(recording)
        self.by_id[recording.id] = recording
        self._by_key.setdefault(recording.request.key, []).append(recording)
        self._by_end.setdefault(recording.thread, recording)

    def matching(self, request: RecordedRequest) -> list[Recording]:
        """Return the recordings of a request, in order."""
        return list(self._by_key.get(request.key, ()))

    def before(self, recording: Recording) -> Recording | None:
        """Return the recording whose thread `recording` continues, if there is one."""
        return self._by_end.get(recording.request.thread[:-2])

    def unused_id(self, digest: str) -> str:
        """Return `digest`, with a number if a recording has that id."""
        if digest not in self.by_id:
            return digest
        return next(one for n in itertools.count(2) if (one := f"{digest}-{n}") not in self.by_id)

    def without(self, ids: Collection[str]) -> list[Recording]:
        """Return the recordings but those with one of the ids."""
        return [one for one in self.all if one.id not in ids]
