"""What a text shows: behind encodings, markup and invisible characters. Credentials are sought in it. Pure."""

from __future__ import annotations

from html import unescape
from operator import itemgetter
from typing import NamedTuple

from ..late_pattern import late_pattern
from .control_characters import has_parting, without_parting
from .credential_forms import decode, is_encoded, without_references
from .letter_folding import fold

TAG = late_pattern(r"""<[^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*>""")
"""Tag of HTML."""

_ESCAPED = late_pattern(r"\\([!-/:-@\[-`{-~])")
"""Backslash escape of Markdown (CommonMark 0.31, section 2.4)."""
_REFERENCE = late_pattern(r"&#(?:[0-9]{1,9}|[xX][0-9a-fA-F]{1,8});?|&[A-Za-z]{2,24};")
"""Character reference of HTML and Markdown."""
_WHITE_SPACE = b" \t\n\r\f\v"
_ESCAPED_BREAK = late_pattern(r"\\\\{0,3}[nrt]")  # begins with a letter, which `re` searches fast


class TextViews(NamedTuple):
    """What a text holds, other than as it is written: a credential is first sought there, which is fast."""

    plain: str
    """What its encodings stand for; ``""`` if it has none."""
    bare: str
    """Without characters that part a word unseen; ``""`` if it has none."""
    unwrapped: bytes
    """Decoded and without white space, for base64 that is wrapped to lines."""
    folded: str
    """Decoded and in plain lower-case letters."""

    @classmethod
    def of(cls, text: str) -> TextViews:
        """Return the views of `text`."""
        bare = without_parting(text) if has_parting(text) else ""
        plain = without_parting(decode(bare or text)) if is_encoded(text) else ""
        seen = plain or bare or text
        return cls(plain, bare, unwrapped(seen), fold(seen))


def unwrapped(text: str) -> bytes:
    """Return `text` without white space and escapes of line breaks."""
    text = _ESCAPED_BREAK.sub("", text) if "\\" in text else text
    return text.encode("utf-8", "surrogatepass").translate(None, _WHITE_SPACE)


def text_of_html(html: str) -> str:
    """Return HTML without its tags and character references, to search in it."""
    return without_references(TAG.sub("", html))


def text_of_markdown(markdown: str) -> str:
    """Return Markdown without its escapes and character references, to search in it."""
    return without_references(_ESCAPED.sub(itemgetter(1), markdown))


def without_parting_references(markup: str) -> str:
    """Remove character references that stand for an invisible character, or for nothing."""
    return _REFERENCE.sub(lambda match: match[0] if without_parting(unescape(match[0])) else "", markup)
