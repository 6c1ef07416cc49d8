"""Highlighting of code as coloured spans."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.rendering import highlight
from lockbots_magic.rendering.escaping import printed
from lockbots_magic.rendering.highlight import CLASSES, GrowingCode, highlighted
from lockbots_magic.rendering.html import style


def test_each_kind_of_word_has_its_class():
    shown = highlighted("def f(): return 'x'  # y", "python")
    assert '<span class="k">def </span><span class="d">f</span>' in shown
    assert '<span class="s">&#x27;x&#x27;' in shown


def test_each_class_has_its_style():
    for name in CLASSES:
        assert f".{name}{{" in style()


@given(st.text(max_size=80), st.sampled_from(["python", "", "nosuch", "html", '"><script>', "c++"]))
def test_highlighting_changes_no_character_and_opens_no_tag(code, language):
    shown = highlighted(code, language)
    assert set(re.findall(r"</?(\w+)", shown)) <= {"span"}
    if not re.search("[\u202a-\u202e\u2066-\u2069]", code):
        assert html.unescape(re.sub(r"</?span[^>]*>", "", shown)) == code


def test_code_reads_in_the_order_in_which_it_runs():
    assert printed("a\u202eb") == 'a<span class="x">U+202E</span>b'
    assert "\u2066" not in highlighted("x = '\u2066'", "python")


def test_growing_code_is_coloured_seldom_and_shown_whole(monkeypatch):
    coloured = []
    real = highlight.highlighted
    monkeypatch.setattr(
        highlight, "highlighted", lambda code, language: (coloured.append(len(code)), real(code, language))[1]
    )
    growing, code = GrowingCode(), "".join(f"x{n} = 'a'  # c\n" for n in range(300))
    for end in range(0, len(code), 7):
        shown = growing(code[:end], "python")
        assert html.unescape(re.sub(r"</?span[^>]*>", "", shown)) == code[:end]
    assert sum(coloured) < 8 * len(code)
    assert '<span class="s">' in shown


def test_other_code_is_coloured_again():
    growing = GrowingCode()
    growing("x = 1\n" * 50, "python")
    assert growing("let y", "js") == "let y"
