"""Small tables: HTML in a notebook, text in a terminal and in saved outputs."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import chain, compress
from typing import TextIO

from ..security.control_characters import printable
from ..security.exits import clean_printed
from .console import is_shown_in_terminal
from .escaping import escaped, right_to_left

DEFAULT_WIDTH = 80
"""Columns of a terminal that does not tell its size."""
MIN_WIDTH = 8
"""Columns that a column of the table keeps, however narrow the terminal is."""
GAP = 2
"""Columns between two columns of the table."""
MAX_WIDTH = 100_000
"""Columns where there is no terminal: enough for any table."""
_NUMBER = re.compile(r"~?-?\d[\d,\u00a0\u202f]*(?:\.\d+)?")
"""A number with the separators of any language of the messages: 1,234.5 or 1 234,5 with a no-break space."""


class Table:
    """Rows under headings, in forms that front ends choose from.

    Columns that are empty in every row are left out; those of numbers are right-aligned.

    Args:
        headings: One text a column.
        rows: The cells, converted to text.
        caption: Line above the table.
    """

    def __init__(self, headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> None:
        self.headings = list(headings)
        self.rows = [[re.sub(r"[\n\t]", " ", printable(str(cell))) for cell in row] for row in rows]
        self.caption = printable(caption)

    def __repr__(self) -> str:
        """Return the table as text: as wide as the terminal allows, elsewhere the same on every machine."""
        has_width = sys.stdout.isatty() or is_shown_in_terminal(sys.stdout)
        width = terminal_width(sys.stdout) if has_width else MAX_WIDTH
        caption, headings, rows = self._shown()
        return "\n".join([*([caption] if caption else []), *_lay_out(headings, rows, width)])

    def _repr_html_(self) -> str:
        caption, headings, rows = self._shown()
        sides = ["right" if is_number else "left" for is_number in _are_numbers(headings, rows)]
        head = "".join(_html("th", h, side) for h, side in zip(headings, sides, strict=True))
        lines = ("".join(_html("td", c, side) for c, side in zip(row, sides, strict=True)) for row in rows)
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        above = f"<div>{escaped(caption)}</div>" if caption else ""
        return f"{above}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _shown(self) -> tuple[str, list[str], list[list[str]]]:
        """Return the caption, the headings and the rows, cleaned, without the columns that are empty in every row.

        IPython shows the table itself, so no other exit sees its text. All cells are cleaned at once, before they
        are laid out: a narrow column would part a credential.
        """
        cells = clean_printed("\n".join([*(cell for row in self.rows for cell in row), self.caption])).split("\n")
        remaining = iter(cells)
        rows = [[next(remaining) for _ in row] for row in self.rows]
        caption = "\n".join(remaining)
        used = [any(column) for column in zip(*rows, strict=True)]
        if not any(used):
            return caption, self.headings, rows
        headings, *rows = (list(compress(row, used)) for row in (self.headings, *rows))
        return caption, headings, rows


def terminal_width(stream: TextIO) -> int:
    """Return the columns of the terminal behind `stream`, as they are now."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except (AttributeError, OSError, ValueError):  # no file, or no terminal behind it
        return DEFAULT_WIDTH


def _are_numbers(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """Return which columns hold nothing but numbers."""
    columns = list(zip(*rows, strict=True)) or [()] * len(headings)
    return [any(column) and all(_NUMBER.fullmatch(cell) for cell in column if cell) for column in columns]


def _html(tag: str, text: str, side: str) -> str:
    direction = ' dir="auto"' if right_to_left(text) else ""
    return f'<{tag}{direction} style="text-align: {side}">{escaped(text)}</{tag}>'


def _lay_out(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table; where they would exceed `width`, cells wrap, then headings between words."""
    from rich import table  # imported by the first table, not by %load_ext
    from rich.console import Console
    from rich.rule import Rule
    from rich.text import Text

    numbers = _are_numbers(headings, rows)
    grid = table.Table.grid()
    for column, is_number in zip(_widths(headings, rows, numbers, width), numbers, strict=True):
        grid.add_column(width=column, overflow="fold", justify="right" if is_number else "left")
        # Not padding: Rich 13 and 14 make a last column of fixed width wider by it.
        grid.add_column(width=GAP)
    rule = Rule(characters="-", style="none")
    lines: list[Iterable[Text | Rule]] = [
        map(Text, headings),
        [rule] * len(headings),
        *(map(Text, row) for row in rows),
    ]
    for cells in lines:
        grid.add_row(*chain.from_iterable((cell, None) for cell in cells))
    console = Console(file=io.StringIO(), width=MAX_WIDTH, color_system=None, force_jupyter=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(grid, crop=False)
    return [line.rstrip() for line in captured.get().rstrip("\n").split("\n")]


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool], width: int) -> list[int]:
    """Return the columns that each column of the table takes. Numbers are never broken, and text comes next."""
    from rich.cells import cell_len

    floors, lowest, widths = [], [], []
    columns = list(zip(*rows, strict=True)) or [()] * len(headings)
    for heading, cells, is_number in zip(headings, columns, numbers, strict=True):
        longest = max(map(cell_len, cells), default=0)
        word = max(map(cell_len, heading.split()), default=0)
        whole = max(longest, cell_len(heading))
        floors.append(whole if is_number else min(whole, max(cell_len(heading), MIN_WIDTH)))
        lowest.append(max(longest, word) if is_number else min(floors[-1], max(word, MIN_WIDTH)))
        widths.append(whole)
    gaps = GAP * (len(lowest) - 1)
    if not sum(lowest) + gaps <= width < sum(floors) + gaps:
        return _narrow(widths, floors, width)
    # Only now headings are broken: first those of numbers, which leaves text the room.
    widths = [low if is_number else one for one, low, is_number in zip(widths, lowest, numbers, strict=True)]
    return _narrow(widths, lowest, width)


def _narrow(widths: Sequence[int], floors: Sequence[int], width: int) -> list[int]:
    """Make the widest columns narrower, all to the same width, until the table fits; none below its floor.

    Rich's own way shrinks headings as well, and leaves columns out.
    """
    narrowed = list(widths)
    for _ in range(sum(widths) + GAP * (len(widths) - 1) - width):
        spare = [w if w > floor else 0 for w, floor in zip(narrowed, floors, strict=True)]
        if not any(spare):
            break
        narrowed[spare.index(max(spare))] -= 1
    return narrowed
