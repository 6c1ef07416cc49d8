"""The result of a batch as a table: the rows and labels that were given, and a column for each answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple

from ..errors import UsageError
from ..language import _
from ..prompt.part import is_instance_of
from ..schema.structured_output import ReplySchema
from .row import BatchRow

REPLY = "reply"
ERROR = "error"


def answer_columns(schema: ReplySchema | None) -> tuple[str, ...]:
    """Return the names of the columns that answers have: the fields of an object, else one for the value."""
    found = dict(schema.json_schema) if schema is not None else {}
    reference = str(found.get("$ref", ""))
    if reference.startswith("#/$defs/"):
        found = found.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
    properties = found.get("properties") if found.get("type") == "object" else None
    return tuple(map(str, properties)) if properties else (REPLY,)


def split_value(value: Any, columns: Sequence[str]) -> list[Any]:
    """Return the cells of an answer, one a column; None where it has none."""
    if value is None:
        return [None] * len(columns)
    if tuple(columns) == (REPLY,) and not _has_field(value, REPLY):
        return [plain_value(value)]
    if isinstance(value, Mapping):
        return [plain_value(value.get(name)) for name in columns]
    return [plain_value(getattr(value, name, None)) for name in columns]


def plain_value(value: Any) -> Any:
    """Return what a cell of a table holds: the value of an enum, the fields of an object as a dict."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain_value(getattr(value, one.name)) for one in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)  # a pydantic model
    if callable(dump):
        return dump()
    if isinstance(value, list):
        return [plain_value(one) for one in value]
    return value


def _has_field(value: Any, name: str) -> bool:
    return name in value if isinstance(value, Mapping) else hasattr(value, name)


def free_names(wanted: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return a name for each of `wanted` that is not taken: with a suffix where it is.

    Example:
        >>> free_names(["reply", "error"], ["error", "text"])
        {'reply': 'reply', 'error': 'error_2'}
    """
    used = set(taken)
    names: dict[str, str] = {}
    for name in wanted:
        free, number = name, 2
        while free in used:
            free, number = f"{name}_{number}", number + 1
        used.add(free)
        names[name] = free
    return names


class NewNames(NamedTuple):
    """Names of the columns that a batch adds to a table."""

    values: tuple[str, ...]
    """Those of the answers, in their order."""
    error: str
    """That of the errors."""


def new_names(columns: Sequence[str], taken: Sequence[str]) -> NewNames:
    """Return the names of the new columns; none is taken, by the table or by another of them.

    Example:
        >>> new_names(["error"], ["text"])
        NewNames(values=('error',), error='error_2')
    """
    values = tuple(free_names(columns, taken).values())
    return NewNames(values, free_names([ERROR], [*taken, *values])[ERROR])


def table_names(table: Any, records: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Return the names of the columns of a table, or of its rows where it has none."""
    if is_instance_of(table, "pandas.DataFrame", "polars.DataFrame"):
        return [str(name) for name in table.columns]
    return list(dict.fromkeys(str(name) for record in records for name in record))


def build_frame(table: Any, records: Sequence[Mapping[str, Any]], added: Mapping[str, Sequence[Any]]) -> Any:
    """Return a data frame of the rows with further columns: of Polars for Polars, else of pandas.

    Args:
        table: What was given; a data frame or series of pandas keeps its index.
        records: The rows by column, where `table` is no data frame.
        added: The further columns.

    Raises:
        UsageError: pandas is not installed.
    """
    if is_instance_of(table, "polars.DataFrame", "polars.Series"):
        polars = import_module("polars")
        frame = table if is_instance_of(table, "polars.DataFrame") else polars.DataFrame(list(records))
        return frame.with_columns(**{name: _polars_column(polars, name, cells) for name, cells in added.items()})
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise UsageError(_("`batch.frame` needs pandas; without it, `batch.rows` is a list of dicts.")) from None
    if is_instance_of(table, "pandas.DataFrame"):
        frame = table.copy(deep=False)
    else:
        frame = pandas.DataFrame(list(records), index=getattr(table, "index", None) if _is_series(table) else None)
    for name, cells in added.items():
        frame[name] = pandas.Series(list(cells), index=frame.index, dtype=None if any_value(cells) else object)
    return frame


def any_value(cells: Sequence[Any]) -> bool:
    """Return whether any cell holds a value."""
    return any(cell is not None for cell in cells)


def _is_series(table: Any) -> bool:
    return is_instance_of(table, "pandas.Series")


def _polars_column(polars: Any, name: str, cells: Sequence[Any]) -> Any:
    try:
        return polars.Series(name, cells)
    except (TypeError, ValueError, OverflowError, getattr(polars.exceptions, "ComputeError", TypeError)):
        return polars.Series(name, cells, dtype=polars.Object)


def row_records(
    records: Sequence[Mapping[str, Any]], rows: Sequence[BatchRow], columns: Sequence[str], names: NewNames
) -> list[dict[str, Any]]:
    """Return rows as dicts: what was given, the answer, and the error."""
    made = []
    for record, row in zip(records, rows, strict=True):
        cells = zip(names.values, split_value(row.value, columns), strict=True)
        made.append({**record, **dict(cells), names.error: row.error})
    return made
