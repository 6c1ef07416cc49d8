"""The fenced blocks of a reply, found as the page finds them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

_LINE_END = re.compile("\r\n?")
_LANGUAGE = re.compile(r"[\w+#-]+")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    """In lower case; ``""`` if none is named."""
    text: str


def blocks_of(reply: str) -> list[Block]:
    """Return the fenced blocks of `reply` that hold something, in order; one without an end goes to the end."""
    tokens: list[Token] = []
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.block.parse(_LINE_END.sub("\n", reply), markdown, {}, tokens)  # what is in the lines does not matter
    fences = (token for token in tokens if token.type == "fence")
    return [Block(_language(fence.info), fence.content) for fence in fences if fence.content.strip()]


def _language(info: str) -> str:
    """``python`` of ``python``, ``{.python}`` and ``python title="x"``."""
    found = _LANGUAGE.search(info)
    return found[0].lower() if found else ""
