"""A credential is found in every form that encoders give it, and in mixtures of them."""

import base64
import html
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockbots_magic.security.control_characters import without_parting
from lockbots_magic.security.credential_forms import decode, letter_pattern, literal_forms
from lockbots_magic.security.exits import (
    clean_bundle,
    clean_message,
    clean_metadata,
    clean_printed,
    clean_text_file,
    mask_json,
)
from lockbots_magic.security.letter_folding import fold
from lockbots_magic.security.redaction import Redactor, redacted, secrets_in
from lockbots_magic.security.secrets import Secret
from tests.effort import examples
from tests.linear import is_linear

VALUE = "sk-1a2b+3c/4d&5e=='<\"_z"


def php_json(text):
    return json.dumps(text)[1:-1].replace("/", "\\/")


def wrapped(text, line_break):
    encoded = base64.b64encode(f"user:{text}".encode()).decode()
    return line_break.join(encoded[i : i + 7] for i in range(0, len(encoded), 7))


ENCODERS = {
    "raw": str,
    "url": lambda text: quote(text, safe=""),
    "url, lower case": lambda text: quote(text, safe="").lower() if text == text.lower() else text,
    "url, all": lambda text: "".join(f"%{code:02x}" for code in text.encode()),
    "url, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "upper case": str.upper,
    "other case": str.swapcase,
    "full-width": lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text),
    "full-width, upper case": lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text.upper()),
    "bold of mathematics": lambda text: "".join(chr(ord(c) + 0x1D3B9) if "a" <= c <= "z" else c for c in text),
    "html": html.escape,
    "html, twice": lambda text: html.escape(html.escape(text)),
    "html, numbers": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "html, zeros": lambda text: "".join(f"&#x{ord(c):05X};" for c in text),
    "json": lambda text: json.dumps(text)[1:-1],
    "json of php": php_json,
    "json, escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of a pair": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 in a url": lambda text: quote(base64.b64encode(f"?>~{text}".encode()).decode(), safe=""),
    "base64 in html": lambda text: "".join(f"&#{ord(c)};" for c in base64.b64encode(text.encode()).decode()),
    "base64 in json of php": lambda text: php_json(base64.b64encode(f"?>{text}".encode()).decode()),
    "base64 within": lambda text: base64.urlsafe_b64encode(f"ab{text}yz".encode()).decode(),
    "base64 in lines": lambda text: wrapped(text, "\n"),
    "base64 in lines of mail": lambda text: wrapped(text, "\r\n"),
    "base64 in lines, indented": lambda text: wrapped(text, "\n    "),
    "base64 in lines, json": lambda text: wrapped(text, "\\n"),
    "base64 in lines, url": lambda text: wrapped(text, "%0D%0A"),
    "base64 in lines, html": lambda text: wrapped(text, "&#10;"),
    "parted by zero width": "\u200b".join,
    "parted by soft hyphens": "\u00ad".join,
    "parted by joiners": lambda text: f"{text[:5]}\u200d\u2060{text[5:]}",
    "parted by selectors": "\ufe0f".join,
    "parted, json": lambda text: f"{text[:5]}\\u200b{text[5:]}",
    "parted, url": lambda text: quote(f"{text[:5]}\u200b{text[5:]}"),
    "parted, html": lambda text: f"{text[:5]}&#8203;{text[5:]}",
    "parted, upper case": lambda text: f"{text[:5]}\u200b{text[5:]}".upper(),
    "html, upper case": lambda text: html.escape(text.upper()),
    "url, all, upper case": lambda text: "".join(f"%{code:02x}" for code in text.upper().encode()),
    "parted, html names": lambda text: f"{text[:5]}&shy;{text[5:]}",
}
WHOLE_ONLY = ("url, twice", "html, twice", "json of php", "json, escapes", "html, zeros")
WHOLE_ONLY += ("base64 in lines, json", "base64 in lines, url", "base64 in lines, html")
WHOLE_ONLY += ("html, upper case", "url, all, upper case")
WHOLE_ONLY += ("parted, json", "parted, url", "parted, html", "parted, html names")
"""Forms that are masked where the whole leaves, not while pieces of it arrive."""
LETTER_ENCODERS = [one for name, one in ENCODERS.items() if not name.startswith(("base64", "parted", "hex"))]
EXITS = {
    "redacted": redacted,
    "bundle": lambda text: clean_bundle({"text/plain": text, "text/markdown": text, "text/html": text}),
    "plain": lambda text: clean_bundle({"text/plain": text}),
    "metadata": lambda text: clean_metadata({text: [text]}),
    "json": lambda text: mask_json({text: [text]}),
    "file": clean_text_file,
    "page": lambda text: clean_text_file(text, is_html=True),
    "message": lambda text: clean_message({"prompt": text, "html": text}),
    "printed": clean_printed,
}


def texts_of(value):
    if isinstance(value, str):
        return [value]
    return [text for one in ([*value, *value.values()] if isinstance(value, dict) else value) for text in texts_of(one)]


def holds(text, value=VALUE):
    """Tell whether `text` gives the credential away to somebody who decodes it."""
    cores = {form for form in literal_forms(value) if form.isalnum() and form not in value}
    seen = without_parting(decode(without_parting(text)))
    if fold(value) in fold(seen):
        return True
    unwrapped = "".join(seen.replace("\\r", "").replace("\\n", "").split())
    return any(one in shown for shown in (text, seen, unwrapped) for one in (value, *cores))


@pytest.mark.parametrize("name", ENCODERS)
def test_no_form_leaves_through_an_exit(name):
    keeper = Secret(VALUE)
    form = ENCODERS[name](VALUE)
    assert holds(f"a {form} b")
    assert secrets_in(f"a {form} b")
    for exit_name, clean in EXITS.items():
        for text in texts_of(clean(f"before {form} after")):
            if text not in ("text/plain", "text/markdown", "text/html", "prompt", "html"):
                assert not holds(text), (exit_name, text)
                assert text.startswith("before ")
                assert text.endswith(" after")
    assert keeper.is_searched


@given(st.lists(st.sampled_from(LETTER_ENCODERS), min_size=len(VALUE), max_size=len(VALUE)), st.text(max_size=5))
@settings(max_examples=examples(400))
def test_letters_may_each_have_a_form_of_their_own(encoders, around):
    keeper = Secret(VALUE)
    form = "".join(encode(letter) for encode, letter in zip(encoders, VALUE, strict=True))
    assert not holds(redacted(f"{around} {form} {around}"))
    assert keeper.redact(f"a {form} b") == "a *** b"


@given(st.sampled_from(sorted(ENCODERS)), st.lists(st.integers(1, 9), min_size=1))
@settings(max_examples=examples(200))
@example("url, all", [1])
@example("base64", [1])
def test_a_form_that_arrives_in_pieces_is_masked(name, sizes):
    if name in WHOLE_ONLY:
        return
    secret = Secret(VALUE)
    redactor = Redactor(secret)
    text, shown, n = f"a {ENCODERS[name](VALUE)} b", "", 0
    while text:
        size = sizes[n % len(sizes)]
        shown, text, n = shown + redactor.feed(text[:size]), text[size:], n + 1
    assert not holds(shown + redactor.close())


@given(st.text(alphabet="sk-1a2b+3%26&#x;\\u0", max_size=60))
def test_text_without_the_credential_stays(text):
    keeper = Secret(VALUE)
    assert redacted(text) == text
    assert keeper.redact(text) == text


@pytest.mark.parametrize(
    "text", ["👩\u200d👩\u200d👧 ❤\ufe0f", "می\u200cخواهم", "sk-\n1a2b\n", "c2st\nMWE\n", "a\u00adb"]
)
def test_what_only_resembles_a_parted_credential_stays(text):
    keeper = Secret(VALUE)
    assert redacted(text) == keeper.redact(text) == text
    redactor = Redactor(keeper)
    assert "".join(map(redactor.feed, text)) + redactor.close() == text


def test_base64_that_tags_part_is_masked():
    keeper = Secret(VALUE)
    lines = wrapped(VALUE, "\n").split("\n")
    page = "<pre>" + "<br>\n".join(f"<span class='x'>{line}</span>" for line in lines) + "</pre>"
    for cleaned in (clean_text_file(page, is_html=True), clean_bundle({"text/html": page})["text/html"]):
        assert "***" in cleaned
        assert not holds(re.sub("<[^>]*>", "", cleaned))
    assert keeper.is_searched


def test_time_to_search_grows_with_the_text():
    keeper = Secret("a" * 40 + "b")

    def search(text):
        redacted(text + f" &#{ord('a')};" + "%61" * 40 + "%62")

    for shape in ("a", "%61", "&amp;", "&#97;", "\\", "\\u0061", "%25", "&", "a\u202e", "c\n", "c2st \n"):
        assert is_linear(search, shape, 5_000), shape
    assert keeper.is_searched


def test_letters_have_the_names_that_html_has():
    assert "plus;" in letter_pattern("+")
    assert "lowbar;" in letter_pattern("_")
