"""Data frames and series, of pandas and of Polars, as Markdown tables of their ends.

Only the rows and columns that are shown are touched: a table of a million rows takes no longer than one of forty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .containers import brief
from .libraries import is_a
from .material import Material
from .text import begun

ROWS = 40
"""Rows of a table, half of them from its end."""
COLUMNS = 20
"""Columns of a table, half of them the last ones."""
LONGEST_CELL = 80
"""Characters of a cell."""
CHARACTERS = 20_000
"""Of a whole table: of wide ones fewer rows are shown."""
DIGITS = 10
"""Of a number with a fraction."""

_GAP = "…"


@dataclass(frozen=True)
class _Frame:
    """The ends of a data frame. Each row begins with its index, as many values as `index` has names."""

    kind: str
    rows: int
    columns: int
    index: Sequence[str]
    labels: Sequence[str]
    dtypes: Sequence[str]
    head: Sequence[Sequence[Any]]
    tail: Sequence[Sequence[Any]]


def frame_material(value: Any) -> Material | None:
    """Return `value` if it is a data frame or a series of pandas or Polars."""
    for kind, read in _READERS.items():
        if is_a(value, kind):
            return _written(read(value))
    return None


def _places(count: int, most: int) -> list[int]:
    """The places of the first and the last of `count`, `most` in all."""
    half = most // 2
    return [*range(count)] if count <= most else [*range(half), *range(count - half, count)]


def _of_pandas(frame: Any) -> _Frame:
    rows, columns = frame.shape
    index = _index(frame.index)
    head, tail = (part.iloc[:, _places(columns, COLUMNS)] for part in _halves(frame))
    labels = [" / ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in head.columns]
    ends = (_rows(part, len(index)) for part in (head, tail))
    return _Frame("DataFrame", rows, columns, index, labels, [*map(str, head.dtypes)], *ends)


def _series_of_pandas(series: Any) -> _Frame:
    index = _index(series.index)
    name = "value" if series.name is None else series.name
    ends = (_rows(part.to_frame(name), len(index)) for part in _halves(series))
    return _Frame("Series", len(series), 1, index, [str(name)], [str(series.dtype)], *ends)


def _halves(value: Any) -> tuple[Any, Any]:
    """The first rows and the last ones."""
    half = ROWS // 2
    return value.iloc[:half], value.iloc[max(half, len(value) - half) :]


def _rows(part: Any, levels: int) -> list[Sequence[Any]]:
    """The rows of a data frame of pandas, behind the `levels` of its index."""
    cells = [*part.itertuples(index=False, name=None)] if len(part.columns) else [()] * len(part)
    if not levels:
        return cells
    # Level by level: a MultiIndex as a whole would write out every value it has.
    keys = zip(*(part.index.get_level_values(level).tolist() for level in range(levels)), strict=True)
    return [(*key, *row) for key, row in zip(keys, cells, strict=True)]


def _index(index: Any) -> Sequence[str]:
    """The names of its levels; none of one that merely counts the rows."""
    if is_a(index, "pandas.RangeIndex") and (index.start, index.step, index.name) == (0, 1, None):
        return ()
    return ["" if name is None else str(name) for name in index.names]


def _of_polars(frame: Any) -> _Frame:
    rows, columns = frame.shape
    shown = _places(columns, COLUMNS)
    part = frame if columns <= COLUMNS else frame[:, shown]
    head, tail = part.head(ROWS // 2), part.tail(min(ROWS // 2, max(0, rows - ROWS // 2)))
    return _Frame("DataFrame", rows, columns, (), part.columns, [*map(str, part.dtypes)], head.rows(), tail.rows())


def _series_of_polars(series: Any) -> _Frame:
    rows = len(series)
    head, tail = series.head(ROWS // 2), series.tail(min(ROWS // 2, max(0, rows - ROWS // 2)))
    ends = ([(value,) for value in part.to_list()] for part in (head, tail))
    return _Frame("Series", rows, 1, (), [series.name or "value"], [str(series.dtype)], *ends)


_READERS: dict[str, Callable[[Any], _Frame]] = {
    "pandas.DataFrame": _of_pandas,
    "pandas.Series": _series_of_pandas,
    "polars.DataFrame": _of_polars,
    "polars.Series": _series_of_polars,
}


def _written(frame: _Frame) -> Material:
    gap = len(frame.index) + COLUMNS // 2 if frame.columns > COLUMNS else None
    raw = [[_plain(value) for value in row] for row in (*frame.head, *frame.tail)]
    lines = [_line(row, gap) for row in raw]
    head, tail = _fitting(lines[: len(frame.head)], lines[len(frame.head) :])
    shown = len(head) + len(tail)
    cut_rows, cut_columns = shown < frame.rows, gap is not None
    middle = [_line([_GAP] * (len(frame.index) + len(frame.labels)), gap)] if cut_rows else []
    names = [*frame.index, *frame.labels]
    table = [_line(names, gap), _line(["---"] * len(names), gap, "---"), *head, *middle, *tail] if names else []
    notes = (
        (f"{shown:,} rows of {frame.rows:,}", cut_rows),
        (f"{COLUMNS} columns of {frame.columns:,}", cut_columns),
        ("long cells are shortened", any(len(text) > LONGEST_CELL for row in raw for text in row)),
    )
    size = f"{_many(frame.rows, 'row')} × {_many(frame.columns, 'column')}"
    ends = [f"first {len(head)} and last {len(tail)} rows"] if cut_rows else []
    ends += [f"first and last {COLUMNS // 2} columns"] if cut_columns else []
    about = f"{frame.kind}, {size}" + (f", of which the {', the '.join(ends)}" if ends else "")
    dtypes = ", ".join(f"{_flat(name)}: {_flat(kind)}" for name, kind in zip(frame.labels, frame.dtypes, strict=True))
    text = "\n".join([about, f"dtypes: {dtypes or 'none'}", "", *table])
    return Material(text.rstrip(), notes=tuple(note for note, holds in notes if holds))


def _fitting(head: list[str], tail: list[str]) -> tuple[list[str], list[str]]:
    """As many of the first and the last lines as a table may hold."""
    while sum(map(len, (*head, *tail))) > CHARACTERS and len(head) > 1:
        head, tail = head[: len(head) // 2], tail[len(tail) - len(tail) // 2 :]
    return head, tail


def _line(cells: Sequence[str], gap: int | None, between: str = _GAP) -> str:
    flat = [_flat(cell) for cell in cells]
    return f"| {' | '.join(flat if gap is None else [*flat[:gap], between, *flat[gap:]])} |"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else f"{value:.{DIGITS}g}"
    if isinstance(value, list | tuple | dict | set | bytes) or is_a(value, "numpy.ndarray"):
        return brief(value, LONGEST_CELL)
    return str(value)


def _flat(text: str) -> str:
    """Return `text` as a cell: of one line, and not too long."""
    short = text if len(text) <= LONGEST_CELL else begun(text, LONGEST_CELL - 1) + "…"
    return "\\n".join(short.splitlines()).replace("|", "\\|")
