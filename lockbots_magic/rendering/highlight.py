"""Source code -> HTML with a class for each kind of word; `reply.css` gives it the front end's own colours. Pure."""

from __future__ import annotations

import functools
import re
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

_KINDS = {
    Token.Comment: "c",
    Token.Keyword: "k",
    Token.Keyword.Constant: "a",
    Token.Operator.Word: "k",
    Token.Operator: "o",
    Token.Literal.String: "s",
    Token.Literal.Number: "n",
    Token.Name.Builtin: "b",
    Token.Name.Function: "d",
    Token.Name.Class: "d",
    Token.Name.Decorator: "m",
    Token.Name.Tag: "k",
    Token.Name.Attribute: "t",
    Token.Generic.Inserted: "k",
    Token.Generic.Deleted: "e",
}
# Characters that reorder a line on the screen: code that reads one way and runs another.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REORDERED = "x"
CLASSES = frozenset({*_KINDS.values(), _REORDERED})

LONGEST = 200_000
"""Characters up to which code is coloured; a lexer takes its time."""


def highlighted(code: str, language: str) -> str:
    """Return `code` as escaped HTML with coloured spans; plain where the language is unknown."""
    lexer = lexer_of(language)
    if lexer is None or len(code) > LONGEST:
        return printed(code)
    parts: list[str] = []
    run, run_kind = "", ""
    for _, token, value in lexer.get_tokens_unprocessed(code):  # get_tokens would take out what it deems stray
        kind = _kind(token)
        if kind != run_kind and value.strip():
            parts.append(_span(run, run_kind))
            run, run_kind = "", kind
        run += value
    parts.append(_span(run, run_kind))
    return "".join(parts)


def printed(code: str) -> str:
    """Return `code` as escaped HTML that reads in the order in which it stands."""
    return _REORDERING.sub(lambda c: f'<span class="{_REORDERED}">U+{ord(c[0]):X}</span>', escape(code))


class GrowingCode:
    """Colours a block of code that grows: again only when it has grown by a quarter, so the cost stays linear."""

    def __init__(self) -> None:
        self._coloured = ""
        self._html = ""

    def __call__(self, code: str, language: str, ended: bool = False) -> str:
        """Return `code` as HTML, coloured but for the last lines; all of it once it has `ended`."""
        if not code.startswith(self._coloured):
            self._coloured, self._html = "", ""
        if len(code) > 1.25 * len(self._coloured) + 80 or (ended and code != self._coloured):
            self._coloured = code if ended else code[: code.rfind("\n") + 1]
            self._html = highlighted(self._coloured, language)
        return self._html + printed(code[len(self._coloured) :])


@functools.lru_cache(maxsize=64)
def lexer_of(language: str) -> Lexer | None:
    """Return the lexer of `language`, None where it is unknown."""
    try:
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False) if language else None
    except ClassNotFound:
        return None


@functools.cache
def _kind(token: _TokenType) -> str:
    return next((_KINDS[k] for k in reversed(token.split()) if k in _KINDS), "")


def _span(text: str, kind: str) -> str:
    return f'<span class="{kind}">{printed(text)}</span>' if kind and text else printed(text)
