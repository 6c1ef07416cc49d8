"""Removal of what picture files tell besides the picture: place, camera, owner, date. Pure.

Of a JPEG, PNG, WebP or GIF only what is needed to show it stays: pixels, colour profile and orientation. A file whose
structure is damaged is returned unchanged. Sources: ITU-T T.81, annex B; JFIF 1.02; Exif 2.32, 4.5.4 and 4.6; PNG
specification, chapters 5.3 and 11.3; "WebP Container Specification" (RFC 9649).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from .gif_metadata import clean_gif

PNG_BEGIN = b"\x89PNG\r\n\x1a\n"

_PNG_METADATA = (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf")
_WEBP_KEPT = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04
"""Flags of VP8X."""

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP15 = 0xE0, 0xE1, 0xEF
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and the restarts."""
_FILL = re.compile(rb"\xff+")
_MARKER_BEHIND_SCAN = re.compile(rb"(?<!\xff)\xff+[^\xff\x00\x01\xd0-\xd7]")
_APP_KEPT = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))
"""Application segments that tell how colours are meant. JFXX, FPXR and MPF hold further pictures, such as previews."""
_EXIF = b"Exif\0"
_ORIENTATION = 0x0112
_SHORT = 3


def drop_metadata(data: bytes) -> bytes:
    """Return a picture without its metadata, but with its orientation and colour profile.

    Of a JPEG, whatever follows the picture is left out, too: phones put further pictures and films there, each with
    metadata of its own. A damaged file, and one of another format, is returned unchanged.
    """
    try:
        if data.startswith(PNG_BEGIN):
            return _clean_png(data)
        if data.startswith(b"\xff\xd8"):
            return _clean_jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _clean_webp(data)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return clean_gif(data)
    except ValueError:  # `_DamagedError` and that of GIF
        pass
    return data


class _DamagedError(ValueError):
    """The structure of the file is not that of its format."""


def _clean_png(data: bytes) -> bytes:
    if not any(name in data for name in _PNG_METADATA):
        return data
    kept, at, turned = [PNG_BEGIN], len(PNG_BEGIN), 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        name = data[at + 4 : at + 8]
        if end > len(data):
            raise _DamagedError
        if name not in _PNG_METADATA:
            kept.append(data[at:end])
        elif name == b"eXIf" and not turned and (turned := _orientation(data[at + 8 : end - 4])):
            kept.append(_png_chunk(name, _exif_of(turned)))
        at = end
        if name == b"IEND":
            return b"".join(kept)
    raise _DamagedError


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _clean_jpeg(data: bytes) -> bytes:
    kept, turned = [data[:2]], False
    for marker, piece in _jpeg_pieces(data):
        content = piece.lstrip(b"\xff")[3:] if marker else b""
        if marker == _APP1 and content.startswith(_EXIF):
            orientation = 0 if turned else _orientation(content[6:])
            if orientation:
                turned = True
                exif = _EXIF + b"\0" + _exif_of(orientation)
                kept.append(struct.pack(">BBH", 0xFF, _APP1, len(exif) + 2) + exif)
        elif _stays(marker, content):
            kept.append(piece)
    return b"".join(kept)


def _stays(marker: int, content: bytes) -> bool:
    if _APP0 <= marker <= _APP15:
        return any(marker == kept and content.startswith(begin) for kept, begin in _APP_KEPT)
    return marker != _COM


def _jpeg_pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (marker, bytes) of the segments behind SOI up to EOI, a scan with the marker 0.

    A file that breaks off or goes astray behind its first scan can be shown in part, so the rest is yielded as a scan.

    Raises:
        _DamagedError: There is no scan, or no segment where one belongs before it.
    """
    at, scanned = 2, False
    while True:
        try:
            marker, end = _next_segment(data, at)
        except _DamagedError:
            if not scanned:
                raise
            yield 0, data[at:]
            return
        yield marker, data[at:end]
        if marker == _EOI:
            if not scanned:
                raise _DamagedError
            return
        at = end
        if marker == _SOS:
            scanned = True
            end = _end_of_scan(data, at)
            yield 0, data[at:end]
            at = end


def _next_segment(data: bytes, at: int) -> tuple[int, int]:
    """Return the marker of the segment at an offset, which fill bytes may precede, and where the segment ends."""
    fill = _FILL.match(data, at)
    at = fill.end() if fill else len(data)
    if at >= len(data) or data[at] in (0, _SOI):
        raise _DamagedError
    marker = data[at]
    if marker == _EOI or marker in _STANDALONE:
        return marker, at + 1
    length = int.from_bytes(data[at + 1 : at + 3], "big")
    end = at + 1 + length
    if length < 2 or end > len(data):
        raise _DamagedError
    return marker, end


def _end_of_scan(data: bytes, at: int) -> int:
    """Return the offset of the next marker that is not a part of entropy-coded data (T.81, B.1.1.5)."""
    found = _MARKER_BEHIND_SCAN.search(data, at)
    return found.start() if found else len(data)


def _clean_webp(data: bytes) -> bytes:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _DamagedError
    kept, at, turned = list[bytes](), 12, 0
    while at + 8 <= end:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        content = data[at + 8 : at + 8 + size]
        if at + 8 + size > end:
            raise _DamagedError
        if name in _WEBP_KEPT:
            kept.append(_webp_chunk(name, content))
        elif name == b"EXIF" and not turned:
            turned = _orientation(content.removeprefix(_EXIF + b"\0"))
        at += 8 + size + size % 2
    if not kept or (kept[0].startswith(b"VP8X") and len(kept[0]) < 18):
        raise _DamagedError
    if kept[0].startswith(b"VP8X"):
        flags = kept[0][8] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if turned else 0)
        kept[0] = kept[0][:8] + bytes([flags]) + kept[0][9:]
        if turned:
            kept.append(_webp_chunk(b"EXIF", _exif_of(turned)))
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _webp_chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def _orientation(tiff: bytes) -> int:
    """Return the orientation that Exif data tell, 2-8; 0 if it is the usual one, or they tell none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 0
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return 0
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if (tag, kind) == (_ORIENTATION, _SHORT):
            return value if 2 <= value <= 8 else 0
    return 0


def _exif_of(orientation: int) -> bytes:
    """Return Exif data that tell nothing but the orientation."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)
