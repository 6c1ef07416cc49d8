"""Images as parts of a prompt: files, addresses, bytes, and values that can be drawn."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..atomic_file import read_bytes
from ..errors import UsageError
from ..language import N_, _
from ..security.pictures import picture_kind
from .drawing import MAX_PICTURES, decode_drawing, draw, find_drawables
from .local_files import find_file
from .part import PromptPart, is_instance_of
from .picture_metadata import drop_metadata
from .pixels import decode_image, encode_jpeg, encode_png, is_seldom_read
from .text import to_one_line

MAX_FILE_BYTES = 100_000_000
"""Bytes of an image file that is read and scaled down."""
MAX_IMAGE_BYTES = 5_000_000
"""Bytes of an image that is sent."""
MAX_TOTAL_BYTES = 15_000_000
"""Bytes of all images of a prompt. They are sent again with later prompts, and saved in the notebook."""

IMAGE_KINDS = ("png", "jpeg", "gif", "webp")
_IN_WEB = ("https://", "http://")
_TOO_LARGE = N_("{name} is larger than {megabytes} MB. Scale it down, or install Pillow to have it scaled.")
_SVG = N_("{name} is an SVG. Models take PNG, JPEG, GIF or WebP: save it as PNG.")
_CONVERTED = ((b"BM", "BMP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"))
"""First bytes of formats that Pillow reads; those that are not listed are only tried."""


def buffered(value: Any) -> Any:
    """Return what a `StringIO` or `BytesIO` holds; anything else as it is."""
    return value.getvalue() if isinstance(value, io.StringIO | io.BytesIO) and not value.closed else value


def image_part(value: Any) -> PromptPart:
    """Convert an image, or a value that holds several.

    Args:
        value: A path, a URL (`http`, `https` or `data:image/`), the bytes of an image, also in a `BytesIO`, or a value
            that can be drawn: a matplotlib figure or anything in one, a container of these, a grid of seaborn, a PIL
            image, an IPython image, or a value with `_repr_png_` or `_repr_jpeg_`. Pillow, if installed, converts TIFF,
            BMP and others.

    Raises:
        UsageError: The value is not an image, has a format that models don't take, is too large, or can't be read.
    """
    value = buffered(value)
    if isinstance(value, str) and value.lower().startswith(("data:", *_IN_WEB)):
        return _check_url(value)
    if isinstance(value, str | Path):
        return _read_file(value)
    if isinstance(value, bytes):
        return _encode(value, _("The value"))
    try:
        part = draw_images(value)
    except UsageError:
        raise
    except Exception as error:  # methods of the user's classes raise anything
        raise UsageError(
            _("Can't draw a {kind}: {error}", kind=type(value).__name__, error=to_one_line(str(error), 300))
        ) from error
    if part is None:
        raise UsageError(
            _("A value of type {kind} is not an image.{hint}", kind=type(value).__name__, hint=_hint(value))
        )
    return replace(part, text="")


def _hint(value: Any) -> str:
    if is_instance_of(value, "numpy.ndarray"):
        return _(" Draw it with `plt.imshow(array)` and pass the figure.")
    is_chart = is_instance_of(value, "plotly.basedatatypes.BaseFigure") or type(value).__module__.startswith("altair.")
    return (
        _(" Insert its specification by `{{ name }}`; a Plotly figure is drawn if kaleido works.") if is_chart else ""
    )


def draw_images(value: Any) -> PromptPart | None:
    """Draw `value` without changing it; return None if it is neither a picture nor a container of pictures.

    Raises:
        UsageError: An image has a format that models don't take, or is too large.
    """
    found = find_drawables(value)
    parts = [part for one in found[:MAX_PICTURES] or [value] if (part := _draw_image(one))]
    if not parts:
        return None
    notes = [note for part in parts for note in part.notes]
    if len(found) > MAX_PICTURES:
        notes.append(_("only {max_pictures} of {n:,} pictures were sent", max_pictures=MAX_PICTURES, n=len(found)))
    named = isinstance(value, dict) and len(value) == len(parts) > 1
    text = f"{', '.join(to_one_line(str(key)) for key in value)}: " if named else ""
    return PromptPart(text, tuple(url for part in parts for url in part.images), tuple(dict.fromkeys(notes)))


def check_total_size(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the URLs of all images of a prompt as a tuple.

    Args:
        urls: URLs, as `image_part` returns them.

    Raises:
        UsageError: The images together are too large.
    """
    size = image_bytes(urls)
    if size > MAX_TOTAL_BYTES:
        raise UsageError(
            _(
                "The {n} images of this prompt have {megabytes:.1f} MB; the limit is {limit} "
                "MB. Leave some out, or scale them down.",
                n=len(urls),
                megabytes=size / 1000000.0,
                limit=MAX_TOTAL_BYTES // 1000000,
            )
        )
    return tuple(urls)


def image_bytes(urls: Sequence[str]) -> int:
    """Return about how many bytes of images are sent; those on the web are not."""
    return sum(len(url) - url.find(",") - 1 for url in urls if url[:5].lower() == "data:") * 3 // 4


def _draw_image(value: Any) -> PromptPart | None:
    drawn = draw(value)
    if drawn is None:
        return None
    image, notes = drawn
    part = _check_url(image) if isinstance(image, str) else _encode(image, _("The {kind}", kind=type(value).__name__))
    return replace(part, notes=(*notes, *part.notes))


def _read_file(value: str | Path) -> PromptPart:
    path = find_file(value, _("`--image` takes a PNG, JPEG, GIF or WebP."))
    name = to_one_line(path.name)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UsageError(
            _("{name} is larger than {megabytes} MB. Scale it down.", name=name, megabytes=MAX_FILE_BYTES // 1000000)
        )
    try:
        data = read_bytes(path, MAX_FILE_BYTES)
    except OSError as error:
        raise UsageError(_("Can't read {name}: {strerror}.", name=name, strerror=error.strerror)) from error
    return _encode(data, name).label_notes(name)


def _encode(data: bytes, name: str) -> PromptPart:
    data = drop_metadata(data)
    kind, notes = picture_kind(data), tuple[str, ...]()
    if kind is None or is_seldom_read(data):
        data, notes = _convert(data, name, is_readable=kind is not None)
        kind = picture_kind(data)
    if len(data) > MAX_IMAGE_BYTES:
        smaller = _scale_down(data)
        if smaller is None or len(smaller) > MAX_IMAGE_BYTES:
            raise UsageError(_(_TOO_LARGE, name=name, megabytes=MAX_IMAGE_BYTES // 1_000_000))
        data, kind = smaller, "jpeg"
    encoded = base64.b64encode(data).decode("ascii")
    return PromptPart("", (f"data:image/{kind};base64,{encoded}",), notes)


def _convert(data: bytes, name: str, *, is_readable: bool) -> tuple[bytes, tuple[str, ...]]:
    """Convert an image of another format to PNG by Pillow.

    Args:
        data: The image.
        name: What it is called in messages.
        is_readable: Whether models may take it as it is, so that a failure does not matter.
    """
    known = next((word for begin, word in _CONVERTED if data.startswith(begin)), None)
    if not is_readable and b"<svg" in data[:2_000].lower():
        raise UsageError(_(_SVG, name=name))
    try:
        return encode_png(decode_image(data))
    except Exception as error:  # ImportError, and anything that a decoder raises
        if is_readable:
            return data, ()
        if isinstance(error, ImportError) and known:
            raise UsageError(
                _(
                    "{name} is a {known}. Install Pillow to have it converted, or save it as PNG.",
                    name=name,
                    known=known,
                )
            ) from error
        raise UsageError(_("{name} is not an image that models take: PNG, JPEG, GIF or WebP.", name=name)) from error


def _check_url(url: str) -> PromptPart:
    """Return `url` if it can be that of an image."""
    begin = url[:40].lower()
    if begin.startswith(_IN_WEB):
        if url.partition("?")[0].lower().endswith((".svg", ".svgz")):
            raise UsageError(_(_SVG, name=to_one_line(url)))
        return PromptPart("", (url,))
    if begin.startswith("data:image/svg"):
        raise UsageError(_(_SVG, name=_("The image")))
    if not begin.startswith("data:image/"):
        raise UsageError(_("An image must be a file, an http(s) or data:image URL, or a variable."))
    if image_bytes([url]) <= MAX_IMAGE_BYTES + 100:
        return PromptPart("", (_without_metadata(url),))
    data = decode_drawing(url.partition(";base64,")[2])
    if not data:
        raise UsageError(_(_TOO_LARGE, name=_("The image"), megabytes=MAX_IMAGE_BYTES // 1_000_000))
    return _encode(data, _("The data URL"))


def _without_metadata(url: str) -> str:
    """Return a data URL whose picture has no metadata; as it is where there is nothing to remove."""
    begin, mark, encoded = url.partition(";base64,")
    data = decode_drawing(encoded) if mark and encoded.isascii() else None
    cleaned = drop_metadata(data or b"")
    return url if not data or cleaned == data else f"{begin}{mark}{base64.b64encode(cleaned).decode('ascii')}"


def _scale_down(data: bytes) -> bytes | None:
    """Convert an image to a smaller JPEG; return None if that fails."""
    try:
        return encode_jpeg(decode_image(data))
    except Exception:  # noqa: BLE001  # ImportError, and anything that a decoder raises
        return None
