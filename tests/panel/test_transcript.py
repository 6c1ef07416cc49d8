"""Transcript of a conversation, below the panel."""

from html.parser import HTMLParser

import pytest

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.panel.transcript import MAX_CHARACTERS, MAX_SHOWN_TURNS, Transcript
from lockbots_magic.rendering import calls
from lockbots_magic.rendering.html import render


def turns(count, reply="yes"):
    return Conversation(turns=[Turn(f"question {n}", reply) for n in range(count)]).turns


def test_oldest_turns_are_omitted_and_counted():
    shown = Transcript().render(turns(MAX_SHOWN_TURNS + 2))
    assert shown["text/plain"].startswith("2 earlier turns\n\n> question 2\n\nyes")
    assert "<p>2 earlier turns</p>" in shown["text/html"]
    assert "1 earlier turn\n" in Transcript().render(turns(MAX_SHOWN_TURNS + 1))["text/plain"]


def test_long_replies_stay_within_the_size_limit():
    shown = Transcript().render(turns(20, "word " * 5000))
    assert MAX_CHARACTERS / 2 < sum(map(len, shown.values())) < 1.1 * MAX_CHARACTERS
    assert "earlier turns" in shown["text/plain"]
    assert "question 19" in shown["text/plain"]


def test_long_reply_is_cut_as_plain_text_only():
    shown = Transcript().render(turns(1, "word " * 4_000))
    assert shown["text/plain"].endswith("word … (10,000 more characters)")
    assert shown["text/html"].count("word") >= 4_000


def test_last_turn_is_shown_even_if_it_exceeds_the_limit():
    assert "word" in Transcript().render(turns(1, "word " * MAX_CHARACTERS))["text/plain"]


def test_transcript_folds_the_reasoning():
    html = Transcript().render([Turn("question", "answer", reasoning="a <b>thought</b>")])["text/html"]
    assert html.index("<details") < html.index("a &lt;b&gt;thought") < html.index("answer")


def test_earlier_turns_tell_of_their_ends_before_they_are_formatted():
    """For the first seconds only the last turn is formatted; one that broke off must not look complete meanwhile."""
    broken = Turn("question", "half\nan answer", status="interrupted", error="the connection closed early")
    quick = Transcript().render([broken, Turn("next", "*yes*")], formatted=1)["text/html"]
    whole = Transcript().render([broken, Turn("next", "*yes*")])["text/html"]
    for shown in (quick, whole):
        assert "the connection closed early" in shown
    assert "<pre" in quick
    assert "half\nan answer" in quick.replace("&#10;", "\n")


@pytest.mark.parametrize("formatted", [0, 1])
def test_transcript_has_no_empty_line_that_would_end_it_in_exported_markdown(formatted):
    turn = Turn("say\n\n# Title\n\n| a |", "one\n\n```\nx\n\ny\n```", reasoning="a\n\nb")
    html = Transcript().render([turn], formatted=formatted)["text/html"]
    assert "\n\n" not in html
    assert "say&#10;&#10;# Title" in html


def test_transcript_names_the_speaker_and_how_to_continue():
    html = Transcript().render([Turn("question", "answer")])["text/html"]
    assert html.index("You:") < html.index("question") < html.index("answer") < html.index("%lockbots restore")
    assert "restore" not in Transcript().render([])["text/html"]


@pytest.mark.parametrize("hostile", [r"$\href{https://evil.example/}{click}$", "costs $5 or $3", r"\(x\)", "$$x$$"])
def test_no_text_is_taken_for_a_formula(hostile):
    turn = Turn(hostile, "half", status="interrupted", error=hostile)
    assert hostile in Transcript().render([turn])["text/plain"]
    assert find_text_for_mathjax(Transcript().render([turn])["text/html"]).count("$") == 0
    assert "\\" not in find_text_for_mathjax(Transcript().render([turn])["text/html"])


def find_text_for_mathjax(html):
    """Return the text in which front ends look for TeX."""
    found, depths = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            ignored = "mathjax_ignore" in (dict(attributes).get("class") or "").split()
            depths.append(ignored or bool(depths and depths[-1]) or tag == "style")

        def handle_endtag(self, tag):
            depths.pop()

        def handle_data(self, data):
            if not (depths and depths[-1]):
                found.append(data)

    Reader().feed(html)
    return "".join(found)


def test_turn_is_rendered_once(monkeypatch):
    rendered = []
    monkeypatch.setattr(calls, "render", lambda text, below: rendered.append(text) or render(text, below))
    shown, page = turns(3), Transcript()
    first = page.render(shown)
    assert page.render(shown) == first
    page.render((*shown, Turn("new", "reply")))
    assert rendered == ["yes"] * 3 + ["reply"]


def test_changed_turn_is_rendered_again():
    page = Transcript()
    page.render([Turn("hi", "one", id="same")])
    assert "two" in page.render([Turn("hi", "two", id="same")])["text/html"]
