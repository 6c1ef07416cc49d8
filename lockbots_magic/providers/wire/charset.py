"""Bodies in another character encoding than UTF-8, which the response names, as UTF-8. Pure.

Event streams and JSON are UTF-8 (WHATWG HTML, "Server-sent events"; RFC 8259, 8.1). Observed all the same: gateways
with a default of their own (``charset=iso-8859-1``), most of which send UTF-8 under that name, and services in GBK,
Shift_JIS or windows-1251, which don't. Labels of Latin-1 mean windows-1252 (WHATWG Encoding Standard).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

MAX_RUN = 64
"""Bytes beyond ASCII after which it is known whether they are UTF-8."""
MIN_SURE = 6
"""Bytes beyond ASCII that are UTF-8 by chance in no text of a script with thousands of characters."""
_KNOWN = re.compile(r"(?:iso8859|iso2022|cp|koi8|mac|gb|big5|euc|shift_jis|hz$|utf-16|utf-32|ascii)")
"""Beginnings of the names of encodings of text; Python has others, such as `unicode_escape`."""
_WIDE = ("utf-16", "utf-32")
_SHIFTED = ("iso2022", "hz")
_SINGLE_BYTE = ("cp125", "iso8859", "koi8", "mac", "ascii", "cp866", "cp874", "cp437", "cp850")
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARK_STARTS = tuple(mark[:1] for mark in _MARKS)
_WINDOWS_1252 = ("iso8859-1", "ascii")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")


def as_utf8(pieces: Iterable[bytes], charset: str) -> Iterable[bytes]:
    """Return the pieces of a body as UTF-8.

    Args:
        pieces: The body, cut anywhere.
        charset: Character encoding that the response names; an unknown one is taken for UTF-8.

    Example:
        >>> b"".join(as_utf8([b"\\xe9t\\xe9"], "latin-1")).decode()
        'été'
    """
    name = _find_codec(charset)
    if not name:
        return _transcode_marked(pieces)
    return _transcode_wide(pieces, name) if name.startswith(_WIDE) else _transcode(pieces, name)


def _find_codec(charset: str) -> str:
    """Return Python's name of an encoding; empty for UTF-8 and for what is none."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return ""
    if not _KNOWN.match(name):
        return ""
    return "cp1252" if name in _WINDOWS_1252 else name


def _transcode_marked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a body that names no encoding: the mark of UTF-16 at its beginning names it (.NET)."""
    body = iter(pieces)
    head = b""
    for piece in body:
        head += piece
        if head and head not in _MARK_STARTS:
            break
    whole = chain((head,), body)
    yield from _transcode_wide(whole, "utf-16") if head.startswith(_MARKS) else whole


def _transcode(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    is_known = name.startswith(_SHIFTED)
    held = b""
    body = iter(pieces)
    for piece in body:
        piece = held + piece  # noqa: PLW2901  # the same piece
        held = b""
        run = None if is_known else _BEYOND_ASCII.search(piece)
        if run and run.end() == len(piece) and len(run[0]) < MAX_RUN:
            held = piece[run.start() :]
            piece = piece[: run.start()]  # noqa: PLW2901
        elif run and _is_utf8(run[0], name):
            yield piece
            yield from body
            return
        is_known = is_known or (run is not None and not held)
        if piece:
            yield decoder.decode(piece).encode("utf-8", "replace")
    if held and _is_utf8(held, name):
        yield held
    elif rest := decoder.decode(held, final=True):
        yield rest.encode("utf-8", "replace")


def _transcode_wide(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Yield the pieces of a body that names UTF-16 or UTF-32: it begins with a byte order mark, or with ASCII."""
    body = iter(pieces)
    head = b""
    for piece in body:
        head += piece
        if len(head) >= 4:
            break
    name = name[:6]
    if not head.startswith((*_MARKS, codecs.BOM_UTF32_BE)):
        if b"\0" not in head[:4]:
            yield head
            yield from body
            return
        name += "-be" if head.startswith(b"\0") else "-le"
    decoder = codecs.getincrementaldecoder(name)("replace")
    for piece in chain((head,), body):
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _is_utf8(run: bytes, name: str) -> bool:
    """Whether bytes under the name of another encoding are UTF-8."""
    try:
        run[:MAX_RUN].decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data" or len(run) < MAX_RUN:
            return False
    return len(run) >= MIN_SURE or name.startswith(_SINGLE_BYTE)
