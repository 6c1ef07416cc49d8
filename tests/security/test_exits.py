"""Exits: what each of them masks and removes."""

import json
import os
import re
from html import unescape
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.rendering.highlight import COLOURS, highlighted
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.mime_bundle import bundle
from lockbots_magic.security.control_characters import printable, without_controls
from lockbots_magic.security.exits import (
    clean_bundle,
    clean_bundles,
    clean_message,
    clean_metadata,
    clean_plain_form,
    clean_printed,
    clean_text_file,
    redact_each,
)
from lockbots_magic.security.html_policy import CODE_COLOURS, sanitize
from lockbots_magic.security.redaction import redact, redact_html, redact_markdown
from lockbots_magic.security.secrets import Secret
from lockbots_magic.security.secrets_in_use import secrets_in_use

from ..effort import examples

KEY = "sk-1a2b+3c/4d&5e"
STEERING = "\033]0;title\a \x9b31m \x08"


@pytest.fixture(autouse=True)
def secret():
    return Secret(KEY)


def whole(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


EXITS = {
    "bundle": lambda text: clean_bundle({"text/plain": text, "text/markdown": text, "application/json": {"a": [text]}}),
    "plain": lambda text: clean_bundle({"text/plain": text}),
    "metadata": lambda text: clean_metadata({text: [text, {"a": (text, 1)}]}),
    "file": clean_text_file,
    "message": lambda text: clean_message({"turn": {"prompt": text, "notices": [text]}, "n": 1}),
    "printed": clean_printed,
}


@pytest.mark.parametrize("name", EXITS)
@pytest.mark.parametrize("form", [KEY, "sk-1a2b%2B3c%2F4d%265e"])
def test_no_credential_leaves(name, form):
    left = whole(EXITS[name](f"before {form} after"))
    assert form not in left
    assert "before *** after" in left


@pytest.mark.parametrize("name", EXITS)
def test_credential_of_the_environment_is_masked(name, monkeypatch):
    monkeypatch.setenv("ANY_API_KEY", "of-the-environment")
    assert "of-the-environment" not in whole(EXITS[name]("a of-the-environment b"))


@pytest.mark.parametrize("name", EXITS)
def test_lone_surrogate_is_replaced(name):
    assert "a\ufffdb" in whole(EXITS[name]("a\ud800b"))


@pytest.mark.parametrize("name", [name for name in EXITS if name != "metadata"])
def test_exits_remove_control_characters(name):
    text = EXITS[name]("a" + STEERING)
    texts = [text] if isinstance(text, str) else re.findall(r'"((?:[^"\\]|\\.)*)"', whole(text))
    if name == "bundle":  # JSON has no characters, only their escapes
        texts = [text["text/plain"], text["text/markdown"]]
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f]|u001b|u0007", "".join(texts))


PARTING = {
    "NUL": "\0",
    "ESC": "\x1b",
    "DEL": "\x7f",
    "C1": "\x9b",
    "bidi override": "\u202e",
    "bidi isolate": "\u2066",
    "tag": "\U000e0041",
    "several": "\0\x1b\x85\u202a\u2069\U000e007f",
}
FORMS = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")
LEAVING = {
    **{f"{kind} alone": lambda text, kind=kind: clean_bundle({kind: text}) for kind in FORMS},
    **{f"{kind} beside": lambda text, kind=kind: clean_bundle({kind: text, "text/x": ""}) for kind in FORMS},
    "JSON": lambda text: clean_bundle({"application/json": {text: [text]}}),
    "plain form": clean_plain_form,
    "metadata": lambda text: clean_metadata({text: [text, {"a": (text, 1)}]}),
    "document": clean_text_file,
    "page": lambda text: clean_text_file(text, is_html=True),
    "message": lambda text: clean_message({"turn": {"prompt": text}, "notices": [text]}),
    "HTML of a message": lambda text: clean_message({"html": text, "rest": [text]}),
    "printed": clean_printed,
}


def texts(value):
    """Yield every text in `value`, names too, as a reader sees it: without control characters."""
    if isinstance(value, str):
        yield printable(re.sub(r"<[^>]*>", "", unescape(value)))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from texts(name)
            yield from texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)


@pytest.mark.parametrize("name", LEAVING)
@pytest.mark.parametrize("parting", PARTING.values(), ids=PARTING)
@pytest.mark.parametrize("place", [1, 7, len(KEY) - 1])
def test_no_exit_puts_a_parted_credential_together(name, parting, place):
    left = list(texts(LEAVING[name](f"before {KEY[:place]}{parting}{KEY[place:]} after {parting.join(KEY)}.")))
    assert not any(KEY in text for text in left)
    assert any("before *** after ***." in text for text in left)


@pytest.mark.parametrize("reference", ["&#8238;", "&#x202e;", "&#x1b;", "&#xE0041;", "&#x202e;<b>\u202e</b>\u2066"])
@pytest.mark.parametrize(
    "exit_", [lambda text: clean_bundle({"text/html": text}), lambda text: clean_message({"html": text})]
)
def test_a_credential_that_references_to_steering_characters_part_is_masked_in_html(exit_, reference):
    assert not any(KEY in text for text in texts(exit_(f"<p>{KEY[:5]}{reference}{KEY[5:]}</p>")))


def test_a_credential_that_references_to_steering_characters_part_is_masked_in_markdown():
    for reference in ("&#8238;", "&#x202e;", "&#x1b;", "\u202e&#xE0041;"):
        assert clean_text_file(f"a {KEY[:7]}{reference}\\{KEY[7:]} b") == "a *** b", reference
        assert clean_bundle({"text/markdown": f"{KEY[:7]}{reference}{KEY[7:]}"})["text/markdown"] == "***"


@pytest.mark.parametrize("key", ['ab"cd"ef"gh', "back\\slash-0123", "\\begins-and-ends\\"])
def test_metadata_hold_no_credential_in_json_inside_json(key):
    kept = Secret(key)
    once = json.dumps({"key": key})
    value = {"calls": [{"arguments": once}, {"arguments": json.dumps({"body": once})}]}
    clean = clean_metadata(value)
    assert clean["calls"][0]["arguments"] == '{"key": "***"}'
    assert json.loads(json.loads(clean["calls"][1]["arguments"])["body"]) == {"key": "***"}
    assert kept


def test_steering_characters_outside_a_credential_stay_in_metadata():
    value = {"reply": f"\x1b[1m \u202e {KEY[:4]}\0{KEY[4:]}\0 s\0k"}
    assert clean_metadata(value) == {"reply": "\x1b[1m \u202e ***\0 s\0k"}


def test_a_credential_in_highlighted_code_is_found_across_tags():
    html = render(f"`{KEY}` and [link](https://a.example/?k={KEY})\n\n```python\nkey = {KEY}\n```\n")
    clean = clean_bundle({"text/html": html})["text/html"]
    visible = re.sub(r"<[^>]*>", "", clean)
    assert "sk-1a2b" not in clean
    assert "4d" not in visible
    assert visible.count("***") == 2
    assert clean.count("<") == html.count("<"), "tags stay in pairs"


def test_a_credential_that_markdown_escapes_is_masked():
    for key in ("sk_a*b$c`d~e", "<key>[0]&more", "back\\slash-0123"):
        secret = Secret(key)
        data = bundle("reply", "<p>reply</p>", [f"OSError: {secret.reveal()} was rejected"])
        assert key not in data["text/markdown"], "the case is one in which Markdown escapes something"
        assert clean_bundle(data)["text/markdown"] == "reply\n\n*OSError: *** was rejected*"
        assert clean_text_file(data["text/markdown"]) == "reply\n\n*OSError: *** was rejected*\n".rstrip()


def test_html_without_a_credential_is_unchanged():
    html = render("# a\n\n```python\nx = 1 < 2 & 3\n```\n\n$x$ שלום\u2067a\u2069")
    assert clean_bundle({"text/html": html})["text/html"] == html
    assert clean_message({"html": html, "text": "a"})["html"] == html
    assert clean_text_file(html, is_html=True) == html


def test_text_without_a_richer_form_holds_only_http_links():
    text = "file:///etc https://a.example"
    assert (
        clean_bundle({"text/plain": text})["text/plain"] == clean_printed(text) == "file\u2060:///etc https://a.example"
    )
    both = clean_bundle({"text/plain": text, "text/html": "<p>x</p>"})
    assert both["text/plain"] == text, "it is copied; front ends make no links in it"


@given(
    st.lists(st.sampled_from([KEY, "a", "\r", "\n", "\033", "\u202e", "data:", "file://", "\ud800", " "])).map("".join)
)
def test_cleaning_twice_changes_nothing(text):
    kept = Secret(KEY)
    for clean in EXITS.values():
        once = clean(text)
        again = once if isinstance(once, str) else None
        assert again is None or clean(again) == once
    once = clean_bundle({"text/plain": text, "text/html": text})
    assert clean_bundle(once) == once
    assert clean_plain_form(text) == once["text/plain"]
    assert kept


def test_metadata_without_a_credential_are_the_same_object():
    value = {"turn": {"prompt": "привет", "n": [1, 2.5, None, True]}}
    assert clean_metadata(value) is value


@pytest.mark.parametrize("name", EXITS)
def test_each_exit_reads_the_environment_once(name, monkeypatch):
    class Environment(dict):
        read = 0

        def __iter__(self):
            type(self).read += 1
            return super().__iter__()

    monkeypatch.setattr(os, "environ", Environment(os.environ))
    EXITS[name]("text " * 100)
    assert Environment.read == 1


def test_colours_of_code_are_those_of_the_policy():
    assert COLOURS == CODE_COLOURS
    html = highlighted("@a\ndef b(): return 2 + 1 # d", "python")
    assert sanitize(f"<pre><code>{html}</code></pre>") == f"<pre><code>{html}</code></pre>"


@pytest.mark.parametrize(("tag", "attribute"), [*product(["p", "script", "svg"], ["onclick", "id", "style"])])
def test_policy_removes_other_markup(tag, attribute):
    html = sanitize(f'<{tag} {attribute}="x">a</{tag}><!-- b --><img src="http://a.example/b.png"><a href="/lab">c</a>')
    assert not re.search(rf"{attribute}=|<script|<svg|<!--|src=|href=", html)


WRITTEN = (
    *(
        "{}",
        "&#{};",
        "&#x{:x};",
        "%{:02X}",
        "\\\\{}",
        "\\\\u00{:02x}",
        "<b>{}</b>",
        "{}\u200b",
        "&shy;{}",
        "{}\x1b",
        "&amp;#{};",
        "{}\n",
    ),
)
"""Ways to write a letter, or to part it from the next one."""
LETTERS = st.lists(st.sampled_from(WRITTEN), min_size=len(KEY), max_size=len(KEY))


def one_by_one(forms):
    """Return what is left of forms if each of them is cleaned by what cleans its kind."""
    secrets = secrets_in_use()
    html, markdown = (without_controls(forms[kind]) for kind in ("text/html", "text/markdown"))
    return {
        "text/html": redact_html(html, secrets),
        "text/markdown": redact_markdown(markdown, secrets),
        "text/plain": redact(printable(forms["text/plain"]), secrets),
        "application/json": {"a": [redact(forms["application/json"]["a"][0], secrets)]},
    }


@settings(max_examples=examples(400))
@given(st.lists(st.tuples(LETTERS, st.sampled_from(["text/html", "text/markdown", "text/plain", "json"])), max_size=3))
def test_one_search_in_many_outputs_finds_what_a_search_in_each_form_finds(hidden):
    outputs = [
        {"text/html": "<p>a &amp; b", "text/markdown": "a \\& b", "text/plain": "a", "application/json": {"a": ["a"]}}
    ]
    for ways, kind in hidden:
        written = "".join(
            way.format(ord(one) if ":" in way or "#" in way else one) for way, one in zip(ways, KEY, strict=True)
        )
        output = dict(outputs[0])
        if kind == "json":
            output["application/json"] = {"a": [written]}
        else:
            output[kind] = f"before {written} after"
        outputs.append(output)
    assert clean_bundles(outputs) == [one_by_one(output) for output in outputs]


def test_many_texts_are_masked_by_one_search():
    texts = ["a", KEY, f"&#x73;{KEY[1:]} b", "a", KEY[:8], KEY[8:]]
    assert redact_each(texts) == {KEY: "***", f"&#x73;{KEY[1:]} b": "*** b"}
    assert redact_each([]) == {}
