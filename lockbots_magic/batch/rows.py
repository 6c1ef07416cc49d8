"""Rows of a table: lists, dicts, series, data frames of pandas and Polars, and any iterable."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, NamedTuple

from ..errors import UsageError
from ..language import _
from ..prompt.part import is_instance_of

VALUE = "value"
"""Name of the column of rows that are single values, such as the texts of a list."""


class SourceRow(NamedTuple):
    """One row, as it is asked about."""

    position: int
    """Number of the row, from 0."""
    index: Any
    """Label of the row in its table; its position where there is none."""
    columns: Mapping[str, Any]
    """Values by column."""


class RowSource:
    """The rows of one table, in order. Subclasses know one kind of table.

    Args:
        table: What the caller gave.
    """

    is_sized = True
    """Whether all rows exist already, so that those that were not asked about can be listed too."""
    kept: list[SourceRow] | None = None
    """Rows that have been read, where a result needs them and the table does not keep them."""

    def __init__(self, table: Any) -> None:
        self.table = table

    @property
    def size(self) -> int | None:
        """Number of rows; None if it is not known."""
        return len(self.table) if isinstance(self.table, Sized) else None

    def __iter__(self) -> Iterator[SourceRow]:
        for position, row in enumerate(self.table):
            yield SourceRow(position, position, columns_of(row))

    def pick(self, count: int) -> RowSource:
        """Return `count` rows spread evenly over the table, or the first ones of a table without an end."""
        size = self.size
        if size is None or not isinstance(self.table, Sequence):
            return _Picked(self, itertools.islice(self, count))
        return RowSource([self.table[at] for at in spread(size, count)])


class _LabelledRow(dict[str, Any]):
    """Values by the names of columns; those whose label is a number or a tuple are found by it, too."""

    def __missing__(self, label: object) -> Any:
        if isinstance(label, str):
            raise KeyError(label)
        return self[str(label)]


class _PandasRows(RowSource):
    def __iter__(self) -> Iterator[SourceRow]:
        names = [str(name) for name in self.table.columns]
        kind = dict if names == list(self.table.columns) else _LabelledRow
        for position, (index, *values) in enumerate(self.table.itertuples(name=None)):
            yield SourceRow(position, index, kind(zip(names, values, strict=True)))

    def pick(self, count: int) -> RowSource:
        return _PandasRows(self.table.iloc[spread(len(self.table), count)])


class _SeriesRows(RowSource):
    """A series of pandas or Polars: one column."""

    @property
    def name(self) -> str:
        """Name of the column."""
        return str(self.table.name) if self.table.name not in (None, "") else VALUE

    def __iter__(self) -> Iterator[SourceRow]:
        labels = getattr(self.table, "index", None)
        labels = range(len(self.table)) if labels is None else labels
        for position, (index, value) in enumerate(zip(labels, self.table, strict=True)):
            yield SourceRow(position, index, {self.name: value})

    def pick(self, count: int) -> RowSource:
        at = spread(len(self.table), count)
        return _SeriesRows(self.table.iloc[at] if hasattr(self.table, "iloc") else self.table[at])


class _PolarsRows(RowSource):
    def __iter__(self) -> Iterator[SourceRow]:
        for position, row in enumerate(self.table.iter_rows(named=True)):
            yield SourceRow(position, position, row)

    def pick(self, count: int) -> RowSource:
        return _PolarsRows(self.table[spread(len(self.table), count)])


class _Stream(RowSource):
    """An iterable that can be read once; what a result needs of it is kept."""

    is_sized = False

    def __iter__(self) -> Iterator[SourceRow]:
        for position, row in enumerate(self.table):
            yield SourceRow(position, position, columns_of(row))


class _Picked(RowSource):
    """The first rows of an iterable."""

    is_sized = False

    def __init__(self, whole: RowSource, rows: Iterator[SourceRow]) -> None:
        super().__init__(whole.table)
        self._rows = rows

    @property
    def size(self) -> int | None:
        return None

    def __iter__(self) -> Iterator[SourceRow]:
        return self._rows


def row_source(table: Any) -> RowSource:
    """Return the rows of a table.

    Args:
        table: A data frame or series of pandas or Polars, or any iterable of dicts, dataclasses, named tuples or single
            values.

    Raises:
        UsageError: It is none of these, or two of its columns have one name.
    """
    if isinstance(table, RowSource):
        return table
    if is_instance_of(table, "pandas.DataFrame"):
        _check_names([str(name) for name in table.columns])
        return _PandasRows(table)
    if is_instance_of(table, "polars.LazyFrame"):
        return _PolarsRows(table.collect())
    if is_instance_of(table, "polars.DataFrame"):
        return _PolarsRows(table)
    if is_instance_of(table, "pandas.Series", "polars.Series"):
        return _SeriesRows(table)
    if isinstance(table, str | bytes | Mapping) or not isinstance(table, Iterable):
        kind = _("one dict") if isinstance(table, Mapping) else _("a {name}", name=type(table).__name__)
        raise UsageError(
            _("rows must be a data frame, a series, a list of dicts or another iterable, got {kind}.", kind=kind)
        )
    return RowSource(table) if isinstance(table, Sized) else _Stream(table)


def _check_names(names: Sequence[str]) -> None:
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise UsageError(_("The table has two columns with the name {name!r:.60}. Rename one of them.", name=twice))


def columns_of(row: Any) -> Mapping[str, Any]:
    """Return the values of a row by column.

    Example:
        >>> columns_of({"a": 1}), columns_of("good")
        ({'a': 1}, {'value': 'good'})
    """
    if isinstance(row, Mapping):
        return row
    if isinstance(row, tuple) and hasattr(row, "_asdict"):
        return row._asdict()  # type: ignore[no-any-return]  # a named tuple
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return {VALUE: row}


def spread(size: int, count: int) -> list[int]:
    """Return up to `count` positions spread evenly over `size` rows, the first among them.

    Example:
        >>> spread(10, 4), spread(3, 20)
        ([0, 2, 5, 7], [0, 1, 2])
    """
    return list(range(size)) if count >= size else [number * size // count for number in range(count)]
