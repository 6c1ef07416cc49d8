"""Completion of incomplete Markdown: open markup is closed, half a marker is left out. Pure."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from ..schema.fences import FenceTracker
from .markdown_rules.cells import count_cells
from .markdown_rules.growing import at_end

# A last line that may become a list item, a heading, a rule, an underline, a fence, or a word.
_HALF_LINE = re.compile(
    r"[ \t>]*([-+*_=#>|~`: \t]+|\d{1,9}[.)]?|~{3,}[^~]*|`{3,}[^`]*|\[\^[^\]]*(\]:?)?|\[(?!\^)[^\]]*\]:.*)\Z"
)
_HALF_MARKER = re.compile(r"(?<!\\)[*_~\\]+\Z|!\Z|!?\[\Z")
_HEAD = re.compile(r" {0,3}\|[\s|]*[^\s|]")
_HALF_RULE = re.compile(r"[ |:-]*")
_HALF_LINK = re.compile(r"(!?)\[((?:[^\[\]\\]|\\.|\[[^\[\]\\]*\])*)\]\((?:[^()\n]|\([^()\n]*\))*(?:\([^()\n]*)?\Z")
_INSIDE = re.compile(r"\s*(?:[-*+>]|\d{1,9}[.)])")  # a list or a quote, which a bare line would continue

_NOTE = re.compile(r"\[\^([^\s\[\]]+)\]")

_LEAVES = ("inline", "fence", "code_block", "hr", "formula")
_MARKERS = "*_~"


def completed(text: str) -> str:
    """Return the last blocks of a growing reply as they should be parsed for now."""
    begin = text.rfind("\n") + 1
    last = text[begin:]
    if fence := open_fence(text[:begin]):
        bare = last.strip(" \t>")
        return text[:begin] if bare and not bare.strip(fence) else text
    if table := _half_table(text):
        return table
    last = _HALF_MARKER.sub("", last)
    return text[:begin] + ("" if _HALF_LINE.match(last) else last)


def open_fence(text: str) -> str:
    """Return the character of the fence that is open at the end of `text`, complete lines; "" if none is open."""
    tracker = FenceTracker()
    for line in text.split("\n"):
        tracker.read(line.lstrip(" >"))
    return tracker.marker[:1]


def _half_table(text: str) -> str:
    """Complete a table whose head has begun, with or without the rule below it; "" if `text` does not end in one."""
    lines = text.rsplit("\n", 3)
    for back in (1, 2)[: len(lines)]:
        above = lines[-back - 1] if len(lines) > back else ""
        rule = lines[-1] if back == 2 else ""
        if (
            _HEAD.match(lines[-back])
            and _HALF_RULE.fullmatch(rule)
            and not (above.lstrip().startswith("|") or _INSIDE.match(above))
        ):
            head = _HALF_MARKER.sub("", lines[-back]) if back == 1 else lines[-back]
            return "\n".join([*lines[:-back], head, _rule(head, rule), ""])
    return ""


def _rule(head: str, begun: str) -> str:
    """Return the complete rule below a table's head, of which `begun` has arrived."""
    cells = count_cells(head)
    wanted = [*begun.strip().strip("|").split("|"), *["-"] * cells][:cells]
    return f"|{'|'.join(cell if re.fullmatch(r' *:?-+:? *', cell) else '-' for cell in wanted)}|"


def install(parser: MarkdownIt) -> None:
    """Add rules that close open markup at the end of the text if `env["growing"]` is set."""
    parser.core.ruler.before("inline", "find_end", _find_end)
    parser.inline.ruler.before("backticks", "open_code", _open_code)
    parser.inline.ruler.before("link", "half_link", _half_link)
    parser.inline.ruler.after("footnote_ref", "footnote_to_come", _footnote_to_come)
    parser.inline.ruler2.after("balance_pairs", "open_emphasis", _close_emphasis)


def _find_end(state: StateCore) -> None:
    """Rule: find the inline text that the next words will join."""
    state.env["end"] = None
    state.env["repaired"] = False
    if state.env.get("growing"):
        last = next((i for i, t in reversed([*enumerate(state.tokens)]) if t.level == 0 and t.nesting >= 0), 0)
        leaves = (t for t in reversed(state.tokens[last:]) if t.type in _LEAVES)
        leaf = next((t for t in leaves if t.type != "inline" or t.content), None)  # cells to come are empty
        if leaf is not None and leaf.type == "inline":
            leaf.content = leaf.content.rstrip("\n")
            state.env["end"] = leaf.children


def _open_code(state: StateInline, silent: bool) -> bool:
    """Rule: a code span without its end."""
    if state.src[state.pos] != "`" or not at_end(state):
        return False
    start = state.pos
    while start < state.posMax and state.src[start] == "`":
        start += 1
    ticks = state.src[state.pos : start]
    if re.search(f"(?<!`){ticks}(?!`)", state.src[start:]):
        return False
    state.env["repaired"] = True
    if not silent and (content := state.src[start : state.posMax].rstrip("`")):
        token = state.push("code_inline", "code", 0)
        token.content = content.replace("\n", " ")
    state.pos = state.posMax
    return True


def _half_link(state: StateInline, silent: bool) -> bool:
    """Rule: a link or an image with an incomplete address is its text, for now."""
    if state.src[state.pos] not in "![" or not at_end(state) or silent:
        return False
    match = _HALF_LINK.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    state.env["repaired"] = True
    end = state.posMax
    state.pos, state.posMax = match.start(2), match.end(2)
    state.push("half_link_open", "", 1).info = match[1]
    state.md.inline.tokenize(state)
    state.push("half_link_close", "", -1).info = match[1]
    state.pos = state.posMax = end
    return True


def _footnote_to_come(state: StateInline, silent: bool) -> bool:
    """Rule: a reference to a footnote that is still to come."""
    match = _NOTE.match(state.src, state.pos) if state.env.get("growing") else None
    if match is None or silent:
        return False
    state.env.setdefault("guessed", set()).add(match[1])
    state.push("footnote_ref", "", 0).meta = {"label": match[1]}
    state.pos = match.end()
    return True


def _is_star(opener: Delimiter, state: StateInline) -> bool:
    """Tell whether a lone `*` stands right behind a word, as in 2*3."""
    before = state.tokens[opener.token - 1].content if opener.token else ""
    return opener.length == 1 and chr(opener.marker) == "*" and before[-1:].isalnum()


def _close_emphasis(state: StateInline) -> None:
    """Rule: close every opening marker without a partner at the end."""
    if not at_end(state):
        return
    delimiters = state.delimiters
    unmatched, inside = [], -1  # what lies inside a pair may not reach out of it
    for index, one in enumerate(delimiters):
        inside = max(inside, one.end)
        if one.open and one.end < 0 and index > inside and chr(one.marker) in _MARKERS and not _is_star(one, state):
            unmatched.append(one)
    state.env["repaired"] |= bool(unmatched)
    for opener in reversed(unmatched):
        opener.end = len(delimiters)
        token = state.push("text", "", 0)
        token.content = chr(opener.marker)
        closer = Delimiter(opener.marker, opener.length, len(state.tokens) - 1, -1, open=False, close=True)
        delimiters.append(closer)
