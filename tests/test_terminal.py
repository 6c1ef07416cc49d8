"""Replies and tables in a terminal."""

import io

import pytest

from lockbots_magic.messages import Delta, Turn
from lockbots_magic.rendering.table import Table
from lockbots_magic.rendering.terminal import TerminalOutput, printable


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(*deltas, notices=(), stream=None):
    stream = stream or io.StringIO()
    output = TerminalOutput(stream)
    for delta in deltas:
        output.feed(delta)
    output.finish(Turn("q"), notices)
    output.close()
    return stream.getvalue()


def test_text_is_written_as_it_comes_and_ends_its_line():
    assert shown(Delta("a"), Delta("b c")) == "ab c\n"
    assert shown(Delta("a\n")) == "a\n"
    assert shown() == ""


def test_remarks_stand_on_lines_of_their_own():
    assert (
        shown(Delta("a"), Delta(notice="trying again"), Delta("b"), notices=["cut"]) == "a\n[trying again]\nb\n[cut]\n"
    )
    assert shown(notices=["cut"], stream=Terminal()) == "\033[2m[cut]\033[0m\n"


@pytest.mark.parametrize(
    "hostile",
    ["\033[2J", "\033]0;title\007", "\x9b31m", "\x1b]8;;http://x\x1b\\", "a\rb", "\x08\x7f", "\x0e", "\x85"],
)
def test_no_escape_sequence_reaches_the_terminal(hostile):
    assert not set(printable(hostile)) & {chr(c) for c in [*range(9), *range(11, 32), *range(127, 160)]}
    assert printable("a\tb\nпривет 😀") == "a\tb\nпривет 😀"
    assert "\033" not in shown(Delta(hostile), Delta(notice=hostile), notices=[hostile])


def test_a_table_lines_up_in_any_script():
    lines = repr(Table(("a", "b"), [("日本", 1), ("xyz!", None)], "caption")).splitlines()
    assert lines == ["caption", "a     b", "----  ----", "日本  1", "xyz!  None"]


def test_a_table_escapes_its_cells_and_begins_no_formula():
    html = Table(("<a>",), [("<b>$x$</b>",)])._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;<span>$</span>x<span>$</span>" in html


def test_a_table_cell_smuggles_no_escape_sequence():
    assert "\033" not in repr(Table(("a",), [("\033[2J",)]))
