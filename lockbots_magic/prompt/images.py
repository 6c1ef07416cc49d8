"""Images as URLs for models: files, figures, and values that draw themselves."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..atomic_file import read_bytes
from ..errors import UsageError
from ..security.pictures import picture_kind
from .local_files import find_file
from .part import get_method, is_instance_of
from .text import to_one_line

MAX_FILE_BYTES = 100_000_000
"""Bytes of an image file that is read and scaled down."""
MAX_IMAGE_BYTES = 5_000_000
"""Bytes of an image that is sent."""
MAX_TOTAL_BYTES = 15_000_000
"""Bytes of all images of a prompt. They are sent again with later prompts, and saved in the notebook."""
MAX_SIDE = 2_000
"""Pixels along the longer side of figures and scaled images: models use fewer."""
JPEG_QUALITY = 85
"""Quality of scaled images, 0-95."""

IMAGE_KINDS = ("png", "jpeg", "gif", "webp")
_IN_WEB = ("https://", "http://")
_TOO_LARGE = f"larger than {MAX_IMAGE_BYTES // 1_000_000} MB. Scale it down, or install Pillow to have it scaled."
_SVG = "an SVG. Models take PNG, JPEG, GIF or WebP: save it as PNG."


def image_url(value: Any) -> str:
    """Return the URL of an image.

    Args:
        value: A path, a URL (`http`, `https` or `data:image/`), the bytes of an image, or a value that can be drawn: a
            matplotlib figure or axes, a PIL image, an IPython image, or one with `_repr_png_` or `_repr_jpeg_`.

    Raises:
        UsageError: The value is not an image, has a format that models don't take, is too large, or can't be read.
    """
    if isinstance(value, str) and value.lower().startswith(("data:", *_IN_WEB)):
        return _check_url(value)
    if isinstance(value, str | Path):
        path = find_file(value, "`--image` takes a PNG, JPEG, GIF or WebP.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(
                f"{to_one_line(path.name)} is larger than {MAX_FILE_BYTES // 1_000_000} MB. Scale it down."
            )
        return _encode_url(_read_bytes(path), to_one_line(path.name))
    if isinstance(value, bytes):
        return _encode_url(value, "The value")
    try:
        url = draw_image(value)
    except UsageError:
        raise
    except Exception as error:  # methods of the user's classes raise anything
        raise UsageError(f"Can't draw a {type(value).__name__}: {to_one_line(str(error), 300)}") from error
    if url is None:
        hint = (
            " Draw it with `plt.imshow(array)` and pass the figure." if is_instance_of(value, "numpy.ndarray") else ""
        )
        raise UsageError(f"A value of type {type(value).__name__} is not an image.{hint}")
    return url


def check_total_size(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the URLs of all images of a prompt as a tuple.

    Args:
        urls: URLs, as `image_url` returns them.

    Raises:
        UsageError: The images together are too large.
    """
    size = image_bytes(urls)
    if size > MAX_TOTAL_BYTES:
        raise UsageError(
            f"The {len(urls)} images of this prompt have {size / 1e6:.1f} MB; the limit is"
            f" {MAX_TOTAL_BYTES // 1_000_000} MB. Leave some out, or scale them down."
        )
    return tuple(urls)


def image_bytes(urls: Sequence[str]) -> int:
    """Return about how many bytes of images are sent; those on the web are not."""
    return sum(len(url) - url.find(",") - 1 for url in urls if url[:5].lower() == "data:") * 3 // 4


def draw_image(value: Any) -> str | None:
    """Draw `value` without changing it; return the URL, None if it is not an image.

    Raises:
        UsageError: The image has a format that models don't take, or is too large.
    """
    name = f"The {type(value).__name__}"
    if is_instance_of(value, "matplotlib.figure.Figure"):
        return _encode_url(_render_figure(value), name)
    if is_instance_of(value, "matplotlib.axes.Axes", "matplotlib.figure.SubFigure"):
        return None if value.figure is None else draw_image(value.figure)
    if is_instance_of(value, "PIL.Image.Image"):
        return _encode_url(_encode_pil_image(value), name)
    if is_instance_of(value, "IPython.core.display.Image"):
        return _encode_url(value.data, name) if isinstance(value.data, bytes) else _check_url(value.url or "")
    for draw in (get_method(value, "_repr_png_"), get_method(value, "_repr_jpeg_")):
        data = _decode_drawing(draw()) if draw else None
        if data is not None:
            return _encode_url(data, name)
    return None


def _encode_url(data: bytes, name: str) -> str:
    kind = picture_kind(data)
    if kind is None:
        is_svg = b"<svg" in data[:2_000].lower()
        raise UsageError(f"{name} is {_SVG if is_svg else 'not an image that models take: PNG, JPEG, GIF or WebP.'}")
    if len(data) > MAX_IMAGE_BYTES:
        smaller = _scale_down(data)
        if smaller is None or len(smaller) > MAX_IMAGE_BYTES:
            raise UsageError(f"{name} is {_TOO_LARGE}")
        data, kind = smaller, "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _check_url(url: str) -> str:
    """Return `url` if it can be that of an image."""
    begin = url[:40].lower()
    if begin.startswith(_IN_WEB):
        if url.partition("?")[0].lower().endswith((".svg", ".svgz")):
            raise UsageError(f"{to_one_line(url)} is {_SVG}")
        return url
    if begin.startswith("data:image/svg"):
        raise UsageError(f"The image is {_SVG}")
    if not begin.startswith("data:image/"):
        raise UsageError("An image must be a file, an http(s) or data:image URL, or a variable.")
    if image_bytes([url]) <= MAX_IMAGE_BYTES + 100:
        return url
    data = _decode_drawing(url.partition(";base64,")[2])
    if not data:
        raise UsageError(f"The image is {_TOO_LARGE}")
    return _encode_url(data, "The data URL")


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, MAX_FILE_BYTES)
    except OSError as error:
        raise UsageError(f"Can't read {to_one_line(path.name)}: {error.strerror}.") from error


def _render_figure(figure: Any) -> bytes:
    """Draw a matplotlib figure at its own resolution, up to `MAX_SIDE`."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=min(figure.dpi, MAX_SIDE / max(figure.get_size_inches())))
    return file.getvalue()


def _scale_down(data: bytes) -> bytes | None:
    """Convert an image to a JPEG of at most `MAX_SIDE`; return None if that fails."""
    try:
        from PIL import Image, ImageOps  # optional, and few images are so large

        with Image.open(io.BytesIO(data)) as opened:
            opened.draft("RGB", (MAX_SIDE, MAX_SIDE))
            opened.thumbnail((MAX_SIDE, MAX_SIDE))
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except Exception:  # noqa: BLE001  # ImportError, and anything that a decoder raises
        return None
    paper = Image.new("RGBA", picture.size, "white")
    file = io.BytesIO()
    Image.alpha_composite(paper, picture).convert("RGB").save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _encode_pil_image(picture: Any) -> bytes:
    """Encode a PIL image as PNG, which has neither CMYK nor floating point."""
    if max(picture.size) > MAX_SIDE:
        picture = picture.copy()
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _decode_drawing(drawn: Any) -> bytes | None:
    """Decode the result of `_repr_png_`: bytes or base64, or either with metadata."""
    if isinstance(drawn, tuple) and drawn:
        drawn = drawn[0]
    if isinstance(drawn, str):
        try:
            return base64.b64decode("".join(drawn.split()), validate=True)
        except binascii.Error:
            return None
    return drawn if isinstance(drawn, bytes) else None
