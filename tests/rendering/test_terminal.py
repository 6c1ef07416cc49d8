"""Replies in a terminal: a real one, a pseudo-terminal behind which an emulator says what it shows."""

import fcntl
import io
import itertools
import os
import pty
import re
import struct
import termios
from unicodedata import normalize

import pyte
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wcwidth import wcswidth, wcwidth

from lockbots_magic.conversation.messages import Delta
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.security.control_characters import printable

pytestmark = pytest.mark.once

HOSTILE = [
    *("\033[2J", "\033]0;title\007", "\x9b31m", "\x1b]8;;http://x\x1b\\", "a\rb", "\x08\x7f", "\x0e", "\x85"),
    *("\u202eevil\u202c", "\u2066x\u2069", "\U000e0041\U000e007f", "a\u2028b\u2029c"),
]
STEERS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
OURS = re.compile(r"\033\[[\d;]*m|\r?\033\[(\d+[CD]|K)")
LINES = 400


class Screen(pyte.Screen):
    """What pyte gets wrong: a wide character at the edge, and one without a width that is no accent."""

    def draw(self, data):
        for char in data:
            if wcwidth(char) == 0:
                self._join(char)
                continue
            if wcwidth(char) == 2 and self.cursor.x == self.columns - 1:
                self.cursor.x = self.columns
            super().draw(char)

    def _join(self, char):
        line = self.buffer[self.cursor.y]
        x = next((x for x in range(self.cursor.x - 1, -1, -1) if line[x].data), None)
        if x is not None:
            line[x] = line[x]._replace(data=line[x].data + char)

    @property
    def rows(self):
        return [self._text(y) for y in range(max((y for y in self.buffer if self._text(y)), default=0) + 1)]

    @property
    def cells(self):
        """All that is not blank, with how it looks."""
        return {(y, x): c for y, row in self.buffer.items() for x, c in row.items() if c != self.default_char}

    def _text(self, y):
        return "".join(self.buffer[y][x].data for x in range(self.columns)).rstrip()

    def runs(self, **looks):
        """The texts that look so, row by row."""
        found = []
        for y in range(len(self.rows)):
            row = [self.buffer[y][x] for x in range(self.columns)]
            cells = itertools.groupby(row, lambda c: all(getattr(c, name) == value for name, value in looks.items()))
            found += ["".join(c.data for c in run).rstrip() for fits, run in cells if fits]
        return found


class Stream(io.TextIOWrapper):
    """Counts what the terminal is going to make of what is written."""

    count = 0

    def write(self, text):
        self.count += len(text.encode()) + text.count("\n")
        return super().write(text)


class Terminal:
    """A pseudo-terminal with a `TerminalOutput` in it."""

    def __init__(self, width=40):
        self._master, slave = pty.openpty()
        self.resize(width)
        self.stream = Stream(os.fdopen(slave, "wb"), encoding="utf-8")
        self.screen = Screen(width, LINES)
        self._feed = pyte.ByteStream(self.screen).feed
        self.written = b""
        self.output = TerminalOutput(self.stream)

    def resize(self, width):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, width, 0, 0))

    def feed(self, *texts, notice=""):
        for text in texts:
            self.output.feed(Delta(text, notice=notice))
            self._read()

    def echo(self, text):
        """What others write."""
        self.stream.write(text)
        self.stream.flush()
        self._read()

    def finish(self, status="complete", notices=()):
        self.output.close()
        self.output.finish(Turn("q", status=status), notices)
        self._read()
        self.stream.close()
        os.close(self._master)
        return self.screen

    def _read(self):
        while len(self.written) < self.stream.count:
            data = os.read(self._master, 1 << 16)
            self.written += data
            self._feed(data)


@pytest.fixture(autouse=True)
def _a_capable_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def seen(*texts, width=40, **ending):
    terminal = Terminal(width)
    terminal.feed(*texts)
    return terminal.finish(**ending)


def piped(*deltas, notices=()):
    stream = io.StringIO()
    output = TerminalOutput(stream)
    for delta in deltas:
        output.feed(delta)
    output.close()
    output.finish(Turn("q"), notices)
    return stream.getvalue()


# What is no terminal.


def test_text_is_written_as_it_comes_and_ends_its_line():
    assert piped(Delta("a"), Delta("b c")) == "ab c\n"
    assert piped(Delta("a\n")) == "a\n"
    assert piped() == ""


def test_remarks_stand_on_lines_of_their_own():
    deltas = [Delta("a"), Delta(notice="trying\nagain"), Delta("b")]
    assert piped(*deltas, notices=["cut"]) == "a\n[trying again]\nb\n[cut]\n"


def test_nothing_is_styled_or_wrapped_where_there_is_no_terminal():
    text = "# **a** `b`\n" + "word " * 100 + "\n"
    assert piped(Delta(text)) == text


def test_a_dumb_terminal_gets_plain_text(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal()
    terminal.feed("**a** " * 20)
    terminal.finish()
    assert b"\033" not in terminal.written


@pytest.mark.parametrize("pieces", [["a\r\nb"], ["a\r", "\nb"], ["a", "\r", "\n", "b"], ["a\rb"], ["a\u2028b"]])
def test_every_line_end_is_a_newline_wherever_it_is_cut(pieces):
    assert piped(*map(Delta, pieces)) == "a\nb\n"
    assert seen(*pieces).rows == ["a", "b"]


def test_a_character_that_the_stream_cannot_encode_is_replaced():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    output = TerminalOutput(stream)
    output.feed(Delta("é→\ud800"))
    assert stream.buffer.getvalue() == b"\xe9??"


# What steers a terminal.


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_steers_a_terminal_reaches_it(hostile):
    assert not STEERS.search(printable(hostile))
    assert not STEERS.search(piped(Delta(hostile), Delta(notice=hostile), notices=[hostile]))
    terminal = Terminal()
    terminal.feed("before ", hostile, " after")
    terminal.feed("", notice=hostile)
    terminal.finish(notices=[hostile])
    assert not STEERS.search(OURS.sub("", terminal.written.decode()).replace("\r\n", "\n"))


@pytest.mark.parametrize("text", ["a\tb\nпривет 😀", "👩\u200d💻 ⚠\ufe0f", "می\u200cخواهم \u200eabc\u200f"])
def test_what_scripts_and_emoji_need_is_kept(text):
    assert printable(text) == text


# Words.


def test_words_wrap_and_are_never_broken():
    assert seen("The quick brown fox jumps over the lazy dog, again.", width=20).rows == [
        "The quick brown fox",
        "jumps over the lazy",
        "dog, again.",
    ]


def test_a_word_is_shown_as_far_as_it_has_come_and_moves_when_it_outgrows_its_row():
    terminal = Terminal(10)
    rows = []
    for piece in ("one two th", "r", "ee"):
        terminal.feed(piece)
        rows.append(terminal.screen.rows)
    terminal.finish()
    assert rows == [["one two th"], ["one two", "thr"], ["one two", "three"]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("- one two three four", ["- one two", "  three", "  four"]),
        ("  * one two three", ["  * one", "    two", "    three"]),
        ("12. one two three", ["12. one", "    two", "    three"]),
        ("> one two three", ["> one two", "  three"]),
        ("> - one two three", ["> - one", "    two", "    three"]),
        ("2024 was a good year", ["2024 was a", "good year"]),
        ("-one two three", ["-one two", "three"]),
        ("      - a b c", ["      - a", "b c"]),  # indented too far to go on there
    ],
)
def test_wrapped_rows_hang_below_the_text_of_their_item(text, rows):
    assert seen(*text, width=10).rows == rows


def test_spaces_at_the_edge_leave_no_empty_row():
    assert seen("abcde fghi   \nj", width=10).rows == ["abcde fghi", "j"]
    assert seen("abcde fghi   jk", width=10).rows == ["abcde fghi", "jk"]


def test_what_is_longer_than_a_row_is_left_to_the_terminal():
    terminal = Terminal(10)
    terminal.feed("see http://example.com/path now")
    assert terminal.finish().rows == ["see", "http://exa", "mple.com/p", "ath now"]
    assert b"http://exa" + b"mple.com/p" + b"ath" in OURS.sub(" ", terminal.written.decode()).replace(" ", "").encode()


def test_code_and_tables_are_left_to_the_terminal():
    assert seen("```\na bc def ghij\n```", width=10).rows == ["```", "a bc def g", "hij", "```"]
    assert seen("| a bc def |", width=10).rows == ["| a bc def", " |"]
    assert seen("    a bc def", width=10).rows == ["    a bc d", "ef"]


def test_wide_characters_count_twice_and_part_anywhere_but_before_punctuation():
    assert seen("中文没有空格也可以，换行", width=9).rows == ["中文没有", "空格也可", "以，换行"]
    assert seen("中文没有空格也可，换行", width=16).rows == ["中文没有空格也", "可，换行"]


def test_accents_take_no_room():
    word = "e\u0301" * 5
    assert seen(f"{word} {word}", width=11).rows == [f"{word} {word}"]
    assert seen(f"{word} {word}", width=10).rows == [word, word]


def test_a_window_that_is_resized_counts_from_the_next_row_on():
    terminal = Terminal(40)
    terminal.feed("one two three four\n")
    terminal.resize(10)
    terminal.feed("one two three four")
    assert terminal.finish().rows == ["one two three four", "one two", "three four"]


def test_a_stream_without_a_width_has_the_usual_one():
    class Unmeasured(io.StringIO):
        def isatty(self):
            return True

    stream = Unmeasured()
    TerminalOutput(stream).feed(Delta("word " * 17))
    assert stream.getvalue().split("\n") == ["word " * 16, "word "]


def test_tabs_count_to_the_next_stop():
    assert seen("```\na\tb\tc\td\n```", width=20).rows == ["```", "a       b       c d", "```"]


# Styles.


@pytest.mark.parametrize("text", ["a **b c** d", "__b c__ d", "x, **b c**", "пере**нос**ить", "中文**重点**内容"])
def test_strong_text_is_bold(text):
    (marked,) = re.findall(r"([*_]{2}.+[*_]{2})", text)
    assert seen(*text).runs(bold=True) == [marked]


@pytest.mark.parametrize("text", ["a *b c* d", "_b c_, d", "(*b*)", "*b **c** d* e"])
def test_emphasis_is_italic(text):
    (marked,) = re.findall(r"([*_].+[*_])", text)
    assert seen(*text).runs(italics=True) == [marked]


def test_marks_may_be_cut_anywhere():
    screen = seen("a *", "*bo", "ld*", "* *", "it*", " `", "co", "de` b")
    assert screen.runs(bold=True) == ["**bold**"]
    assert screen.runs(italics=True) == ["*it*"]
    assert screen.runs(fg="cyan") == ["`code`"]
    assert screen.rows == ["a **bold** *it* `code` b"]


STARS = ["2 * 3 * 4", "2*3*4", "the *args of it", "*.py and *.txt", "src/**/*.py", "**kwargs", "** a", "a ** b", "****"]
OTHERS = ["* item", "***", "---", "snake_case_name", "_a_b", "`tick", r"\*a\* \_b\_", r"\`a\`"]


@pytest.mark.parametrize("text", STARS + OTHERS)
def test_what_only_resembles_a_mark_has_no_style(text):
    assert all(
        cell.data and cell._replace(data=" ") == Screen(1, 1).default_char for cell in seen(*text).cells.values()
    )


def test_no_style_outlives_its_line():
    screen = seen("**a " * 15 + "\nb", width=20)
    assert screen.runs(bold=True)
    assert screen.rows[-1] == "b"
    assert "b" not in screen.runs(bold=True)


def test_a_style_goes_on_in_the_next_row():
    assert seen("one **two three** four", width=10).runs(bold=True) == ["**two", "three**"]


def test_code_holds_no_other_mark():
    screen = seen("`*a* **b** https://x.y` ``a`b``")
    assert screen.runs(fg="cyan") == ["`*a* **b** https://x.y`", "``a`b``"]
    assert screen.runs(bold=True) == screen.runs(italics=True) == screen.runs(underscore=True) == []


def test_headings_are_bold_and_quotations_dim():
    terminal = Terminal()
    terminal.feed("# One `two`\n#no heading\n> three\n")
    assert terminal.screen.runs(bold=True) == ["# One `two`"]
    terminal.finish()
    assert b"\033[0;2m> three\033[0m" in terminal.written


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See https://x.y/a_b_c?d=*, there", "https://x.y/a_b_c?d="),
        ("[text](http://x.y) b", "http://x.y"),
        ("<https://x.y/_a_> b", "https://x.y/_a_"),
        ("At https://x.y.", "https://x.y"),
    ],
)
def test_addresses_are_underlined(text, address):
    assert seen(*text).runs(underscore=True) == [address]


def test_code_is_coloured_once_its_line_is_complete():
    terminal = Terminal()
    terminal.feed("```python\nre", "turn 1")
    assert terminal.screen.rows == ["```python", "return 1"]
    assert terminal.screen.runs(fg="magenta") == []
    terminal.feed("\n")
    assert terminal.screen.runs(fg="magenta") == ["return"]
    terminal.feed('"""a\n1 return\n"""\n```\n1')
    screen = terminal.finish()
    assert screen.runs(fg="green") == ['"""a', "1 return", '"""']
    assert screen.runs(fg="cyan") == ["```python", "1", "```"]


def test_code_in_an_unknown_language_has_one_colour():
    assert seen("```\na *b*\n\n    c\n```\nd").runs(fg="cyan") == ["```", "a *b*", "    c", "```"]
    assert seen("~~~~klingon\na\n~~~\n~~~~\nd").runs(fg="cyan") == ["~~~~klingon", "a", "~~~", "~~~~"]


def test_code_that_takes_several_rows_is_not_coloured_in_part():
    assert seen("```python\nreturn 'a long line'\n```", width=10).runs(fg="green") == []


def test_code_may_stand_in_a_list_item():
    screen = seen("- ```python\n  return\n  ```\n\n      indented text of the item\n\nEnd\n\n    code")
    assert screen.runs(fg="magenta") == ["return"]
    assert screen.runs(fg="cyan") == ["- ```python", "  ```", "    code"]


def test_long_code_is_still_coloured_and_cheap():
    terminal = Terminal()
    terminal.feed("```python\n", *['x = """\n', *["return\n"] * 30, '"""\nreturn 2\n'] * 4, "```\n")
    assert terminal.finish().runs(fg="magenta") == ["return"] * 4


def test_no_color_means_no_style(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(10)
    terminal.feed("**one** two three\n```python\nreturn\n```")
    assert terminal.finish(notices=["cut"]).rows == ["**one**", "two three", "```python", "return", "```", "[cut]"]
    assert not re.search(rb"\033\[[\d;]*m", terminal.written)


def test_remarks_are_dim_and_wrap():
    terminal = Terminal(10)
    terminal.feed("a")
    terminal.feed("", notice="trying again now")
    assert terminal.finish(notices=["cut"]).rows == ["a", "[trying", "again now]", "[cut]"]
    assert b"\033[0;2m[cut]\033[0m" in terminal.written


def test_a_reply_that_ends_amid_a_line_is_complete_there():
    assert seen("```python\nreturn").runs(fg="magenta") == ["return"]
    assert seen("a **b**").runs(bold=True) == ["**b**"]
    assert seen("a **b").runs(bold=True) == []


def test_an_interrupt_moves_nothing_as_the_terminal_shows_what_was_typed():
    terminal = Terminal()
    terminal.feed("a **b")
    terminal.echo("^C")
    assert terminal.finish("interrupted", ["stopped"]).rows == ["a **b^C", "[stopped]"]


@pytest.mark.parametrize("text", ["a **b", "`a", "# a", "> a", "```python\n'a"])
def test_no_style_is_left_behind_by_a_write_that_was_cut(text):
    terminal = Terminal()
    terminal.feed(text)
    terminal.echo("\033[1;36m")  # as if this had been the last that got through
    assert terminal.finish("interrupted").cursor.attrs == terminal.screen.default_char


# Whatever comes.

WORDS = [
    "a",
    "of",
    "word",
    "snake_case",
    "привет",
    "中文",
    "e\u0301",
    "😀",
    "**",
    "*",
    "_",
    "`",
    "```",
    "```python",
    "~~~",
]
WORDS += [
    "- ",
    "1. ",
    "# ",
    "> ",
    "| ",
    "https://x.y/z",
    ".",
    ", ",
    " ",
    "  ",
    "    ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    '"""',
]
WORDS += ["def f(x):", "return", "\033[2J", "\u202e"]
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=80).map("".join))
WIDTHS = st.integers(20, 100)
CUTS = st.lists(st.integers(1, 30), max_size=60)


def cut(text, sizes):
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


def measurable(text):
    """Whether all terminals agree how wide it is; of some emoji sequences they don't."""
    shown = printable(text).replace("\n", "").replace("\t", "")
    return wcswidth(shown) == sum(map(wcwidth, shown))


def letters(text):
    return normalize("NFC", "".join(c for c in text if not c.isspace() and wcwidth(c)))


@given(TEXTS, CUTS)
def test_what_is_no_terminal_gets_the_text_itself(text, sizes):
    written = piped(*map(Delta, cut(text, sizes)))
    expected = printable(text)
    assert written == (expected if expected.endswith("\n") or not expected else expected + "\n")


@given(TEXTS, WIDTHS, CUTS)
def test_a_terminal_shows_the_same_however_the_text_is_cut(text, width, sizes):
    assume(measurable(text))
    whole, pieces, characters = (seen(*texts, width=width) for texts in ([text], cut(text, sizes), text))
    assert whole.cells == pieces.cells == characters.cells
    assert (whole.cursor.y, whole.cursor.x) == (pieces.cursor.y, pieces.cursor.x)


@given(TEXTS, WIDTHS, CUTS)
def test_a_terminal_shows_all_of_the_text_at_once_and_is_left_clean(text, width, sizes):
    assume(measurable(text))
    terminal = Terminal(width)
    shown = ""
    for piece in cut(text, sizes):
        terminal.feed(piece)
        shown += piece
        assert letters("".join(terminal.screen.rows)) == letters(printable(shown))
    screen = terminal.finish()
    assert screen.cursor.attrs == screen.default_char
    assert screen.cursor.x == 0
    assert not STEERS.search(OURS.sub("", terminal.written.decode()).replace("\r\n", "\n"))


PROSE = st.lists(
    st.sampled_from(["a", "of", "words", "**bold**", "*it*", "`code`", "привет", "é", "1", "_"]), min_size=1
)


@given(PROSE, WIDTHS, CUTS, st.sampled_from(["", "- ", "10. ", "> ", "# "]))
def test_prose_keeps_its_words_and_fills_its_rows(words, width, sizes, lead):
    rows = seen(*cut(lead + " ".join(words), sizes), width=width).rows
    assert " ".join(rows).split() == [*lead.split(), *words]
    assert all(row.startswith(" " * len(lead)) for row in rows[1:])
    firsts = [row.split()[0] for row in rows[1:]]
    assert all(len(row) + 1 + len(word) > width for row, word in zip(rows, firsts, strict=False))
