"""Parser for Markdown as models write it: CommonMark, tables, task lists, footnotes and TeX. Pure.

Raw HTML is off: a tag in a reply is text. `env["growing"]` marks the text as incomplete; open markup at its end is
then completed (see `open_markdown`).
"""

from __future__ import annotations

import functools
import re
from collections.abc import MutableMapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from . import open_markdown
from .escaping import right_to_left

Environment = MutableMapping[str, Any]
"""State of one parse: link definitions, footnotes, and whether the text is growing."""

_TEX = re.compile(
    r"\$\$.{1,5000}?\$\$|\$(?![\s$])[^$\n]{0,5000}?(?<![\s\\])\$(?!\d)|\\\(.{1,5000}?\\\)|\\\[.{1,5000}?\\\]", re.DOTALL
)
_TEX_OPEN = re.compile(r"\$\$(?!\$)|\\[(\[]")
_DISPLAY = re.compile(r"\$\$|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
_TASK = re.compile(r"\[([ xX])\](?=\s|\Z)")
_WITH_DIRECTION = {"paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "table_open"}


def parse(text: str, env: Environment) -> list[Token]:
    """Return the tokens of `text`."""
    return parser().parse(text, env)


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
    made.block.ruler.before("fence", "formula", _formula_block, {"alt": ["paragraph", "reference", "blockquote"]})
    made.inline.ruler.before("escape", "tex", _tex)
    made.core.ruler.push("tasks", _tasks)
    made.core.ruler.push("directions", _directions)
    open_markdown.install(made)
    return made


def _formula_block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Rule: a formula on lines of its own, in which a line may begin with what elsewhere begins a list."""
    begin = state.bMarks[first] + state.tShift[first]
    opening = _DISPLAY.match(state.src, begin)
    if opening is None or state.is_code_block(first):
        return False
    closing = {"$$": "$$", "\\[": "\\]"}.get(opening[0], f"\\end{{{opening[1]}}}")
    endless = state.env.setdefault(
        "endless", {}
    )  # line up to which each end was sought in vain, so that it is sought once
    line, after = max(first, endless.get(closing, 0) - 1), opening.end()
    while (at := state.src.find(closing, after, state.eMarks[line])) < 0:
        line += 1
        if line >= last or state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            endless[closing] = line
            growing = state.env.get("growing") and line == state.lineMax
            return bool(growing) and (silent or _push_formula(state, first, line, "open"))
        after = state.bMarks[line] + state.tShift[line]
    if state.src[at + len(closing) : state.eMarks[line]].strip():
        return False  # text follows: a paragraph that begins with a formula
    return silent or _push_formula(state, first, line + 1)


def _push_formula(state: StateBlock, first: int, end: int, info: str = "") -> bool:
    token = state.push("formula", "", 0)
    token.map = [first, end]
    token.content = state.getLines(first, end, state.blkIndent, False).strip()
    token.info = info
    token.block = True
    state.line = end
    return True


def _tex(state: StateInline, silent: bool) -> bool:
    """Rule: a formula within a line is passed on as it is; the front end typesets it."""
    if state.src[state.pos] not in "$\\":
        return False
    match = _TEX.match(state.src, state.pos)
    is_open = False
    if match is None and open_markdown.at_end(state):
        is_open = _TEX_OPEN.match(state.src, state.pos) is not None
    if match is None and not is_open:
        return False
    state.env["repaired"] = state.env.get("repaired") or is_open
    end = match.end() if match else state.posMax
    if not silent:
        token = state.push("formula", "", 0)
        token.content = state.src[state.pos : end]
        token.info = "open" if is_open else ""
    state.pos = end
    return True


def _tasks(state: StateCore) -> None:
    """Rule: a box at the beginning of a list item becomes a character; ticking it has no effect."""
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if item.type != "list_item_open" or paragraph.type != "paragraph_open" or not inline.children:
            continue
        text = inline.children[0]
        if text.type == "text" and (box := _TASK.match(text.content)):
            text.content = ("☐" if box[1] == " " else "☑") + text.content[box.end() :]
            item.attrSet("class", "task")


def _directions(state: StateCore) -> None:
    """Rule: blocks that hold right-to-left text get `dir="auto"`."""
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
