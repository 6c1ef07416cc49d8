"""Rules that are tried by the character they begin with find what the loops of markdown-it find."""

from __future__ import annotations

import functools
import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import Ruler
from markdown_it.rules_block import lheading

from lockbots_magic.rendering import markdown
from lockbots_magic.rendering.markdown_rules import by_letter, emphasis
from lockbots_magic.rendering.markdown_rules.plain import plain_tokens
from lockbots_magic.rendering.markdown_rules.simple_inline import simple_tokens

from ..effort import examples
from .markdown_examples import GROUPS

LINES = (
    *(
        "a *b* _c_ **d** ~~e~~ `f` $g$ \\(h\\) [i](j) ![k](l) [^m] <b>n</b> &amp; http://o.example www.p.example",
        "q | r",
    ),
    *(
        "-|-",
        "---",
        "===",
        "- s",
        "1. t",
        "2) u",
        "> v",
        "# w",
        "```python",
        "~~~",
        "```md",
        "$$",
        "x$$",
        "\\[",
        "\\]",
        "",
    ),
    *(
        "<details>",
        "<summary>y</summary>",
        "</details>",
        "[^z]: note",
        "[i]: http://o.example",
        "    code",
        "* * *",
        "+ ",
    ),
)
MARKS = (
    "*",
    "_",
    "~",
    "`",
    "$",
    "\\",
    "[",
    "]",
    "(",
    ")",
    "!",
    "<",
    ">",
    "&",
    ":",
    "|",
    "#",
    "-",
    "=",
    " ",
    "\n",
    "a",
    "1",
    "ж",
)


class _EveryRule(emphasis._Inline):
    tokenize = ParserInline.tokenize
    skipToken = ParserInline.skipToken  # noqa: N815  # name of the base class

    def read_simple(self, *_: object) -> None:
        return None


@functools.cache
def every_rule() -> MarkdownIt:
    """Return the parser as it is without `by_letter`."""
    made: MarkdownIt = markdown.parser.__wrapped__()
    ruler: Ruler[Any] = Ruler()
    ruler.__rules__ = made.block.ruler.__rules__
    ruler.at("lheading", lheading)
    made.block.ruler = ruler
    inline = _EveryRule()
    inline.ruler, inline.ruler2 = made.inline.ruler, made.inline.ruler2
    made.inline = inline
    return made


def assert_same(text: str) -> None:
    for env in ({}, {"growing": True}):
        expected, found = ({"footnotes": {"refs": {}, "list": {}}, **env} for _ in range(2))
        assert markdown.parse(text, found) == every_rule().parse(text, expected), text
        assert found == expected


def test_every_example_has_the_same_tokens() -> None:
    for example in itertools.chain(*GROUPS.values()):
        assert_same(example.markdown)


@settings(max_examples=examples(1_000))
@given(st.lists(st.sampled_from(LINES) | st.text(st.sampled_from(MARKS), max_size=12), max_size=8), st.integers(0, 3))
def test_any_lines_have_the_same_tokens(lines: list[str], indentation: int) -> None:
    assert_same("\n".join(lines))
    assert_same("\n".join(" " * (indentation * number % 7) + line for number, line in enumerate(lines)))


@settings(max_examples=examples(1_000))
@given(st.text(st.sampled_from(MARKS), max_size=60))
def test_any_marks_have_the_same_tokens(text: str) -> None:
    assert_same(text)
    assert_same("[" * 25 + text)  # deeper than markdown-it reads


WORDS = (
    "Who",
    "is",
    "o'Neil",
    "3 %",
    "a-b",
    "(no)",
    "I/O:",
    "1.",
    "- x",
    "=",
    "|",
    "ж",
    "אב",
    "www.a.example",
    "://b.example",
)


@settings(max_examples=examples(2_000))
@given(st.lists(st.sampled_from((*WORDS, *MARKS, "\n\n", "\n", " ")) | st.text(max_size=3), max_size=8).map("".join))
def test_plain_text_has_the_tokens_that_the_parser_finds(text: str) -> None:
    for written in (text, f"Who {text}", f"Who {text}a\n\n\nb {text}.\n"):
        tokens = plain_tokens(written)
        assert tokens is None or tokens == every_rule().parse(written, {}), written


def test_prompts_are_plain_text() -> None:
    for prompt in ("What is the mean?", "Fit it (say, 3 %); then plot: x-y.\n\nWhy?\n", "Почему?"):
        assert plain_tokens(prompt) is not None, prompt


SIMPLE = (
    *("**Note:**", "**x**:", "*x y*,", "(*x*)", "`f(x)`", "`a``b`", "$x_1$", "$5 and $6", r"\(x\)", r"\[x\]", "$`x`$"),
    *(
        "[the notes](https://a.example/b_c?d=e%20f)",
        "[a](http://b.example)(c)",
        "a_b",
        "_a_",
        "x: y",
        "a < b & c",
        "~5",
    ),
    *("**Вывод:**", "*élan*", "ж_э", "**×**"),
    *("2**3", "2 * 3", "*a **b** c*", "**a*b**", "__init__", "http://c.example", "a]", "!", "&lt;", "<br>", "*x!*y"),
)


@settings(max_examples=examples(3_000))
@given(
    st.lists(st.sampled_from((*SIMPLE, *WORDS, *MARKS, "\n", "  \n ", "\t")) | st.text(max_size=2), max_size=8),
    st.sampled_from((" ", "")),
)
def test_simple_markup_has_the_tokens_that_the_parser_finds(pieces: list[str], between: str) -> None:
    text = between.join(pieces)
    tokens = simple_tokens(text, markdown.parser())
    assert tokens is None or tokens == every_rule().inline.parse(text, every_rule(), {}, []), text


def test_markup_of_most_replies_is_simple() -> None:
    for text in (
        *SIMPLE[:18],
        "**Weak**: it rings for `n` of\n$2 n$ periods, see [it](http://a.example); *then* fades.",
    ):
        assert simple_tokens(text, markdown.parser()) is not None or "``" in text or text == "_a_", text
    for text in ("**the `mean`**", "***x***", "a*b*", r"\*", "![a](http://b.example)", "[a][b]", "[a](b)"):
        assert simple_tokens(text, markdown.parser()) is None, text


def test_each_rule_of_the_parser_is_known() -> None:
    """A rule that is renamed would be tried at every character, which is right and slow."""
    made = markdown.parser()
    assert by_letter._INLINE.keys() <= {*made.inline.ruler.get_all_rules()}
    assert by_letter._BLOCK.keys() <= {*made.block.ruler.get_all_rules()}


def test_formula_below_an_item_ends_the_list() -> None:
    """The first search for its end looked as far as the item, and only a second one further."""
    tokens = [token.type for token in markdown.parse("- item\n$$\nx\n$$\n", {}) if token.level == 0]
    assert tokens == ["bullet_list_open", "bullet_list_close", "formula"]
