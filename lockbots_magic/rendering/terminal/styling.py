"""Markdown in a terminal: it stays as it was typed, and its marks say how it looks.

A mark counts as soon as it can be one, so that a bold sentence is bold from its first word on. One that was not closed
by the end of its line was none: the style is taken back as far as the row in which the line ends.
"""

from __future__ import annotations

import re

from .code import Code
from .screen import ANY, BOLD, CYAN, DIM, ITALIC, PLAIN, UNDERLINE, Screen

_LEAD = re.compile(r"[ \t]*(?P<quote>(?:> ?)*)[ \t]*(?:(?P<item>[-*+]|\d{1,9}[.)])[ \t]+|(?P<heading>#{1,6})[ \t]+)?")
_UNDECIDED = re.compile(r"[ \t]*(?:> ?)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)]?|#{1,6})[ \t]*)?")
_LONGEST_LEAD = 80
_INDENTED_CODE = re.compile(r" {4}| {0,3}\t")
_FENCE = re.compile(r"[ \t]*(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)")


class StyledMarkdown:
    """Puts Markdown on a screen, one character after the other.

    Args:
        screen: where to.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._fence = ""  # the marks that opened the block of code
        self._code = Code("")
        self._in_list = False
        self._after_text = False  # whether the line before is one that a paragraph goes on from
        self._begin_line()

    def _begin_line(self) -> None:
        self._line: list[str] = []
        self._inline = Inline(self._screen)
        self._verbatim = self._led = bool(self._fence)  # led: it is known what begins the line
        self._style = self._code.style if self._fence else PLAIN
        self._text_at = 0
        self._screen.wraps = not self._fence

    def write(self, text: str) -> None:
        """Add `text`, in which nothing steers a terminal, and show it."""
        for char in text:
            if char == "\n":
                self._end_line()
            else:
                self._put(char)
        self._screen.paint()

    def remark(self, text: str) -> None:
        """Show a line that is not part of the Markdown."""
        self.end()
        self._screen.wraps = True
        for char in text:
            self._screen.put(char, DIM)
        self._screen.end_line()
        self._screen.flush()
        self._begin_line()

    def end(self, *, as_is: bool = False) -> None:
        """End the line if one has begun.

        Args:
            as_is: repair nothing: what was typed meanwhile, such as ^C, has moved the cursor.
        """
        if self._line and as_is:
            self._screen.leave_line()
            self._begin_line()
        elif self._line:
            self._end_line()
        self._screen.flush()

    def close(self) -> None:
        """Leave no style behind."""
        self._screen.reset()

    def _put(self, char: str) -> None:
        self._line.append(char)
        if self._verbatim:
            self._screen.put(char, self._style)
        else:
            self._inline.put(char, self._style)
        if not self._led:
            self._take_lead("".join(self._line))

    def _take_lead(self, line: str) -> None:
        """Find out what kind of line this is, once its text begins."""
        lead = _LEAD.match(line)
        self._led = len(line) >= _LONGEST_LEAD or not _UNDECIDED.fullmatch(line)
        if lead is None or not self._led:
            return
        self._in_list = bool(lead["item"]) or (self._in_list and line[0].isspace())
        if _INDENTED_CODE.match(line) and not self._in_list and not self._after_text:
            self._verbatim, self._style = True, CYAN
        else:
            self._style = BOLD if lead["heading"] else DIM if lead["quote"] else PLAIN
        self._screen.wraps = not (self._verbatim or line.startswith("|", lead.end()))  # "|": a row of a table
        self._screen.hang(lead.end())
        self._screen.restyle(0, add=self._style)
        self._text_at = lead.end() if lead["item"] else 0

    def _end_line(self) -> None:
        line = "".join(self._line)
        fence = _FENCE.fullmatch(line[self._text_at :])
        if self._fence:
            self._end_code(line, fence)
        elif fence and not self._verbatim:
            self._fence, self._code = fence["marks"], Code((fence["info"].split() or [""])[0])
            self._screen.restyle(0, add=CYAN, remove=ANY)
        elif not self._verbatim:
            self._inline.end(self._style)
        self._after_text = bool(line.strip()) and not self._verbatim
        self._screen.end_line()
        self._begin_line()

    def _end_code(self, line: str, fence: re.Match[str] | None) -> None:
        if fence and fence["marks"].startswith(self._fence) and not fence["info"].strip():
            self._fence = ""
            self._screen.restyle(0, add=CYAN, remove=ANY)
            return
        colours = self._code.colours(line)
        if self._screen.rows == 1:  # of a longer line, the rows above can't be coloured any more
            for start, style in colours:
                self._screen.restyle(start, add=style, remove=ANY)


_EMPHASIS = {"*": ITALIC, "_": ITALIC, "**": BOLD, "__": BOLD}
_RUNS = {1: (1,), 2: (2,), 3: (2, 1)}
"""Three marks in a row are two marks."""
_OPENS_NOTHING = frozenset(".,;:!?/)]}")
"""What an emphasis does not begin with: `*.py`, `**/*`."""
_ADDRESS = re.compile(r"https?://\Z")
_BEHIND_ADDRESS = frozenset("\"'`*<>()[]|")
_NOT_AT_ITS_END = ".,;:!?"


class Inline:
    """The emphasis, code and addresses of one line."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._style = PLAIN
        self._open: dict[str, int] = {}  # marks, and where they are
        self._ticks = ""  # the marks of code that is open
        self._address = False
        self._marks = ""  # the last characters, while they may become a mark
        self._before = ""  # what stands before them
        self._recent = ""

    def put(self, char: str, style: int) -> None:
        """Add a character to a line in `style`."""
        if self._marks and char != self._marks[0]:
            self._take_marks(char)
        if self._address and (char.isspace() or char in _BEHIND_ADDRESS):
            self._end_address()
        if self._may_mark(char):
            if not self._marks:
                self._before = self._recent[-1:]
            self._marks += char
        self._screen.put(char, style | self._style)
        self._recent = (self._recent + char)[-8:]
        if char == "/" and not self._ticks:
            self._begin_address()

    def end(self, style: int) -> None:
        """End the line, whose style is `style`: what is open now was no mark."""
        self._take_marks("\n")
        self._end_address()
        for marks, start in self._open.items():
            self._screen.restyle(start, remove=_style_of(marks) & ~style)

    def _may_mark(self, char: str) -> bool:
        if char == "`" or self._ticks:
            return char == "`" and (bool(self._ticks) or self._recent[-1:] != "\\")
        return char in ("*", "_") and not self._address and self._recent[-1:] != "\\"

    def _take_marks(self, after: str) -> None:
        """See what the marks mean, now that it is known what comes after them."""
        marks, self._marks = self._marks, ""
        if marks == self._ticks:
            self._open.pop(marks, None)
            self._ticks = ""
        elif "`" in marks and not self._ticks:
            self._ticks = marks
            self._begin(marks, marks)
        elif not self._ticks:
            for count in _RUNS.get(len(marks), ()):
                self._emphasise(marks[0] * count, marks, after)
        self._restyle()

    def _emphasise(self, mark: str, marks: str, after: str) -> None:
        before, within_words = self._before, mark[0] == "*"  # snake_case is one word
        if mark in self._open:
            if not before.isspace() and (within_words or not after.isalnum()):
                self._screen.restyle(self._open.pop(mark), add=_EMPHASIS[mark])
        elif not (after.isspace() or after in _OPENS_NOTHING or _is_word(before, within_words)):
            self._begin(mark, marks)

    def _begin(self, mark: str, marks: str) -> None:
        self._open[mark] = self._screen.position - len(marks)
        if self._counts(mark):
            self._screen.restyle(self._open[mark], add=_style_of(mark))

    def _begin_address(self) -> None:
        if found := _ADDRESS.search(self._recent):
            self._address = True
            self._screen.restyle(self._screen.position - len(found[0]), add=UNDERLINE)
            self._restyle()

    def _end_address(self) -> None:
        if self._address:
            behind = len(self._recent) - len(self._recent.rstrip(_NOT_AT_ITS_END))
            self._screen.restyle(self._screen.position - behind, remove=UNDERLINE)
            self._address = False
            self._restyle()

    def _restyle(self) -> None:
        self._style = UNDERLINE if self._address else PLAIN
        for mark in filter(self._counts, self._open):
            self._style |= _style_of(mark)

    def _counts(self, mark: str) -> bool:
        """Whether an open mark is taken at its word. A lone `*` amid a line may be a mere star: it has to be closed."""
        return len(mark) > 1 or mark == "`" or self._open[mark] == 0


def _style_of(marks: str) -> int:
    return _EMPHASIS.get(marks, CYAN)


def _is_word(char: str, latin: bool) -> bool:
    """Whether `char` is a letter or a digit. Scripts without spaces have `**` between their letters."""
    return char.isalnum() and (char.isascii() or not latin)
