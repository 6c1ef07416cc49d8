"""Numbers with all their digits: floats of any width, and reprs of arrays and data frames. Pure."""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from ..late_pattern import late_pattern

_WRITTEN_PLAIN = {
    "datetime": ("datetime", "date", "time"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "uuid": ("UUID",),
    "pandas": ("Timestamp", "Timedelta", "Period", "Interval"),
}
"""Types whose `str` says all, by the first part of their module: the name in their repr tells a model nothing."""
_MAX_REPR_BITS = 2_000  # 603 digits; the lowest limit that Python can be set to is 640
_NARROW = (  # names of element types in NumPy, pandas, Polars and Arrow: of lists of them too
    (late_pattern(r"float32|\bfloat\b(?!64)", re.I), "f", range(6, 10)),
    (late_pattern(r"float16|halffloat", re.I), "e", range(3, 6)),
)


def format_float(value: float) -> str:
    """Return the shortest text that is this number and no other, without `.0`.

    Example:
        >>> format_float(1234567890.55), format_float(2.0)
        ('1234567890.55', '2')
    """
    return "NaN" if math.isnan(value) else float.__repr__(float(value)).removesuffix(".0")


def format_int(value: int) -> str:
    """Return the digits of an integer of any size; `repr` refuses those above 4,300 digits."""
    return int.__repr__(value) if value.bit_length() < _MAX_REPR_BITS else str(Decimal(value))


def format_scalar(value: Any) -> str | None:
    """Return a scalar of NumPy or pandas, a decimal, date or path as it is written by hand; None for anything else.

    Example:
        >>> format_scalar(Decimal("1.50")), format_scalar(timedelta(days=1, hours=2)), format_scalar(2)
        ('1.50', '1 day 2:00:00', None)
    """
    kind = type(value)
    names = _WRITTEN_PLAIN.get(kind.__module__.partition(".")[0], ())
    if kind.__name__ in names:
        return str(value)
    if isinstance(value, PurePath):
        return repr(str(value))  # whose class differs between systems, so that no recording would answer there
    if kind is timedelta:
        return str(value).replace(",", "")
    numpy: Any = sys.modules.get("numpy")
    if not isinstance(value, getattr(numpy, "generic", ())):
        return None
    return str(value)


def widen_floats(value: Any, dtype: str) -> Any:
    """Return `value` with its floats as they were meant, if `dtype` names a narrower type than Python's.

    A library that hands out a float32 0.1 as a Python float makes it 0.10000000149011612.

    Args:
        value: A float, or a list, tuple or dict of them; anything else is returned unchanged.
        dtype: Name of its type, or of that of its column, such as `"float32"` or `"List(Float32)"`.

    Example:
        >>> widen_floats(0.10000000149011612, "float32")
        0.1
    """
    code, digits = next(((code, digits) for name, code, digits in _NARROW if name.search(dtype)), ("", range(0)))
    return _widen(value, code, digits) if code else value


def _widen(value: Any, code: str, digits: range) -> Any:
    if isinstance(value, float):
        return _shortest(value, code, digits)
    if isinstance(value, dict):
        return {key: _widen(one, code, digits) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_widen(one, code, digits) for one in value)
    return value


def _shortest(value: float, code: str, digits: range) -> float:
    if not math.isfinite(value):
        return value
    for count in digits:
        short = float(f"{value:.{count}g}")
        with suppress(OverflowError):  # rounded up, beyond the largest number
            if struct.unpack(code, struct.pack(code, short))[0] == value:
                return short
    return value


def format_nanoseconds(count: int | None) -> str | None:
    """Return a duration as text; Python's `timedelta` has no nanoseconds."""
    if count is None:
        return None
    return f"{count} ns" if count % 1_000 else str(timedelta(microseconds=count // 1_000))


@contextmanager
def exact_printing() -> Iterator[None]:
    """Have NumPy, pandas and Polars write numbers with all digits, for the block: by default they round to 4 to 8.

    Only libraries that are imported are asked; what the user has set is restored.
    """
    with ExitStack() as stack:
        if numpy := sys.modules.get("numpy"):
            # From NumPy 2 on, `repr` names the type of each scalar; a formatter that is not given again is reset.
            plain = {"legacy": "1.25"} if not numpy.__version__.startswith(("0.", "1.")) else {}
            formatter = {"float_kind": _format_item}
            stack.enter_context(numpy.printoptions(floatmode="unique", formatter=formatter, **plain))
        if pandas := sys.modules.get("pandas"):
            with suppress(Exception):  # half-imported, or without this option
                stack.enter_context(pandas.option_context("display.float_format", _format_any_float))
        if polars := sys.modules.get("polars"):
            with suppress(Exception):
                stack.enter_context(polars.Config(fmt_float="full", float_precision=None, tbl_width_chars=1_000))
        yield


def _format_item(value: Any) -> str:
    """Return a float of an array as NumPy writes it, `1.`, but shortest by itself."""
    text = str(value)
    return text[:-1] if text.endswith(".0") else text


def _format_any_float(value: Any) -> str:
    return format_float(value) if isinstance(value, float) else str(value)
