"""The colours of code in a terminal, one line at a time."""

from __future__ import annotations

import functools

from pygments.token import Token, _TokenType

from ..highlight import lexer_of
from .screen import BOLD, CYAN, DIM, GREEN, MAGENTA, PLAIN, RED

_COLOURS = {
    Token.Comment: DIM,
    Token.Keyword: MAGENTA,
    Token.Operator.Word: MAGENTA,
    Token.Literal.String: GREEN,
    Token.Literal.Number: CYAN,
    Token.Name.Builtin: CYAN,
    Token.Name.Decorator: CYAN,
    Token.Name.Function: BOLD,
    Token.Name.Class: BOLD,
    Token.Name.Tag: MAGENTA,
    Token.Name.Attribute: CYAN,
    Token.Generic.Heading: BOLD,
    Token.Generic.Inserted: GREEN,
    Token.Generic.Deleted: RED,
}
_LONG = {Token.Literal.String, Token.Comment}
"""What may go on for many lines."""
_ENOUGH = 1_000
"""Characters of code that a lexer looks back at; more while something long goes on."""
_TOO_MUCH = 10_000


class Code:
    """A block of code, coloured line by line.

    Args:
        language: its name, as fences have it; one that is not known gets one colour.
    """

    def __init__(self, language: str) -> None:
        self._lexer = lexer_of(language)
        self._text = ""
        self.style = PLAIN if self._lexer else CYAN
        """Of a line that is not complete."""

    def colours(self, line: str) -> list[tuple[int, int]]:
        """Add a line; return where in it which style begins."""
        if self._lexer is None or len(self._text) > _TOO_MUCH:
            return []
        start = len(self._text)
        self._text += line + "\n"
        found = []
        kind = Token.Text
        for index, kind, value in self._lexer.get_tokens_unprocessed(self._text):
            if index + len(value) > start:
                found.append((max(index - start, 0), _colour(kind)))
        if len(self._text) > _ENOUGH and _LONG.isdisjoint(kind.split()):
            self._text = ""
        return found


@functools.cache
def _colour(kind: _TokenType) -> int:
    return next((_COLOURS[k] for k in reversed(kind.split()) if k in _COLOURS), PLAIN)
