"""Bare web addresses are links. Pure.

Rules: the extension "Autolinks" of GitHub Flavored Markdown, for http and https; an address also ends before the
punctuation of East Asian scripts, which has no space in front of it.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

MAX_ADDRESS = 2_000
"""Length (characters) of an address that becomes a link."""

_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?\Z", re.IGNORECASE)  # other scripts have no space in front of it
_REST = re.compile(rf"://[^\s<>\"`|\u3000-\u303f\uff00-\uffef\u2018-\u201f\u00ab\u00bb*]{{1,{MAX_ADDRESS}}}")
_HOST = re.compile(r"://(?:\[[0-9A-Fa-f:.]+\]|[^\W_](?:[\w.-]*\w)?)(?::\d{1,5})?(?=[/?#]|\Z)")
_TRAILING = re.compile(r"(?:[?!.,:;'_~)\]}…]|&[A-Za-z0-9]+;)\Z")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def install(parser: MarkdownIt) -> None:
    """Add the rule."""
    parser.inline.ruler.push("address", _address)


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


def _without_trailing(address: str) -> str:
    """Cut off punctuation that ends the sentence, and a closing bracket without its opening one."""
    while match := _TRAILING.search(address):
        opening = _PAIRS.get(match[0])
        if opening and address.count(match[0]) <= address.count(opening):
            break
        address = address[: match.start()]
    return address
