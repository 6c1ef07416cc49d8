"""Tests that bare text, of which a front end makes links, leads to the web or nowhere."""

import re
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockbots_magic.security.links import Unlinker, unlinked
from tests.effort import examples

LINK = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]{2,}://|data:|www\.)[^\s\"]{2,}")
"""What JupyterLab makes a link of in plain text (`webLinkRegex`), case-insensitive for `data:` here."""
PIECES = st.sampled_from(
    [
        "javascript",
        "vbscript",
        "data",
        "DATA",
        "http",
        "https",
        "x-http",
        "1",
        "_",
        ":",
        "/",
        "//",
        "://",
        " ",
        "a",
        ".",
        "\u2060",
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def schemes(text):
    found = re.finditer(LINK.pattern, text, re.IGNORECASE)
    return {one[0].split(":")[0].lower() for one in found if not one[0].lower().startswith("www.")}


@given(TEXTS)
@settings(max_examples=examples(300))
@example("_javascript://x")
@example("1javascript://xx")
@example("xdata:text/html,x")
@example("httpx://evil")
def test_no_scheme_but_the_webs_stays_a_link(text):
    shown = unlinked(text)
    assert schemes(shown) <= {"http", "https"}
    assert shown.replace("\u2060", "") == text.replace("\u2060", "")
    assert unlinked(shown) == shown


@given(TEXTS, st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=examples(300))
@example("javascript://x", [11])
@example("see data:text/html,x", [5, 6, 7])
@example("evil0123456789+https://x", [])
def test_text_in_pieces_is_unlinked_as_well(text, cuts):
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    links = Unlinker()
    shown = "".join([*(links.feed(text[a:b]) for a, b in pairwise(ends)), links.close()])
    assert schemes(shown) <= {"http", "https"}
    assert shown.replace("\u2060", "") == text.replace("\u2060", "")


def test_web_address_and_colons_stay_as_they_are():
    text = "Note: see https://a.example/x, HTTP://b.example and 10:30; update: dat:1"
    links = Unlinker()
    assert unlinked(text) == text
    assert "".join(links.feed(c) for c in text) + links.close() == text
    assert unlinked("vscode://evil/x") == "vscode\u2060://evil/x"


def test_long_runs_take_linear_time():
    for unit in ("a.", "a+.", "x-y.z+", "data", "://", "a://", "http"):
        unlinked(unit * 100_000)
        Unlinker().feed(unit * 100_000)
