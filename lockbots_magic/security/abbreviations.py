"""A credential that a server abbreviates, as in ``sk-abcd****wxyz``: what is left tells whose it is. Pure."""

from __future__ import annotations

from ..late_pattern import late_pattern

_HEAD = 3
_MIN_SHOWN = 3
"""Characters behind the prefix of the service from which a beginning alone gives something away."""
_MIN_END = 2
_PREFIX = late_pattern(r"(?:[sprk]k-(?:proj-|ant-(?:api\d\d-)?|or-v1-|svcacct-|live-|test-)?|[A-Za-z]{2,6}[_-])?")
"""How keys of a service begin, each the same."""
_LEFT_OUT = late_pattern(r"(?:\*{2,}|\.{3,}|…+|•{2,}|[xX]{4,})")
_MARKS = ("**", "...", "…", "••", "xxxx", "XXXX")


def mask_abbreviated(text: str, value: str, mask: str) -> str:
    """Return `text` with `mask` for each abbreviation of a credential.

    Example:
        >>> mask_abbreviated("bad key sk-abcd****wxyz.", "sk-abcd0123wxyz", "***")
        'bad key ***.'
    """
    head = value[:_HEAD]
    if head not in text or not any(mark in text for mark in _MARKS):
        return text
    kept, at, start = [], 0, text.find(head)
    while start >= 0:
        end = _end_of_abbreviation(text, start, value)
        if end:
            kept += [text[at:start], mask]
            at = end
        start = text.find(head, end or start + 1)
    return "".join([*kept, text[at:]]) if kept else text


def _end_of_abbreviation(text: str, start: int, value: str) -> int:
    """Return where the abbreviation that begins at an offset ends; 0 if there is none, or it gives nothing away."""
    shown = _count_common(text[start : start + len(value)], value)
    gap = _LEFT_OUT.match(text, start + shown)
    if gap is None:
        return 0
    ending = _count_ending(text[gap.end() : gap.end() + len(value) - shown], value)
    prefix = _PREFIX.match(value)
    if ending < _MIN_END and shown - (prefix.end() if prefix else 0) < _MIN_SHOWN:
        return 0
    return gap.end() + ending


def _count_common(text: str, value: str) -> int:
    """Return how many characters at the beginning of two texts are the same."""
    pairs = enumerate(zip(text, value, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(text), len(value)))


def _count_ending(text: str, value: str) -> int:
    """Return with how many of the last characters of `value` a text begins."""
    if not text:
        return 0
    at = value.find(text[0], len(value) - len(text))
    while at >= 0 and not text.startswith(value[at:]):
        at = value.find(text[0], at + 1)
    return len(value) - at if at >= 0 else 0
