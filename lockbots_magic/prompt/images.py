"""Pictures as URLs that a model takes: files, figures, and whatever can draw itself."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .libraries import is_a, method
from .paths import file_of
from .text import one_line

LARGEST_FILE = 100_000_000
"""Bytes of a picture that is read, to be made smaller."""
LARGEST_IMAGE = 5_000_000
"""Bytes of a picture that is sent."""
LARGEST_TOTAL = 15_000_000
"""Bytes of all pictures of a question. They are sent again with every turn that follows, and saved in the notebook."""
LONGEST_SIDE = 2_000
"""Pixels of a figure, a picture in memory, or one made smaller: models look at fewer."""
QUALITY = 85
"""Of a JPEG that is made of a larger picture, 0 to 95."""

KINDS = ("png", "jpeg", "gif", "webp")
_IN_WEB = ("https://", "http://")
_TOO_LARGE = f"more than {LARGEST_IMAGE // 1_000_000} MB; make it smaller (with Pillow installed, that is done here)"
_NO_SVG = "an SVG; models take PNG, JPEG, GIF or WebP: save it as PNG"


def image_from(value: Any) -> str:
    """Return the URL of a picture.

    Args:
        value: a path, a URL (`http`, `https` or `data:image/`), the bytes of a picture, or a value that is one: a
            matplotlib figure or axes, a PIL image, an IPython image, anything that draws itself as PNG or JPEG.

    Raises:
        UsageError: it is no picture, or of a kind that models don't take, or too large, or can't be read.
    """
    if isinstance(value, str) and value.lower().startswith(("data:", *_IN_WEB)):
        return _checked(value)
    if isinstance(value, str | Path):
        path = file_of(value, "--image takes a PNG, JPEG, GIF or WebP")
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{one_line(path.name)} is more than {LARGEST_FILE // 1_000_000} MB; make it smaller")
        return _url(_read(path), one_line(path.name))
    if isinstance(value, bytes):
        return _url(value, "what was given")
    try:
        url = image_of(value)
    except UsageError:
        raise
    except Exception as error:  # whatever the methods of somebody's class raise
        raise UsageError(f"a {type(value).__name__} that can't be drawn: {one_line(str(error), 300)}") from error
    if url is None:
        hint = "; draw it: plt.imshow(array), and give the figure" if is_a(value, "numpy.ndarray") else ""
        raise UsageError(f"a {type(value).__name__} is no picture{hint}")
    return url


def checked_images(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the pictures of a question.

    Args:
        urls: of the pictures, as `image_from` returns them.

    Raises:
        UsageError: together they are too large.
    """
    size = size_of(urls)
    if size > LARGEST_TOTAL:
        raise UsageError(
            f"the {len(urls)} images of this question have {size / 1e6:.1f} MB, more than the"
            f" {LARGEST_TOTAL // 1_000_000} MB that may go with one: leave some out, or make them smaller"
        )
    return tuple(urls)


def size_of(urls: Sequence[str]) -> int:
    """Return about how many bytes the pictures have that go along; those of the web stay where they are."""
    return sum(len(url) - url.find(",") - 1 for url in urls if url[:5].lower() == "data:") * 3 // 4


def image_of(value: Any) -> str | None:
    """Return the URL of what `value` draws; None if it is no picture. Nothing about it is changed.

    Raises:
        UsageError: it is of a kind that models don't take, or too large.
    """
    name = f"the {type(value).__name__}"
    if is_a(value, "matplotlib.figure.Figure"):
        return _url(_drawn(value), name)
    if is_a(value, "matplotlib.axes.Axes", "matplotlib.figure.SubFigure"):
        return None if value.figure is None else image_of(value.figure)
    if is_a(value, "PIL.Image.Image"):
        return _url(_saved(value), name)
    if is_a(value, "IPython.core.display.Image"):
        return _url(value.data, name) if isinstance(value.data, bytes) else _checked(value.url or "")
    for draw in (method(value, "_repr_png_"), method(value, "_repr_jpeg_")):
        data = _bytes(draw()) if draw else None
        if data is not None:
            return _url(data, name)
    return None


def kind_of(data: bytes) -> str | None:
    """Return the kind of picture that begins with `data`, such as "png"; None if it is none that models take."""
    begins = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF87a": "gif", b"GIF89a": "gif"}
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for begin, kind in begins.items() if data.startswith(begin)), None)


def _url(data: bytes, name: str) -> str:
    kind = kind_of(data)
    if kind is None:
        is_svg = b"<svg" in data[:2_000].lower()
        raise UsageError(f"{name} is {_NO_SVG if is_svg else 'no picture that models take: PNG, JPEG, GIF or WebP'}")
    if len(data) > LARGEST_IMAGE:
        smaller = _smaller(data)
        if smaller is None or len(smaller) > LARGEST_IMAGE:
            raise UsageError(f"{name} is {_TOO_LARGE}")
        data, kind = smaller, "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _checked(url: str) -> str:
    """Return `url` if it can lead to a picture."""
    begin = url[:40].lower()
    if begin.startswith(_IN_WEB):
        if url.partition("?")[0].lower().endswith((".svg", ".svgz")):
            raise UsageError(f"{one_line(url)} is {_NO_SVG}")
        return url
    if begin.startswith("data:image/svg"):
        raise UsageError(f"the image is {_NO_SVG}")
    if not begin.startswith("data:image/"):
        raise UsageError("a picture is a file, http(s)://..., data:image/..., or a variable")
    if size_of([url]) <= LARGEST_IMAGE + 100:
        return url
    data = _bytes(url.partition(";base64,")[2])
    if not data:
        raise UsageError(f"the image is {_TOO_LARGE}")
    return _url(data, "the image")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{one_line(path.name)} can't be read: {error.strerror}") from error


def _drawn(figure: Any) -> bytes:
    """Draw a matplotlib figure, at its own resolution unless that is larger than models look at."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=min(figure.dpi, LONGEST_SIDE / max(figure.get_size_inches())))
    return file.getvalue()


def _smaller(data: bytes) -> bytes | None:
    """Make a JPEG of a picture, no larger than models look at; None where that can't be done."""
    try:
        from PIL import Image, ImageOps  # it need not be installed, and few pictures are so large

        with Image.open(io.BytesIO(data)) as opened:
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            opened.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except Exception:  # noqa: BLE001  # ImportError, and whatever a decoder raises
        return None
    paper = Image.new("RGBA", picture.size, "white")
    file = io.BytesIO()
    Image.alpha_composite(paper, picture).convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _saved(picture: Any) -> bytes:
    """Save a PIL image as PNG; the colours of print and numbers with fractions have no place in one."""
    if max(picture.size) > LONGEST_SIDE:
        picture = picture.copy()
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _bytes(drawn: Any) -> bytes | None:
    """What a `_repr_png_` returns: bytes or base64, perhaps with metadata."""
    if isinstance(drawn, tuple) and drawn:
        drawn = drawn[0]
    if isinstance(drawn, str):
        try:
            return base64.b64decode("".join(drawn.split()), validate=True)
        except binascii.Error:
            return None
    return drawn if isinstance(drawn, bytes) else None
