"""The picture that a model is asked about: one color, and small.

Format: PNG specification, third edition, chapters 5 and 11.
"""

from __future__ import annotations

import base64
import struct
import zlib

SIZE = 64
"""Width and height (pixels): some services refuse smaller pictures."""


def red_square() -> str:
    """Return a red square as the URL of a PNG, ``data:image/png;base64,...``."""
    row = b"\0" + b"\xe0\x10\x10" * SIZE
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(row * SIZE)) + _chunk(b"IEND", b"")
    picture = b"\x89PNG\r\n\x1a\n" + chunks
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
