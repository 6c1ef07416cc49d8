"""Sheets of Excel workbooks as Markdown tables, read row by row by openpyxl."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
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

    A formula stands for itself where the file has no value of it: only Excel writes that, no library does.

    Args:
        openpyxl: The library.
        path: The workbook.
        selection: Names of sheets, separated by commas; `""` for all.
        most: Characters of a sheet, about.

    Raises:
        UsageError: There is no such sheet; the message lists the sheets.
    """
    with (
        closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book,
        closing(openpyxl.load_workbook(path, read_only=True)) as written,
    ):
        for name in _choose(selection, book.sheetnames):
            sheet = book[name]
            if hasattr(sheet, "iter_rows"):  # else it holds nothing but a chart
                text, notes = _read_sheet(sheet, written[name], most)
            else:
                text, notes = "", [_("a chart was left out")]
            if sheet.sheet_state != "visible" and not selection:
                notes.append(_("it is hidden in Excel, and was sent as all sheets are"))
            yield to_one_line(name), text, tuple(notes)


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


def _read_sheet(sheet: Any, written: Any, most: int) -> tuple[str, list[str]]:
    """Return the table of a sheet, and notes.

    Args:
        sheet: The values.
        written: The same sheet with formulas.
        most: Characters, about.
    """
    for one in (sheet, written):
        one.reset_dimensions()  # some programs write wrong ones
    rows: list[list[str]] = []
    notes: list[str] = []
    length = without_value = 0
    both = zip(sheet.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=True)
    for values, formulas in both:
        cells = [_format_cell(value) for value in values[:MAX_COLUMNS]]
        for at, formula in enumerate(formulas[: len(cells)]):
            if values[at] is None and formula is not None:
                cells[at] = str(getattr(formula, "text", formula))  # that of an array is an object
                without_value += 1
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
    if without_value:
        notes.append(_("formulas were sent where the file has no values of them; save it in Excel to have these"))
    return markdown_table(rows), notes


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
