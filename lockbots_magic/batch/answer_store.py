"""The answers that a batch has: on its journal, or in memory where it has none."""

from __future__ import annotations

from dataclasses import replace

from ..cassette.journal import Journal
from ..cassette.recording import Recording
from ..cassette.turn_recordings import turn_recordings
from ..conversation.turn import Turn
from ..errors import UsageError
from ..language import _
from .row import RowOutcome, read_value
from .settings import BatchSettings
from .task import RowTask


class AnswerStore:
    """Keeps answers, and finds them by the key of their request.

    Args:
        settings: How the batch is to run.

    Raises:
        UsageError: The journal can't be opened, or is another file.
    """

    def __init__(self, settings: BatchSettings) -> None:
        self.failure = ""
        """Why answers can't be written, as a sentence; empty if they can."""
        self.journal = Journal(settings.keep) if settings.keep is not None else None
        """The journal; None if there is none, or it is closed."""
        self._settings = settings
        self._known: dict[str, RowOutcome] = {}
        self._new: list[tuple[RowTask, Turn, RowOutcome]] = []

    def find(self, key: str) -> RowOutcome | None:
        """Return the answer to an equal row, if it is known and usable."""
        if self.journal is None:
            return self._known.get(key)
        line = self.journal.find(key)
        if line is None:
            return None
        value, error = read_value(line["reply"], self._settings.schema)
        return None if error else RowOutcome(value)

    def add(self, task: RowTask, turn: Turn, outcome: RowOutcome) -> None:
        """Add an answer; it is kept with the next `flush`."""
        self._new.append((task, turn, outcome))

    def flush(self) -> list[tuple[RowTask, RowOutcome]]:
        """Keep the answers that were added, written and flushed where there is a journal, and return them."""
        if not self._new:
            return []
        new, self._new = self._new, []
        if self.journal is None:
            self._known.update((task.key, outcome) for task, _turn, outcome in new)
        else:
            try:
                self.journal.add((task.key, self._recordings(task, turn)) for task, turn, _outcome in new)
            except (OSError, UsageError) as error:
                self._fail(error)
        return [(task, outcome) for task, _turn, outcome in new]

    def note_tools(self) -> None:
        """Put the lists of tools that servers gave on the journal: a replay of it starts no server."""
        tools = self._settings.requests.first.tools
        if self.journal is None or tools is None:
            return
        try:
            self.journal.note_tools(tools.toolbox.lists_by_source())
        except (OSError, UsageError) as error:
            self._fail(error)

    def close(self) -> None:
        """Close the journal."""
        if self.journal is not None:
            self.journal.close()
            self.journal = None

    def _fail(self, error: Exception) -> None:
        why = getattr(error, "strerror", None) or str(error)
        self.failure = _(
            "answers can't be written to {file}: {error}.", file=self._settings.keep, error=str(why).rstrip(".")
        )

    def _recordings(self, task: RowTask, turn: Turn) -> list[Recording]:
        request = replace(task.prepared.request, model=self._settings.model)
        name = self._settings.provider.name
        return turn_recordings(request, turn, name, default=self._settings.is_default_model)
