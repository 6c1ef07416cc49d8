"""Emphasis beside scripts without spaces between words: East Asian ones, Thai, Lao, Burmese, Khmer. Pure.

Rules: the specification of "markdown-cjk-friendly", for the other scripts as well. For CommonMark,
stars between a letter and punctuation are text.
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

from markdown_it import MarkdownIt
from markdown_it.common.utils import isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

_SYMBOLS = (("\u2000", "\u2e7f"), ("\U0001f000", "\U0001faff"))
"""Wide characters that belong to no script, such as emoji."""

_SOUTHEAST_ASIAN = (("\u0e01", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"))
"""Thai and Lao, Burmese, Khmer."""


def install(parser: MarkdownIt) -> None:
    """Let emphasis begin and end beside characters of these scripts."""
    inline = _Inline()
    inline.ruler, inline.ruler2 = parser.inline.ruler, parser.inline.ruler2
    parser.inline = inline


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803  # names of the base class
        end = start
        while end < self.posMax and self.src[end] == self.src[start]:
            end += 1
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        opens, closes = flanks(before, after), flanks(after, before)
        can_open = opens and (canSplitWord or not closes or _is_punctuation(before))
        can_close = closes and (canSplitWord or not opens or _is_punctuation(after))
        return Scanned(can_open, can_close, end - start)


def flanks(outside: str, inside: str, *, plain: bool = False) -> bool:
    """Tell whether marks between two characters may belong to the text on the side of `inside`.

    Args:
        outside: Character on the other side of the marks; a space at the edge of the text.
        inside: Character on the side of the text that they would emphasise.
        plain: Whether the rule is CommonMark's own.
    """
    if isWhiteSpace(ord(inside)):
        return False
    if not _is_punctuation(inside) or (not plain and _is_unspaced(inside)):
        return True
    return isWhiteSpace(ord(outside)) or _is_punctuation(outside) or (not plain and _is_unspaced(outside))


def _is_punctuation(char: str) -> bool:
    return category(char)[0] in "PS"


def _is_unspaced(char: str) -> bool:
    if char.isascii() or any(low <= char <= high for low, high in _SYMBOLS):
        return False
    return east_asian_width(char) in "WFH" or any(low <= char <= high for low, high in _SOUTHEAST_ASIAN)
