"""Bare web addresses are links. Pure.

Rules: the extension "Autolinks" of GitHub Flavored Markdown, for http, https and www; an address also ends before the
punctuation of East Asian scripts, which has no space in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ...late_pattern import late_pattern

MAX_ADDRESS = 2_000
"""Length (characters) of an address that becomes a link."""

_SCHEME = late_pattern(r"(?<![A-Za-z0-9])https?\Z", re.IGNORECASE)  # other scripts have no space in front of it
_LETTERS = rf"[^\s<>\"`|\u3000-\u303f\uff00-\uffef\u2018-\u201f\u00ab\u00bb*]{{1,{MAX_ADDRESS}}}"
_REST = late_pattern(f"://{_LETTERS}")
_WWW = late_pattern(rf"(?<![A-Za-z0-9_.@/:-])www\.{_LETTERS}", re.IGNORECASE)
_WWW_HOST = late_pattern(r"www(?:\.[^\W_](?:[\w-]*[^\W_])?){2,}(?::\d{1,5})?(?=[/?#]|\Z)", re.IGNORECASE)
_HOST = late_pattern(r"://(?:\[[0-9A-Fa-f:.]+\]|[^\W_](?:[\w.-]*\w)?)(?::\d{1,5})?(?=[/?#]|\Z)")
_TRAILING = late_pattern(r"(?:[?!.,:;'_~)\]}…]|&[A-Za-z0-9]+;)\Z")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def install(parser: MarkdownIt) -> None:
    """Add the rules."""
    parser.inline.ruler.push("address", _address)
    parser.core.ruler.push("www", _link_www)


def _address(state: StateInline, silent: bool) -> bool:
    """Rule: the scheme has been passed as text when its colon is reached."""
    if state.src[state.pos] != ":" or state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.src, max(0, state.pos - 6), state.pos)
    rest = _REST.match(state.src, state.pos, state.posMax)
    if scheme is None or rest is None or not state.pending.endswith(scheme[0]):
        return False
    tail = _without_trailing(rest[0])
    if not _HOST.match(tail):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        address = scheme[0] + tail
        link = state.push("link_open", "a", 1)
        link.attrs = {"href": state.md.normalizeLink(address)}
        link.info = "auto"
        state.push("text", "", 0).content = address
        state.push("link_close", "a", -1).info = "auto"
    state.pos += len(tail)
    return True


def _link_www(state: StateCore) -> None:
    """Rule: an address that begins with www is a link; a web page of that host is found by http."""
    for token in state.tokens:
        if token.type == "inline" and "www." in token.content.lower():
            depth = 0
            linked: list[Token] = []
            for child in token.children or ():
                depth += child.nesting if child.type.endswith("link_open") or child.type.endswith("link_close") else 0
                linked += _with_www(state, child) if child.type == "text" and not depth else [child]
            token.children = linked


def _with_www(state: StateCore, text: Token) -> Iterator[Token]:
    """Yield a text with the addresses in it as links."""
    end = 0
    for found in _WWW.finditer(text.content):
        address = _without_trailing(found[0])
        if not _WWW_HOST.match(address):
            continue
        if before := text.content[end : found.start()]:
            yield Token("text", "", 0, content=before, level=text.level)
        href = state.md.normalizeLink(f"http://{address}")
        yield Token("link_open", "a", 1, attrs={"href": href}, info="auto", level=text.level)
        yield Token("text", "", 0, content=address, level=text.level + 1)
        yield Token("link_close", "a", -1, info="auto", level=text.level)
        end = found.start() + len(address)
    if rest := text.content[end:]:
        yield Token("text", "", 0, content=rest, level=text.level)


def _without_trailing(address: str) -> str:
    """Cut off punctuation that ends the sentence, and a closing bracket without its opening one."""
    while match := _TRAILING.search(address):
        opening = _PAIRS.get(match[0])
        if opening and address.count(match[0]) <= address.count(opening):
            break
        address = address[: match.start()]
    return address
