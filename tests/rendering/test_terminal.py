"""Replies in a terminal: a pseudo-terminal whose screen an emulator reports."""

import fcntl
import io
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import Any
from unicodedata import normalize

import pyte
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth, wcwidth

from lockbots_magic.conversation.messages import Delta, ToolCall
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.rendering import console
from lockbots_magic.rendering.markdown import parse
from lockbots_magic.rendering.terminal import blocks
from lockbots_magic.rendering.terminal import output as output_module
from lockbots_magic.rendering.terminal import reply as reply_writer
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.rendering.terminal.rows import columns
from lockbots_magic.security.control_characters import printable
from tests.effort import examples

pytestmark = pytest.mark.once

HOSTILE = [
    *("\033[2J", "\033]0;title\007", "\x9b31m", "\x1b]8;;http://x\x1b\\", "a\rb", "\x08\x7f", "\x0e", "\x85"),
    *("\u202eevil\u202c", "\u2066x\u2069", "\U000e0041\U000e007f", "a\u2028b\u2029c"),
]
STEERS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
OURS = re.compile(r"\033\[[\d;]*m|\r(?:\033\[\d+A)?\033\[J")
LINES = 400


class Screen(pyte.HistoryScreen):
    """Screen that corrects pyte: a wide character at the edge, and a zero-width character that is not an accent."""

    def __init__(self, columns, lines):
        super().__init__(columns, lines, history=10_000)

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
    def everything(self):
        """Return all rows, first those that have scrolled away."""
        above = ["".join(line[x].data for x in range(self.columns)).rstrip() for line in self.history.top]
        return [*above, *self.rows]

    @property
    def cells(self):
        """Return all characters that are not blank, with their style."""
        return {(y, x): c for y, row in self.buffer.items() for x, c in row.items() if c != self.default_char}

    def _text(self, y):
        return "".join(self.buffer[y][x].data for x in range(self.columns)).rstrip()

    def runs(self, **looks):
        """Return the texts of that style, row by row."""
        found = []
        for y in range(len(self.rows)):
            row = [self.buffer[y][x] for x in range(self.columns)]
            cells = itertools.groupby(row, lambda c: all(getattr(c, name) == value for name, value in looks.items()))
            found += ["".join(c.data for c in run).rstrip() for fits, run in cells if fits]
        return found


class Stream(io.TextIOWrapper):
    """Stream that counts the bytes written, with each newline as two."""

    count = 0

    def write(self, text):
        self.count += len(text.encode()) + text.count("\n")
        return super().write(text)


class Terminal:
    """A pseudo-terminal with a `TerminalOutput` in it."""

    def __init__(self, width=40, height=LINES, **how):
        self._master, slave = pty.openpty()
        self._height = height
        self.resize(width)
        self.stream = Stream(os.fdopen(slave, "wb"), encoding="utf-8")
        self.screen = Screen(width, height)
        self._feed = pyte.ByteStream(self.screen).feed
        self.written = b""
        self.output = TerminalOutput(self.stream, **how)

    def resize(self, width):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", self._height, width, 0, 0))

    def reason(self, *texts):
        for text in texts:
            self.output.feed(Delta(reasoning=text))
            self._read()

    def feed(self, *texts, notice=""):
        for text in texts:
            self.output.feed(Delta(text, notice=notice))
            self._read()

    def echo(self, text):
        """Write text that is not part of the reply."""
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


def seen(*texts, width=40, height=LINES, **ending):
    terminal = Terminal(width, height)
    terminal.feed(*texts)
    return terminal.finish(**ending)


def piped(*deltas, notices=(), **how):
    stream = io.StringIO()
    output = TerminalOutput(stream, **how)
    for delta in deltas:
        output.feed(delta)
    output.close()
    output.finish(Turn("q"), notices)
    return stream.getvalue()


# What is waited for.


def test_a_terminal_tells_how_long_was_reasoned_and_shows_the_text_in_grey_or_nothing():
    for mode, shown in (("fold", ["[thought for N s]", "Four."]), ("hide", ["Four."])):
        terminal = Terminal(reasoning=mode)
        terminal.reason("Two \033[2J", "and two.")
        assert terminal.screen.rows[0].startswith("thinking…")
        terminal.feed("Four.")
        assert [re.sub(r"\d+", "N", row) for row in terminal.finish().rows] == shown
    terminal = Terminal(width=20, reasoning="show")
    terminal.reason("\nTwo \033[2J and", " two, which is **the** same.\r", "\nSo:")
    terminal.feed("**Four.**")
    screen = terminal.finish()
    assert screen.rows == ["Two [2J and two,", "which is **the**", "same.", "So:", "", "Four."]
    assert b"\033[2m" in terminal.written
    assert screen.runs(bold=True) == ["Four."]


def test_a_line_that_waits_counts_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(output_module, "WAITING_DELAY", 0)
    for act, rows in ((lambda one: one.feed("a"), ["a"]), (lambda one: one.echo("^C"), [""])):
        terminal = Terminal(width=30, model="a-model-with-a-long-name")
        terminal.echo("")
        assert re.fullmatch(r"waiting for a-mode(?: \d+ s)?", terminal.screen.rows[0])
        act(terminal)
        assert terminal.finish().rows == rows


def test_jupyter_console_is_the_terminal_behind_the_kernels_output(monkeypatch):
    monkeypatch.setattr(Stream, "isatty", lambda _: False)
    for starter, bold in ((("/usr/bin/python3", "/usr/bin/jupyter-console"), ["in"]), (("jupyter-qtconsole",), [])):
        monkeypatch.setattr(console, "_starter", lambda starter=starter: starter)
        terminal = Terminal(model="a-model")
        terminal.feed("**in** a console")
        is_narrow = console.is_shown_in_terminal(terminal.stream)
        assert is_narrow == bool(bold)
        assert terminal.finish().runs(bold=True) == bold
        assert b"waiting for a-model" in terminal.written or not bold


# What is no terminal.


def test_text_is_written_as_it_arrives_and_ends_its_line():
    assert piped(Delta("a"), Delta("b c")) == "ab c\n"
    assert piped(Delta("a\n")) == "a\n"
    assert piped() == ""


def test_remarks_are_on_separate_lines():
    deltas = [Delta("a"), Delta(notice="trying\nagain"), Delta("b")]
    assert piped(*deltas, notices=["cut"]) == "a\n[trying again]\nb\n[cut]\n"


def test_reasoning_is_announced_once_and_retracted_text_is_named():
    deltas = [Delta(reasoning="Hm"), Delta(reasoning="m."), Delta("a"), Delta(reasoning="b"), Delta("c")]
    assert piped(*deltas) == "[thinking…]\na\n[thinking…]\nc\n"
    assert piped(Delta("Hmm."), Delta("Four.", retracts=True)) == "Hmm.\n[the text above was reasoning]\nFour.\n"
    assert piped(*deltas, reasoning="hide") == "ac\n"
    assert piped(*deltas, reasoning="show") == "[thinking…]\nHmm.\n\na\n[thinking…]\nb\n\nc\n"


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
    assert seen("```\n", *pieces).rows == ["a", "b"]


def test_a_character_that_the_stream_cannot_encode_is_replaced():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    output = TerminalOutput(stream)
    output.feed(Delta("é→\ud800"))
    assert stream.buffer.getvalue() == b"\xe9??"


# What steers a terminal.


@pytest.mark.parametrize("hostile", HOSTILE)
def test_control_characters_never_reach_the_terminal(hostile):
    assert not STEERS.search(printable(hostile))
    assert not STEERS.search(piped(Delta(hostile), Delta(notice=hostile), notices=[hostile]))
    terminal = Terminal()
    terminal.feed("before ", hostile, " after")
    terminal.feed("", notice=hostile)
    terminal.finish(notices=[hostile])
    assert not STEERS.search(OURS.sub("", terminal.written.decode()).replace("\r\n", "\n"))


@pytest.mark.parametrize("text", ["a\tb\nпривет 😀", "👩\u200d💻 ⚠\ufe0f", "می\u200cخواهم \u200eabc\u200f"])
def test_characters_that_scripts_and_emoji_need_are_kept(text):
    assert printable(text) == text


# Words, while they come and once their block is finished.


def test_text_is_shown_at_once_and_styled_when_its_block_is_finished():
    terminal = Terminal()
    terminal.feed("a **bo")
    assert terminal.screen.rows == ["a **bo"]
    terminal.feed("ld** word\n")
    assert terminal.screen.rows == ["a **bold** word"]
    terminal.feed("\nAnother paragraph, and enough of it to tell what it is.")
    assert terminal.screen.rows[:3] == ["a bold word", "", "Another paragraph, and enough of it to"]
    assert terminal.finish().runs(bold=True) == ["bold"]


def test_words_wrap_and_are_never_broken():
    rows = ["The quick brown fox", "jumps over the lazy", "dog, again."]
    assert seen("The quick brown fox jumps over the lazy dog, again.", width=20).rows == rows
    terminal = Terminal(20)
    terminal.feed("The quick brown fox jumps over the lazy dog, again.")
    assert terminal.screen.rows == rows
    terminal.finish()


def test_incomplete_word_is_shown_and_moves_when_it_outgrows_its_row():
    terminal = Terminal(11)
    rows = []
    for piece in ("one two th", "r", "ee"):
        terminal.feed(piece)
        rows.append(terminal.screen.rows)
    terminal.finish()
    assert rows == [["one two th"], ["one two", "thr"], ["one two", "three"]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("- one two three four", ["• one two", "  three", "  four"]),
        ("  * one two three", ["• one two", "  three"]),
        ("12. one two three", ["12. one", "    two", "    three"]),
        ("> one two three", ["▌ one two", "▌ three"]),
        ("> - one two three", ["▌ • one", "▌   two", "▌   three"]),
        ("- one\n\n  two\n- three", ["• one", "", "  two", "", "• three"]),
        ("- [x] one\n- [ ] two", ["• ☑ one", "• ☐ two"]),
        ("2024 was a good year", ["2024 was a", "good year"]),
        ("-one two three", ["-one two", "three"]),
    ],
)
def test_wrapped_rows_are_indented_like_the_text_of_their_item(text, rows):
    assert seen(*text, width=10).rows == rows


def test_spaces_at_the_edge_leave_no_empty_row():
    assert seen("abcde fghi   \nj", width=10).rows == ["abcde fghi", "j"]
    for cut_at in range(12):
        terminal = Terminal(11)
        terminal.feed("abcde fghi   jk"[:cut_at], "abcde fghi   jk"[cut_at:])
        assert terminal.screen.rows == ["abcde fghi", "jk"]
        terminal.finish()


def test_word_longer_than_a_row_is_broken_by_the_terminal():
    terminal = Terminal(10)
    terminal.feed("see http://example.com/path now")
    assert terminal.finish().rows == ["see", "http://exa", "mple.com/p", "ath", "now"]
    assert b"http://example.com/path" in terminal.written


def test_a_line_of_code_can_be_copied_in_one_piece():
    terminal = Terminal(10)
    terminal.feed("> ```\n> a bc def ghij\n> ```")
    assert terminal.finish().rows == ["▌ a bc def", " ghij"]
    assert b"a bc def ghij" in terminal.written


def test_wide_characters_count_twice_and_wrap_except_before_punctuation():
    assert seen("中文没有空格也可以，换行", width=9).rows == ["中文没有", "空格也可", "以，换行"]
    assert seen("中文没有空格也可，换行", width=16).rows == ["中文没有空格也", "可，换行"]


def test_accents_have_no_width():
    word = "e\u0301" * 5
    assert seen(f"{word} {word}", width=11).rows == [f"{word} {word}"]
    assert seen(f"{word} {word}", width=10).rows == [word, word]


def test_right_to_left_text_keeps_its_order_and_its_marks():
    text = "می\u200cخواهم \u200eabc\u200f שלום"
    terminal = Terminal()
    terminal.feed(*text)
    terminal.finish()
    assert terminal.written.decode().count(text) == 2, "once as it came, letter by letter, and once rendered"


def test_a_table_has_columns_that_fit_the_terminal():
    text = "| name | size |\n|---|--:|\n| a **long** name of it | 1 |\n| b | 22 |\n"
    assert seen(text, width=40).rows == [
        "name                size",
        "────────────────────────",
        "a long name of it      1",
        "b                     22",
    ]
    narrow = seen(text, width=16)
    assert all(len(row) <= 16 for row in narrow.rows)
    assert sorted(letters("".join(narrow.rows))) == sorted(letters(f"name size {'─' * 16} a long name of it 1 b 22"))


def test_a_table_of_too_many_columns_is_written_as_text():
    rows = seen("|a|b|c|d|\n|-|-|-|-|\n|1|2|3|4|\n", width=12).rows
    assert rows == ["a | b | c |", "d", "1 | 2 | 3 |", "4"]


def test_tabs_count_to_the_next_stop():
    assert seen("```\na\tb\tc\n```", width=40).rows == ["a       b       c"]


def test_blocks_are_separated_by_empty_lines():
    text = "# Head\nText.\n- a\n- b\n***\n[a]: https://x.example\n\nEnd, see [that][a].\n"
    assert seen(*text).rows == [
        "Head",
        "",
        "Text.",
        "",
        "• a",
        "• b",
        "",
        "─" * 40,
        "",
        "End, see that (https://x.example).",
    ]


def test_formula_is_unchanged_and_a_footnote_is_named():
    assert seen("$$\n\\frac{a}{b}\n$$\n\nsee[^1] $x$\n\n[^1]: there").rows == [
        *("$$", "\\frac{a}{b}", "$$", "", "see[1] $x$", "", "[1] there"),
    ]


def test_an_image_is_named_and_only_an_address_of_the_web_is_shown():
    text = "![cat](https://a.example/c.png) ![dog](dog.png) [x](/lab) <https://b.example>"
    assert " ".join(seen(text, width=200).rows) == (
        "cat (image at https://a.example/c.png) dog (image) x https://b.example"
    )


# The screen: nothing that was there is touched, nothing is left over.


@pytest.mark.parametrize("piece", ["word " * 8, "x" * 41, "word\n" * 8, "| a | b |\n|---|---|\n", "*a "])
def test_a_block_without_an_end_is_parsed_ever_less_often(monkeypatch, piece):
    parsed = []
    monkeypatch.setattr(
        "lockbots_magic.rendering.open_block.parse", lambda text, env: (parsed.append(len(text)), parse(text, env))[1]
    )
    terminal = Terminal(width=40, height=12)
    count = 20_000 // len(piece)
    for _ in range(count):
        terminal.feed(piece)
    writer: Any = terminal.output._writer
    rows = writer._rows
    assert len(rows._rows) < 3 * terminal._height, "rows that stay are forgotten"
    assert sum(parsed) < 40 * count * len(piece)
    screen = terminal.finish()
    assert "".join("".join(screen.everything).split()).count(piece.strip()[:1]) >= count


def test_a_block_of_any_length_is_written(monkeypatch):
    monkeypatch.setattr(reply_writer, "MAX_RENDERED", 2_000)
    text = "".join(f"line{number}\n" for number in range(600))
    assert seen(text, "\n**not bold**", height=12).everything[:600] == text.split()


def test_block_taller_than_the_screen_stays_plain_and_the_next_is_styled():
    terminal = Terminal(20, height=8)
    terminal.echo("before\n")
    table = "| a | b |\n|---|---|\n" + "| 1 | **2** |\n" * 12
    terminal.feed(*table, *"\nSome **bold** word.\n\nThe end of it is here, and long enough now.\n")
    rows = terminal.finish().everything
    assert rows[0] == "before"
    assert rows[1:15] == table.split("\n")[:-1]
    assert rows[15:] == ["", "Some bold word.", "", "The end of it is", "here, and long", "enough now."]


def test_long_code_is_styled_in_parts():
    terminal = Terminal(30, height=10)
    code = "".join(f"return {n}\n" for n in range(60))
    terminal.feed(*f"```python\n{code}```\n\nEnd.")
    screen = terminal.finish()
    assert screen.everything == [*code.split("\n")[:-1], "", "End."]
    assert b"return" in terminal.written
    assert len(re.findall(rb"\033\[35mreturn\033\[0m", terminal.written)) == 60


def test_a_long_list_is_styled_in_parts():
    terminal = Terminal(30, height=10)
    terminal.feed(*"".join(f"{n}. *item*\n" for n in range(1, 40)))
    assert terminal.finish().everything == [f"{n}. item" for n in range(1, 40)]


def test_a_paragraph_longer_than_the_screen_loses_nothing():
    terminal = Terminal(20, height=6)
    text = " ".join(f"Sentence number {n}." for n in range(60))
    terminal.feed(*text)
    assert " ".join(terminal.finish().everything).split() == text.split()


def test_rows_that_may_have_moved_are_not_erased_after_a_resize():
    terminal = Terminal(40)
    terminal.feed("one **two** three four")
    terminal.resize(10)
    terminal.feed(" five six\n\nNext *paragraph* of the reply, which is long enough.\n\n")
    rows = terminal.finish().rows
    assert rows[:3] == ["one **two** three four", " five six", ""]
    assert " ".join(rows[3:]).split() == ["Next", "paragraph", "of", "the", "reply,", "which", "is", "long", "enough."]


def test_a_stream_without_a_size_has_the_usual_one():
    class Unmeasured(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    stream = Unmeasured()
    TerminalOutput(stream).feed(Delta("word " * 17))
    assert stream.getvalue().split("\n") == [("word " * 16).rstrip(), "word "]


def test_ascii_is_enough():
    written = io.BytesIO()
    stream = Stream(written, encoding="latin-1")
    stream.isatty = lambda: True
    output = TerminalOutput(stream)
    output.feed(Delta("- é\n\n> →\n\n***\n\n| a |\n|---|\n| b |\n"))
    output.finish(Turn("q"))
    rows = written.getvalue().decode("latin-1").split("\n")
    assert {"- é", "> ?"} <= {re.sub(r"\033\[[\d;]*\w", "", row).strip() for row in rows}


def test_rendering_bug_hides_no_reply(monkeypatch):
    monkeypatch.setattr(blocks._Blocks, "bullet_list", lambda *_: 1 / 0)
    text = "A.\n\n- *one*\n- two\n\nEnd of it, long enough to be seen as such.\n\n- *x*"
    assert seen(*text, width=80).rows == text.split("\n")


def test_rich_is_not_imported_before_the_first_reply_in_a_terminal():
    code = """if True:
        import io, sys
        import lockbots_magic.notebook.extension
        from lockbots_magic.rendering.terminal.output import TerminalOutput
        from lockbots_magic.conversation.messages import Delta
        TerminalOutput(io.StringIO()).feed(Delta("a **b**"))
        assert "rich" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Styles.


def test_emphasis_and_code_are_styled():
    screen = seen(*"a **b c** *d e* `f` ~~g~~ пере**нос**ить 中文**重点**内容")
    assert screen.runs(bold=True) == ["b c", "нос", "重点"]
    assert screen.runs(italics=True) == ["d e"]
    assert screen.runs(fg="cyan") == ["f"]
    assert screen.runs(strikethrough=True) == ["g"]


STARS = ["2 * 3 * 4", "2*3", "the *args of it", "*.py and *.txt", "**kwargs", "** a", "a ** b", "****a"]
OTHERS = ["snake_case_name", "_a_b", "`tick", r"\*a\* \_b\_", r"\`a\`"]


@pytest.mark.parametrize("text", STARS + OTHERS)
def test_text_that_only_resembles_a_mark_has_no_style(text):
    cells = seen(*text).cells.values()
    assert all(cell.data and cell._replace(data=" ") == Screen(1, 1).default_char for cell in cells)


def test_headings_are_bold_and_the_first_is_underlined():
    screen = seen(*"# One `two`\n\n## Three\n\n#no heading")
    assert screen.runs(bold=True) == ["One two", "Three"]
    assert screen.runs(underscore=True) == ["One two"]


@pytest.mark.parametrize(
    ("text", "underlined", "row"),
    [
        ("[text](http://x.y) b", "text", "text (http://x.y) b"),
        ("<https://x.y/_a_> b", "https://x.y/_a_", "https://x.y/_a_ b"),
        ("[https://x.y](https://x.y)", "https://x.y", "https://x.y"),
        ("[honest.example](https://evil.example)", "honest.example", "honest.example (https://evil.example)"),
    ],
)
def test_a_link_shows_where_it_leads(text, underlined, row):
    screen = seen(text, width=80)
    assert screen.runs(underscore=True) == [underlined]
    assert screen.rows == [row]


def test_code_is_coloured():
    screen = seen(*'```python\nreturn 1\n"""a\n1 return\n"""\n```\n1')
    assert screen.runs(fg="magenta") == ["return"]
    assert screen.runs(fg="green") == ['"""a', "1 return", '"""']


def test_code_in_an_unknown_language_has_one_colour():
    assert seen("```\na *b*\n\n    c\n```\nd").runs(fg="cyan") == ["a *b*", "    c"]
    assert seen("~~~~klingon\na\n~~~\n~~~~\nd").runs(fg="cyan") == ["a", "~~~"]


def test_no_color_means_no_style_and_code_has_its_fences(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(20)
    terminal.feed("**one** two three\n```python\nreturn\n```")
    rows = ["one two three", "", "```python", "return", "```", "[cut]"]
    assert terminal.finish(notices=["cut"]).rows == rows
    assert not re.search(rb"\033\[[\d;]*m", terminal.written)


def test_remarks_are_dim_and_wrap():
    terminal = Terminal(10)
    terminal.feed("*a*")
    terminal.feed("", notice="trying again now")
    assert terminal.finish(notices=["cut"]).rows == ["a", "[trying", "again now]", "[cut]"]
    assert b"\033[2m[cut]\033[0m" in terminal.written


def test_interrupt_erases_nothing_because_typed_input_moved_the_cursor():
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
    *(
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
    ),
    *("- ", "1. ", "# ", "> ", "| ", "|-|", "https://x.y/z", ".", ", ", " ", "  ", "    ", "\n", "\n\n", "\r\n", "\t"),
    *('"""', "def f(x):", "return", "\033[2J", "\u202e", "&#x202e;", "&#27;", "[a](", ")", "$", "[^1]"),
]
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=80).map("".join))
WIDTHS = st.integers(20, 100)
HEIGHTS = st.sampled_from([4, 8, 24, 400])
CUTS = st.lists(st.integers(1, 30), max_size=60)


def cut(text, sizes):
    pieces = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


def measurable(text):
    """Return whether all terminals agree on the width; for some emoji sequences they do not."""
    shown = printable(text).replace("\n", "").replace("\t", "")
    return wcswidth(shown) == sum(map(wcwidth, shown)) == columns(shown)


def letters(text):
    return normalize("NFC", "".join(c for c in text if not c.isspace() and wcwidth(c)))


@given(TEXTS, CUTS)
@settings(max_examples=examples(60))
def test_redirected_output_is_the_text_itself(text, sizes):
    written = piped(*map(Delta, cut(text, sizes)))
    expected = printable(text)
    assert written == (expected if expected.endswith("\n") or not expected else expected + "\n")


@given(TEXTS, WIDTHS, HEIGHTS, CUTS)
@settings(max_examples=examples(100))
def test_a_terminal_shows_the_same_however_the_text_is_cut(text, width, height, sizes):
    assume(measurable(text))
    whole, pieces, characters = (seen(*texts, width=width, height=height) for texts in ([text], cut(text, sizes), text))
    assert whole.everything == pieces.everything == characters.everything
    assert whole.cells == pieces.cells == characters.cells
    assert whole.cursor.x == pieces.cursor.x == characters.cursor.x == 0


@given(TEXTS, WIDTHS, HEIGHTS, CUTS)
@settings(max_examples=examples(100))
def test_terminal_shows_text_at_once_and_keeps_earlier_output(text, width, height, sizes):
    assume(measurable(text))
    terminal = Terminal(width, height)
    terminal.echo("before\n")
    for piece in cut(text, sizes):
        terminal.feed(piece)
        word = printable(piece).split()[-1:]
        assert letters("".join(word))[-5:] in letters("".join(terminal.screen.everything))
    screen = terminal.finish()
    assert screen.everything[0] == "before"
    assert screen.cursor.attrs == screen.default_char
    assert not STEERS.search(OURS.sub("", terminal.written.decode()).replace("\r\n", "\n"))


PROSE = st.lists(st.sampled_from(["a", "of", "words", "long-words", "привет", "é", "1", "_"]), min_size=1)


@given(PROSE, WIDTHS, HEIGHTS, CUTS, st.sampled_from([("", ""), ("- ", "• "), ("10. ", "10. "), ("# ", "")]))
@settings(max_examples=examples(60))
def test_prose_keeps_its_words_and_fills_its_rows(words, width, height, sizes, lead):
    mark, shown = lead
    screen = seen(*cut(mark + " ".join(words), sizes), width=width, height=height)
    rows = screen.everything
    assert " ".join(rows).replace("• ", "- ").split() == [*shown.replace("• ", "- ").split(), *words] or height < 9
    if height > 9:
        assert all(row.startswith(" " * len(shown)) for row in rows[1:])
        firsts = [row.split()[0] for row in rows[1:]]
        assert all(len(row) + 1 + len(word) > width for row, word in zip(rows, firsts, strict=False))


def test_in_a_wide_terminal_lines_stay_readable():
    terminal = Terminal(160)
    terminal.feed("word " * 100 + "\n\n", "and " * 60)
    rows = terminal.finish().rows
    assert 90 < max(map(len, rows)) <= 100
    assert " ".join(rows).split() == ["word"] * 100 + ["and"] * 60


def test_a_call_is_one_line_before_the_text_that_it_led_to():
    stream = io.StringIO()
    output = TerminalOutput(stream)
    first, second = (ToolCall(name, name, '{"x": 1}', elapsed=2.0) for name in "fg")
    output.feed(Delta(calls=(first, second)))
    output.feed(Delta(calls=(second._replace(result="2"),)))
    assert not stream.getvalue()
    output.feed(Delta(calls=(first._replace(result="a\x1b[2J"),)))
    output.feed(Delta("Done."))
    output.finish(Turn("Hi", "Done."))
    assert stream.getvalue() == "f(x=1) -> a[2J\ng(x=1) -> 2\nDone.\n"
