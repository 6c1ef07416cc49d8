"""Incremental Markdown: the end is the same for any pieces, and each part is rendered once."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.rendering import incremental, open_block
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.rendering.markdown import parse as parse_markdown
from tests.documents import DOCUMENT
from tests.effort import examples, pick, sample
from tests.linear import is_linear


def grown(*pieces):
    """Return the document and its frames: the finished parts joined, and each open part."""
    document, finished, frames = IncrementalMarkdown(), "", []
    for piece in pieces:
        document.feed(piece)
        done, rest = document.advance()
        finished += done
        frames.append(finished + rest)
    return document, finished, frames


def cut(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_end_is_the_same_however_a_document_is_cut(sizes):
    pieces, at = [], 0
    for size in sizes:
        pieces.append(DOCUMENT[at : at + size])
        at += size
    document, _, _ = grown(*pieces, DOCUMENT[at:])
    assert document.whole() == render(DOCUMENT)


PIECES = [
    *("a", "\n", "\n\n", "# ", "- ", "  ", "```", "|", "---", "> ", "\r\n", "\r", "\u2028", "\x0b"),
    *("$", "1. ", "<b>", "**", "`", "[a]", ": /x", "'t", "    ", "$$", "\\[", "\\]", "[^a]", "[^a]: ", "[ ] ", "א"),
    *("\\begin{a}", "\\end{a}", "~~~", "_", "![", "](", ")", "\\"),
    *(
        "<br>",
        "</b>",
        "<details>",
        "</details>",
        "```md\n",
        "```sh\n",
        "https://a.b",
        "」",
        "| a | b |\n|-|-|\n",
        "$4 ",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
@settings(max_examples=examples(400))
def test_end_is_the_same_however_any_text_is_cut(pieces):
    document, _, _ = grown(*pieces)
    assert document.whole() == render("".join(pieces))


@given(st.lists(st.sampled_from([*PIECES, "one two three. "]), max_size=60))
@settings(max_examples=examples(300))
def test_end_is_the_same_however_long_blocks_are_split(pieces):
    normal = incremental.MAX_OPEN, open_block.MAX_PARAGRAPH
    incremental.MAX_OPEN, open_block.MAX_PARAGRAPH = 12, 30
    try:
        document, _, _ = grown(*pieces)
        assert document.whole() == render("".join(pieces))
    finally:
        incremental.MAX_OPEN, open_block.MAX_PARAGRAPH = normal


@pytest.mark.parametrize("mark", ["`", "[", "!", "*", "$", "\\"])
def test_paragraphs_of_one_and_the_same_mark_are_all_shown(mark):
    text = f"{mark}\n\n{mark}\n\nend"
    assert grown(*text)[0].whole() == render(text)


def test_link_defined_in_the_last_line_applies_to_the_first():
    document, _, _ = grown("[a]", "\n\n", "b", "\n\n", "[a]", ": https://x.example")
    assert document.whole() == render("[a]\n\nb\n\n[a]: https://x.example")
    assert "href" in document.whole()


def test_footnote_mark_without_a_note_is_text_in_the_end():
    document, finished, _ = grown("see[^a]\n\n", "more\n\n", "and\n\n")
    assert "see<sup>a</sup>" in finished
    assert "see[^a]" in document.whole()


def test_footnote_mark_is_shown_before_its_note_arrives():
    document, finished, _ = grown("see[^a]\n\n", "more\n\n", "[^a]: note\n\n", "and\n\n", "end\n\n")
    assert "see<sup>a</sup>" in finished
    assert document.whole() == render("see[^a]\n\nmore\n\n[^a]: note\n\nand\n\nend\n\n")


def test_apparent_table_stays_in_its_paragraph():
    document, _, _ = grown("a\n", "a|\n---", "a")
    assert document.whole() == render("a\na|\n---a")


def letters(html):
    return "".join(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", html)))


@pytest.mark.parametrize(
    "text", ["c\n\\begin{equation}\n}\n\\end{equation}`", "/\r$$\n`\n$$>", "Where\n$$\na\n\nb\n$$\nend\n"]
)
def test_apparent_formula_stays_in_its_paragraph(text):
    document, _, _ = grown(*text)
    assert document.whole() == render(text)


def parsed_sizes(monkeypatch):
    """Return a list that collects the length of every text parsed from now on."""
    sizes: list[int] = []

    def parse(text, env):
        sizes.append(len(text))
        return parse_markdown(text, env)

    for module in (incremental, open_block):
        monkeypatch.setattr(module, "parse", parse)
    return sizes


LONG = {
    "code": "```python\n" + "x = 'a'  # b\n" * 2000 + "```\n",
    "open code": "~~~\n" + "x = 'a'  # b\n" * 2000,
    "table": "| a | b |\n|---|--:|\n" + "| *1* | 2 |\n" * 2000,
    "list": "- one *item* of it\n" * 1500,
    "numbers": "".join(f"{n}. one\n   more\n" for n in range(1, 1000)),
    "paragraph": "One *sentence* of `it`, and $x$. " * 900,
    "lines": "One *line*\nof it\n" * 1500,
    "endless word": "x" * 30_000,
    "quote": "> quoted *text*. More of it.\n" * 1000,
    "quoted paragraphs": "> quoted *text*\n>\n" * 1000,
    "chinese": "这是一个*句子*。" * 3000,
    "formulas": "$x$ and $y$. " * 1500 + "\n\n- $z$\n" * 100,
    "other line ends": "- one\u2028item\x0b of\x85it\n" * 600,
    "between others": "a\n\n" + "word and word, and more. " * 1000 + "\n\n- b\n\n" + "```\nx\n```\n" * 3,
}


@pytest.mark.parametrize("kind", LONG)
def test_long_block_is_shown_in_parts_and_is_one_in_the_end(kind, monkeypatch):
    sizes = parsed_sizes(monkeypatch)
    text = LONG[kind]
    pieces = cut(text, 300)
    document, _, frames = grown(*pieces)
    assert sum(sizes) < 20 * len(text), "what is finished is not read again"
    assert letters(frames[-1]) == letters(render(text)), "nothing is lost or shown twice"
    assert document.whole() == render(text)


def test_the_parts_of_a_block_of_code_join():
    _, finished, frames = grown(*cut("```\n" + "line\n" * 1000, 300))
    assert finished.count('<pre class="joins">') == 1
    assert '<pre class="joins joined">' in finished
    assert '<pre class="joined">' in frames[-1]


def test_the_parts_of_a_table_have_one_head():
    _, _, frames = grown(*cut("| a | b |\n|---|--:|\n" + "| *1* | 2 |\n" * 500, 300))
    assert frames[-1].count("<thead>") == 1
    assert frames[-1].count("<table>") > 2


def test_finished_blocks_are_not_parsed_again(monkeypatch):
    sizes = parsed_sizes(monkeypatch)
    grown(*(f"Paragraph {n} of some length.\n\n" for n in range(200)))
    assert max(sizes) < 200


REAL = [
    *("```python\n" + "x = 1  # c\n" * n + "```" for n in (3, 80, 95, 120)),
    *("Some *text* here. And more of it, with words. " * n for n in (1, 20, 25, 60)),
    *("- item *a*. Then b\n" * n for n in (3, 40, 60)),
    *("| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * n for n in (2, 90, 150)),
    *("> quote. More of it\n" * n for n in (2, 50, 70)),
    *(
        "1. one\n   ```\n   x\n   ```\n2. two",
        "## Head",
        "---",
        "$$\na = b\n$$",
        "[r]: http://x.y",
        "note[^1]",
        "[^1]: text",
    ),
    *("Output:", "", "```python title. Word", "$$\na = b\n\nc = d\n$$"),
]


@pytest.mark.once
@given(
    st.lists(
        st.tuples(st.sampled_from(REAL), st.sampled_from(["\n", "\n\n", "\n\n\n"])), min_size=1, max_size=pick(3, 6)
    ),
    st.sampled_from([1, 4, 30, 80, 400]),
)
@settings(max_examples=examples(60))
def test_end_is_the_same_however_long_documents_are_cut(blocks, size):
    text = "\n\n" + "".join(block + end for block, end in blocks)
    document, _, _ = grown(*cut(text, size))
    assert document.whole() == render(text)


@pytest.mark.parametrize("length", sample(range(900, 1100, 7), 8))
def test_fence_that_ends_where_a_block_is_split_stays_closed(length):
    text = "```\n" + "x" * length + "\n```\nOutput:\n```\ny\n```\n"
    for size in pick((4, 30), (1, 4, 30)):
        document, _, _ = grown(*cut(text, size))
        assert document.whole() == render(text)


@pytest.mark.once
@pytest.mark.parametrize(
    ("before", "shape"), [("", "\n"), ("- a\n\n  ```\n", "  x = 1\n"), ("", "["), ("", "|a\n")], ids=range(4)
)
def test_rendering_time_is_bounded_for_growing_text(before, shape):
    assert is_linear(lambda text: grown(*cut(before + text, len(text) // 8)), shape, 2_000)
