"""Reasoning: a bounded end of it while it comes, and the whole as foreign text after."""

import re

from markdown_it import MarkdownIt

from lockbots_magic.language import speaking
from lockbots_magic.rendering import reasoning_tail
from lockbots_magic.rendering.frame import framed
from lockbots_magic.rendering.mime_bundle import bundle
from lockbots_magic.rendering.reasoning import (
    FOLD_STYLE,
    FOLDED_TEXT_STYLE,
    MAX_REASONING,
    reasoning_html,
    reasoning_markdown,
    thinking_html,
)
from lockbots_magic.rendering.reasoning_tail import MAX_TAIL, ReasoningTail
from tests.hostile import VECTORS
from tests.hostile.judge import faults_in
from tests.hostile.policy import READ, REPLY

RULES = {
    **REPLY,
    "details": {"class": "lockbots-reasoning", "open": "", "style": re.escape(FOLD_STYLE)},
    "span": {"class": "lockbots-seconds", "style": r"animation-delay: -\d+s"},
    "div": {"dir": "auto", "class": "lockbots-reasoning", "style": re.escape(FOLDED_TEXT_STYLE)},
}


def tail_of(*pieces):
    tail = ReasoningTail()
    for piece in pieces:
        tail.feed(piece)
    return tail


def test_it_is_folded_above_the_reply_as_plain_text():
    shown = framed("<p>Four.</p>", above=reasoning_html(" Two **and**\n<b>two</b> $x$\u202e\n"))
    assert shown.index("<details") < shown.index("Four.")
    assert "Two **and**&#10;&lt;b&gt;two&lt;/b&gt;" in shown
    assert "\u202e" not in shown
    assert "open" not in shown[shown.index("<details") : shown.index("<summary>")]
    assert reasoning_html(" \n") == ""


def test_it_can_stay_open():
    opening = f'<details class="lockbots-reasoning" style="{FOLD_STYLE}" open>'
    assert reasoning_html("Two.", is_open=True).startswith(opening)


def test_long_reasoning_is_cut():
    shown = reasoning_html("x" * (MAX_REASONING + 1234))
    assert "x" * MAX_REASONING in shown
    assert "x" * (MAX_REASONING + 1) not in shown
    assert "1,234 more characters" in shown


def test_while_it_comes_its_end_is_shown_from_the_beginning_of_a_word():
    text, _ = tail_of("word " * 500, "last").take()
    assert text.startswith("…word ")
    assert text.endswith("word last")
    assert len(text) <= MAX_TAIL + 1
    assert tail_of("short").take()[0] == "short"


def test_it_is_shown_again_only_when_there_is_more_and_not_at_once(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("lockbots_magic.rendering.reasoning_tail.time.monotonic", lambda: now[0])
    tail = tail_of("one ")
    assert tail.wait == 0
    tail.take()
    assert tail.wait is None
    tail.feed("two ")
    assert tail.wait == reasoning_tail.MIN_PAUSE
    now[0] += 100
    assert tail.wait == 0
    assert tail.take() == ("one two ", 100.0)
    tail.feed("three")
    assert tail.wait == 10.0, "frames become rare: their number grows with the logarithm of the time"


def test_the_page_counts_the_seconds():
    assert "animation-delay: -12s" in thinking_html("Two.", 12.4)
    assert "animation-delay: -" not in thinking_html("Two.", 0.4)
    assert "open" not in thinking_html("", 3)
    assert len(thinking_html("", 3)) < 800


def test_reasoning_is_foreign_text_in_every_form():
    for vector in VECTORS:
        for shown in (reasoning_html(vector.text), thinking_html(vector.text, 3)):
            assert not faults_in(shown, RULES), vector.name
        read = MarkdownIt("commonmark", {"html": False}).enable("table").render(reasoning_markdown(vector.text))
        assert not faults_in(read, READ), vector.name
        assert "<a " not in read, vector.name
        assert "<img" not in read, vector.name


def test_where_html_is_not_shown_it_is_quoted_in_the_markdown():
    shown = bundle("Four.", "<p>Four.</p>", reasoning="Two\n# and", is_quoted=True)
    assert shown["text/markdown"] == "> *Reasoning*\n>\n> Two  \n> \\# and  \n\nFour."
    assert "Reasoning" not in bundle("Four.", "<p>Four.</p>", reasoning="Two")["text/markdown"]


def test_seconds_have_the_unit_of_the_users_language_beside_them():
    for language, unit in (("en", "s"), ("ru", "с")):
        with speaking(language):
            assert f'counter(lockbots-s) "\u00a0{unit}"' in thinking_html("Two", 3)
