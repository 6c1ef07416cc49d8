"""Small tables, readable in a notebook and in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from unicodedata import east_asian_width

from .terminal import printable


class Table:
    """Rows under headings; a front end picks the form it shows.

    Args:
        headings: one text a column.
        rows: the cells, converted to text.
        caption: a line above the table.
    """

    def __init__(self, headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> None:
        self.headings = list(headings)
        self.rows = [[printable(str(cell)).replace("\n", " ") for cell in row] for row in rows]
        self.caption = printable(caption)

    def __repr__(self) -> str:
        lines = [self.headings, *self.rows]
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        shown = [
            "  ".join(c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in lines
        ]
        rule = "  ".join("-" * w for w in widths)
        return "\n".join([*([self.caption] if self.caption else []), shown[0], rule, *shown[1:]])

    def _repr_html_(self) -> str:
        head = "".join(_cell("th", h) for h in self.headings)
        body = "".join("<tr>" + "".join(_cell("td", c) for c in row) + "</tr>" for row in self.rows)
        caption = f"<div>{escape(self.caption)}</div>" if self.caption else ""
        return f"{caption}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, text: str) -> str:
    # A dollar in a span begins no formula, see rendering.html.
    return f'<{tag} style="text-align: left">{escape(text).replace("$", "<span>$</span>")}</{tag}>'


def width(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
