"""Removal of what GIF files tell besides the picture. Pure.

Source: "Graphics Interchange Format", version 89a, sections 17 to 27; for XMP, "XMP Specification Part 3", 1.1.2.
"""

from __future__ import annotations

_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF
_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
"""Applications' extensions that tell how often an animation runs, and how colours are meant."""
_DAMAGED = "not the structure of a GIF"


def clean_gif(data: bytes) -> bytes:
    """Leave out comments, what applications put in, such as XMP, and whatever follows the picture.

    Raises:
        ValueError: The structure of the file is damaged.
    """
    at = 13 + _size_of_colours(data, 10)
    kept, has_image = [data[:at]], False
    while at < len(data) and data[at] != _END:
        end = _end_of_block(data, at)
        has_image |= data[at] == _IMAGE
        told = data[at + 1] if data[at] == _EXTENSION else 0
        is_application = told == _APPLICATION and data[at + 3 : at + 14] not in _KEPT
        if told != _COMMENT and not is_application:
            kept.append(data[at:end])
        at = end
    if not has_image:
        raise ValueError(_DAMAGED)
    return b"".join([*kept, bytes([_END])])


def _end_of_block(data: bytes, at: int) -> int:
    """Return where the image or extension at an offset ends: with an empty part."""
    if data[at] == _IMAGE:
        at += 11 + _size_of_colours(data, at + 9)
    elif data[at] == _EXTENSION:
        at += 2
    else:
        raise ValueError(_DAMAGED)
    while at < len(data) and data[at]:
        at += 1 + data[at]
    if at >= len(data):
        raise ValueError(_DAMAGED)
    return at + 1


def _size_of_colours(data: bytes, at: int) -> int:
    """Return the size (bytes) of the table of colours that the flags at an offset announce."""
    if at >= len(data):
        raise ValueError(_DAMAGED)
    return 3 << (1 + (data[at] & 7)) if data[at] & 0x80 else 0
