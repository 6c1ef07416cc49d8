"""The row of a terminal that is being written: words wrap, and a style may change until the row is full.

Text is shown at once, the beginnings of words too. What turns out to belong elsewhere, or to look otherwise, is gone
back to and written again, but only within the row: those above stay as they are, as they may have scrolled away.
Everything depends on the characters alone, so it makes no difference in which pieces they come.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO
from unicodedata import category

from wcwidth import wcswidth, wcwidth

PLAIN = 0
BOLD, DIM, ITALIC, UNDERLINE, RED, GREEN, MAGENTA, CYAN = (1 << bit for bit in range(8))
ANY = (1 << 8) - 1
"""Styles are bits, so that they add up."""

_CODES = {BOLD: 1, DIM: 2, ITALIC: 3, UNDERLINE: 4, RED: 31, GREEN: 32, MAGENTA: 35, CYAN: 36}
_RESET = "\033[0m"
_USUAL_WIDTH = 80
_CLUSTER = 16  # characters that may form one sign: a family of emoji has eleven
_TAB = 8
_JOINER = "\u200d"


def width(text: str) -> int:
    """Return how many columns of a terminal `text` takes; it holds no control characters."""
    return wcswidth(text)


def columns_of(stream: TextIO) -> int:
    """Return how wide the terminal behind `stream` is now, in columns."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    except (AttributeError, OSError, ValueError):  # no file, or no terminal behind it
        return _USUAL_WIDTH


class Screen:
    """Writes lines to a terminal.

    Args:
        stream: the terminal.
        styled: whether styles show.
    """

    def __init__(self, stream: TextIO, styled: bool) -> None:
        self._stream = stream
        self._visible = ANY if styled else PLAIN  # styles that show
        self._output: list[str] = []
        self._begin_line()

    def _begin_line(self) -> None:
        self.wraps = True  # words wrap; where they don't, the terminal breaks the line at its edge
        self.position = 0  # how many characters the line has so far
        self.rows = 1  # and how many rows
        self._hang = 0
        self._begin_row()

    def _begin_row(self, indent: int = 0) -> None:
        self._width = columns_of(self._stream)
        self._chars: list[str] = []
        self._styles: list[int] = []
        self._columns = [0]  # where each character begins, and where the next one will
        self._painted: list[tuple[str, int]] = []
        self._painted_to = 0
        self._lead = indent if indent <= self._width // 2 else 0  # characters behind which no word wraps
        for _ in range(self._lead):
            self._append(" ", PLAIN)
        self._first = self.position - self._lead  # where in the line the row begins, as if indented there too

    def hang(self, position: int) -> None:
        """Indent further rows as far as `position`, where the text of a list item or a quotation begins."""
        if self.rows == 1:
            self._lead = position
            self._hang = self._columns[position]

    def put(self, char: str, style: int) -> None:
        """Add a character to the line: one that is no control character, or a tab."""
        if not self._chars:
            self._width = columns_of(self._stream)  # the window may have been resized; a row keeps its width
        if char == "\t" and self._columns[-1] + self._step(char) >= self._width:
            char = " "  # terminals disagree on tabs at the edge
        while self._chars and self._columns[-1] + self._step(char) > self._width:
            if self.wraps and _is_space(char):
                char = ""  # it hangs over the edge, unseen
            else:
                self._turn(char)
        self._append(char, style)
        self.position += 1

    def restyle(self, start: int, add: int = PLAIN, remove: int = PLAIN) -> None:
        """Change the style from position `start` of the line on, as far as it is in this row."""
        for i in range(max(start - self._first, 0), len(self._styles)):
            self._styles[i] = (self._styles[i] & ~remove | add) & self._visible

    def end_line(self) -> None:
        """Go to the next line."""
        self._update()
        self.leave_line()

    def leave_line(self) -> None:
        """Go to the next line from wherever the cursor is, and change nothing any more."""
        self._output.append("\n")
        self._begin_line()

    def paint(self) -> None:
        """Show what has changed, in one step."""
        self._update()
        self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        output = "".join(self._output)
        self._output.clear()  # first: an interrupt must not have it written twice
        if output:
            self._stream.write(output)
            self._stream.flush()

    def reset(self) -> None:
        """Leave the terminal without a style, even if a write was interrupted."""
        self._stream.write(_RESET if self._visible else "")
        self._stream.flush()

    def _append(self, char: str, style: int) -> None:
        self._columns.append(self._columns[-1] + self._step(char))
        self._chars.append(char)
        self._styles.append(style & self._visible)

    def _step(self, char: str) -> int:
        """By how many columns `char` would move the cursor."""
        if char == "\t":
            return _TAB - self._columns[-1] % _TAB
        if char.isascii():
            return len(char)
        before = "".join(self._chars[-_CLUSTER:]).rpartition("\t")[2]
        return max(wcswidth(before + char) - wcswidth(before), 0)

    def _turn(self, char: str) -> None:
        """Go on in the next row, as `char` does not fit."""
        at = self._break_before(char) if self.wraps else None
        moved = list(zip(self._chars, self._styles, strict=True))[at:] if at else []
        if at:
            del self._chars[at:], self._styles[at:], self._columns[at + 1 :]
        self._update()
        self.position -= len(moved)
        self.rows += 1
        if at:
            self._output.append("\n")
            self._begin_row(self._hang)
        else:
            self._begin_row()
        for cell in moved:
            self.put(*cell)

    def _break_before(self, char: str) -> int | None:
        """Where the row may end: at the last word, if it is not the only one."""
        chars = [*self._chars, char]
        return next((i for i in range(len(chars) - 1, self._lead, -1) if _may_part(chars[i - 1], chars[i])), None)

    def _update(self) -> None:
        """Make the row on the screen what it is to be, from the first difference on."""
        cells = list(zip(self._chars, self._styles, strict=True))
        pairs = enumerate(zip(cells, self._painted, strict=False))
        same = next((i for i, (new, old) in pairs if new != old), min(len(cells), len(self._painted)))
        if same < len(self._painted):
            while 0 < same < len(cells) and (wcwidth(cells[same][0]) == 0 or cells[same - 1][0] == _JOINER):
                same -= 1  # an accent is written anew with its letter
            self._output.append(self._back_to(self._columns[same]) + "\033[K")
        self._output.append(_with_styles(cells[same:]))
        self._painted, self._painted_to = cells, self._columns[-1]

    def _back_to(self, column: int) -> str:
        """Move the cursor. Backwards, as the row may have begun behind a prompt or an emoji of unsure width."""
        if self._painted_to < self._width:
            return f"\033[{self._painted_to - column}D" if self._painted_to > column else ""
        # In a full row, terminals disagree on where the cursor is, but not on where it begins.
        return "\r" + (f"\033[{column}C" if column else "")


def _with_styles(cells: Iterable[tuple[str, int]]) -> str:
    out, current = [], PLAIN
    for char, style in cells:
        if style != current:
            codes = [code for bit, code in _CODES.items() if style & bit]
            out.append("\033[" + ";".join(map(str, [0, *codes])) + "m")
            current = style
        out.append(char)
    return "".join(out) + (_RESET if current else "")


def _is_space(char: str) -> bool:
    """Whether a row may end here: no-break spaces hold together what they part."""
    return char in ("", "\u200b") or (char.isspace() and char not in "\u00a0\u2007\u202f")


def _may_part(before: str, after: str) -> bool:
    """Whether a row may end between two characters: behind a space, and between the signs of East Asian scripts."""
    if _is_space(before):
        return True
    if wcwidth(after) == 0 or before == _JOINER or 2 not in (wcwidth(before), wcwidth(after)):
        return False
    return category(after) not in ("Pe", "Pf", "Po") and category(before) not in ("Ps", "Pi")
