"""Source code -> HTML in the front end's own colours, light or dark. Pure."""

from __future__ import annotations

import functools
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType
from pygments.util import ClassNotFound

# JupyterLab and Notebook 7 define these variables for their editors, one set a theme. The colour after each is
# for front ends that define none: it is readable on white and on black.
_COLOURS = {
    Token.Comment: ("comment", "#6a8a8a"),
    Token.Keyword: ("keyword", "#2e8b3d"),
    Token.Keyword.Constant: ("atom", "#8a6fd1"),
    Token.Operator.Word: ("keyword", "#2e8b3d"),
    Token.Operator: ("operator", "#a05fd6"),
    Token.Literal.String: ("string", "#c0504d"),
    Token.Literal.Number: ("number", "#3c8c66"),
    Token.Name.Builtin: ("builtin", "#3c8c3c"),
    Token.Name.Function: ("def", "#4a80d6"),
    Token.Name.Class: ("def", "#4a80d6"),
    Token.Name.Decorator: ("meta", "#a05fd6"),
    Token.Name.Tag: ("tag", "#2e8b3d"),
    Token.Name.Attribute: ("attribute", "#4a80d6"),
    Token.Generic.Inserted: ("string-2", "#2e8b3d"),
    Token.Generic.Deleted: ("error", "#c0504d"),
}

LONGEST = 200_000
"""Characters up to which code is coloured; a lexer takes its time."""


def highlighted(code: str, language: str) -> str:
    """Return `code` as escaped HTML with coloured spans; plain where the language is unknown."""
    lexer = _lexer(language.lower())
    if lexer is None or len(code) > LONGEST:
        return escape(code)
    parts: list[str] = []
    run, run_style = "", ""
    for _, kind, value in lexer.get_tokens_unprocessed(code):  # get_tokens would take out what it deems stray
        style = _style(kind)
        if style != run_style and value.strip():
            parts.append(_span(run, run_style))
            run, run_style = "", style
        run += value
    parts.append(_span(run, run_style))
    return "".join(parts)


@functools.lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language else None
    except ClassNotFound:
        return None


@functools.cache
def _style(kind: _TokenType) -> str:
    known = next((k for k in reversed(kind.split()) if k in _COLOURS), None)
    if known is None:
        return ""
    variable, fallback = _COLOURS[known]
    return f"color: var(--jp-mirror-editor-{variable}-color, {fallback})"


def _span(text: str, style: str) -> str:
    return f'<span style="{style}">{escape(text)}</span>' if style and text else escape(text)
