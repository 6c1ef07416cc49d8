"""Pixels as models take them: Pillow images as PNG or JPEG. Pure, but for Pillow."""

from __future__ import annotations

import io
import math
import struct
from array import array
from typing import Any

from ..language import _
from ..security.pictures import picture_kind
from .picture_metadata import PNG_BEGIN, drop_metadata

MAX_SIDE = 2_000
"""Pixels along the longer side of figures and scaled images: models use fewer."""
JPEG_QUALITY = 85
"""Quality of scaled images, 0-95."""
MAX_FLATTENED = 20_000_000
"""Pixels of an image that is put on paper."""
OPAQUE = 255
"""Alpha of a pixel through which nothing is seen."""
LIGHT = 170
"""Mean lightness, 0-255, from which on a picture is for a dark page."""

_KEPT = ("1", "L", "LA", "P", "RGB", "RGBA")
_TRANSPARENT = ("PA", "La", "RGBa")
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def on_paper(data: bytes) -> bytes:
    """Return a PNG with its transparent parts on white, or on grey where all that is seen is light.

    Services put them on black, as a rule, where the labels of a plot are not seen. Other data are returned unchanged,
    as is a PNG that is opaque, damaged or huge, and any without Pillow.
    """
    if not _may_be_transparent(data):
        return data
    try:
        from PIL import Image, ImageStat  # optional, and few images need it

        picture = decode_image(data).convert("RGBA")
        alpha = picture.getchannel("A")
        if alpha.getextrema()[0] == OPAQUE:
            return data
        seen = alpha.point(lambda value: OPAQUE if value > OPAQUE // 2 else 0)
        is_light = bool(seen.getbbox()) and ImageStat.Stat(picture.convert("L"), seen).mean[0] > LIGHT
        paper = Image.new("RGBA", picture.size, "#333333" if is_light else "white")
        file = io.BytesIO()
        Image.alpha_composite(paper, picture).convert("RGB").save(file, "PNG")
    except Exception:  # noqa: BLE001  # Pillow is missing, or a decoder raises anything
        return data
    return file.getvalue()


def _may_be_transparent(data: bytes) -> bool:
    """Tell by its header. Source: PNG specification, 11.2.1 (colour types 4 and 6 have alpha) and 11.3.1.1 (tRNS)."""
    if not data.startswith(PNG_BEGIN) or data[12:16] != b"IHDR":
        return False
    width, height = struct.unpack_from(">II", data, 16)
    return width * height <= MAX_FLATTENED and (data[25] in (4, 6) or b"tRNS" in data[:2_000])


def is_seldom_read(data: bytes) -> bool:
    """Whether models' decoders show an image wrong or not at all: a JPEG in CMYK, a grey PNG with 16 bits a pixel."""
    kind = picture_kind(data)
    if kind == "png":
        return data[12:16] == b"IHDR" and data[24:26] == b"\x10\x00"
    return kind == "jpeg" and _jpeg_components(data) == 4


def _jpeg_components(data: bytes) -> int:
    """Return the number of colour components, 0 if unknown. Source: ITU-T T.81, B.1 and B.2.2."""
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _JPEG_FRAMES:
            return data[at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


def decode_image(data: bytes) -> Any:
    """Return the Pillow image in `data`, turned as its camera says.

    Raises:
        ImportError: Pillow is missing.
        Exception: Anything that a decoder raises.
    """
    from PIL import Image, ImageOps  # optional, and few images need it

    opened = Image.open(io.BytesIO(data))
    if picture_kind(data) == "jpeg":
        opened.draft("RGB" if opened.mode != "CMYK" else "CMYK", (MAX_SIDE, MAX_SIDE))
    frames = getattr(opened, "n_frames", 1)
    turned: Any = ImageOps.exif_transpose(opened)
    turned.n_frames = frames  # which turning drops
    return turned


def encode_png(picture: Any) -> tuple[bytes, tuple[str, ...]]:
    """Return a Pillow image as PNG, scaled down to `MAX_SIDE`, and notes on what was changed."""
    small, notes = _convert(_shrink(picture))
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes = (*notes, _("only the first of {frames:,} frames was sent", frames=frames))
    file = io.BytesIO()
    small.save(file, "PNG")
    return drop_metadata(file.getvalue()), notes


def encode_jpeg(picture: Any) -> bytes:
    """Return a Pillow image as JPEG on white paper, scaled down to `MAX_SIDE`."""
    from PIL import Image  # the image is one of its own

    coloured = _convert(_shrink(picture))[0].convert("RGBA")
    paper = Image.new("RGBA", coloured.size, "white")
    file = io.BytesIO()
    Image.alpha_composite(paper, coloured).convert("RGB").save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _shrink(picture: Any) -> Any:
    if max(picture.size) <= MAX_SIDE:
        return picture
    if picture.mode in ("1", "P", "PA"):  # Pillow drops pixels of these, so that lines break
        picture = picture.convert("L" if picture.mode == "1" else "RGBA")
    elif picture.mode.startswith("I;"):
        picture = picture.convert("I")
    small = picture.copy()
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    return small


def _convert(picture: Any) -> tuple[Any, tuple[str, ...]]:
    """Convert to a mode of PNG with 8 bits a channel: others are cut off at 255, which leaves them white or black."""
    if picture.mode in _KEPT:
        return picture, ()
    if picture.mode in _TRANSPARENT:
        return picture.convert("RGBA"), ()
    if picture.mode == "F" or picture.mode.startswith("I"):
        return _convert_grey(picture)
    return picture.convert("RGB"), ()


def _convert_grey(picture: Any) -> tuple[Any, tuple[str, ...]]:
    grey = picture if picture.mode in ("F", "I") else picture.convert("I")
    low, high = _extrema(grey)
    black, white = _levels(low, high, is_float=grey.mode == "F")
    if (black, white) == (0, 255):
        return grey.convert("L"), ()
    scale = 255 / (white - black) if white > black else 0.0
    scaled = grey.convert("F").point(lambda value: value * scale + (0.5 - black * scale)).convert("L")
    return scaled, (_("its grey values {black:g} to {white:g} were scaled to 8 bits", black=black, white=white),)


def _levels(low: float, high: float, *, is_float: bool) -> tuple[float, float]:
    """Return the values that are black and white: of the range that is usual for such numbers, or the extremes."""
    if low >= 0 and is_float and high <= 1:
        return 0, 1
    if low >= 0 and high <= 255:
        return 0, 255
    if low >= 0 and not is_float and high < 65536:
        return 0, 2 ** int(high).bit_length() - 1  # 10, 12, 14 or 16 bits
    return low, high


def _extrema(grey: Any) -> tuple[float, float]:
    low, high = grey.getextrema()
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    finite = [
        value for value in array("f", grey.tobytes()) if math.isfinite(value)
    ]  # NaN or infinite where data are missing
    return (min(finite), max(finite)) if finite else (0, 1)
