"""Letters that read the same: in the other case, full-width, or in a style such as bold of mathematics. Pure.

Source: Unicode Standard Annex 15 (compatibility decomposition).
"""

from __future__ import annotations

import functools
import unicodedata

from ..late_pattern import late_pattern

_BLOCKS = ((0x2070, 0x20A0), (0x2100, 0x2150), (0x24B6, 0x24EA), (0xFF01, 0xFF5F), (0x1D400, 0x1D800))
"""Superscripts, letter-like symbols, letters in circles, full-width forms, mathematical letters."""
_STYLED = late_pattern(f"[{''.join(f'{chr(first)}-{chr(end - 1)}' for first, end in _BLOCKS)}]")


def fold(text: str) -> str:
    """Return `text` in plain lower-case letters, each in its place: the result has the same length.

    Example:
        >>> fold("ＳＫ-𝟏𝐚")
        'sk-1a'
    """
    if text.isascii():
        return text.lower()
    text = _STYLED.sub(lambda match: _plain(match[0]), text)
    return text.replace("\u0130", "\u0131").lower()  # the one letter that `lower` makes longer


def variants(letter: str) -> str:
    """Return the letters that `fold` takes for `letter`, which is ASCII; itself first."""
    return "".join(dict.fromkeys([letter, letter.lower(), letter.upper(), *_table().get(letter.lower(), ())]))


def _plain(letter: str) -> str:
    plain = unicodedata.normalize("NFKC", letter)
    return plain if len(plain) == 1 else letter


@functools.cache
def _table() -> dict[str, list[str]]:
    """Return the styled letters of each plain one."""
    found: dict[str, list[str]] = {}
    for code in (code for first, end in _BLOCKS for code in range(first, end)):
        found.setdefault(_plain(chr(code)).lower(), []).append(chr(code))
    return found
