"""Corpus of `tests.hostile` without a browser: whole and cut anywhere, in every form of a reply."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lockbots_magic.conversation.messages import Delta
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.rendering.frame import notices_html
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.rendering.mime_bundle import bundle
from lockbots_magic.rendering.safe_markdown import neutralised
from lockbots_magic.rendering.table import Table
from lockbots_magic.rendering.terminal.output import TerminalOutput
from tests.effort import examples, pick
from tests.hostile import BATCHES, FAMILIES, VECTORS, Vector
from tests.hostile.judge import faults_in
from tests.hostile.names import NAMES
from tests.hostile.policy import EXPORTED, READ, REPLY, TABLE, Rules

CUTS = pick(12, thorough=40)
"""Positions at which a vector is cut, at most."""
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a terminal would obey rather than show."""

pytestmark = pytest.mark.once


def steps_of(vector: Vector) -> Sequence[str]:
    """Return the deltas of a vector, or pieces as small as the time of a test allows."""
    if len(vector.pieces) > 1:
        return vector.pieces
    size = -(-len(vector.text) // CUTS)
    return [vector.text[at : at + size] for at in range(0, len(vector.text), size)]


def starts_of(vector: Vector) -> list[str]:
    """Return beginnings of a vector: a stream may pause anywhere."""
    size = -(-len(vector.text) // CUTS)
    return [vector.text[:end] for end in range(1, len(vector.text) + size, size)]


@pytest.fixture(params=FAMILIES)
def family(request) -> list[Vector]:
    return [vector for vector in VECTORS if vector.family == request.param]


def judged(rendered: Iterable[tuple[str, str]], rules: Rules) -> dict[str, list[str]]:
    """Return the faults of each pair (source, HTML) that has any."""
    return {repr(source)[-300:]: faults for source, html in rendered if (faults := faults_in(html, rules))}


def test_every_vector_has_a_unique_name_and_a_browser_test():
    assert len({vector.name for vector in VECTORS}) == len(VECTORS) >= 180
    assert {vector for batch in BATCHES for vector in batch.vectors} == set(VECTORS)


def test_html_holds_only_allowed_tags_wherever_the_text_ends(family):
    assert not judged(((start, render(start)) for vector in family for start in starts_of(vector)), REPLY)


def test_frames_hold_only_allowed_tags(family):
    assert not judged(frames_of(family), REPLY)


def frames_of(family: list[Vector]) -> Iterator[tuple[str, str]]:
    for vector in family:
        document = IncrementalMarkdown()
        for step in steps_of(vector):
            document.feed(step)
            yield from ((document.text, html) for html in document.advance())
        yield document.text, document.whole()


_FORMULA = re.compile(r'<span class="mathjax_process tex2jax_process">([^<]*)</span>')
_CODE = re.compile(r"<(code|pre)\b.*?</\1>", re.DOTALL)
_FORBIDDEN = re.compile(
    r"(?<!\\)(?:\\\\)*\\(href|style|class|cssId|bbox|unicode|mmlToken|require|[gx]?def|let|(re)?new\w+|providecommand|"
    r"enclose|label|rule|Rule|raise|lower|hspace|kern|Declare\w+|definecolor|usetagform|mathtip|texttip|toggle|verb)"
    r"(?![a-zA-Z])"
)


def test_typeset_formula_is_harmless(family):
    set_ = {vector.name: _FORMULA.findall(render(vector.text)) for vector in family}
    assert not {name: formulas for name, formulas in set_.items() if any(map(_FORBIDDEN.search, formulas))}


def test_no_other_text_begins_a_formula(family):
    """Dollars and backslashes are isolated: front ends search for TeX in one run of text at a time, and not in code."""
    for vector in family:
        text = _CODE.sub("", _FORMULA.sub("", render(vector.text)))
        runs = re.sub(r"<[^>]*>", "\0", text).split("\0")
        assert not [run for run in runs if re.search(r"[$\\]", run) and len(run) > 1], vector.name


def read(markdown: str) -> str:
    """Return `markdown` as shown by a renderer that allows raw HTML and any link."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda _: True
    return reader.render(markdown)


def test_safe_markdown_is_inert_in_every_renderer(family):
    assert not judged(((start, read(neutralised(start))) for vector in family for start in starts_of(vector)), READ)


def test_html_is_inert_inside_markdown(family):
    htmls = [(vector.text, bundle(vector.text, render(vector.text), ["cut short"])["text/html"]) for vector in family]
    assert not judged(htmls, REPLY)
    assert not judged(((text, read(f"before\n\n{html}\n\nafter")) for text, html in htmls), EXPORTED)


def test_terminal_output_holds_no_control_sequences(family):
    stream = io.StringIO()
    output = TerminalOutput(stream)
    for vector in family:
        for piece in vector.pieces:
            output.feed(Delta(piece))
        output.finish(Turn("q", vector.text), [vector.text])
    output.close()
    assert not OBEYED.search(stream.getvalue())


_SHORT = [vector.text for vector in VECTORS if len(vector.text) < 400]
_GLUE = [
    "\n",
    "\n\n",
    " ",
    "  \n",
    "> ",
    "- ",
    "| ",
    "`",
    "```\n",
    "*",
    "[",
    "](",
    "$",
    "\\",
    "<",
    '"',
    "    ",
    "!",
    "\r",
    "{",
]


@st.composite
def fragments(draw) -> str:
    """Strategy: a part of a vector, or text to put between two."""
    if draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(_GLUE))
    text = draw(st.sampled_from(_SHORT))
    begin = draw(st.integers(0, len(text) - 1))
    return text[begin : draw(st.integers(begin, len(text))) + 1]


@given(st.lists(fragments(), max_size=8).map("".join), st.integers(1, 30))
@settings(max_examples=examples(250))
@example("[$![$](http://evil.example/x.png)", 5)
@example("```\na\n\n![x](http://evil.example/x.png)\n```", 5)
@example("|\n-|\n[x](javascript:hurt())", 5)
def test_mixtures_of_vectors_are_inert(text, size):
    html = render(text)
    document = IncrementalMarkdown()
    for at in range(0, len(text), size):
        document.feed(text[at : at + size])
        assert not judged([("", frame) for frame in document.advance()], REPLY)
    assert not judged([("", html), ("", document.whole())], REPLY)
    assert not faults_in(read(neutralised(text)), READ)
    assert not faults_in(read(bundle(text, html)["text/html"]), EXPORTED)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_in_tables_and_notices(name):
    table = Table(("name",), [(name,)], name)
    assert not faults_in(table._repr_html_(), TABLE)
    assert not OBEYED.search(repr(table))
    assert not faults_in(notices_html([name]), REPLY)
    assert not faults_in(read(bundle("x", "<p>x</p>", [name])["text/markdown"]), READ)


@pytest.mark.parametrize(
    "html",
    [
        "<script>hurt()</script>",
        "<p onclick=hurt()>x</p>",
        '<a href="javascript:hurt()">x</a>',
        '<a href="java\tscript:hurt()">x</a>',
        '<a href="//evil.example">x</a>',
        '<a href="/lab/api">x</a>',
        '<img src="http://evil.example/x.png">',
        '<img src="data:image/svg+xml,x">',
        '<td style="background:url(http://evil.example)">x</td>',
        '<div class="jp-Dialog">x</div>',
        "<p id=hurt>x</p>",
        "<!-- x -->",
        "<?x?>",
        "<!x>",
        "</div>",
        "<div>",
    ],
)
def test_checker_finds_active_content(html):
    assert faults_in(html, REPLY)


def test_checker_accepts_an_ordinary_reply():
    text = (
        "# a\n\n**b** [c](https://d.example) `e`\n\n- f\n\n| g |\n|--:|\n| h |\n\n```python\ndef i(): pass\n```\n\n$j$"
    )
    assert not faults_in(bundle(text, render(text), ["k"])["text/html"], REPLY)
