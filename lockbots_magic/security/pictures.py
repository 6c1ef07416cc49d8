"""Pictures that models make: which are shown, by their content and not by what they are called. Pure.

Only raster formats are pictures. SVG is a document that may hold scripts and fetch addresses.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from ..language import _
from ..late_pattern import late_pattern

MAX_PICTURE = 8_000_000
"""Bytes of one picture."""

_DATA_URL = late_pattern(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})\Z")
_BEGINS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}


class Picture(NamedTuple):
    """A picture embedded in a URL."""

    kind: str
    """``"png"``, ``"jpeg"``, ``"gif"`` or ``"webp"``, as its content says."""
    size: int
    """Bytes."""


def picture_kind(data: bytes) -> str | None:
    """Return the format of a picture, such as ``"png"``, by its first 12 bytes; None if it is none that is shown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for begin, kind in _BEGINS.items() if data.startswith(begin)), None)


def embedded_picture(url: str) -> Picture | None:
    """Return the picture in a ``data:`` URL that may be shown; None if it is too large, or not what it says.

    Example:
        >>> embedded_picture("data:image/png;base64,iVBORw0KGgo=")
        Picture(kind='png', size=8)
        >>> embedded_picture("data:image/svg+xml;base64,PHN2Zz4=") is None
        True
    """
    match = _DATA_URL.match(url) if len(url) <= MAX_PICTURE * 4 // 3 + 100 else None
    if match is None:
        return None
    kind, encoded = match.groups()
    try:
        begin = base64.b64decode(encoded[:32], validate=True)
    except binascii.Error:
        return None
    size = len(encoded) * 3 // 4 - encoded[-2:].count("=")
    return Picture(kind, size) if picture_kind(begin) == kind and size <= MAX_PICTURE else None


def embed_picture(data: bytes) -> str:
    """Return the ``data:`` URL of a picture.

    Raises:
        ValueError: It is too large, or in no format that is shown; the message says which.
    """
    kind = picture_kind(data)
    if kind is None:
        raise ValueError(
            _("an SVG image") if b"<svg" in data[:2_000].lower() else _("not a PNG, JPEG, GIF or WebP image")
        )
    if len(data) > MAX_PICTURE:
        raise ValueError(_("larger than {megabytes} MB", megabytes=MAX_PICTURE // 1000000))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
