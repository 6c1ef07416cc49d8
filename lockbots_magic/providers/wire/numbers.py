"""Counts as servers write them: integers, floats, numeric text. Pure."""

from __future__ import annotations

from typing import Any

MAX_COUNT = 10**12
"""Larger counts are implausible and ignored."""
MAX_DIGITS = 20


def parse_count(value: Any) -> int | None:
    """Return a count of tokens, None if `value` is none: negative, fractional, implausibly large, or no number.

    Example:
        >>> parse_count(12.0), parse_count("12"), parse_count(True), parse_count(-1)
        (12, 12, None, None)
    """
    if isinstance(value, str):
        value = _parse_text(value)
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def _parse_text(text: str) -> float | None:
    text = text.strip()
    if not text.isascii() or len(text) > MAX_DIGITS:
        return None
    try:
        return float(text)
    except ValueError:
        return None
