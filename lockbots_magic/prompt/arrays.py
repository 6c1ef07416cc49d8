"""NumPy arrays: shape, type, and the ends of each axis."""

from __future__ import annotations

import math
import sys
from typing import Any

from .containers import brief
from .libraries import is_a
from .material import Material
from .text import begun

MOST_ITEMS = 1_000
"""Items up to which an array is shown whole."""
ENDS = 5
"""Items shown at each end of each axis of a larger one; fewer where it has many axes."""
WIDTH = 100
"""Characters of a line."""
CHARACTERS = 20_000
"""Of the whole."""


def array_material(value: Any) -> Material | None:
    """Return `value` if it is a NumPy array."""
    if not is_a(value, "numpy.ndarray"):
        return None
    shape = " × ".join(f"{size:,}" for size in value.shape) or "()"
    head = f"array, shape {shape}, dtype {value.dtype}"
    if value.dtype.hasobject:
        return _objects(value, head)
    about, notes, shown, ends = _ends_of(value)
    text: str = sys.modules["numpy"].array2string(
        shown, threshold=MOST_ITEMS, edgeitems=ends, max_line_width=WIDTH, separator=", ", floatmode="maxprec"
    )
    if len(text) > CHARACTERS:
        text, notes = begun(text, CHARACTERS) + "\n[…]", (*notes, f"first {CHARACTERS:,} characters")
    return Material(f"{head}{about}\n{text}", notes=notes)


def _ends_of(value: Any) -> tuple[str, tuple[str, ...], Any, int]:
    """Return what is said of the part that is shown, the notes, that part, and how many items are shown at its ends."""
    if value.size <= MOST_ITEMS:
        return "", (), value, ENDS
    for ends in range(ENDS, 0, -1):
        if math.prod(min(size, 2 * ends) for size in value.shape) <= MOST_ITEMS:
            about = f"; the first and last {ends} along each axis"
            return about, (f"the ends of each axis of {value.size:,} items",), value, ends
    notes = (f"first {MOST_ITEMS:,} items of {value.size:,}",)
    return "; its first items, without the axes", notes, value.flat[:MOST_ITEMS], ENDS


def _objects(value: Any, head: str) -> Material:
    """Items of any kind: each may be as long as it likes, so they are bounded as those of a list."""
    shown = value.flat[:MOST_ITEMS].tolist()
    notes = (f"first {MOST_ITEMS:,} items of {value.size:,}",) if value.size > MOST_ITEMS else ()
    return Material(f"{head}; its first items\n{brief(shown, CHARACTERS)}", notes=notes)
