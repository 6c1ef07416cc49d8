"""The part of a turn in which searched words stand, with the words marked. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...security.control_characters import printable
from .query import SearchQuery, folded
from .stems import WORD, normalize, pairs_of, stem_of

LENGTH = 160
"""Characters of a snippet, marks not counted."""
MAX_SCANNED = 200_000
"""Characters of a text in which words are looked for."""
BEFORE = 40
"""Characters before the first word that is marked."""
MARK = "**"
"""What stands before and after a word that was searched for."""


def make_snippet(texts: Iterable[str], query: SearchQuery, length: int = LENGTH) -> str:
    """Return the part of the text that holds most of the searched words, on one line, with the words marked.

    Args:
        texts: Texts of one turn, such as its prompt and its reply.
        query: What was searched for.
        length: Characters of the snippet.

    Example:
        >>> from lockbots_magic.storage.log.query import parse_query
        >>> make_snippet(["Which plot?", "Two plots with axes."], parse_query("plot axes"))
        'Two **plots** with **axes**.'
    """
    parts = snippet_parts(texts, query, length)
    return "".join(f"{MARK}{text}{MARK}" if is_found else text for text, is_found in parts)


def snippet_parts(texts: Iterable[str], query: SearchQuery, length: int = LENGTH) -> list[tuple[str, bool]]:
    """Return a snippet in parts, each with whether it is a searched word; the arguments are those of `make_snippet`."""
    best: tuple[int, str, list[tuple[int, int]]] = (-1, "", [])
    for text in texts:
        line = " ".join(printable(normalize(text[:MAX_SCANNED])).split())
        found = _find(line, query)
        words = len({folded(line[a:b]) for a, b in found})
        if words > best[0]:
            best = (words, line, found)
    _, line, found = best
    start = _start_of(found, length)
    return _cut(line, [one for one in found if start <= one[0] and one[1] <= start + length], start, start + length)


def _find(line: str, query: SearchQuery) -> list[tuple[int, int]]:
    """Return where the searched words stand."""
    return [match.span() for match in WORD.finditer(line) if _is_searched(match[0], query)]


def _is_searched(word: str, query: SearchQuery) -> bool:
    plain = folded(word)
    if plain in query.words or folded(stem_of(word.lower())) in query.words:
        return True
    if query.prefix and plain.startswith(query.prefix):
        return True
    return not word.isascii() and bool(pairs_of(word)) and any(one in plain for one in query.words)


def _start_of(found: list[tuple[int, int]], length: int) -> int:
    """Return where the part begins that holds most of the words."""
    if not found:
        return 0
    most, at, last = 0, 0, 0
    for first, (begin, _) in enumerate(found):
        while last < len(found) and found[last][1] <= begin + length - BEFORE:
            last += 1
        if last - first > most:
            most, at = last - first, begin
    return max(0, at - BEFORE)


def _cut(line: str, found: list[tuple[int, int]], start: int, end: int) -> list[tuple[str, bool]]:
    parts = [("…" if start > 0 else "", False)]
    at = start
    for begin, stop in found:
        parts += [(line[at:begin], False), (line[begin:stop], True)]
        at = stop
    parts += [(line[at:end], False), ("…" if end < len(line) else "", False)]
    return [part for part in parts if part[0]]
