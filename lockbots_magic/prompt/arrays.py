"""Parts of a prompt from NumPy arrays: shape, type, and the ends of each axis."""

from __future__ import annotations

import importlib
import math
import sys
from dataclasses import replace
from typing import Any

from ..language import _
from .containers import format_briefly
from .numbers import exact_printing
from .part import PromptPart, get_method, is_instance_of
from .text import bounded_repr, truncate

MAX_ITEMS = 1_000
"""Items of an array that is sent whole."""
ENDS = 5
"""Items at each end of each axis of a larger array; fewer if it has many axes."""
WIDTH = 100
"""Characters of a line."""
MAX_LENGTH = 20_000
"""Characters of an array."""

_TENSORS = ("torch.Tensor", "jax.Array", "tensorflow.Tensor", "tensorflow.Variable", "xarray.DataArray", "cupy.ndarray")


def array_part(value: Any) -> PromptPart | None:
    """Convert a NumPy array; return None for other values."""
    if not is_instance_of(value, "numpy.ndarray"):
        return None
    shape = " × ".join(f"{size:,}" for size in value.shape) or "()"
    head = f"array, shape {shape}, dtype {value.dtype}"
    if value.dtype.hasobject:
        return _convert_objects(value, head)
    about, notes, shown, ends = _select_items(value)
    with exact_printing():
        text = _print_items(shown, ends)
    if len(text) > MAX_LENGTH:
        text, notes = (
            truncate(text, MAX_LENGTH) + "\n[…]",
            (*notes, _("only the first {max_length:,} characters were sent", max_length=MAX_LENGTH)),
        )
    return PromptPart(f"{head}{about}\n{text}", notes=notes)


def tensor_part(value: Any) -> PromptPart | None:
    """Convert an array of another library, such as a PyTorch tensor; return None for other values.

    Its own repr is rounded to four digits or so; if NumPy can't read it, a note says so.
    """
    if not is_instance_of(value, *_TENSORS):
        return None
    try:
        local = value.detach().cpu() if get_method(value, "detach") else value
        part = array_part(importlib.import_module("numpy").asarray(local))
    except Exception:  # noqa: BLE001  # on another device, of a type that NumPy lacks, or any other failure
        text = truncate(bounded_repr(value, MAX_LENGTH), MAX_LENGTH)
        return PromptPart(text, notes=(_("its numbers may be rounded, as in its repr"),))
    return part and replace(part, text=f"{type(value).__name__} as {part.text}")


def _select_items(value: Any) -> tuple[str, tuple[str, ...], Any, int]:
    """Return a description of the items that are sent, the notes, the items, and the number at each end."""
    if value.size <= MAX_ITEMS:
        return "", (), value, ENDS
    for ends in range(ENDS, 0, -1):
        if math.prod(min(size, 2 * ends) for size in value.shape) <= MAX_ITEMS:
            about = f"; the first and last {ends} along each axis"
            return about, (_("only the ends of each axis of {size:,} items were sent", size=value.size),), value, ends
    notes = (_("only the first {max_items:,} of {size:,} items were sent", max_items=MAX_ITEMS, size=value.size),)
    return "; its first items, without the axes", notes, value.flat[:MAX_ITEMS], ENDS


def _print_items(shown: Any, ends: int) -> str:
    numpy = sys.modules["numpy"]
    layout: dict[str, Any] = {"threshold": MAX_ITEMS, "edgeitems": ends, "max_line_width": WIDTH, "separator": ", "}
    if isinstance(shown, numpy.ma.MaskedArray):
        layout |= {"threshold": MAX_ITEMS if shown.size <= MAX_ITEMS else 0, "formatter": {"object": str}}
        shown = _write_masked(numpy, shown, ends)
    text: str = numpy.array2string(shown, **layout)
    return text


def _write_masked(numpy: Any, value: Any, ends: int) -> Any:
    """Return the texts of the items of a masked array, ``--`` for masked ones.

    NumPy's own printing writes the value below the mask for some types, and fails for others. Of an axis that is too
    long for `MAX_ITEMS`, the ends and one item between them are taken, in whose place the dots are printed.
    """
    if value.size > MAX_ITEMS:
        kept = [numpy.r_[: ends + 1, n - ends : n] if n > 2 * ends else numpy.arange(n) for n in value.shape]
        value = value[numpy.ix_(*kept)]
    texts = numpy.empty(value.shape, dtype=object)
    for at, item in zip(numpy.ndindex(value.shape), value.flat, strict=True):
        is_record = isinstance(item, numpy.ma.core.mvoid)
        plain = item is not numpy.ma.masked and not is_record
        texts[at] = numpy.array2string(numpy.asarray(item)) if plain else str(item)
    return texts


def _convert_objects(value: Any, head: str) -> PromptPart:
    """Convert an array of objects: each may be of any length, so they are bounded like the items of a list."""
    if value.size <= MAX_ITEMS:
        return PromptPart(f"{head}\n{format_briefly(value.tolist(), MAX_LENGTH)}")
    shown = value.flat[:MAX_ITEMS].tolist()
    about = "its first items" if value.ndim == 1 else "its first items, without the axes"
    notes = (_("only the first {max_items:,} of {size:,} items were sent", max_items=MAX_ITEMS, size=value.size),)
    return PromptPart(f"{head}; {about}\n{format_briefly(shown, MAX_LENGTH)}", notes=notes)
