"""The few HTML tags that models use where Markdown has no mark of its own; all others are text. Pure.

They become tokens like any mark, so nothing of the tag itself, no attribute either, reaches a page.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ...late_pattern import late_pattern
from .growing import at_end

_MARKS = {"b": "strong", "strong": "strong", "i": "em", "em": "em", "s": "s", "del": "s"}
_TAGS = {**_MARKS, "sub": "sub", "sup": "sup", "kbd": "kbd"}
"""Tag -> name of the tokens."""
_MARKUP = {"strong": "**", "em": "*", "s": "~~"}
_BREAK = late_pattern(r"<br[ \t]*/?>[ \t]*\n?", re.IGNORECASE)
_OPENING = late_pattern(rf"<({'|'.join(_TAGS)})>", re.IGNORECASE)
_DETAILS = late_pattern(r"<details(?: open)?>[ \t]*(?:<summary>(.*?)</summary>)?[ \t]*\Z", re.IGNORECASE)
_WHOLE_DETAILS = late_pattern(
    r"<details(?: open)?>[ \t]*(?:<summary>((?:(?!</?summary>).)*)</summary>)?"
    r"((?:(?!</?details>).)*)</details>[ \t]*\Z",
    re.IGNORECASE,
)
_SUMMARY = late_pattern(r"<summary>(.*)</summary>[ \t]*\Z", re.IGNORECASE)
_EDGE = late_pattern(r"<(/?)details(?: open)?>", re.IGNORECASE)


def install(parser: MarkdownIt) -> None:
    """Add the rules."""
    parser.inline.ruler.before("autolink", "tag", _tag)
    parser.block.ruler.before("fence", "details", _details, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def _tag(state: StateInline, silent: bool) -> bool:
    """Rule: a line break, or an opening tag with the text up to its closing one."""
    if state.src[state.pos] != "<":
        return False
    if line_break := _BREAK.match(state.src, state.pos, state.posMax):
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = line_break.end()
        return True
    opening = _OPENING.match(state.src, state.pos, state.posMax)
    return opening is not None and not silent and _push_pair(state, opening)


def _push_pair(state: StateInline, opening: re.Match[str]) -> bool:
    tag = opening[1].lower()
    closing = _find_closing(state, tag, opening.end())
    is_open = closing is None and at_end(state)
    if closing is None and not is_open:
        return False
    state.env["repaired"] = state.env.get("repaired") or is_open
    name, end = _TAGS[tag], state.posMax
    token = state.push(f"{name}_open", name, 1)
    token.markup = _MARKUP.get(name, "")
    state.pos, state.posMax = opening.end(), closing.start() if closing else end
    state.md.inline.tokenize(state)
    token = state.push(f"{name}_close", name, -1)
    token.markup = _MARKUP.get(name, "")
    state.pos, state.posMax = closing.end() if closing else end, end
    return True


def _find_closing(state: StateInline, tag: str, at: int) -> re.Match[str] | None:
    """Find the closing tag behind `at`; one that was sought in vain is not sought again."""
    source, unclosed = state.env.get("unclosed", ("", set()))
    if source is not state.src:
        unclosed = set()
        state.env["unclosed"] = state.src, unclosed
    if (tag, state.posMax) in unclosed:
        return None
    closing = re.compile(f"</{tag}>", re.IGNORECASE).search(state.src, at, state.posMax)
    if closing is None:
        unclosed.add((tag, state.posMax))
    return closing


def _details(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Rule: a foldable block with its summary; it ends with the line that closes it, which may be the same."""
    text = _line(state, first)
    if not text.startswith("<") or state.is_code_block(first):
        return False
    if whole := _WHOLE_DETAILS.match(text):
        if not silent:
            _push_whole(state, first, whole[1], whole[2])
        return True
    opening = _DETAILS.match(text)
    if opening is None:
        return False
    end = _find_end(state, first, last)
    if end is None and not (state.env.get("growing") and last >= state.lineMax):
        return False
    if silent:
        return True
    summary, begin = opening[1], first + 1
    if summary is None and begin < last and (line := _SUMMARY.match(_line(state, begin))):
        summary, begin = line[1], begin + 1
    inner_last = last if end is None else end
    token = _push_summary(state, summary, [first, begin])
    parent, line_max = state.parentType, state.lineMax
    state.parentType, state.lineMax = "details", inner_last
    state.md.block.tokenize(state, begin, inner_last)
    state.parentType, state.lineMax = parent, line_max
    state.push("details_close", "details", -1)
    state.line = inner_last if end is None else end + 1
    token.map = [first, state.line]
    return True


def _push_whole(state: StateBlock, line: int, summary: str | None, text: str) -> None:
    """Push the tokens of a block that is one line."""
    _push_summary(state, summary, [line, line + 1])
    if text.strip():
        state.push("paragraph_open", "p", 1)
        _push_inline(state, text, [line, line + 1])
        state.push("paragraph_close", "p", -1)
    state.push("details_close", "details", -1)
    state.line = line + 1


def _push_summary(state: StateBlock, summary: str | None, lines: list[int]) -> Token:
    """Push the beginning of a block, and return its first token."""
    token = state.push("details_open", "details", 1)
    token.map = lines
    state.push("summary_open", "summary", 1)
    _push_inline(state, summary or "Details", lines)
    state.push("summary_close", "summary", -1)
    return token


def _push_inline(state: StateBlock, text: str, lines: list[int]) -> None:
    inline = state.push("inline", "", 0)
    inline.content, inline.children, inline.map = text.strip(), [], lines


def _find_end(state: StateBlock, first: int, last: int) -> int | None:
    """Return the line that closes the block begun in line `first`."""
    end = _ends_of(state, first, last).get(first)
    if end is None:
        return None
    lines = range(first + 1, end + 1) if state.blkIndent else ()
    if any(state.sCount[line] < state.blkIndent and _line(state, line) for line in lines):
        return None
    edge = _EDGE.match(text := _line(state, end))
    return end if edge is not None and not text[edge.end() :].strip() else None


def _ends_of(state: StateBlock, first: int, last: int) -> dict[int, int | None]:
    """Return the line that closes each block of the lines up to `last`, found for all of them at once."""
    known: dict[tuple[str, int, int, int], dict[int, int | None]] = state.env.setdefault("endless", {})
    key = ("details", last, state.blkIndent, state.level)
    if first not in known.get(key, {}):
        ends: dict[int, int | None] = {}
        opened: list[int] = []
        for line in range(first, last):
            edge = _EDGE.match(text := _line(state, line))
            if edge is None or _WHOLE_DETAILS.match(text):
                continue
            if not edge[1]:
                opened.append(line)
                ends[line] = None
            elif opened:
                ends[opened.pop()] = line
        known[key] = ends
    return known[key]


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()
