"""Meanings that a question and a passage may share in other words: "does the old one get lost?", "is kept"."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from .sections import read_data

MIN_PREFIX = 2
"""Letters of the shortest beginning of a word in the table."""


def meanings_of(words: Sequence[str]) -> frozenset[int]:
    """Return the numbers of the meanings of some words in lower case, as `words.split_words` gives them."""
    exact, beginnings, longest = _load_meanings()
    found: set[int] = set()
    for word in {*words, *map("_".join, itertools.pairwise(words))}:
        found |= exact.get(word, frozenset())
        for length in range(MIN_PREFIX, min(len(word), longest) + 1):
            found |= beginnings.get(word[:length], frozenset())
    return frozenset(found)


@functools.cache
def _load_meanings() -> tuple[dict[str, frozenset[int]], dict[str, frozenset[int]], int]:
    """Return word -> meanings, beginning of words -> meanings, and the length of the longest beginning.

    A line of the table holds the words of one meaning, in both languages: ``keep*`` stands for all that begin so,
    ``at_once`` for two words.
    """
    exact: dict[str, frozenset[int]] = {}
    beginnings: dict[str, frozenset[int]] = {}
    for number, line in enumerate(read_data("meanings.txt").splitlines()):
        for word in line.split():
            table = beginnings if word.endswith("*") else exact
            name = word.rstrip("*")
            table[name] = table.get(name, frozenset()) | {number}
    return exact, beginnings, max(map(len, beginnings))
