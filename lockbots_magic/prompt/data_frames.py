"""Parts of a prompt from data frames, series and indexes of pandas, Polars and Arrow: Markdown tables of their ends.

Only the rows and columns that are sent are read: a million rows take no longer than forty.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..language import _
from .containers import format_briefly
from .numbers import format_float, format_int, format_nanoseconds, widen_floats
from .part import PromptPart, is_instance_of
from .text import truncate, without_run_details

MAX_ROWS = 40
"""Rows of a table: half from its beginning, half from its end."""
MAX_COLUMNS = 20
"""Columns of a table: half from its beginning, half from its end."""
MAX_CELL_LENGTH = 80
"""Characters of a cell."""
MAX_LENGTH = 20_000
"""Characters of a table: wide ones have fewer rows."""
_GAP = "…"


@dataclass(frozen=True)
class _FrameEnds:
    """First and last rows of a data frame. Each row starts with its index: as many values as `index` has names."""

    kind: str
    rows: int
    columns: int
    index: Sequence[str]
    labels: Sequence[str]
    dtypes: Sequence[str]
    head: Sequence[Sequence[Any]]
    tail: Sequence[Sequence[Any]]
    across: str = field(default="", kw_only=True)
    """What the labels of the columns are, as after a pivot; "" if that is not known."""


def frame_part(value: Any) -> PromptPart | None:
    """Convert a data frame, a series or an index of a library that is known; return None for other values."""
    if is_instance_of(value, "pandas.RangeIndex"):  # its repr says it all
        return None
    for kind, read in _READERS.items():
        if is_instance_of(value, kind):
            return _format_frame(read(value))
    return None


def _select_ends(count: int, most: int) -> list[int]:
    """Return the indices of the first and last of `count` items, `most` together."""
    half = most // 2
    return [*range(count)] if count <= most else [*range(half), *range(count - half, count)]


def _read_pandas(frame: Any) -> _FrameEnds:
    rows, columns = frame.shape
    index = _index_names(frame.index)
    head, tail = (part.iloc[:, _select_ends(columns, MAX_COLUMNS)] for part in _split_ends(frame))
    names = widen_floats(head.columns.tolist(), str(getattr(head.columns, "dtype", "")))
    labels = [" / ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in names]
    ends = (_read_rows(part, len(index)) for part in (head, tail))
    across = " / ".join("" if name is None else str(name) for name in frame.columns.names)
    across = across if across.strip(" /") else ""
    return _FrameEnds("DataFrame", rows, columns, index, labels, [*map(str, head.dtypes)], *ends, across=across)


def _read_pandas_series(series: Any) -> _FrameEnds:
    index = _index_names(series.index)
    name = "value" if series.name is None else series.name
    ends = (_read_rows(part.to_frame(name), len(index)) for part in _split_ends(series))
    return _FrameEnds("Series", len(series), 1, index, [str(name)], [str(series.dtype)], *ends)


def _split_ends(value: Any) -> tuple[Any, Any]:
    """Return the first rows and the last rows."""
    half = MAX_ROWS // 2
    return value.iloc[:half], value.iloc[max(half, len(value) - half) :]


def _read_rows(part: Any, levels: int) -> list[Sequence[Any]]:
    """Return the rows of a pandas data frame, each with the `levels` of its index first."""
    # Level by level: `MultiIndex.tolist` would build every value of the whole index.
    read = [part.index.get_level_values(level) for level in range(levels)]
    read += [part.iloc[:, at] for at in range(len(part.columns))]
    columns = [widen_floats(column.tolist(), _element_type(column.dtype)) for column in read]
    return [*zip(*columns, strict=True)] if columns else [()] * len(part)


def _element_type(dtype: Any) -> str:
    categories = getattr(dtype, "categories", None)
    return str(dtype if categories is None else categories.dtype)


def _read_pandas_index(index: Any) -> _FrameEnds:
    names = [f"level {at}" if name is None else str(name) for at, name in enumerate(index.names)]
    levels = [index.get_level_values(at) for at in range(index.nlevels)]
    ends = (_read_rows(part.to_frame(index=False), 0) for part in _split_index(index))
    kind, types = type(index).__name__, [str(level.dtype) for level in levels]
    return _FrameEnds(kind, len(index), len(names), (), ["value"] if names == ["level 0"] else names, types, *ends)


def _read_pandas_array(values: Any) -> _FrameEnds:
    return _read_pandas_series(sys.modules["pandas"].Series(values))


def _split_index(index: Any) -> tuple[Any, Any]:
    half = MAX_ROWS // 2
    return index[:half], index[max(half, len(index) - half) :]


def _index_names(index: Any) -> Sequence[str]:
    """Return the names of the levels; none for an index that only counts the rows."""
    if is_instance_of(index, "pandas.RangeIndex") and (index.start, index.step, index.name) == (0, 1, None):
        return ()
    return ["" if name is None else str(name) for name in index.names]


def _read_polars(frame: Any) -> _FrameEnds:
    rows, columns = frame.shape
    shown = _select_ends(columns, MAX_COLUMNS)
    part = frame if columns <= MAX_COLUMNS else frame[:, shown]
    head, tail = part.head(MAX_ROWS // 2), part.tail(min(MAX_ROWS // 2, max(0, rows - MAX_ROWS // 2)))
    dtypes = [*map(str, part.dtypes)]
    return _FrameEnds("DataFrame", rows, columns, (), part.columns, dtypes, _polars_rows(head), _polars_rows(tail))


def _polars_rows(part: Any) -> list[Sequence[Any]]:
    columns = [_polars_values(column) for column in part.get_columns()]
    return [*zip(*columns, strict=True)] if columns else []


def _polars_values(column: Any) -> list[Any]:
    """Return the values of a series; those with nanoseconds as text, for Python's times have none."""
    dtype = str(column.dtype)
    if dtype.startswith("Duration") and "'ns'" in dtype:
        return [*map(format_nanoseconds, column.to_physical().to_list())]
    if dtype == "Time" or (dtype.startswith("Datetime") and "'ns'" in dtype):
        return [*map(_drop_zeros, column.cast(sys.modules["polars"].String).to_list())]
    values: list[Any] = widen_floats(column.to_list(), dtype)
    return values


def _drop_zeros(time: str | None) -> str | None:
    return time and time.replace(".000000000", "", 1)


def _read_polars_series(series: Any) -> _FrameEnds:
    rows = len(series)
    head, tail = series.head(MAX_ROWS // 2), series.tail(min(MAX_ROWS // 2, max(0, rows - MAX_ROWS // 2)))
    ends = ([(value,) for value in _polars_values(part)] for part in (head, tail))
    return _FrameEnds("Series", rows, 1, (), [series.name or "value"], [str(series.dtype)], *ends)


def _read_arrow(table: Any) -> _FrameEnds:
    rows, columns = table.shape
    part = table if columns <= MAX_COLUMNS else table.select(_select_ends(columns, MAX_COLUMNS))
    half, types = MAX_ROWS // 2, [str(field.type) for field in part.schema]
    ends = (_arrow_rows(end) for end in (part.slice(0, half), part.slice(max(half, rows - half))))
    return _FrameEnds("Table", rows, columns, (), part.column_names, types, *ends)


def _arrow_values(column: Any) -> list[Any]:
    dtype = str(column.type)
    if dtype == "duration[ns]":
        return [*map(format_nanoseconds, column.cast("int64").to_pylist())]
    if dtype.startswith(("timestamp[ns", "time64[ns")):
        return [*map(_drop_zeros, column.cast("string").to_pylist())]
    values: list[Any] = widen_floats(column.to_pylist(), dtype)
    return values


def parquet_part(file: Any) -> PromptPart:
    """Convert a `pyarrow.parquet.ParquetFile`; its first and last groups of rows are read, and the columns sent."""
    rows, schema = file.metadata.num_rows, file.schema_arrow
    shown = [schema.names[at] for at in _select_ends(len(schema.names), MAX_COLUMNS)]
    half = MAX_ROWS // 2
    count = file.metadata.num_row_groups
    first = [file.read_row_group(0, columns=shown)] if count else []
    last = first if count < 2 else [file.read_row_group(count - 1, columns=shown)]
    head = [row for group in first for row in _arrow_rows(group.slice(0, half))]
    left = min(half, max(0, rows - len(head)))
    tail = [row for group in last for row in _arrow_rows(group.slice(max(0, len(group) - left)))] if left else []
    types = [str(schema.field(name).type) for name in shown]
    return _format_frame(_FrameEnds("Parquet table", rows, len(schema.names), (), shown, types, head, tail))


def _arrow_rows(table: Any) -> list[Sequence[Any]]:
    return [*zip(*map(_arrow_values, table.columns), strict=True)]


_READERS: dict[str, Callable[[Any], _FrameEnds]] = {
    "pandas.DataFrame": _read_pandas,
    "pandas.Series": _read_pandas_series,
    "pandas.Index": _read_pandas_index,
    "pandas.api.extensions.ExtensionArray": _read_pandas_array,
    "polars.DataFrame": _read_polars,
    "polars.Series": _read_polars_series,
    "pyarrow.Table": _read_arrow,
    "pyarrow.RecordBatch": _read_arrow,
}


def _format_frame(frame: _FrameEnds) -> PromptPart:
    gap = len(frame.index) + MAX_COLUMNS // 2 if frame.columns > MAX_COLUMNS else None
    raw = [[_format_value(value) for value in row] for row in (*frame.head, *frame.tail)]
    lines = [_format_line(row, gap) for row in raw]
    head, tail = _limit_lines(lines[: len(frame.head)], lines[len(frame.head) :])
    shown = len(head) + len(tail)
    cut_rows, cut_columns = shown < frame.rows, gap is not None
    middle = [_format_line([_GAP] * (len(frame.index) + len(frame.labels)), gap)] if cut_rows else []
    names = [*frame.index, *frame.labels]
    table = (
        [_format_line(names, gap), _format_line(["---"] * len(names), gap, "---"), *head, *middle, *tail]
        if names
        else []
    )
    notes = (
        (
            _(
                "only {shown:,} of {rows:,} rows were sent (first {n} and last {n2})",
                shown=shown,
                rows=frame.rows,
                n=len(head),
                n2=len(tail),
            ),
            cut_rows,
        ),
        (
            _("only {max_columns} of {columns:,} columns were sent", max_columns=MAX_COLUMNS, columns=frame.columns),
            cut_columns,
        ),
        (_("long cells were shortened"), any(len(text) > MAX_CELL_LENGTH for row in raw for text in row)),
    )
    size = f"{_count(frame.rows, 'row')} × {_count(frame.columns, 'column')}"
    ends = [f"first {len(head)} and last {len(tail)} rows"] if cut_rows else []
    ends += [f"first and last {MAX_COLUMNS // 2} columns"] if cut_columns else []
    about = f"{frame.kind}, {size}" + (f", of which the {', the '.join(ends)}" if ends else "")
    dtypes = ", ".join(
        f"{_format_cell(name)}: {_format_cell(kind)}" for name, kind in zip(frame.labels, frame.dtypes, strict=True)
    )
    across = [f"columns: {_format_cell(frame.across)}"] if frame.across else []
    text = "\n".join([about, *across, f"dtypes: {dtypes or 'none'}", "", *table])
    return PromptPart(text.rstrip(), notes=tuple(note for note, holds in notes if holds))


def _limit_lines(head: list[str], tail: list[str]) -> tuple[list[str], list[str]]:
    """Halve the first and the last lines until they fit into a table."""
    while sum(map(len, (*head, *tail))) > MAX_LENGTH and len(head) > 1:
        head, tail = head[: len(head) // 2], tail[len(tail) - len(tail) // 2 :]
    return head, tail


def _format_line(cells: Sequence[str], gap: int | None, between: str = _GAP) -> str:
    flat = [_format_cell(cell) for cell in cells]
    return f"| {' | '.join(flat if gap is None else [*flat[:gap], between, *flat[gap:]])} |"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _format_value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format_float(value)
    if type(value) is int:
        return format_int(value)
    if isinstance(value, list | tuple | dict | set | bytes) or is_instance_of(value, "numpy.ndarray"):
        return format_briefly(value, MAX_CELL_LENGTH)
    return without_run_details(str(value))


def _format_cell(text: str) -> str:
    """Return `text` as a cell: on one line, shortened."""
    short = text if len(text) <= MAX_CELL_LENGTH else truncate(text, MAX_CELL_LENGTH - 1) + "…"
    return "\\n".join(short.splitlines()).replace("|", "\\|")
