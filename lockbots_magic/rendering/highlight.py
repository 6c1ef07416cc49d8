"""Source code -> HTML with tags for each kind of token; `reply.css` gives them the front end's own colours. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from pygments.lexer import Lexer
from pygments.token import Token, _TokenType

from .escaping import printed
from .lexers import Piece, lexer_of

_BOLD = ("<b>", "</b>")
_ITALIC = ("<i>", "</i>")
_PLAIN = ("", "")


@functools.cache
def _in_colour(colour: str) -> tuple[str, str]:
    return f'<font color="{colour}">', "</font>"


_KINDS = {
    Token.Comment: _ITALIC,
    Token.Keyword: _BOLD,
    Token.Keyword.Constant: _in_colour("#86d"),
    Token.Operator.Word: _BOLD,
    Token.Operator: ("<span>", "</span>"),
    Token.Literal.String: _in_colour("#b54"),
    Token.Literal.Number: _in_colour("#386"),
    Token.Name.Builtin: _in_colour("#383"),
    Token.Name.Function: _in_colour("#47d"),
    Token.Name.Class: _in_colour("#47d"),
    Token.Name.Decorator: _in_colour("#a5d"),
    Token.Name.Tag: _BOLD,
    Token.Name.Attribute: _in_colour("#57d"),
    Token.Generic.Inserted: _BOLD,
    Token.Generic.Deleted: _in_colour("#c44"),
}
"""Tags around each kind of token.

An untrusted notebook loses its style sheets, and classes mean nothing without them; these tags stay, so keywords are
bold there, comments italic, and most of the rest has a colour, which is readable on white and on black.
"""
COLOURS = frozenset(re.findall("#[0-9a-f]+", "".join(opening for opening, _ in _KINDS.values())))
"""Colours of the tags, as `security.html_policy` allows them."""
_PAIRS = {"/*": "*/", "<!--": "-->", "[[": "]]", "{-": "-}", 'R"(': ')"'}
_HEREDOC = re.compile(r"<<[-~<]?['\"]?([A-Za-z_]\w{0,40})")
MAX_KEPT = 30
"""Length (characters) up to which a piece of code is kept as HTML."""
MAX_CODE = 100_000
"""Length (characters) up to which code is coloured: lexers are slow."""


def highlighted(code: str, language: str, *, growing: bool = False) -> str:
    """Return `code` as escaped HTML with coloured tokens; without them if the language is unknown.

    Args:
        code: The code.
        language: What the model calls its language.
        growing: Whether more will follow: then nothing is coloured from a string or a comment on whose end has not
            come, since its words would flash in the colours of code.
    """
    lexer = lexer_of(language)
    is_magic = code.lstrip().startswith("%%")  # a cell whose text is no Python, such as a prompt
    if lexer is None or is_magic or len(code) > MAX_CODE:
        return printed(code)
    pieces = list(lexer.get_tokens_unprocessed(code))  # get_tokens() would strip and normalise
    end = _certain_length(code, pieces, lexer) if growing else len(code)
    parts: list[str] = []
    run, run_tags = "", _PLAIN
    for at, token, value in pieces:
        if at >= end:
            return "".join([*parts, _tagged(run, run_tags), printed(code[at:])])
        tags = _TAGS[token]
        if tags is not run_tags and value.strip():
            parts.append(_tagged(run, run_tags) if len(run) > MAX_KEPT else _tagged_again(run, run_tags))
            run, run_tags = "", tags
        run += value
    parts.append(_tagged(run, run_tags))
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
            self._html = highlighted(self._coloured, language, growing=not ended)
        return self._html + printed(code[len(self._coloured) :])


def _certain_length(code: str, pieces: list[Piece], lexer: Lexer) -> int:
    """Return how much of the beginning of a code keeps its colours, whatever follows, as far as can be told.

    Args:
        code: The code.
        pieces: Its tokens.
        lexer: The lexer that made them.
    """
    end = next((at for at, token, _ in pieces if token is Token.Error), len(code))
    if endings := [*_likely_endings(code)]:
        tags = _tags_of_letters(pieces)
        for ending in endings:
            others = _tags_of_letters(lexer.get_tokens_unprocessed(code + ending))
            end = next((at for at in range(end) if tags[at] is not others[at]), end)
    return end


def _tags_of_letters(pieces: Iterable[Piece]) -> list[tuple[str, str]]:
    """Return the tags around each letter."""
    return [tags for _, token, value in pieces for tags in [_TAGS[token]] * len(value)]


def _likely_endings(code: str) -> Iterator[str]:
    """Yield what may end a string or a comment that is open at the end of a code, by a count of marks."""
    for opening, closing in _PAIRS.items():
        if code.count(opening) > code.count(closing):
            yield closing
    yield from (mark for mark in "\"'`" if code.count(mark) % 2)
    if words := _HEREDOC.findall(code):
        yield f"\n{words[-1]}\n"


class _TagsOfKinds(dict[_TokenType, tuple[str, str]]):
    """Tags around each kind of token: those of the nearest kind above it."""

    def __missing__(self, token: _TokenType) -> tuple[str, str]:
        self[token] = next((_KINDS[k] for k in reversed(token.split()) if k in _KINDS), _PLAIN)
        return self[token]


_TAGS = _TagsOfKinds()


def _tagged(text: str, tags: tuple[str, str]) -> str:
    """Return `text` between `tags`; white space around it needs none."""
    if tags is _PLAIN or not text:
        return printed(text)
    bare = text.strip()
    before, _, after = text.partition(bare)
    return f"{before}{tags[0]}{printed(bare)}{tags[1]}{after}"


_tagged_again = functools.lru_cache(maxsize=2048)(_tagged)
"""`_tagged` for what code holds again and again: operators, names, numbers."""
