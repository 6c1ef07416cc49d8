"""Tables as models write them: with bars in code and formulas, and rows with more cells than the head. Pure.

The extension of GitHub ends a cell at every bar, also within code, and drops the cells that a row has too many; so the
last column of such a row would vanish. Where a row has more cells than the head, the bars in code and formulas are read
as part of them; the cells that are still too many are joined to the last one. It also takes each line behind the rows
for one more: text that follows at once, as models often write it, is no cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table

from .cells import BAR, count_cells
from .formulas import find_formula

_RULE = re.compile(r"[|:-][|: \t-]*")
_RULE_LETTERS = ("|", ":", "-")
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_MAY_SHELTER = re.compile(r"[`$\\]")
"""What a bar that ends no cell stands in."""
_STAND_INS = "\ue000\ue001\ue002\ue003"
"""Characters for private use: one that the text does not hold stands in for a bar that ends no cell."""


def install(parser: MarkdownIt) -> None:
    """Replace the rule for tables."""
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def shelter(row: str, cells: int, stand_in: str, *, is_head: bool = False) -> str:
    """Replace by `stand_in` the bars of a row that end no cell.

    Args:
        row: A row, without its line end.
        cells: Number of cells of the head.
        stand_in: One character that the row does not hold.
        is_head: Whether the row is the head, whose cells are not joined.
    """
    is_too_long = count_cells(row) > cells
    if not is_too_long and not _MAY_SHELTER.search(row):
        return row
    chars = list(row)
    for begin, end in _spans(row):
        is_formula = row[begin] != "`"  # there, a bar behind a backslash is a norm
        for at in range(begin, end):
            if chars[at] == "|" and (is_formula if chars[at - 1] == "\\" else is_too_long):
                chars[at] = stand_in
    kept = "".join(chars)
    surplus = count_cells(kept) - cells
    if is_head or surplus <= 0:
        return kept
    last = len(kept.rstrip()) - 1
    bars = [bar.start() for bar in BAR.finditer(kept) if bar.start() < last]
    for at in bars[len(bars) - surplus :]:
        chars[at] = stand_in
    return "".join(chars)


def _spans(row: str) -> Iterator[tuple[int, int]]:
    """Yield where code and formulas of a row begin and end."""
    at = 0
    while at < len(row):
        end = at + 1
        if row[at] == "`":
            code = _CODE.match(row, at)
            end = code.end() if code else len(row) - len(row[at:].lstrip("`"))
            if code:
                yield at, end
        elif row[at] in "$\\":
            formula = find_formula(row, at)
            if formula > at:
                yield at, formula
            end = max(formula, at + 1 + (row[at] == "\\"))
        at = end


def _table(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Rule: a table, read by the rule of markdown-it once the bars that end no cell are out of its sight."""
    below = state.bMarks[first + 1] + state.tShift[first + 1] if first + 1 < last else -1
    if below < 0 or state.src[below : below + 1] not in _RULE_LETTERS:
        return False  # at once, since this rule is tried at every line
    rule = _line(state, first + 1)
    if not _RULE.fullmatch(rule):
        return False
    head, cells = _line(state, first), count_cells(rule)
    if "|" not in head or not (_MAY_SHELTER.search(head) or count_cells(head) == cells):
        return False
    source = state.src
    end = last if silent else next((n for n in range(first + 2, last) if _ends_table(state, n, cells)), last)
    stand_in = next((char for char in _STAND_INS if char not in source), None)
    if stand_in is None:
        return table(state, first, end, silent)
    pieces, at = [], 0
    if count_cells(shelter(head, cells, stand_in, is_head=True)) != cells:
        return False
    for line in (first, *(() if silent else range(first + 2, end))):
        begin = state.bMarks[line] + state.tShift[line]
        pieces += [source[at:begin], shelter(_line(state, line), cells, stand_in, is_head=line == first)]
        at = state.eMarks[line]
    before = len(state.tokens)
    state.src = "".join(pieces) + source[at:]
    found = table(state, first, end, silent)
    state.src = source
    for token in state.tokens[before:]:
        token.content = token.content.replace(stand_in, "|")
    return found


def _ends_table(state: StateBlock, line: int, cells: int) -> bool:
    """Whether a line is none of a table's rows: empty, or without a bar where a row has several cells."""
    return state.isEmpty(line) or (cells > 1 and "|" not in _line(state, line))


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
