"""Markdown tables of rows of text. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table; the first one is its head. Rows without text are left out, short ones are filled up.

    Example:
        >>> print(markdown_table([["a", "b"], ["1|2"]]))
        | a | b |
        | --- | --- |
        | 1\\|2 |  |
    """
    filled = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    if not filled:
        return ""
    width = max(map(len, filled))
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in filled]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])
