"""Every step of rendering has a budget: hostile texts take linear work, and what takes longer is plain text."""

import re
import threading

import pytest

from lockbots_magic.conversation.messages import Delta
from lockbots_magic.conversation.shown_text import MAX_SHOWN, shown_text
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.live_output import turn_bundle
from lockbots_magic.rendering import frame_loop, lexers, time_budget
from lockbots_magic.rendering.frame_loop import FrameLoop
from lockbots_magic.rendering.highlight import highlighted
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.rendering.lexers import WINDOW, lexer_of
from lockbots_magic.rendering.markdown import parse
from lockbots_magic.rendering.mime_bundle import html_or_source
from lockbots_magic.rendering.safe_markdown import neutralised
from lockbots_magic.rendering.terminal.blocks import Renderer
from lockbots_magic.rendering.time_budget import MAX_RENDERED, TooSlowError, at_most, check_time, remaining
from lockbots_magic.security.exits import clean_bundle, clean_printed
from tests.linear import MAX_TRIES, is_linear, processor_time
from tests.rawserver import PATIENCE

SMALL, LARGE = 6_000, 24_000
"""Characters of the texts."""
SHAPES = [
    "---\n",
    "\\[",
    "$a ",
    "<details>\n",
    "<b>",
    "`a``",
    "| `a|b` | c |\n",
    "[](",
    "**a ",
    "http://a.b/.....",
    "a\n# b\n",
    "a\n```\nx\n```\n",
    "a\n***\n",
    "a\n|b|c|\n|-|-|\n",
    "> a\n> # b\n",
    "1. b\n",
    "[^a]: b\n",
    "a\n\\[\nx\n\\]\n",
    "\\begin{a}\n",
]


def grow(text):
    document = IncrementalMarkdown()
    step = len(text) // 8  # as many frames for a long text as for a short one, as `FrameLoop` has it
    for at in range(0, len(text), step):
        document.feed(text[at : at + step])
        document.advance()
    document.whole()


RENDERERS = {
    "html": render,
    "growing": grow,
    "markdown": neutralised,
    "terminal": lambda text: Renderer(styled=True, encoding="utf-8").blocks(parse(text, {}), 80),
    "printed": clean_printed,
    "bundle": lambda text: clean_bundle({"text/html": text, "text/markdown": text, "text/plain": text}),
}
CODE = ["\n", "\t\n", "a b ", "(", '"a\\', "/", "a.", "{", "<!--", "'"]


@pytest.mark.parametrize("name", RENDERERS)
def test_hostile_text_takes_linear_time(name):
    action = RENDERERS[name]
    for shape in SHAPES:
        assert is_linear(action, shape, SMALL), shape


def test_hostile_formula_in_a_block_takes_linear_time():
    for shape in ("$", "$$ ", "\n \n"):
        assert is_linear(lambda text: parse(f"```math\n{text}x\n```\n", {}), shape, SMALL), shape


@pytest.mark.parametrize("language", sorted(lexers._LANGUAGES))
def test_no_pattern_of_an_allowed_lexer_sees_more_than_a_window(language, monkeypatch):
    if lexer_of(language) is None:
        pytest.skip("this version of Pygments has no such lexer")
    monkeypatch.setattr(lexers, "MAX_SECONDS", 0.02)
    list(lexer_of(language).get_tokens_unprocessed(" ".join(CODE)))  # compiles the patterns
    for shape in CODE:
        for size in (SMALL, LARGE):
            text = (shape * size)[:size]
            action = lambda code: list(lexer_of(language).get_tokens_unprocessed(code))  # noqa: E731
            assert any(processor_time(action, text) < 0.3 for _ in range(MAX_TRIES)), shape
            assert "".join(token for _, _, token in lexer_of(language).get_tokens_unprocessed(text)) == text


def test_only_vetted_languages_are_coloured():
    for language in ("py", "python3", "sh", "js", "ts", "c++", "yaml", "latex", "dockerfile"):
        assert lexer_of(language) is not None, language
    for language in (
        "autohotkey",
        "pycon",
        "make",
        "html+php",
        "lasso",
        "robotframework",
        "raku",
        "matlab",
        "no such one",
    ):
        assert lexer_of(language) is None, language
    assert highlighted("\n" * 20_000, "autohotkey") == "\n" * 20_000


def test_code_of_a_vetted_language_is_coloured_as_before():
    assert highlighted("def f(x):\n    return 'a'  # b\n", "python").count("</") == 5
    assert "<font" in highlighted('{"a": "b"}', "json")


def test_code_whose_time_is_over_stays_whole(monkeypatch):
    monkeypatch.setattr(lexers, "MAX_SECONDS", -1.0)
    code = "x = 1\n" * 500
    assert highlighted(code, "python").replace("<span", "").count("x") >= 500
    assert WINDOW < 10_000


def test_budget_of_a_block_counts_the_one_around_it():
    assert remaining() == float("inf")
    with at_most(100.0), at_most(1000.0):
        assert 0 < remaining() <= 100.0
        check_time()
        stopped = threading.Event()
        with at_most(1000.0, stopped.is_set):
            check_time()
            stopped.set()
            with pytest.raises(TooSlowError):
                check_time()
        check_time()
    with at_most(-1.0), pytest.raises(TooSlowError):
        render("*a*")
    assert remaining() == float("inf")


def test_without_time_a_reply_is_plain_text():
    turn = Turn("p", "**a** `b`")
    with at_most(-1.0):
        shown = turn_bundle(turn)
    assert re.search(r"<pre[^>]*><code[^>]*>\*\*a\*\* `b`</code></pre>", shown["text/html"])
    assert shown["text/markdown"] == "```\n**a** `b`\n```"
    assert shown["text/plain"] == "**a** `b`"


def test_long_reply_is_plain_text_and_a_very_long_one_is_cut():
    long = "*a* " * (MAX_RENDERED // 4 + 1)
    assert html_or_source(lambda: render(long), long).startswith("<pre><code>*a* ")
    assert neutralised(long).startswith("```\n*a* ")
    very_long = "b" * (MAX_SHOWN + 5)
    shown = turn_bundle(Turn("p", very_long))
    assert all("5 more characters are not shown" in form for form in shown.values())
    assert all(form.count("b") < MAX_SHOWN + 300 for form in shown.values())
    assert shown_text("b" * MAX_SHOWN) == "b" * MAX_SHOWN


def test_frames_of_a_long_reply_only_tell_its_length(monkeypatch):
    monkeypatch.setattr(frame_loop, "MAX_RENDERED", 1000)
    told = threading.Event()
    drawn = []

    def draw(finished, growing, notices):
        drawn.append((finished, growing, *notices))
        if notices and "characters so far" in notices[0]:
            told.set()
        return 1

    loop = FrameLoop(draw)
    loop.feed(Delta("x" * 2000))
    assert told.wait(PATIENCE)
    with pytest.raises(TooSlowError):
        loop.whole()
    assert drawn[-1][:2] == ("", "")
    assert "2,000 characters" in drawn[-1][2]


def test_end_of_a_reply_does_not_wait_for_a_slow_frame(monkeypatch):
    begun, goes_on = threading.Event(), threading.Event()
    drawn = []

    def advance(_):
        begun.set()
        assert goes_on.wait(PATIENCE)
        return "late", ""

    monkeypatch.setattr(IncrementalMarkdown, "advance", advance)
    loop = FrameLoop(lambda *frame: drawn.append(frame) or 1)
    loop.feed(Delta("x"))
    assert begun.wait(PATIENCE)
    with at_most(time_budget.MAX_INTERRUPTED_SECONDS), pytest.raises(TooSlowError):
        loop.whole()
    goes_on.set()
    loop._thread.join(PATIENCE)
    assert not loop._thread.is_alive()
    assert not drawn, "a frame after the end"
