"""Text in rows of a terminal: where they end, and the rows of an open block, which are erased once it is rendered."""

from __future__ import annotations

import functools
from unicodedata import category

from rich.cells import get_character_cell_size

_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_NO_BREAK = "\u00a0\u2007\u202f"
_TAB = "    "


@functools.lru_cache(maxsize=4096)
def _width(char: str) -> int:
    """Return the most columns that `char` may take: terminals disagree on sequences of emoji, but none adds to it."""
    return 1 if char == _EMOJI_STYLE else get_character_cell_size(char)


def columns(text: str) -> int:
    """Return the most columns that `text` may take."""
    return len(text) if text.isascii() else sum(map(_width, text))


def break_offsets(text: str, width: int, *, fold: bool) -> list[int]:
    """Find where the rows of one line begin, except the first.

    Args:
        text: A line without control characters.
        width: Columns of a row.
        fold: Whether a word that is longer than a row is broken. If it is not, the terminal breaks it at its edge, and
            it can be copied in one piece.
    """
    if columns(text) <= width:
        return []
    offsets: list[int] = []
    begin = taken = candidate = 0
    for at, char in enumerate(text):
        size = _width(char)
        if at > begin and _may_break(text[at - 1], char):
            candidate = at
        if taken + size > width and not char.isspace() and size and (candidate > begin or (fold and at > begin)):
            begin = candidate if candidate > begin else at
            offsets.append(begin)
            taken = columns(text[begin:at])
        taken += size
    return offsets


def _may_break(before: str, after: str) -> bool:
    """Tell whether a row may end here: behind a space, and between East Asian characters."""
    if before.isspace() and before not in _NO_BREAK:
        return not after.isspace()
    if before == _JOINER or _width(after) == 0 or 2 not in (_width(before), _width(after)):
        return False
    return category(after) not in ("Pe", "Pf", "Po") and category(before) not in ("Ps", "Pi")


class OpenRows:
    """Rows of text that is still growing, on a terminal that may scroll.

    A row is one column narrower than the terminal, so the position of the cursor is certain. Rows that may have
    scrolled away, or that the terminal has wrapped again after a change of its width, are fixed: they are not erased.
    """

    def __init__(self) -> None:
        self._rows = [""]
        self._line_of = [0]  # the line of the text that each row belongs to
        self._shown = [""]  # rows on the screen, from the same one on
        self._fixed = 0  # how many of the first rows stay as they are
        self._left = -1  # the line of the last row that was forgotten, because nothing changes it; -1 for none
        self._width = self._height = 0

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self._rows)

    @property
    def is_fixed(self) -> bool:
        """True if the first row can no longer be erased."""
        return self._fixed > 0 or self._left >= 0

    @property
    def max_count(self) -> int:
        """Number of rows that can be erased; those above may have scrolled away."""
        return max(self._height - 2, 1)

    @property
    def stands_in_row(self) -> bool:
        """True if the cursor is not at the beginning of a row."""
        return bool(self._shown[-1])

    def resize(self, width: int, height: int) -> None:
        """Take the size of the terminal (columns, rows). Call it before text is added."""
        if self._width not in (0, width - 1) and (len(self._shown) > 1 or self._shown[0]):
            self._rows.append("")
            self._line_of.append(self._line_of[-1])
            self._fixed = len(self._rows) - 1
        self._width, self._height = max(width - 1, 1), height

    def add(self, text: str) -> None:
        """Add text without control characters."""
        first, *others = text.replace("\t", _TAB).split("\n")
        self._extend(first)
        for line in others:
            self._rows.append("")
            self._line_of.append(self._line_of[-1] + 1)
            self._extend(line)
        self._fixed = max(self._fixed, len(self._rows) - self.max_count)

    def _extend(self, text: str) -> None:
        row = self._rows[-1] + text
        begins = [0, *break_offsets(row, self._width, fold=True)]
        self._rows[-1:] = [row[a:b] for a, b in zip(begins, [*begins[1:], None], strict=True)]
        self._line_of += [self._line_of[-1]] * (len(begins) - 1)

    def drop(self, lines: int) -> None:
        """Remove the first lines from the growing text; their rows stay on the screen."""
        first = next((i for i, line in enumerate(self._line_of) if line >= lines), len(self._rows))
        self._rows = self._rows[first:] or [""]
        self._line_of = [line - lines for line in self._line_of[first:]] or [0]
        self._shown = self._shown[first:] or [""]
        self._fixed = max(self._fixed - first, 0)
        self._left = max(self._left - lines, -1)

    def restart(self, text: str) -> str:
        """Restart with `text`; return the output that erases the rows on the screen."""
        erasure = self._go_back_to(0)
        self._rows, self._line_of, self._shown, self._fixed, self._left = [""], [0], [""], 0, -1
        self.add(text)
        return erasure

    def update(self) -> str:
        """Return the output that shows the rows."""
        rows = [self._fit(row) for row in self._rows]
        pairs = enumerate(zip(self._shown, rows, strict=False))
        same = next((i for i, (old, new) in pairs if old != new), min(len(self._shown), len(rows)))
        last = len(self._shown) - 1
        if same >= last < len(rows) and rows[last].startswith(self._shown[last]):
            change = "\n".join([rows[last][len(self._shown[last]) :], *rows[last + 1 :]])
        else:
            change = self._go_back_to(same) + "\n".join(rows[same:])
        self._shown = rows
        self._forget(min(self._fixed, len(rows) - 1))
        return change

    def _forget(self, count: int) -> None:
        """Forget the first rows, which have been written and stay: a block without an end has any number of them."""
        if count > 0:
            self._left = self._line_of[count - 1]
            del self._rows[:count], self._line_of[:count], self._shown[:count]
            self._fixed -= count

    def _fit(self, row: str) -> str:
        """Cut spaces off that hang over the edge."""
        return row if columns(row) <= self._width else row.rstrip()

    def _go_back_to(self, row: int) -> str:
        if self._shown == [""]:
            return ""
        up = len(self._shown) - 1 - row
        return "\r" + (f"\033[{up}A" if up > 0 else "") + "\033[J"
