"""Parser for Markdown as models write it: CommonMark, tables, task lists, footnotes, TeX and `markdown_rules`. Pure.

Raw HTML is off: but for the few of `markdown_rules.tags`, a tag in a reply is text. `env["growing"]` marks the text as
incomplete; open markup at its end is then completed (see `open_markdown`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import MutableMapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, normalize
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from ..schema import fences
from . import open_markdown
from .escaping import right_to_left
from .markdown_rules import addresses, by_letter, emphasis, formulas, tables, tags
from .markdown_rules.plain import plain_tokens
from .time_budget import check_time

Environment = MutableMapping[str, Any]
"""State of one parse: link definitions, footnotes, and whether the text is growing."""

_TASK = re.compile(r"\[([ xX])\](?=\s|\Z)")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
_WITH_DIRECTION = {
    *("paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "table_open", "blockquote_open"),
    *("details_open", "summary_open"),
}


def parse(text: str, env: Environment) -> list[Token]:
    """Return the tokens of `text`."""
    check_time()
    tokens = None if env else plain_tokens(text)
    return parser().parse(text, env) if tokens is None else tokens


def lowered(tokens: list[Token], levels: int) -> list[Token]:
    """Lower the headings among `tokens` by that many levels, so that they rank below those of a page."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + levels, 6)}"
    return tokens


@functools.cache
def parser() -> MarkdownIt:
    """Return the parser."""
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.use(footnote_plugin, inline=False).disable("footnote_tail")
    for rules in (emphasis, tables, tags, fences, formulas, addresses):
        rules.install(made)
    made.core.ruler.at("normalize", _normalize)
    made.core.ruler.push("breaks", _breaks)
    made.core.ruler.push("tasks", _tasks)
    made.core.ruler.push("alerts", _alerts)
    made.core.ruler.push("directions", _directions)
    open_markdown.install(made)
    made.block.ruler.before("table", "time", _check_block)
    made.inline.ruler.before("text", "time", _check_inline)
    by_letter.install(made)
    return made


def _check_block(*_: object) -> bool:
    """Rule that never matches: check the time at every block."""
    check_time()
    return False


def _check_inline(*_: object) -> bool:
    """Rule that never matches: check the time at every mark."""
    check_time()
    return False


def _normalize(state: StateCore) -> None:
    """Rule: that of markdown-it, which takes as long for each line end as for one to change."""
    if "\r" in state.src or "\0" in state.src:
        normalize(state)


def _breaks(state: StateCore) -> None:
    """Rule: a single line end is a line break. Models don't wrap lines: poems, addresses and logs have lines."""
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type, child.tag = "hardbreak", "br"


def _tasks(state: StateCore) -> None:
    """Rule: a box at the beginning of a list item becomes a character; ticking it has no effect."""
    if "[" not in state.src:
        return
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if item.type != "list_item_open" or paragraph.type != "paragraph_open" or not inline.children:
            continue
        text = inline.children[0]
        if text.type == "text" and (box := _TASK.match(text.content)):
            text.content = ("☐" if box[1] == " " else "☑") + text.content[box.end() :]
            item.attrSet("class", "task")
            item.attrSet("style", "list-style:none")


def _alerts(state: StateCore) -> None:
    """Rule: the mark of an alert in a quote, as GitHub has it, becomes a bold title: "[!NOTE]" is "Note"."""
    if "[!" not in state.src:
        return
    for quote, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if quote.type != "blockquote_open" or paragraph.type != "paragraph_open" or not inline.children:
            continue
        first, *others = inline.children
        alert = _ALERT.fullmatch(first.content) if first.type == "text" else None
        if alert and (not others or others[0].type == "hardbreak"):
            opening, closing = Token("strong_open", "strong", 1), Token("strong_close", "strong", -1)
            opening.markup = closing.markup = "**"
            first.content = alert[1].capitalize()
            inline.children = [opening, first, closing, *others]


def _directions(state: StateCore) -> None:
    """Rule: blocks that hold right-to-left text get `dir="auto"`."""
    if not right_to_left(state.src):
        return
    within: list[Token] = []
    for token in state.tokens:
        if token.nesting > 0:
            within.append(token)
        elif token.nesting < 0:
            within.pop()
        elif token.type == "inline" and right_to_left(token.content):
            for block in within:
                if block.type in _WITH_DIRECTION:
                    block.attrSet("dir", "auto")
