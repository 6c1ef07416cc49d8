"""Inline tokens -> harmless ones that all Markdown parsers find where they are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from markdown_it.token import Token

from ...language import _
from ...security.links import host_of, is_small_picture, is_web_link, spelled_out
from .formula import on_one_line, plain_formula

BREAKS = ("softbreak", "hardbreak")

_HARMLESS = frozenset(
    {"text", "code_inline", *BREAKS, *(f"{mark}_{end}" for mark in ("em", "strong", "s") for end in ("open", "close"))}
)
"""Kinds of tokens that are safe as they are."""
_CODED = ("code_inline", "formula")
"""Kinds of tokens that are written as code, or may be."""
_RAISED = {"sub_open": "_", "sup_open": "^"}
_DROPPED = ("sub_close", "sup_close", "kbd_open", "kbd_close")
# What begins a formula for MathJax anywhere in a page, alone or together with what follows.
_TYPESET = re.compile(r"\\(?:[()\[\]]|begin|(?:eq)?ref|\Z)")


def tame(tokens: Sequence[Token], *, heading: bool = False, cell: bool = False) -> list[Token]:
    """Return harmless tokens that say what `tokens` say, without line ends in a `heading` or a `cell` of a table."""
    if len(tokens) == 1 and tokens[0].type == "text" and tokens[0].content and "\\" not in tokens[0].content:
        return [*tokens]  # most cells and items
    kinds = {token.type for token in tokens}  # each step takes time, and is for some kinds only
    tamed = tokens if kinds <= _HARMLESS else list(_harmless(tokens, cell))
    if not kinds.isdisjoint(_CODED):
        tamed = list(_uncoded(tamed, cell))
    if not kinds.isdisjoint(BREAKS):
        tamed = list(_unbroken(tamed, heading or cell))
    joined = _joined(_unmarked(tamed))
    return _untypeset(_shortened(joined) if "link_open" in kinds or "image" in kinds else joined)


def address_of(token: Token) -> str:
    """Return the address of a link or an image."""
    return str(token.attrGet("src" if token.type == "image" else "href") or "")


def name_of(image: Token) -> str:
    """Return the alternative text of an image."""
    words = []
    for token in image.children or ():
        if token.type == "softbreak":
            words.append(" ")
        elif token.type in ("text", "image"):
            words.append(token.content if token.type == "text" else name_of(token))
    return "".join(words)


def _harmless(tokens: Sequence[Token], cell: bool) -> Iterator[Token]:
    """Replace a link that does not lead to the web by its text, an image by a link, an unsafe formula by code."""
    links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            links.append(is_web_link(address_of(token)))
        if token.type == "image":
            yield from _picture(token, any(links))
        elif token.type == "formula":
            formula = plain_formula(token.content, one_line=True, in_cell=cell)
            yield Token("formula", "", 0, content=formula) if formula else _code(on_one_line(token.content))
        elif token.type in _RAISED:
            yield _text(_RAISED[token.type])
        elif token.type not in _DROPPED and (not token.type.startswith("link_") or links[-1]):
            yield token
        if token.type == "link_close":
            links.pop()


def _picture(image: Token, in_link: bool) -> Iterator[Token]:
    """Link to an image instead of fetching it: the request alone would reveal the reader to its server."""
    source = address_of(image)
    name, host = name_of(image) or _("image"), host_of(source)
    text = _text(f"[{name}]" if host is None else _("{label} (image at {host})", label=name, host=host))
    if is_small_picture(source):
        yield image
    elif host is None or in_link:
        yield text
    else:
        yield from (Token("link_open", "a", 1, attrs={"href": source}), text, Token("link_close", "a", -1))


def _uncoded(tokens: Sequence[Token], cell: bool) -> Iterator[Token]:
    """Turn code into text if parsers disagree about its end: some would read the rest of it as Markdown."""
    formulas = "".join(token.content for token in tokens if token.type == "formula")
    marks = bool(formulas) or any(token.nesting for token in tokens)  # `marked` ends markup within ``a ` b``,
    tildes = "~" in formulas or any(token.type == "s_open" for token in tokens)  # and strike-through within any code
    for before, token in zip([None, *tokens], tokens, strict=False):
        code = token.content if token.type == "code_inline" else ""
        # Where `marked` reads ~~` as text, it reads the tick as text, too.
        struck = before is not None and before.type == "s_open"
        astray = struck or (marks and "`" in code) or (tildes and "~" in code) or (cell and "\\|" in code)
        yield _text(code) if code and astray else token


def _unbroken(tokens: Sequence[Token], one_line: bool) -> Iterator[Token]:
    """Replace line ends by spaces in a heading, a cell, a link, and beside a formula that would become a block."""
    displayed = [token.type == "formula" and token.content.startswith("$$") for token in tokens]
    links = 0
    for before, token, after in zip([False, *displayed], tokens, [*displayed[1:], False], strict=False):
        links += token.nesting if token.type.startswith("link_") else 0
        yield _text(" ") if token.type in BREAKS and (one_line or links or before or after) else token


def _unmarked(tokens: Iterable[Token]) -> list[Token]:
    """Drop marks around nothing, which would be misread, and nested strike-through: `~~~~` may begin code."""
    kept: list[Token] = []
    struck = 0
    for token in tokens:
        if token.type in ("s_open", "s_close"):
            struck += token.nesting
            if struck != (token.nesting > 0):
                continue
        if token.nesting < 0 and token.type != "link_close" and kept and kept[-1].nesting > 0:
            kept.pop()
        elif token.content or token.type != "text":
            kept.append(token)
    return kept


def _joined(tokens: Sequence[Token]) -> list[Token]:
    """Join adjacent texts."""
    kinds = [token.type for token in tokens]
    if ("text", "text") not in pairwise(kinds):
        return [*tokens]
    out: list[Token] = []
    for is_text, run in groupby(tokens, lambda token: token.type == "text"):
        same = list(run)
        out.extend([_text("".join(token.content for token in same))] if is_text and len(same) > 1 else same)
    return out


def _shortened(tokens: Sequence[Token]) -> list[Token]:
    """Replace a link whose text is its address by an autolink."""
    out: list[Token] = []
    for token in tokens:
        out.append(token)
        if token.type == "link_close" and [t.type for t in out[-3:-1]] == ["link_open", "text"]:
            name = out[-2].content
            if name.startswith("http") and name == spelled_out(address_of(out[-3])):
                out[-3:] = [Token("autolink", "", 0, content=name)]
    return out


def _untypeset(tokens: list[Token]) -> list[Token]:
    r"""Turn each `\` into code in a text that a front end would read as a formula, so that it begins no TeX command."""
    texts = [token.content for token in tokens if token.type == "text"]
    if not any("\\" in text for text in texts):
        return tokens
    others = "".join(token.content for token in tokens if token.type == "formula")
    in_dollars = any("$" in text for text in texts) and "".join([*texts, others]).count("$") > 1
    if not any("\\" in text and (in_dollars or _TYPESET.search(text)) for text in texts):
        return tokens
    out: list[Token] = []
    for token in tokens:
        parts = re.split(r"(\\+)", token.content) if token.type == "text" else []
        out.extend([_code(p) if p[0] == "\\" else _text(p) for p in parts if p] or [token])
    return out


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _code(content: str) -> Token:
    return Token("code_inline", "code", 0, content=content)
