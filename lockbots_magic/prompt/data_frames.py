"""Parts of a prompt from data frames and series of pandas and Polars: Markdown tables of their ends.

Only the rows and columns that are sent are read: a million rows take no longer than forty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .containers import format_briefly
from .part import PromptPart, is_instance_of
from .text import truncate

MAX_ROWS = 40
"""Rows of a table: half from its beginning, half from its end."""
MAX_COLUMNS = 20
"""Columns of a table: half from its beginning, half from its end."""
MAX_CELL_LENGTH = 80
"""Characters of a cell."""
MAX_LENGTH = 20_000
"""Characters of a table: wide ones have fewer rows."""
DIGITS = 10
"""Significant digits of a float."""

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


def frame_part(value: Any) -> PromptPart | None:
    """Convert a data frame or series of pandas or Polars; return None for other values."""
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
    labels = [" / ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in head.columns]
    ends = (_read_rows(part, len(index)) for part in (head, tail))
    return _FrameEnds("DataFrame", rows, columns, index, labels, [*map(str, head.dtypes)], *ends)


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
    cells = [*part.itertuples(index=False, name=None)] if len(part.columns) else [()] * len(part)
    if not levels:
        return cells
    # Level by level: `MultiIndex.tolist` would build every value of the whole index.
    keys = zip(*(part.index.get_level_values(level).tolist() for level in range(levels)), strict=True)
    return [(*key, *row) for key, row in zip(keys, cells, strict=True)]


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
    return _FrameEnds("DataFrame", rows, columns, (), part.columns, [*map(str, part.dtypes)], head.rows(), tail.rows())


def _read_polars_series(series: Any) -> _FrameEnds:
    rows = len(series)
    head, tail = series.head(MAX_ROWS // 2), series.tail(min(MAX_ROWS // 2, max(0, rows - MAX_ROWS // 2)))
    ends = ([(value,) for value in part.to_list()] for part in (head, tail))
    return _FrameEnds("Series", rows, 1, (), [series.name or "value"], [str(series.dtype)], *ends)


_READERS: dict[str, Callable[[Any], _FrameEnds]] = {
    "pandas.DataFrame": _read_pandas,
    "pandas.Series": _read_pandas_series,
    "polars.DataFrame": _read_polars,
    "polars.Series": _read_polars_series,
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
        (f"only {shown:,} of {frame.rows:,} rows were sent (first {len(head)} and last {len(tail)})", cut_rows),
        (f"only {MAX_COLUMNS} of {frame.columns:,} columns were sent", cut_columns),
        ("long cells were shortened", any(len(text) > MAX_CELL_LENGTH for row in raw for text in row)),
    )
    size = f"{_count(frame.rows, 'row')} × {_count(frame.columns, 'column')}"
    ends = [f"first {len(head)} and last {len(tail)} rows"] if cut_rows else []
    ends += [f"first and last {MAX_COLUMNS // 2} columns"] if cut_columns else []
    about = f"{frame.kind}, {size}" + (f", of which the {', the '.join(ends)}" if ends else "")
    dtypes = ", ".join(
        f"{_format_cell(name)}: {_format_cell(kind)}" for name, kind in zip(frame.labels, frame.dtypes, strict=True)
    )
    text = "\n".join([about, f"dtypes: {dtypes or 'none'}", "", *table])
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
        return "NaN" if math.isnan(value) else f"{value:.{DIGITS}g}"
    if isinstance(value, list | tuple | dict | set | bytes) or is_instance_of(value, "numpy.ndarray"):
        return format_briefly(value, MAX_CELL_LENGTH)
    return str(value)


def _format_cell(text: str) -> str:
    """Return `text` as a cell: on one line, shortened."""
    short = text if len(text) <= MAX_CELL_LENGTH else truncate(text, MAX_CELL_LENGTH - 1) + "…"
    return "\\n".join(short.splitlines()).replace("|", "\\|")
