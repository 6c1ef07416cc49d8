"""Small tables, readable in a notebook and in a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from itertools import compress

from ..security.control_characters import printable
from .escaping import escaped, right_to_left

_GAP = 2
_LEGIBLE = 8
"""Columns of a terminal that each column of the table may keep, however narrow the terminal is."""


class Table:
    """Rows under headings; a front end picks the form it shows. A column that says nothing is not shown.

    Args:
        headings: one text a column.
        rows: the cells, converted to text.
        caption: a line above the table.
    """

    def __init__(self, headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> None:
        self.headings = list(headings)
        self.rows = [[re.sub(r"[\n\t]", " ", printable(str(cell))) for cell in row] for row in rows]
        self.caption = printable(caption)

    def __repr__(self) -> str:
        headings, rows = self._shown()
        widths = [max(map(_width, column)) for column in zip(headings, *rows, strict=True)]
        if sys.stdout.isatty():  # elsewhere, a saved notebook for one, the text is the same on every machine
            widths = _narrowed(widths, headings)
        rule = _line(["-" * w for w in widths], widths)
        lines = [*_lines(headings, widths), rule, *(line for row in rows for line in _lines(row, widths))]
        return "\n".join([*([self.caption] if self.caption else []), *lines])

    def _repr_html_(self) -> str:
        headings, rows = self._shown()
        head = "".join(_html("th", h) for h in headings)
        body = "".join("<tr>" + "".join(_html("td", c) for c in row) + "</tr>" for row in rows)
        caption = f"<div>{escaped(self.caption)}</div>" if self.caption else ""
        return f"{caption}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _shown(self) -> tuple[list[str], list[list[str]]]:
        """The headings and rows without the columns that are empty in every row."""
        used = [any(column) for column in zip(*self.rows, strict=True)]
        if not any(used):
            return self.headings, self.rows
        headings, *rows = (list(compress(row, used)) for row in (self.headings, *self.rows))
        return headings, rows


def _html(tag: str, text: str) -> str:
    direction = ' dir="auto"' if right_to_left(text) else ""
    return f'<{tag}{direction} style="text-align: left">{escaped(text)}</{tag}>'


def _narrowed(widths: Sequence[int], headings: Sequence[str]) -> list[int]:
    """Make the widest columns narrower, all to the same width, until the terminal holds the table.

    No column becomes narrower than its heading.
    """
    from .terminal.screen import columns_of  # noqa: PLC0415  # see _width

    excess = sum(widths) + _GAP * (len(widths) - 1) - columns_of(sys.stdout)
    least = [min(w, max(_width(h), _LEGIBLE)) for w, h in zip(widths, headings, strict=True)]
    narrowed = list(widths)
    for _ in range(excess):
        spare = [w if w > least[i] else 0 for i, w in enumerate(narrowed)]
        if not any(spare):
            break
        narrowed[spare.index(max(spare))] -= 1
    return narrowed


def _lines(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """One row of the table, in as many lines as its longest cell takes."""
    columns = [_wrapped(text, w) for text, w in zip(cells, widths, strict=True)]
    count = max(map(len, columns))
    return [_line([c[i] if i < len(c) else "" for c in columns], widths) for i in range(count)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * _GAP).join(c + " " * (w - _width(c)) for c, w in zip(cells, widths, strict=True)).rstrip()


def _wrapped(text: str, limit: int) -> list[str]:
    """Break `text` into lines of at most `limit` columns: between words, and a longer word anywhere."""
    lines = []
    while _width(text) > limit:
        fits = next((i for i in range(min(len(text), 4 * limit), 1, -1) if _width(text[:i]) <= limit), 1)
        at = text.rfind(" ", 1, fits + 1)
        at = fits if at < 0 else at
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]


def _width(text: str) -> int:
    from .terminal.screen import width  # noqa: PLC0415  # the first table needs it, and %load_ext does not

    return width(text)
