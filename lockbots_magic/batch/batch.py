"""Batch: the rows that were asked about, with their answers."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..language import _
from ..security.exits import clean_printed
from .engine import BatchEngine
from .frame import (
    ERROR,
    NewNames,
    answer_columns,
    build_frame,
    new_names,
    row_records,
    split_value,
    table_names,
)
from .interrupt import stop_on_interrupt
from .progress import NO_DISPLAY, BatchProgress, ProgressDisplay
from .remote import engine_class
from .row import BatchRow
from .rows import RowSource, SourceRow
from .settings import BatchSettings
from .template import RowTemplate
from .usage import BatchUsage


class Batch:
    """A prompt for each row of a table, and the answers. Made by `Chat.map`.

    Args:
        source: The rows.
        template: Makes the prompt of a row.
        settings: How the rows are asked about.
        display: Shows how far the batch is.
    """

    def __init__(
        self,
        source: RowSource,
        template: RowTemplate,
        settings: BatchSettings,
        display: ProgressDisplay = NO_DISPLAY,
    ) -> None:
        self.usage = BatchUsage()
        """Counts: rows, asked, reused, failed, tokens, cost (USD) and seconds."""
        self.stopped = ""
        """Why the batch ended before its last row, as a sentence; empty if it did not."""
        self.notes: tuple[str, ...] = ()
        """What the user should know, a line each."""
        self._source = source
        self._template = template
        self._settings = settings
        self._display = display
        self._answers: dict[int, BatchRow] = {}
        self._kept: list[SourceRow] = []
        """Rows of a table that can be read only once."""

    def run(self) -> Batch:
        """Ask about all rows; return this batch."""
        self._ask(self._remember(self._source), self._source.size)
        return self

    def retry(self) -> Batch:
        """Ask again about the rows with an error; return this batch, whose other rows stay as they are."""
        wanted = {row.position for row in self.failed}
        rows = [row for row in self._all_rows() if row.position in wanted]
        known = self.usage.rows
        self._ask(iter(rows), len(rows))
        self.usage.rows = known
        return self

    @property
    def answers(self) -> list[BatchRow]:
        """All rows in order, each with its value or its error."""
        return [self._answers[position] for position in sorted(self._answers)]

    @property
    def failed(self) -> list[BatchRow]:
        """Rows with an error, those among them that were not asked."""
        return [row for row in self.answers if row.error]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows as dicts: what was given, the answer, and the error."""
        records = [row.columns for row in self._all_rows()]
        columns = answer_columns(self._settings.schema)
        return row_records(records, self.answers, columns, self._column_names(records))

    def head(self, count: int) -> list[dict[str, Any]]:
        """Return the first rows as `rows` does."""
        records = [row.columns for row in itertools.islice(self._all_rows(), count)]
        columns = answer_columns(self._settings.schema)
        answers = [self._answers[position] for position in range(len(records)) if position in self._answers]
        return row_records(records[: len(answers)], answers, columns, self._column_names(records))

    @property
    def frame(self) -> Any:
        """The rows and the index of what was given, with the columns of the answers and the errors: a data frame.

        Raises:
            UsageError: pandas is not installed.
        """
        records = [] if table_names(self._source.table) else [row.columns for row in self._all_rows()]
        names = self._column_names(records)
        columns = answer_columns(self._settings.schema)
        rows = self.answers
        cells = [split_value(row.value, columns) for row in rows]
        added = {name: [row[number] for row in cells] for number, name in enumerate(names.values)}
        return build_frame(self._source.table, records, {**added, names.error: [row.error for row in rows]})

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[BatchRow]:
        return iter(self.answers)

    def __repr__(self) -> str:
        stopped = [_("Stopped: {stopped}", stopped=self.stopped)] if self.stopped else []
        return clean_printed("\n".join([f"Batch({self.usage.describe()})", *stopped, *self.notes]))

    def _remember(self, rows: Iterable[SourceRow]) -> Iterator[SourceRow]:
        for row in rows:
            if not self._source.is_sized:
                self._kept.append(row)
            yield row

    def _all_rows(self) -> Iterable[SourceRow]:
        return self._source if self._source.is_sized else self._kept

    def _column_names(self, records: list[Mapping[str, Any]]) -> NewNames:
        return new_names(answer_columns(self._settings.schema), table_names(self._source.table, records))

    def _ask(self, rows: Iterator[SourceRow], size: int | None) -> None:
        started = time.monotonic()
        seconds = self.usage.seconds
        progress = BatchProgress(self.usage, size, started, answer_columns(self._settings.schema))
        engine = engine_class(self._settings)(
            self._settings, rows, self._template, self.usage, lambda: self._display.update(progress)
        )
        try:
            with stop_on_interrupt(engine):
                for row in engine:
                    self._answers[row.position] = row
                    progress.add(row)
                    self._display.update(progress)
            self.stopped = engine.stopped
            if engine.stopped and self._source.is_sized:
                self._list_unasked(engine)
        finally:
            engine.close()
            self.usage.seconds = seconds + time.monotonic() - started
            self.usage.failed = len(self.failed)
            self.notes = tuple(dict.fromkeys((*self.notes, *engine.notes, *self._renamed())))
            self._display.finish(self)

    def _list_unasked(self, engine: BatchEngine) -> None:
        for row in self._source:
            if row.position not in self._answers:
                self._answers[row.position] = engine.not_asked(row)
                self.usage.rows += 1

    def _renamed(self) -> list[str]:
        """Return a note on each column that has another name because the table has one of that name."""
        records = [] if table_names(self._source.table) else [row.columns for row in self._all_rows()]
        names, columns = self._column_names(records), answer_columns(self._settings.schema)
        taken = table_names(self._source.table, records)
        told = [
            _("the table has a column {old!r}: the new one is {new!r}", old=old, new=new)
            for old, new in zip((*columns, ERROR), (*names.values, names.error), strict=True)
            if old in taken
        ]
        if names.error != ERROR and ERROR not in taken:
            told.append(_("the answers have a field {old!r}: errors are in {new!r}", old=ERROR, new=names.error))
        return told
