"""Small tables, in a terminal and in a notebook."""

import sys

import pytest
from wcwidth import wcswidth

from lockbots_magic.rendering import table
from lockbots_magic.rendering.table import Table
from lockbots_magic.security.secrets import Secret


@pytest.fixture
def terminal(monkeypatch):
    """Make standard output a terminal of some width."""

    def make(columns):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(table, "terminal_width", lambda _: columns)

    return make


def lines(*args):
    return repr(Table(*args)).splitlines()


def test_table_is_aligned_in_any_script():
    rows = [("日本", 1), ("xyz!", None), ("e\u0301", "👩\u200d💻")]
    assert lines(("a", "b"), rows, "caption") == [
        "caption",
        "a     b",
        "----  ----",
        "日本  1",
        "xyz!  None",
        "e\u0301     👩\u200d💻",
    ]


def test_cell_is_one_line_without_escape_sequences():
    assert lines(("a",), [("\033[2Jb\nc\td\r\ne\u202e",)], "\033x") == ["x", "a", "----------", "[2Jb c d e"]


def test_a_column_that_is_empty_in_every_row_is_left_out():
    table = Table(("", "a", "b", "c"), [("", 1, "", ""), ("", 2, "", "x")])
    assert repr(table).splitlines() == ["a  c", "-  -", "1", "2  x"]
    assert table._repr_html_().count("<th") == 2 + 1  # <thead>
    assert table.headings == ["", "a", "b", "c"]


def test_a_table_without_rows_shows_its_headings():
    assert lines(("a", "b"), []) == ["a  b", "-  -"]


def test_a_table_whose_cells_are_all_empty_shows_them():
    assert lines(("a", "b"), [("", "")]) == ["a  b", "-  -"]


def test_a_table_is_as_wide_as_its_cells_where_there_is_no_terminal():
    assert max(map(len, lines(("a", "b"), [("x" * 300, "y z" * 100)]))) == 602


def test_table_that_fits_the_terminal_is_unchanged(terminal):
    terminal(10)
    assert lines(("a", "b"), [("1234", "12.5"), ("5", "x")]) == ["   a  b", "----  ----", "1234  12.5", "   5  x"]


def test_widest_columns_wrap_until_the_table_fits_the_terminal(terminal):
    terminal(40)
    rows = [(1, "a short one", "The quick brown fox jumps over the lazy dog.", "x" * 20)]
    headings = ("#", "name", "what it says", "address")
    assert lines(headings, rows) == [
        "#  name        what it says  address",
        "-  ----------  ------------  -----------",
        "1  a short     The quick     xxxxxxxxxxx",
        "   one         brown fox     xxxxxxxxx",
        "               jumps over",
        "               the lazy",
        "               dog.",
    ]
    terminal(50)
    assert lines(headings, rows)[1] == "-  -----------  ----------------  ----------------"


def test_no_heading_is_broken(terminal):
    terminal(10)
    assert lines(("a rather long heading", "b"), [("x" * 30, "y")])[0] == "a rather long heading  b"


def test_headings_of_numbers_are_broken_before_text_is(terminal):
    terminal(34)
    rows = [("openai:gpt-5-mini", "~1,297", "~0.0012")]
    assert lines(("model", "prompt tokens", "cost (USD)"), rows) == [
        "model              prompt     cost",
        "                   tokens    (USD)",
        "-----------------  ------  -------",
        "openai:gpt-5-mini  ~1,297  ~0.0012",
    ]


def test_cells_wrap_by_columns_not_characters(terminal):
    terminal(12)
    assert lines(("a",), [("日本語の長い文章です",)]) == ["a", "-" * 12, "日本語の長い", "文章です"]
    assert all(wcswidth(line) <= 12 for line in lines(("a",), [("中 " * 30,), ("e\u0301" * 30,)]))


def test_html_escapes_its_cells_and_begins_no_formula():
    html = Table(("<a>",), [(r"<b>$x$ \(y\)</b>",)], "<i>$")._repr_html_()
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;<span>$</span>x<span>$</span> <span>\\</span>(y" in html


def test_only_cells_with_right_to_left_text_choose_their_direction():
    html = Table(("a",), [("שלום",), ("b",)])._repr_html_()
    assert html.count('dir="auto"') == 1
    assert '<td dir="auto" style="text-align: left">שלום</td>' in html


def test_no_form_of_a_table_shows_a_credential(terminal):
    secret = Secret("planted-credential-1")
    rows = [["system", "planted\0-credential-1"], ["planted-credential-1", 1]]
    shown = Table(["name", "value"], rows, "planted-credential-1")
    assert lines(["a", "b"], [["x", "planted-credential-1"]])[-1].split() == ["x", "***"]
    terminal(20)
    for form in (repr(shown), shown._repr_html_()):
        assert form.count("***") == 3
        assert "planted" not in form
    assert secret


def test_caption_may_have_several_lines():
    assert lines(["a"], [["1"]], "one\ntwo") == ["one", "two", "a", "-", "1"]


def test_text_of_a_table_makes_no_link_but_to_the_web():
    assert lines(["a"], [["file:///etc"], ["http://a.example"]])[2:] == ["file\u2060:///etc", "http://a.example"]


def test_headings_break_between_words_where_that_makes_the_table_fit(terminal):
    terminal(80)
    headings = ("#", "prompt", "model", "prompt tokens", "reply tokens", "first text (s)", "tokens/s", "cost (USD)")
    row = (1, "Why is the sky blue and the grass green?", "openai:gpt-5-mini", "1,234", "~56", "0.50", "33", "~0.0003")
    shown = lines(headings, [row])
    assert max(map(len, shown)) <= 80
    assert "tokens/s" in shown[0]
    assert "tokens" in shown[1]


def test_columns_of_numbers_are_right_aligned_in_html():
    html = Table(("a", "n", "m"), [("x", "1,234", "~0.5"), ("y", "", "n/a")])._repr_html_()
    assert html.count("text-align: right") == 3
    assert '<td style="text-align: right">1,234</td>' in html


def test_numbers_of_another_language_are_right_aligned():
    html = Table(("model", "tokens"), [("x", "4\u00a0523,5"), ("y", "~12\u202f345")])._repr_html_()
    assert html.count("text-align: right") == 3
