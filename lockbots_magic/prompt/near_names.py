"""Names that an expression may have meant, as Python suggests them below a traceback."""

from __future__ import annotations

import builtins
import difflib
from collections.abc import Iterable

from ..language import _

MIN_NAME = 3
"""Length (characters) of a name that is worth a guess."""
MIN_LIKENESS = 0.7
"""Likeness of names, 0-1, as `difflib` measures it."""


def hint_of(error: BaseException) -> str:
    """Return a hint at the name that was meant, with a space before it; ``""`` if there is none.

    Args:
        error: A `NameError` or an `AttributeError`; others get no hint.
    """
    name = getattr(error, "name", None)
    if not isinstance(name, str) or len(name) < MIN_NAME:
        return ""
    near = difflib.get_close_matches(name, _names_known_to(error), 1, MIN_LIKENESS)
    return _(" Did you mean {name}?", name=near[0]) if near else ""


def _names_known_to(error: BaseException) -> Iterable[str]:
    """Return the names among which `error` found none, private ones aside."""
    names: Iterable[str] = ()
    if isinstance(error, NameError) and (trace := error.__traceback__):
        while trace.tb_next:
            trace = trace.tb_next
        names = [*trace.tb_frame.f_locals, *trace.tb_frame.f_globals, *dir(builtins)]
    elif isinstance(error, AttributeError):
        try:
            names = dir(error.obj)
        except Exception:  # noqa: BLE001  # a method of the user's class
            return ()
    return [name for name in names if isinstance(name, str) and not name.startswith("_")]
