r"""Text in a block whose markup is simple, as most is: its tokens without the parser, which takes four times as long.

Simple are code between single ticks, formulas, `*words*` and `**words**` apart from other words, links to the web with
a bare text, and line ends. Whatever else a rule may begin with is left to the parser, and so is the whole text. Pure.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .formulas import find_formula, without_backticks

_MARKS = r"\n\\$`~*_\[!<&:\]"
"""Characters at which some rule begins, or a text ends."""
_LETTER = "[A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u0481\u048a-\u04ff]"
"""Letters of Latin and Cyrillic, which have spaces between words, and digits."""
_HARMLESS = r":(?!//)|!(?!\[)"
_PLAIN = rf"[^{_MARKS}]+|{_HARMLESS}|\]|<(?= )|&(?= )|(?<!~)~(?!~)|(?<={_LETTER})_+(?={_LETTER})"
_WORDS = rf"(?:[^{_MARKS}]|{_HARMLESS})*"
_PIECE = re.compile(
    rf"(?P<text>(?:{_PLAIN})+)"
    r"|`(?P<code>[^`\s](?:[^`\n]*[^`\s])?)`(?!`)"
    r"|(?P<tex>[$\\])"
    r"|(?P<line>(?<! )\n[ \t]*)"
    rf"|(?<![^ \n(])(?P<stars>\*\*?)(?P<words>{_LETTER}(?:{_WORDS}(?:{_LETTER}|[.:!?)](?=\*+(?:[ \n]|\Z))))?)(?P=stars)"
    r"(?=[ \n.,;:!?)]|\Z)"
    rf"|\[(?P<name>[^{_MARKS}]+)\]\((?P<address>https?://[A-Za-z0-9][\w./?#=%+,;-]*)\)",
    re.ASCII,
)


def simple_tokens(text: str, parser: MarkdownIt) -> list[Token] | None:
    """Return the inline tokens of `text`, as the rules of `parser` make them; None if its markup is not simple.

    Example:
        >>> from lockbots_magic.rendering.markdown import parser
        >>> [token.type for token in simple_tokens("the `mean`", parser())]
        ['text', 'code_inline']
        >>> simple_tokens("**the `mean`**", parser()) is None
        True
    """
    writer = _TokenWriter()
    at, end, match = 0, len(text), _PIECE.match
    while at < end:
        piece = match(text, at)
        if piece is None:
            return None
        kind, at = piece.lastgroup, piece.end()
        if kind == "text":
            writer.text += piece[0]
        elif kind == "code":
            writer.push("code_inline", "code", piece["code"], "`")
        elif kind == "line":
            writer.push("softbreak", "br")
        elif kind == "words":
            writer.push_emphasis(piece["stars"], piece["words"])
        elif kind == "address":
            writer.push_link(parser.normalizeLink(piece["address"]), piece["name"])
        elif (after := find_formula(text, piece.start())) >= 0:
            writer.push("formula", "", without_backticks(text[piece.start() : after]))
            at = after
        elif piece[0] == "$":
            writer.text += "$"
        else:
            return None
    return writer.finish()


class _TokenWriter:
    """Writes tokens, with the text between them."""

    def __init__(self) -> None:
        self.tokens: list[Token] = []
        self.text = ""
        self._ends_strong = False

    def push(self, kind: str, tag: str, content: str = "", markup: str = "") -> None:
        self._push_text()
        self.tokens.append(Token(kind, tag, 0, content=content, markup=markup))

    def push_emphasis(self, stars: str, words: str) -> None:
        """Write emphasis. The parser leaves an empty text in place of one of two stars."""
        is_strong = len(stars) > 1
        self._ends_strong |= is_strong
        self._push_text()
        self._push_pair("strong" if is_strong else "em", words, markup=stars)
        self._ends_strong = is_strong

    def push_link(self, address: str, name: str) -> None:
        self._push_text()
        self._push_pair("link", name).attrs = {"href": address}

    def finish(self) -> list[Token]:
        self._push_text()
        return self.tokens

    def _push_pair(self, kind: str, text: str, markup: str = "") -> Token:
        tag = "a" if kind == "link" else kind
        opening = Token(f"{kind}_open", tag, 1, markup=markup)
        within = Token("text", "", 0, level=1, content=text)
        self.tokens += (opening, within, Token(f"{kind}_close", tag, -1, markup=markup))
        return opening

    def _push_text(self) -> None:
        if self.text or self._ends_strong:
            self.tokens.append(Token("text", "", 0, content=self.text))
            self.text, self._ends_strong = "", False
