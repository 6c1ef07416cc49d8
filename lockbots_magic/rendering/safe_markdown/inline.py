"""Inline tokens -> Markdown in which every parser finds the same text and only the markup that is meant. Pure.

Emphasis may be lost where its marks touch others: parsers disagree about runs of stars.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from ...security.links import is_web_link, spelled_out
from ..markdown_rules.emphasis import flanks
from .tame import BREAKS, address_of, name_of, tame

# Characters to escape in a text, which has a NUL for each adjacent markup. Brackets never get a backslash: for
# many parsers that begins a formula.
_ACTIVE = re.compile(
    r"[\\`$<]"
    r"|(?<!\s)\*|\*(?!\s)"  # between spaces it is a star
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word it is a part of it
    r"|(?<!\s)~|~(?=[\s~\0])"  # before a number it means "about"
    r"|(?<=\[)\^|\^(?=[^\s^]*\^)"
    r"|&(?=#?\w*[;\0])"
    r"|@(?=@)"  # JupyterLab replaces @@0@@ by a formula
    r"|!(?=[\[\0])"
    r"|(?<=[!^])\[|\[(?=[ xX]\])|\[(?![^][@\0]+\](?![(\[{:\0]))"  # [1] is not a link unless something joins it
    r"|\](?=[(\[{:\0])"
    r"|[\x01-\x08\n-\x1f\x7f\x85\u2028\u2029]"
)
_MAY_BE_ACTIVE = re.compile(r"[\\`$<*_~^&@!\[\]\x01-\x08\n-\x1f\x7f\x85\u2028\u2029]")
"""Every character that `_ACTIVE` may match: to search it takes a tenth of the time, and most texts have none."""
_AFTER_BACKSLASH = frozenset("\\$*_~^!")
_NAMED = {"<": "&lt;", "&": "&amp;"}
# What begins a block at the beginning of a line, for some parser; the match ends where the backslash belongs.
_BLOCK = re.compile(
    r"\d{1,9}(?=[.)](?:\s|\Z))|\((?=@)"
    r"|(?=#{1,6}(?:\s|\Z)|#[.)]|[>=|]|[-+](?:[-+=|:\s]|\Z)|:(?:[-:\s]|\Z)|%(?:\s|\Z))"
)
# Some parsers make a link of a bare address and go on up to a space, even into code.
_ADDRESS = re.compile(r"((?:https?|ftp)(?=:)|www(?=\.))(.)", re.IGNORECASE)
# What such parsers take for an address, and what is one; they would read anything else as a path of the front end.
_BARE = re.compile(r"https?://\S*", re.IGNORECASE)
_WHOLE = re.compile(r"[\w/:?#=&%.,;~+@!*'()-]+")
_BUT_LAST_WORD = re.compile(r"(?:.*[\s<])?", re.DOTALL)
# First characters of a text that would change the token before it: into a link, a reference, attributes.
_JOINING = {
    "link_open": "^@",
    "link_close": "([{",
    "autolink": "{",
    "image": "([{",
    "footnote_ref": "([{:",
    "code_inline": "{",
    "formula": "0123456789",
}


def inline(tokens: Sequence[Token], *, heading: bool = False, cell: bool = False) -> str:
    """Return the Markdown of inline `tokens`; in a heading and in a cell of a table it is one line."""
    if len(tokens) == 1 and not heading and _is_bare(tokens[0]):
        text = tokens[0].content
        return text.replace("|", "\\|") if cell else _without_block(text)
    tamed = tame(tokens, heading=heading, cell=cell)
    if len(tamed) > 1:
        _guard(tamed)
    writer = _InlineWriter(heading, cell, tildes=not any("~" in t.content for t in tamed if t.type == "code_inline"))
    beside = zip([None, *tamed], tamed, [*tamed[1:], None], strict=False)
    return "".join([getattr(writer, token.type)(token, before, after) for before, token, after in beside])


def _is_bare(token: Token) -> bool:
    """Tell whether a token is a text in which nothing is to escape but what begins a block, as most are."""
    text = token.content
    return (
        token.type == "text"
        and text != ""
        and not (text[0].isspace() or text[-1].isspace() or "://" in text)
        and _MAY_BE_ACTIVE.search(text) is None
    )


def _without_block(text: str) -> str:
    """Escape what begins a block at the beginning of a line."""
    block = _BLOCK.match(text)
    return f"{block[0]}\\{text[block.end() :]}" if block else text


def _guard(tokens: Sequence[Token]) -> None:
    """Note which ends of a text keep the emphasis beside it from being read by CommonMark's own rules.

    Written as an entity, a letter counts as punctuation there, and is the same letter.
    """
    for before, mark, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if not mark.nesting or not mark.markup or before.type != "text" or after.type != "text":
            continue
        inner, outer = (after, before) if mark.nesting > 0 else (before, after)
        inside, outside = inner.content[0 if mark.nesting > 0 else -1], outer.content[-1 if mark.nesting > 0 else 0]
        if not flanks(outside, inside, plain=True):
            outer.meta = {**outer.meta, "last" if mark.nesting > 0 else "first": True}


def literal(text: str, *, heading: bool = False) -> str:
    """Return Markdown, on one line, that reads as exactly `text`."""
    token = Token("text", "", 0)
    token.content = text.replace("\n", " ")
    return inline([token], heading=heading)


def label(text: str) -> str:
    """Return the label of a footnote without characters that have a meaning."""
    return re.sub(r"[^\w-]+", "-", text)


class _InlineWriter:
    """Writes inline tokens; a method for each kind, which takes the token and its neighbours.

    Args:
        heading: Whether the tokens are those of a heading.
        cell: Whether they are those of a cell of a table.
        tildes: Whether a text may hold a tilde: for `marked`, one in code would pair with it.
    """

    def __init__(self, heading: bool, cell: bool, tildes: bool) -> None:
        self._heading = heading
        self._cell = cell
        self._tildes = tildes
        self._target: str | None = None

    def text(self, token: Token, before: Token | None, after: Token | None) -> str:
        """Write text with as few escapes as possible."""
        ends = " " if after is None or after.type in BREAKS else "\0"
        text = token.content
        if _MAY_BE_ACTIVE.search(text):
            text = _ACTIVE.sub(_escape, f"\0{text}{ends}")[1:-1]
        text = _bordered(text, token, before, after)
        if "://" in text and not all(map(_is_address, _BARE.findall(token.content))):
            text = re.sub(r"(https?):(?=//)", r"\1&#58;", text, flags=re.IGNORECASE)
        if not self._tildes and "~" in text:
            text = re.sub(r"(?<!\\)~", r"\~", text)
        if self._target is not None:
            text = text.replace("[", "&#91;").replace("]", "&#93;")
        if self._cell:
            return text.replace("|", "\\|")
        if self._heading:
            bare = text.rstrip("#")
            return bare.replace("{", "\\{") + ("\\" if bare != text else "") + text[len(bare) :]
        return _without_block(text) if before is None or before.type in BREAKS else text

    def code_inline(self, token: Token, before: Token | None, _after: Token | None) -> str:
        """Write code between as many ticks as it needs."""
        code = token.content.replace("|", "\\|") if self._cell else token.content
        runs = {len(run) for run in re.findall("`+", code)}
        ticks = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
        # `marked` reads a backslash at the end as an escape of the tick.
        padded = code[0] == "`" or code[-1] in "`\\" or (code[0] == code[-1] == " " and code.strip(" "))
        return _apart(f"{ticks} {code} {ticks}" if padded else f"{ticks}{code}{ticks}", before)

    def formula(self, token: Token, before: Token | None, _after: Token | None) -> str:
        return _apart(token.content, before)

    def softbreak(self, *_: Token | None) -> str:
        return "\n"

    def hardbreak(self, *_: Token | None) -> str:
        return "\\\n"

    def em_open(self, token: Token, *_: Token | None) -> str:
        return token.markup

    em_close = strong_open = strong_close = s_open = s_close = em_open

    def link_open(self, token: Token, *_: Token | None) -> str:
        self._target = spelled_out(address_of(token))
        return "["

    def link_close(self, *_: Token | None) -> str:
        target, self._target = self._target, None
        return f"]({target})"

    def autolink(self, token: Token, *_: Token | None) -> str:
        return f"<{token.content}>"

    def image(self, token: Token, *_: Token | None) -> str:
        """Write an image with a plain name: it becomes an attribute, which not every parser escapes."""
        name = re.sub(r"[^\w .,:()-]+", " ", name_of(token)).strip()
        return f"![{name}]({address_of(token)})"

    def footnote_ref(self, token: Token, *_: Token | None) -> str:
        return f"[^{label(token.meta['label'])}]"


def _is_address(written: str) -> bool:
    """Tell whether a bare address, with the punctuation behind it, leads to the web wherever parsers end it."""
    address = written.rstrip("().,;:!?'*")
    return _WHOLE.fullmatch(address) is not None and is_web_link(address)


def _apart(piece: str, before: Token | None) -> str:
    """Put a space before `piece` if its marks could end the token before it."""
    return f" {piece}" if before and before.type in ("code_inline", "formula", "link_close") else piece


def _bordered(text: str, token: Token, before: Token | None, after: Token | None) -> str:
    """Escape the ends of `text` so that they join neither neighbour."""
    if text[0].isspace() and (before is None or before.type in BREAKS or before.nesting > 0):
        bare = text.lstrip()
        text = _entities(text[: len(text) - len(bare)]) + bare
    if text[-1].isspace() and (after is None or after.type in BREAKS or after.nesting < 0):
        bare = text.rstrip()
        text = bare + _entities(text[len(bare) :])
    if after is not None and after.type not in BREAKS and (":" in text or "w." in text.lower()):
        others = len(_BUT_LAST_WORD.match(text)[0])  # type: ignore[index]  # it matches any text
        text = text[:others] + _ADDRESS.sub(lambda address: address[1] + _entities(address[2]), text[others:])
    touches = token.meta.get("last") or (after is not None and _is_underscore(after, 1))
    if touches and text[-1].isalnum():
        text = text[:-1] + _entities(text[-1])
    if before is None:
        return text
    touches = token.meta.get("first") or _is_underscore(before, -1)
    joins = text[0] in _JOINING.get(before.type, "") or (touches and text[0].isalnum())
    return _entities(text[0]) + text[1:] if joins else text


def _is_underscore(token: Token, nesting: int) -> bool:
    """Tell whether `token` is an underscore mark, which counts only at the edge of a word."""
    return token.nesting == nesting and token.markup.startswith("_")


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in _AFTER_BACKSLASH else _NAMED.get(character) or _entities(character)


def _entities(characters: str) -> str:
    return "".join(f"&#{ord(character)};" for character in characters)
