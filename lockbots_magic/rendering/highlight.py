"""Source code -> HTML with a class for each kind of token; `reply.css` gives it the front end's own colours. Pure."""

from __future__ import annotations

import functools

from pygments.token import Token, _TokenType

from .escaping import REORDERED_CLASS, printed
from .lexers import lexer_of

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
CLASSES = frozenset({*_KINDS.values(), REORDERED_CLASS})
"""Classes of the spans, as `security.html_policy` allows them."""
MAX_CODE = 100_000
"""Length (characters) up to which code is coloured: lexers are slow."""


def highlighted(code: str, language: str) -> str:
    """Return `code` as escaped HTML with coloured spans; without them if the language is unknown."""
    lexer = lexer_of(language)
    is_magic = code.lstrip().startswith("%%")  # a cell whose text is no Python, such as a prompt
    if lexer is None or is_magic or len(code) > MAX_CODE:
        return printed(code)
    parts: list[str] = []
    run, run_kind = "", ""
    for _, token, value in lexer.get_tokens_unprocessed(code):  # get_tokens() would strip and normalise
        kind = _kind(token)
        if kind != run_kind and value.strip():
            parts.append(_span(run, run_kind))
            run, run_kind = "", kind
        run += value
    parts.append(_span(run, run_kind))
    return "".join(parts)


class GrowingCode:
    """Colours a growing block of code again only once it has grown by a quarter, so the cost stays linear."""

    def __init__(self) -> None:
        self._coloured = ""
        self._html = ""

    def __call__(self, code: str, language: str, ended: bool = False) -> str:
        """Return `code` as HTML: coloured except for the last lines, and in full once it has `ended`."""
        if not code.startswith(self._coloured):
            self._coloured, self._html = "", ""
        if len(code) > 1.25 * len(self._coloured) + 80 or (ended and code != self._coloured):
            self._coloured = code if ended else code[: code.rfind("\n") + 1]
            self._html = highlighted(self._coloured, language)
        return self._html + printed(code[len(self._coloured) :])


@functools.cache
def _kind(token: _TokenType) -> str:
    return next((_KINDS[k] for k in reversed(token.split()) if k in _KINDS), "")


def _span(text: str, kind: str) -> str:
    return f'<span class="{kind}">{printed(text)}</span>' if kind and text else printed(text)
