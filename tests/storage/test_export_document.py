"""Exported web page: complete, readable, and without active content."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import ToolCall
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.storage import export_document
from lockbots_magic.storage.export_document import CONTENT_SECURITY_POLICY
from tests.documents import DOCUMENT
from tests.hostile import FAMILIES, VECTORS
from tests.hostile.judge import faults_in
from tests.hostile.names import LINKED, NAMES
from tests.hostile.policy import REPLY, Rules

PAGE: Rules = {
    **REPLY,
    **{tag: {} for tag in ("html", "head", "body", "main", "title")},
    "meta": {
        "charset": "utf-8",
        "http-equiv": "Content-Security-Policy",
        "name": "viewport|color-scheme|referrer",
        "content": re.escape(CONTENT_SECURITY_POLICY) + "|width=device-width, initial-scale=1|light dark|no-referrer",
    },
    "section": {"class": "system|prompt|reply"},
    "div": {"class": f"({REPLY['div']['class']}|typed)", "dir": "auto"},
}


def turn(prompt="What?", reply="That.", **kwargs):
    return Turn(prompt, reply, **{"provider": "openai", "model": "gpt-4o", **kwargs})


def talk(*turns, name="talk", system=""):
    return Conversation(name, system=system, turns=turns)


def faults(conversation):
    """Return the content of the page that no exported page may hold."""
    text = export_document.to_html(conversation).removeprefix("<!DOCTYPE html>\n")
    return faults_in(re.sub(r"<meta [^>]*>", _closed, text, count=5), PAGE)


def _closed(meta):
    return f"{meta[0]}</meta>"  # the judge knows of no element that has no end but those of replies


class Outline(HTMLParser):
    """The headings of a page, in order."""

    def __init__(self, text):
        super().__init__()
        self.headings = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if re.fullmatch(r"h\d", tag):
            self._open = tag
            self.headings.append((tag, ""))

    def handle_data(self, data):
        if self._open:
            tag, text = self.headings[-1]
            self.headings[-1] = (tag, text + data)

    def handle_endtag(self, tag):
        if tag == self._open:
            self._open = ""


def test_page_names_each_speaker_in_a_heading():
    conversation = talk(
        turn("Why?", "# Because\n\nit\n\n## And so\n\n###### Small"), turn(provider="", model=""), system="Be brief."
    )
    assert Outline(export_document.to_html(conversation)).headings == [
        *(("h1", "talk"), ("h2", "System prompt")),
        *(("h2", "You"), ("h2", "openai:gpt-4o"), ("h3", "Because"), ("h4", "And so"), ("h6", "Small")),
        *(("h2", "You"), ("h2", "Assistant")),
    ]


def test_prompts_are_shown_as_typed():
    assert '<div class="typed" dir="auto">a\n   &lt;b&gt; &amp;amp; $x$\t**c**</div>' in export_document.to_html(
        talk(turn("a\n   <b> &amp; $x$\t**c**"))
    )


def test_replies_are_rendered_as_markdown():
    text = export_document.to_html(talk(turn(reply=DOCUMENT)))
    assert "<strong>bold</strong>" in text
    assert "<b>def</b>" in text
    assert "привет" in text


@pytest.mark.parametrize(
    ("turn", "remark"),
    [
        (
            turn(status="interrupted", error="Interrupted; the text so far is kept."),
            "Interrupted; the text so far is kept.",
        ),
        (turn(status="truncated", error="cut short"), "cut short"),
        (turn(status="error", error="RateLimitError: x"), "the reply broke off here"),
        (turn(reply="", status="error", error="RateLimitError: x"), "no reply: RateLimitError"),
        (turn(reply="", status="error", error="something odd"), "no reply"),
        (turn(reply=""), "the reply is empty"),
        (turn(stale=True), "stale"),
        (turn(left_out=2), "2 older turns were left out"),
    ],
)
def test_how_a_turn_ended_is_marked(turn, remark):
    assert f'<div class="lockbots-notice">{remark}' in export_document.to_html(talk(turn))
    assert "odd" not in export_document.to_html(talk(turn))


def test_a_call_stands_before_the_text_that_it_led_to():
    called = talk(turn(calls=(ToolCall("1", "f", '{"x": 1}', "2", elapsed=3.0),)))
    text = export_document.to_html(called)
    assert text.index('<div class="lockbots-call"><code>f(x=1) -&gt; 2</code></div>') < text.index("<p>That.</p>")
    assert "`f(x=1) -> 2`\n\nThat." in export_document.to_markdown(called)


def test_images_are_counted_below_the_prompt_and_not_shown():
    text = export_document.to_html(
        talk(turn(images=("data:image/png;base64,iVBORw0KGgo=", "https://evil.example/x.png")))
    )
    prompt, reply = re.findall("<section.*?</section>", text, re.DOTALL)
    assert '<div class="lockbots-notice">with 2 images</div>' in prompt
    assert "lockbots-notice" not in reply
    assert "<img" not in text
    assert "evil" not in text
    assert "image" not in "".join(re.findall("<section.*?</section>", export_document.to_html(talk(turn())), re.DOTALL))


def test_page_is_self_contained():
    text = export_document.to_html(talk(turn(reply=DOCUMENT)))
    assert "<meta charset" in text[:100]
    assert f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">' in text
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert not re.search(r"<(script|link|iframe|object|form)|@import|url\(|\son\w+=", text)
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_checker_accepts_an_ordinary_page():
    assert not faults(talk(turn(reply=DOCUMENT), turn(status="truncated", error="cut"), system="Be brief."))


def test_checker_finds_a_script():
    assert faults_in("<main><script>hurt()</script></main>", PAGE)


@pytest.mark.once
@pytest.mark.parametrize("family", FAMILIES)
def test_hostile_text_is_inert_in_every_field(family):
    for text in (vector.text for vector in VECTORS if vector.family == family):
        assert not faults(talk(turn(text, text), turn("harmless", text), name=text, system=text)), text


@pytest.mark.parametrize("name", [*NAMES, *LINKED])
def test_names_are_text(name):
    turns = [turn(model=name), turn(provider=name), turn(status="truncated", error=name)]
    turns += [turn(reply="", status="error", error=f"{name}: {name}")]
    turns += [turn(calls=(ToolCall(name, name, name, name),), images=(name,))]
    assert not faults(talk(*turns, name=name))


@given(st.text(), st.text())
def test_any_words_are_text(prompt, name):
    assert not faults(talk(turn(prompt, prompt), name=name))


def test_names_hold_no_control_characters():
    text = export_document.to_html(talk(turn(model="a\u202eb\x1b[31m\n\nc"), name="x\u202ey"))
    assert '<h1 dir="auto">xy</h1>' in text
    assert ">openai:ab[31m c</h2>" in text
