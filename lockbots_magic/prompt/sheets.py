"""Sheets of Excel workbooks as Markdown tables, read row by row by openpyxl."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..language import _
from .markdown_table import markdown_table
from .numbers import format_float, format_int
from .text import to_one_line

MAX_COLUMNS = 200
"""Columns of a sheet."""


def read_sheets(openpyxl: Any, path: Path, selection: str, most: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the name, the table and the notes of each sheet: the values that Excel showed last, not the formulas.

    Args:
        openpyxl: The library.
        path: The workbook.
        selection: Names of sheets, separated by commas; `""` for all.
        most: Characters of a sheet, about.

    Raises:
        UsageError: There is no such sheet; the message lists the sheets.
    """
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for name in _choose(selection, book.sheetnames):
            sheet = book[name]
            if hasattr(sheet, "iter_rows"):  # else it holds nothing but a chart
                yield (to_one_line(name), *_read_sheet(sheet, most))
            else:
                yield to_one_line(name), "", (_("a chart was left out"),)
    finally:
        book.close()


def _choose(selection: str, names: list[str]) -> list[str]:
    if not selection or selection in names:
        return [selection] if selection else names
    chosen = [part.strip() for part in selection.split(",")]
    known = {name.casefold(): name for name in names}
    for name in chosen:
        if name.casefold() not in known:
            listed = to_one_line(", ".join(names), 300)
            raise UsageError(
                _("There is no sheet {name!r}. Sheets: {listed}.", name=to_one_line(name, 40), listed=listed)
            )
    return [known[name.casefold()] for name in chosen]


def _read_sheet(sheet: Any, most: int) -> tuple[str, tuple[str, ...]]:
    sheet.reset_dimensions()  # some programs write wrong ones
    rows: list[list[str]] = []
    notes: list[str] = []
    length = 0
    for values in sheet.iter_rows(values_only=True):
        cells = [_format_cell(value) for value in values[:MAX_COLUMNS]]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if length > most:
            notes.append(_("only its first {n:,} rows were sent", n=len(rows)))
            break
        if len(values) > MAX_COLUMNS and not notes:
            notes.append(_("only its first {max_columns} columns were sent", max_columns=MAX_COLUMNS))
        rows.append(cells)
        length += sum(map(len, cells)) + 3 * len(cells)
    return markdown_table(rows), tuple(notes)


def _format_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return format_float(value)
    if type(value) is int:
        return format_int(value)
    if isinstance(value, datetime) and value.time() == time():
        return str(value.date())
    return str(value)
