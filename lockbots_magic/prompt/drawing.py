"""Values that are pictures, also in disguise: figures, axes, grids, and containers of nothing else."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator
from typing import Any

from ..security.pictures import picture_kind
from .charts import draw_chart
from .part import get_method, is_instance_of
from .pixels import MAX_SIDE, encode_png, on_paper

MAX_PICTURES = 8
"""Pictures of one value."""
MAX_ITEMS = 1_000
"""Items of a container that may hold pictures: axes, or the lines and bars in them."""
MAX_SPREAD = 5
"""Size of a figure with what stands beside it, in sizes of the figure."""

_LIBRARIES = ("seaborn", "matplotlib", "sklearn")
_ARTISTS_IN = ("figure", "figure_", "ax", "_fig")
"""Attributes of grids, displays, colour bars and animations that hold a figure, or axes in one."""
_ARTISTS = ("matplotlib.figure.FigureBase", "matplotlib.artist.Artist")


def find_drawables(value: Any) -> list[Any]:
    """Return the values to draw, each once; none if `value` is no picture, or holds anything besides pictures.

    Axes and all that is drawn in them stand for their figure: `plt.subplots()`, `df.hist()` and `ax.plot(x)` return
    containers of them. A grid of seaborn holds its figure.
    """
    found: dict[int, Any] = {}
    for number, leaf in enumerate(_leaves(value)):
        drawable = _drawable(leaf)
        if drawable is None or number >= MAX_ITEMS:
            return []
        found[id(drawable)] = drawable
    return [*found.values()]


def draw(value: Any) -> tuple[bytes | str, tuple[str, ...]] | None:
    """Draw one value without changing it.

    Returns:
        The bytes of an image, or its URL, and notes on what was changed; None if it is not a picture.
    """
    if is_instance_of(value, "matplotlib.figure.Figure"):
        return on_paper(_render_figure(value)), ()
    if is_instance_of(value, "PIL.Image.Image"):
        return encode_png(value)
    if is_instance_of(value, "IPython.core.display.Image"):
        return (value.data if isinstance(value.data, bytes) else value.url or ""), ()
    if isinstance(value, bytes | bytearray) and picture_kind(bytes(value[:100])):
        return bytes(value), ()
    for method in (get_method(value, "_repr_png_"), get_method(value, "_repr_jpeg_")):
        data = decode_drawing(method()) if method else None
        if data is not None:
            return data, ()
    chart = draw_chart(value)
    return (chart, ()) if chart else None


def decode_drawing(drawn: Any) -> bytes | None:
    """Decode the result of `_repr_png_`: bytes or base64, or either with metadata."""
    if isinstance(drawn, tuple) and drawn:
        drawn = drawn[0]
    if isinstance(drawn, str):
        try:
            return base64.b64decode("".join(drawn.split()), validate=True)
        except binascii.Error:
            return None
    return drawn if isinstance(drawn, bytes) else None


def _leaves(value: Any, depth: int = 4) -> Iterator[Any]:
    if depth and isinstance(value, list | tuple):
        items: Any = value
    elif depth and is_instance_of(value, "matplotlib.container.PieContainer"):
        items = value.wedges
    elif depth and isinstance(value, dict):
        items = value.values()
    elif depth and is_instance_of(value, "numpy.ndarray", "pandas.Series") and value.dtype == object:
        items = value.flat if is_instance_of(value, "numpy.ndarray") else value.array
    else:
        yield value
        return
    for item in items:
        yield from _leaves(item, depth - 1)


def _drawable(value: Any) -> Any:
    """Return the figure for anything of matplotlib, another picture as it is; None for anything else."""
    if is_instance_of(value, *_ARTISTS):
        return _figure_of(value)
    if type(value).__module__.partition(".")[0] in _LIBRARIES:
        artists = (getattr(value, name, None) for name in _ARTISTS_IN)
        return next(filter(None, map(_figure_of, artists)), None)
    return value if is_instance_of(value, "PIL.Image.Image", "IPython.core.display.Image") else None


def _figure_of(artist: Any) -> Any:
    """Return the outermost figure of an artist, None if it is in none."""
    for _ in range(10):  # subfigures in subfigures
        if not is_instance_of(artist, *_ARTISTS) or is_instance_of(artist, "matplotlib.figure.Figure"):
            return artist if is_instance_of(artist, "matplotlib.figure.Figure") else None
        artist = getattr(artist, "figure", None)
    return None


def _render_figure(figure: Any) -> bytes:
    """Draw a matplotlib figure as notebooks do, with what stands beside its axes; at its resolution, up to MAX_SIDE."""
    dpi = min(figure.dpi, MAX_SIDE / max(figure.get_size_inches()))
    if not _is_compact(figure):
        return _save(figure, dpi, None)
    data = _save(figure, dpi, "tight")
    if (side := max(_png_size(data))) > MAX_SIDE:
        data = _save(figure, dpi * (MAX_SIDE - 1) / side, "tight")
    return data


def _is_compact(figure: Any) -> bool:
    """Whether nothing stands so far away from the figure that an image of it all would be huge."""
    sides = zip(figure.get_tightbbox().size, figure.get_size_inches(), strict=True)
    return all(side < MAX_SPREAD * own for side, own in sides)


def _save(figure: Any, dpi: float, box: str | None) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, bbox_inches=box, metadata={"Software": None})
    return file.getvalue()


def _png_size(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
