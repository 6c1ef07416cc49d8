"""First characters of what a pattern matches. Pure.

A lexer of Pygments tries about forty patterns at each place of a text; by the character that stands there, most of them
can be left out. What a pattern begins with is read from its parse tree, which `re` keeps to itself: where a version of
Python has another one, every pattern is tried, as Pygments does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any

try:
    from re import _parser as parser  # type: ignore[attr-defined]  # not public
except ImportError:  # Python 3.10
    import sre_parse as parser

ASCII = frozenset(map(chr, range(128)))
_CATEGORIES = {
    name: frozenset(letter for letter in ASCII if re.match(pattern, letter))
    for name, pattern in {
        "CATEGORY_DIGIT": r"\d",
        "CATEGORY_NOT_DIGIT": r"\D",
        "CATEGORY_SPACE": r"\s",
        "CATEGORY_NOT_SPACE": r"\S",
        "CATEGORY_WORD": r"\w",
        "CATEGORY_NOT_WORD": r"\W",
    }.items()
}
_ZERO_WIDTH = ("AT", "ASSERT", "ASSERT_NOT")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


class _AnyError(Exception):
    """A pattern, or a part of one, may begin with anything."""


@functools.lru_cache(maxsize=4096)
def first_letters(pattern: re.Pattern[str]) -> frozenset[str] | None:
    """Return the ASCII characters with which a match may begin; None for any, or if it may be empty.

    A match may begin with a character outside ASCII in any case.

    Example:
        >>> sorted(first_letters(re.compile("(?:ab|c+)d")))
        ['a', 'c']
    """
    try:
        letters, may_be_empty = _of_sequence(parser.parse(pattern.pattern, pattern.flags), pattern.flags)
    except Exception:  # noqa: BLE001  # of a parser that is not public: another version may differ in anything
        return None
    return None if may_be_empty else frozenset(letters)


def _of_sequence(items: Iterable[tuple[Any, Any]], flags: int) -> tuple[set[str], bool]:
    """Return the first characters of items that follow each other, and whether all of them may be empty."""
    letters: set[str] = set()
    for kind, value in items:
        if str(kind) in _ZERO_WIDTH:
            continue
        found, may_be_empty = _of_item(str(kind), value, flags)
        letters |= found
        if not may_be_empty:
            return letters, False
    return letters, True


def _of_item(kind: str, value: Any, flags: int) -> tuple[set[str], bool]:
    if kind == "LITERAL":
        return set(_cases(value, value, flags)), False
    if kind == "IN":
        return _of_class(value, flags), False
    if kind == "BRANCH":
        found = [_of_sequence(one, flags) for one in value[1]]
        return set().union(*(letters for letters, _ in found)), any(empty for _, empty in found)
    if kind == "SUBPATTERN":
        _, added, removed, items = value
        return _of_sequence(items, (flags | added) & ~removed)
    if kind in _REPEATS:
        least, _, items = value
        letters, may_be_empty = _of_sequence(items, flags)
        return letters, may_be_empty or least == 0
    if kind == "ATOMIC_GROUP":
        return _of_sequence(value, flags)
    raise _AnyError(kind)


def _of_class(members: list[tuple[Any, Any]], flags: int) -> set[str]:
    letters: set[str] = set()
    is_negated = str(members[0][0]) == "NEGATE"
    for kind, value in members[is_negated:]:
        if str(kind) == "LITERAL":
            letters |= {*_cases(value, value, flags)}
        elif str(kind) == "RANGE":
            first, last = value
            letters |= {*_cases(first, last, flags)}
        elif str(kind) == "CATEGORY":
            letters |= _CATEGORIES[str(value)]
        else:
            raise _AnyError(kind)
    return {*ASCII} - letters if is_negated else letters


def _cases(first: int, last: int, flags: int) -> Iterator[str]:
    """Yield the ASCII characters of a range, in both cases if that counts for nothing."""
    if last > 127 and flags & re.IGNORECASE:
        raise _AnyError  # some letters of other scripts, such as the sign of the kelvin, are a case of ASCII's
    for code in range(first, min(last, 127) + 1):
        yield chr(code)
        if flags & re.IGNORECASE:
            yield chr(code).swapcase()
