"""Bytes as text, in whichever of a few encodings they are. Pure."""

from __future__ import annotations

import codecs
import re

_MARKS = (  # UTF-32 first: its mark begins as that of UTF-16 does
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What no text has: control characters but those that lay out, ring or colour.
_CONTROL = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f]")
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile("[\u0400-\u04ff]{2,}")


def decoded(data: bytes, *, is_whole: bool = True) -> tuple[str, str] | None:
    """Return the text of `data` and its encoding, None if it is no text.

    A byte order mark names the encoding. Without one it is UTF-8 if it can be; else cp1251, if most words beyond ASCII
    are then Cyrillic through and through; else cp1252, or latin-1 where that has gaps.

    Args:
        data: the bytes of a file.
        is_whole: False if the file goes on behind them; a character may then be cut in two.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            found = _read(data[len(mark) :], encoding, is_whole=is_whole)
            return None if found is None else (found, encoding)
    if b"\0" in data:
        return None
    for encoding in ("utf-8", _legacy(data), "latin-1"):
        text = _read(data, encoding, is_whole=is_whole)
        if text is not None:
            return None if _CONTROL.search(text) else (text, encoding)
    return None


def _read(data: bytes, encoding: str, *, is_whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(data, final=is_whole)
    except UnicodeDecodeError:
        return None


def _legacy(data: bytes) -> str:
    words = [word for word in _WORD.findall(data.decode("cp1251", "replace")) if not word.isascii()]
    cyrillic = sum(_CYRILLIC.fullmatch(word) is not None for word in words)
    return "cp1251" if cyrillic * 2 > len(words) else "cp1252"
