"""Images and sources in chunks of any form: kept, bounded, and never anything unsafe."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.attachments import CitationPart, ImagePart
from lockbots_magic.providers.wire import attachments
from lockbots_magic.providers.wire.attachments import AttachmentCollector, parse_citation, parse_image
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.security import pictures
from lockbots_magic.security.links import is_web_link
from lockbots_magic.security.pictures import embedded_picture
from tests.effort import examples

DATA = {
    "png": b"\x89PNG\r\n\x1a\n" + b"0" * 40,
    "jpeg": b"\xff\xd8\xff\xe0" + b"0" * 40,
    "gif": b"GIF89a" + b"0" * 40,
    "webp": b"RIFF\x00\x00\x00\x00WEBP" + b"0" * 40,
}
ENCODED = {kind: base64.b64encode(data).decode() for kind, data in DATA.items()}
PNG = f"data:image/png;base64,{ENCODED['png']}"
SVG = "data:image/svg+xml;base64," + base64.b64encode(b"<svg onload='alert(1)'/>").decode()

FORMS = {
    "OpenRouter": {"images": [{"type": "image_url", "image_url": {"url": PNG}}]},
    "address in the field": {"images": [{"type": "image_url", "image_url": PNG}]},
    "addresses": {"images": [PNG]},
    "base64": {"images": [{"b64_json": ENCODED["png"]}]},
    "one image": {"images": {"url": PNG}},
    "part": {"content": [{"type": "image_url", "image_url": {"url": PNG}}]},
    "output part": {"content": [{"type": "output_image", "image_url": PNG}]},
    "Anthropic's source": {
        "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ENCODED["png"]}}]
    },
    "Gemini": {"content": [{"inlineData": {"mimeType": "image/png", "data": ENCODED["png"]}}]},
    "result of a call": {"content": [{"type": "image_generation_call", "result": ENCODED["png"]}]},
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_image_is_found_in_any_form(body):
    assert AttachmentCollector().feed({}, body) == (ImagePart(PNG),)


def test_type_is_that_of_the_content():
    for kind, encoded in ENCODED.items():
        for said in ("image/png", "image/webp", "text/html", ""):
            (image,) = (parse_image(f"data:{said};base64,{encoded}"),)
            assert image.url == f"data:image/{kind};base64,{encoded}"
            assert embedded_picture(image.url) == (kind, len(DATA[kind]))


def test_line_breaks_and_the_other_alphabet_are_read():
    encoded = base64.urlsafe_b64encode(b"\xff\xd8\xff" + b"\xfb\xef\xfe" * 20).decode()
    assert parse_image(f"data:image/jpeg;base64,{encoded[:20]}\n{encoded[20:]}").url.startswith("data:image/jpeg;")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (SVG, "SVG"),
        ("data:image/svg+xml,<svg/>", "SVG"),
        ("data:image/png;base64," + base64.b64encode(b"<svg/>").decode(), "SVG"),
        ("data:text/html;base64," + base64.b64encode(b"<script>").decode(), "not a PNG"),
        ("data:image/png;base64,!!!!", "base64"),
        ("data:image/png,abc", "base64"),
        ("javascript:alert(1),x", "address"),
        ("file:///etc/passwd,x", "address"),
        ("http://", "address"),
        ("https://exa mple.org/\n", "address"),
        ("https://example.org/" + "x" * 3000, "address"),
    ],
)
def test_anything_else_is_left_out_and_told(source, why):
    image = parse_image({"image_url": {"url": source}})
    assert image.url == ""
    assert why in image.omitted


def test_address_on_the_web_is_kept_and_not_fetched():
    assert parse_image({"url": "https://example.org/a.png"}) == ImagePart("https://example.org/a.png")


def test_size_and_number_are_bounded(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PICTURE", 45)
    assert "larger than" in parse_image(PNG).omitted
    monkeypatch.setattr(pictures, "MAX_PICTURE", 8_000_000)
    monkeypatch.setattr(attachments, "MAX_IMAGES", 3)
    many = [f"https://example.org/{n}.png" for n in range(10)]
    assert len(AttachmentCollector().feed({}, {"images": many})) == 3
    monkeypatch.setattr(attachments, "MAX_IMAGE_BYTES", 60)
    assert len(AttachmentCollector().feed({}, {"images": many})) == 2
    monkeypatch.setattr(attachments, "MAX_CITATIONS", 4)
    assert len(AttachmentCollector().feed({"citations": many}, {})) == 4


def test_repeated_images_and_sources_count_once():
    collector = AttachmentCollector()
    chunk, body = {"citations": ["https://example.org"]}, {"images": [PNG, PNG]}
    assert len(collector.feed(chunk, body)) == 2
    assert collector.feed(chunk, body) == ()


CITED = CitationPart("https://example.org/x", "T", "Q")
CITATIONS = {
    "OpenAI": {
        "type": "url_citation",
        "url_citation": {"url": CITED.url, "title": "T", "content": "Q", "start_index": 1},
    },
    "flat": {"type": "url_citation", "url": CITED.url, "title": "T", "content": "Q"},
    "Perplexity": {"title": "T", "url": CITED.url, "date": "2025-01-01", "snippet": "Q"},
    "Azure": {"content": "Q", "title": "T", "url": CITED.url, "filepath": "x.pdf"},
    "Gemini": {"web": {"uri": CITED.url, "title": "T"}, "text": "Q"},
}


@pytest.mark.parametrize("row", CITATIONS.values(), ids=CITATIONS)
def test_source_is_read_in_any_form(row):
    assert parse_citation(row) == CITED


def test_sources_are_found_wherever_they_stand():
    plain = CITED.url
    places = [
        ({}, {"annotations": [CITATIONS["OpenAI"]]}),
        ({"search_results": [CITATIONS["Perplexity"]], "citations": [plain]}, {}),
        ({}, {"context": {"citations": [CITATIONS["Azure"]]}}),
    ]
    for chunk, body in places:
        assert AttachmentCollector().feed(chunk, body) == (CITED,)
    for chunk, body in (({"citations": [plain]}, {}), ({}, {"citations": [plain]})):
        assert AttachmentCollector().feed(chunk, body) == (CitationPart(plain),)


def test_address_that_leads_nowhere_is_text():
    assert parse_citation("javascript:alert(1)") == CitationPart("", "javascript:alert(1)")
    assert parse_citation({"url": "file:///etc/passwd", "title": "T"}) == CitationPart("", "T")
    assert parse_citation({"type": "file_citation", "file_citation": {"filename": "a.pdf"}}) == CitationPart(
        "", "a.pdf"
    )
    for nothing in (None, 3, [], {}, {"url": ""}, {"title": " "}, {"url": None}):
        assert parse_citation(nothing) is None


def decode(*chunks):
    decoder = ChatCompletionsDecoder()
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    return [*decoder.feed(body + b"data: [DONE]\n\n"), *decoder.close()]


def test_image_alone_is_an_answer():
    deltas = decode(
        {"choices": [{"delta": {"content": "", "images": [PNG]}}]}, {"choices": [{"finish_reason": "stop"}]}
    )
    assert [part for delta in deltas for part in delta.parts] == [ImagePart(PNG)]
    assert deltas[-1].finish_reason == "stop"


def test_model_is_told_once():
    chunk = {"model": "m", "choices": [{"delta": {"content": "x"}}]}
    assert [delta.model for delta in decode(chunk, chunk, {**chunk, "model": 3})] == ["m", "", "", ""]


KEYS = ["images", "image_url", "url", "type", "content", "citations", "annotations", "search_results", "url_citation"]
KEYS += ["title", "source", "data", "context", "inlineData", "b64_json", "web"]
LEAVES = st.sampled_from(
    [PNG, SVG, "https://example.org", "javascript:alert(1)", "image_url", "data:", "http://[", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
ROWS = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)


@settings(max_examples=examples(400))
@given(ROWS, ROWS)
def test_any_json_gives_only_what_is_safe(chunk, body):
    for part in AttachmentCollector().feed(chunk, body):
        if isinstance(part, ImagePart):
            assert bool(part.url) != bool(part.omitted)
            assert part.url == "" or embedded_picture(part.url) or is_web_link(part.url)
        else:
            assert part.url or part.title
            assert part.url == "" or is_web_link(part.url)
            assert (part.url + part.title + part.quote).isprintable()
            assert len(part.title) <= attachments.MAX_TITLE
