"""Emphasis beside scripts without spaces between words, and none in arithmetic or in names of Python. Pure.

Rules: the specification of "markdown-cjk-friendly", for Thai, Lao, Burmese and Khmer as well. For CommonMark,
stars between a letter and punctuation are text. It also takes the stars out of 2**10 and 3**2, which then reads
as 210 and 32, and the underscores off __init__.
"""

from __future__ import annotations

import re
from unicodedata import category, east_asian_width

from markdown_it import MarkdownIt
from markdown_it.common.utils import isWhiteSpace
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

from .by_letter import InlineByLetter
from .simple_inline import simple_tokens

_SYMBOLS = (("\u2000", "\u2e7f"), ("\U0001f000", "\U0001faff"))
"""Wide characters that belong to no script, such as emoji."""

_SOUTHEAST_ASIAN = (("\u0e01", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"))
"""Thai and Lao, Burmese, Khmer."""

_PYTHON_NAME = re.compile(r"__[a-z][a-z0-9_]{0,50}__(?!\w)")
_MAX_NAME = 55
"""Characters of such a name."""
_MAX_OPERAND = 200
"""Characters behind an operator in which a space is searched."""


def install(parser: MarkdownIt) -> None:
    """Let emphasis begin and end beside characters of these scripts."""
    inline = _Inline()
    inline.ruler, inline.ruler2 = parser.inline.ruler, parser.inline.ruler2
    parser.inline = inline


class _Inline(InlineByLetter):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        simple = self.read_simple(src, md, env)
        if simple is not None:
            tokens += simple
            return tokens
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens

    def read_simple(self, text: str, md: MarkdownIt, env: EnvType) -> list[Token] | None:
        """Return the tokens of a text whose markup is simple; None for any other, and while it may grow."""
        if text and self.is_plain(text):
            return [Token("text", "", 0, content=text)]
        return None if env.get("growing") else simple_tokens(text, md)


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
        if self.src[start] == "*" and _is_operand(before, ")]") and _is_operand(after):
            can_open = can_open and not self._is_operator(before, end)
            can_close = can_close and not after.isdigit()
        elif before == ":" and end - start == 2 and after.isalpha():
            can_close = True  # **Name:**text, which models write as often as with a space
        elif self.src[start] == "_" and end - start == 2 and self._is_python_name(start, end):
            can_open = can_close = False
        return Scanned(can_open, can_close, end - start)

    def _is_operator(self, before: str, end: int) -> bool:
        """Tell whether stars between operands multiply them: beside a digit, or with spaces before the next stars."""
        if not before.isalpha() or self.src[end].isdigit():
            return True
        operand = self.src[end : min(self.posMax, end + _MAX_OPERAND)].partition("*")[0]
        return any(map(str.isspace, operand))

    def _is_python_name(self, start: int, end: int) -> bool:
        """Tell whether two underscores begin or end a name such as __init__."""
        if _PYTHON_NAME.match(self.src, start, self.posMax):
            return True
        begin = self.src.rfind("__", max(0, start - _MAX_NAME), start)
        return begin >= 0 and _PYTHON_NAME.fullmatch(self.src, begin, end) is not None


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


def _is_operand(char: str, others: str = "") -> bool:
    return char.isascii() and (char.isalnum() or char in others)


def _is_unspaced(char: str) -> bool:
    if char.isascii() or any(low <= char <= high for low, high in _SYMBOLS):
        return False
    return east_asian_width(char) in "WFH" or any(low <= char <= high for low, high in _SOUTHEAST_ASIAN)
