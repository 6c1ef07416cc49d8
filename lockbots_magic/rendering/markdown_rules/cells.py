"""Cells of a row of a table, by the bars between them. Pure."""

from __future__ import annotations

import re

BAR = re.compile(r"(?<!\\)\|")
"""A bar that ends a cell."""


def count_cells(row: str) -> int:
    """Return the number of cells of a row."""
    inner = row.strip()
    return len(BAR.findall(inner)) + 1 - inner.startswith("|") - (inner.endswith("|") and not inner.endswith("\\|"))
