"""A value of the notebook as what a model reads best, bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..conversation.turn import Turn
from ..errors import UsageError
from .arrays import array_material
from .containers import container_material
from .frames import frame_material
from .images import image_of
from .libraries import is_a, method
from .material import Material
from .source import code_material
from .text import begun, one_line, repr_of
from .tracebacks import short_traceback

LONGEST_TEXT = 20_000
"""Characters of what a value says of itself. A text is never cut."""


def material_of(value: Any) -> Material:
    """Return `value` for a prompt.

    A text stays whole, a turn is its reply. Data frames and series become Markdown tables of their first and last
    rows; arrays and containers are bounded; functions and classes are their source, exceptions a short traceback,
    figures and pictures images. Credentials in use are left out. The notes say what was cut.

    Raises:
        UsageError: `value` fails to say what it is.
    """
    try:
        return next(filter(None, (write(value) for write in _WRITERS))).safe()
    except UsageError:
        raise
    except Exception as error:  # whatever the methods of somebody's class raise
        why = f"{type(error).__name__}: {one_line(str(error), 300)}".removesuffix(": ")
        raise UsageError(f"a {type(value).__name__} that can't be shown: {why}") from error


def _text(value: Any) -> Material | None:
    if isinstance(value, Turn):
        return Material(value.reply)
    if isinstance(value, str):
        return Material(str.__str__(value))
    return Material(str(value)) if is_a(value, "numpy.generic") else None


def _exception(value: Any) -> Material | None:
    return Material(short_traceback(value)) if isinstance(value, BaseException) else None


def _image(value: Any) -> Material | None:
    url = image_of(value)
    return Material("", (url,)) if url else None


def _markdown(value: Any) -> Material | None:
    written = method(value, "_repr_markdown_")
    text = written() if written else None
    text = text[0] if isinstance(text, tuple) and text else text  # with metadata
    return _cut(text) if isinstance(text, str) else None


def _repr(value: Any) -> Material:
    return _cut(repr_of(value, LONGEST_TEXT))


def _cut(text: str) -> Material:
    if len(text) <= LONGEST_TEXT:
        return Material(text)
    notes = (f"first {LONGEST_TEXT:,} characters of {len(text):,}",)
    return Material(f"{begun(text, LONGEST_TEXT)}\n[… {len(text) - LONGEST_TEXT:,} more characters]", notes=notes)


# The first that knows a kind of value writes it; the last knows all.
_WRITERS: tuple[Callable[[Any], Material | None], ...] = (
    _text,
    code_material,
    _exception,
    frame_material,
    array_material,
    container_material,
    _image,
    _markdown,
    _repr,
)
