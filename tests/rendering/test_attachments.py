"""Images and sources below a reply: shown in every form, bounded, and safe whatever a server or a file holds."""

import base64
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.attachments import CitationPart, ImagePart
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.parts import Round, TextPart
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.live_output import turn_bundle
from lockbots_magic.panel import protocol, transcript_metadata
from lockbots_magic.panel.protocol import page_message, turn_message
from lockbots_magic.panel.transcript import Transcript
from lockbots_magic.rendering.attachments import NONE, attachments_of
from lockbots_magic.rendering.sources import MAX_SOURCES, MAX_TITLE
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.security.exits import clean_bundle
from lockbots_magic.security.pictures import embedded_picture
from lockbots_magic.storage.export_document import to_html, to_markdown
from lockbots_magic.storage.export_notebook import to_notebook
from tests.effort import examples

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 400_000).decode()
SMALL = "data:image/png;base64,iVBORw0KGgo="
SOURCE = CitationPart("https://example.org/a?b=1", "The *title* [1]")


def turn_of(*parts):
    return Turn("draw", model="m", provider="vllm", rounds=(Round((TextPart("Here."), *parts)),))


TURN = turn_of(ImagePart(PNG), SOURCE, CitationPart("https://example.com"))


def test_image_of_any_size_is_shown_in_a_cell():
    html = clean_bundle(turn_bundle(TURN))["text/html"]
    assert f'<img src="{PNG}" alt="image 1">' in html
    assert "[image: PNG, 400 kB]" in html


def test_notebook_holds_the_image_once_in_an_output():
    forms = turn_bundle(TURN)
    assert PNG not in forms["text/markdown"] + forms["text/plain"]
    assert forms["text/plain"] == TURN.reply == "Here.\n\n[image: PNG, 400 kB]"


def test_sources_are_numbered_links_that_name_their_host():
    forms = turn_bundle(TURN)
    link = 'href="https://example.org/a?b=1" target="_blank" rel="noopener noreferrer">'
    assert f"{link}The *title* [1]</a> (example.org)" in forms["text/html"]
    assert "<ol><li>" in forms["text/html"]
    markdown = r"1. [The \*title\* (1)](https://example.org/a?b=1) (example.org)"
    assert f"{markdown}\n2. [example.com](https://example.com)" in forms["text/markdown"]


def test_terminal_names_images_and_sources():
    stream = io.StringIO()
    output = TerminalOutput(stream)
    output.finish(TURN)
    assert stream.getvalue().splitlines() == [
        "[source 1. The *title* [1] — https://example.org/a?b=1]",
        "[source 2. https://example.com]",
    ]


def test_exports_hold_images_and_sources():
    conversation = Conversation("c", turns=[TURN])
    for document in (to_html(conversation), to_markdown(conversation), to_notebook(conversation)):
        assert PNG in document
        assert "https://example.org/a?b=1" in document


def test_panel_shows_them_within_bounds(monkeypatch):
    assert PNG in turn_message(TURN)["html"]
    assert "example.org" in turn_message(TURN)["html"]
    monkeypatch.setattr(protocol, "MAX_IMAGES", len(PNG) + 10)
    later = turn_of(ImagePart(PNG))
    first, last = page_message([TURN, later])["turns"]
    assert PNG not in first["html"]
    assert PNG in last["html"]


def test_transcript_of_the_panel_names_images_only():
    html = Transcript().render([TURN])["text/html"]
    assert "data:" not in html
    assert "[image: PNG, 400 kB]" in html


def test_panel_saves_the_latest_images(monkeypatch):
    monkeypatch.setattr(transcript_metadata, "MAX_IMAGES", len(PNG) + 10)
    conversation = Conversation("c")
    metadata = transcript_metadata.TranscriptMetadata()
    metadata.add(conversation)
    for started in (1.0, 2.0):
        conversation.commit(
            Turn("p", rounds=(Round((ImagePart(PNG),)),), started=started), conversation.slot(None, None)
        )
    records = metadata.build([conversation])["lockbots"]
    saved = [Turn.from_dict(record["turn"]) for record in records if "turn" in record]
    assert [turn.made_images[0].url == PNG for turn in saved] == [False, True]
    assert saved[0].reply == "[image left out: not saved with the panel]"


def test_turn_without_them_has_nothing_below():
    assert attachments_of(turn_of()) == NONE
    assert attachments_of(turn_of(ImagePart("", "an SVG image"), ImagePart("https://example.org/a.png"))) == NONE


def test_number_and_length_are_bounded():
    sources = [CitationPart(f"https://example.org/{n}", "x" * 5000) for n in range(500)]
    attached = attachments_of(turn_of(*sources, *[ImagePart(SMALL)] * 100))
    assert attached.html.count("<li>") == MAX_SOURCES
    assert f"and {500 - MAX_SOURCES} more sources" in attached.html
    assert attached.html.count("<img") == 20
    assert "x" * (MAX_TITLE + 1) not in attached.html + attached.markdown


UNSAFE = [
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml;base64,PHN2Zy8+",
    'https://example.org/"onerror=alert(1)',
    'data:image/png;base64,iVBORw0KGgo="onerror=alert(1)',
    "https://[",
    "file:///etc/passwd",
    "//example.org",
    "https://example.org/ ](javascript:alert(1))",
]
TAG = re.compile(
    r'<(?:a(?: href="https?://[^"]*")?(?: target="_blank")? rel="[a-z ]+"|img src="data:image/[^"]*" alt="[^"]*")>'
)
TEXTS = st.text(max_size=30) | st.sampled_from([*UNSAFE, "<script>", "](javascript:x)", "\x1b[2J", "\u202e", "`", "|"])
PARTS = st.builds(ImagePart, TEXTS | st.just(SMALL), TEXTS) | st.builds(CitationPart, TEXTS, TEXTS, TEXTS)


@settings(max_examples=examples(300))
@given(st.lists(PARTS, max_size=4))
def test_any_parts_of_a_file_are_shown_safely(parts):
    turn = turn_of(*parts)
    html = clean_bundle(turn_bundle(turn))["text/html"]
    assert not re.search(r"<(?:script|svg|iframe|object)", html)
    for source in re.findall(r'<img src="([^"]*)"', html):
        assert embedded_picture(source)
    for tag in re.findall(r"<(?:a|img)\b[^>]*>", html):
        assert TAG.fullmatch(tag)
    attached = attachments_of(turn)
    for address in re.findall(r"\]\(([^)]*)\)", attached.markdown):
        assert address.startswith(("http://", "https://"))


@pytest.mark.parametrize("address", UNSAFE)
def test_unsafe_address_is_no_link(address):
    attached = attachments_of(turn_of(CitationPart(address, "T"), ImagePart(address)))
    assert "<img" not in attached.html
    assert "javascript" not in re.sub(r"%[0-9A-F]{2}.*", "", attached.markdown)
    assert not re.search(r'href="(?!https?://)', attached.html)
