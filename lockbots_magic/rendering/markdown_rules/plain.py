"""Text without markup, such as most prompts: its tokens without a parser, which takes ten times as long. Pure."""

from __future__ import annotations

import re

from markdown_it.token import Token

from ..escaping import right_to_left
from ..first_words import PLAIN_LINE

_PLAIN = re.compile(rf"{PLAIN_LINE}(?:\n\n+{PLAIN_LINE})*\n*")
_MAY_BE_ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)


def plain_tokens(text: str) -> list[Token] | None:
    """Return the tokens of paragraphs of one line each, which begin with a letter; None for any other text.

    Example:
        >>> [token.type for token in plain_tokens("What is the mean?")]
        ['paragraph_open', 'inline', 'paragraph_close']
        >>> plain_tokens("What is a *mean*?") is None
        True
    """
    if not _PLAIN.fullmatch(text) or _MAY_BE_ADDRESS.search(text) or right_to_left(text):
        return None
    return [token for number, line in enumerate(text.split("\n")) if line for token in _paragraph(line, number)]


def _paragraph(line: str, number: int) -> tuple[Token, Token, Token]:
    words = Token("text", "", 0, content=line)
    lines = [number, number + 1]
    return (
        Token("paragraph_open", "p", 1, map=lines, block=True),
        Token("inline", "", 0, map=lines, level=1, children=[words], content=line, block=True),
        Token("paragraph_close", "p", -1, block=True),
    )
