"""Delta between two texts, as one short line: what to keep, delete and insert. Pure.

The format is that of diff-match-patch (github.com/google/diff-match-patch/wiki/Unidiff, `diff_toDelta`) with spaces in
place of tabs: `=7` keeps seven characters, `-2` deletes two, `+a%20b` inserts percent-encoded text.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from urllib.parse import quote, unquote

from ..late_pattern import late_pattern

_SAFE = "!*(),;:@&=$/?#[]{}|<>"
_STEP = late_pattern(r"([=-])(\d{1,9})|\+(\S*)")


def delta(old: str, new: str, limit: int) -> str | None:
    """Return the delta that makes `new` of `old`, short if they have the same lines but for a few letters.

    Args:
        old: The text that there is.
        new: The text to make of it.
        limit: Longest delta (characters); None is returned in place of a longer one.

    Example:
        >>> delta("It **rings**.", "It rings.", 40)
        '=3 -9 +rings =1'
    """
    parts: list[str] = []
    size = 0
    for sign, steps in groupby(filter(itemgetter(1), _steps(old, new)), key=itemgetter(0)):
        text = "".join(step[1] for step in steps)
        parts.append(f"+{quote(text, safe=_SAFE)}" if sign == "+" else f"{sign}{len(text)}")
        size += len(parts[-1]) + 1
        if size > limit:
            return None
    return " ".join(parts)


def patched(old: str, steps: str) -> str:
    """Return the text that a delta makes of `old`.

    Raises:
        ValueError: If the delta is none, or not one of `old`.
    """
    parts: list[str] = []
    at = 0
    for step in steps.split():
        found = _STEP.fullmatch(step)
        if found is None:
            raise ValueError(step[:40])
        if found[1]:
            end = at + int(found[2])
            parts.append(old[at:end] if found[1] == "=" else "")
            at = end
        else:
            parts.append(unquote(found[3], errors="strict"))
    if at != len(old):
        raise ValueError(len(old) - at)
    return "".join(parts)


def _steps(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield the steps from line to line, in linear time: a blank line that only one of the texts has is skipped."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    at = to = 0
    while at < len(before) and to < len(after):
        line, other = before[at], after[to]
        if line == other:
            begin = at
            while at < len(before) and to < len(after) and before[at] == after[to]:
                at, to = at + 1, to + 1
            yield "=", "".join(before[begin:at])
        elif bool(line.strip()) == bool(other.strip()):
            yield from _within(line, other)
            at, to = at + 1, to + 1
        elif other.strip():
            yield "-", line
            at += 1
        else:
            yield "+", other
            to += 1
    yield "-", "".join(before[at:])
    yield "+", "".join(after[to:])


def _within(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Yield the steps for a text of which the middle differs."""
    if old.endswith("\\\n") and f"{old[:-2]}\n" == new:  # a line break of Markdown, where most lines differ
        yield from (("=", old[:-2]), ("-", "\\"), ("=", "\n"))
        return
    start = _common_length(old, new)
    end = _common_length(old[start:][::-1], new[start:][::-1])
    yield "=", old[:start]
    yield "-", old[start : len(old) - end]
    yield "+", new[start : len(new) - end]
    yield "=", old[len(old) - end :]


def _common_length(one: str, other: str) -> int:
    """Return the length of the beginning that both have in common, by halves: Python compares slices fast."""
    same, most = 0, min(len(one), len(other))
    while same < most:
        middle = (same + most + 1) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same
