"""The words of a question as the guide reads them: misspelt ones corrected, each with what it tells."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping

from .classifier import load_classifier
from .sections import load_sections
from .transliteration import sound_of
from .words import (
    MIN_FUZZY_LENGTH,
    correct,
    is_known,
    is_significant,
    key_of,
    significant_words,
    split_words,
    stem,
    tokenize,
)

MAX_CORRECTED = 100
"""Unknown words of a question that are corrected: each takes a millisecond, and a pasted log has thousands."""
MIN_SOUND_LENGTH = 4
"""Letters of a Cyrillic word that may be a name written as it sounds."""


@functools.lru_cache(16)
def read_words(question: str, language: str) -> tuple[str, ...]:
    """Return the words of a question in lower case, unknown ones corrected or as the name that they sound like."""
    words = split_words(question)
    unknown = dict.fromkeys(word for word in words if is_significant(word) and not is_known(word))
    meant = {word: _correct(word, language) for word in itertools.islice(unknown, MAX_CORRECTED)}
    return tuple(meant.get(word, word) for word in words)


def _tell(question: str, language: str) -> list[str]:
    """Return the stems of the significant words of a question."""
    return [stem(word) for word in read_words(question, language) if is_significant(word)]


def _correct(word: str, language: str) -> str:
    corrected = correct(word, _vocabulary(language))
    if corrected == word and not word.isascii() and len(word) >= MIN_SOUND_LENGTH:
        return _sounds(language).get(sound_of(word), word)
    return corrected


@functools.cache
def _vocabulary(language: str) -> tuple[str, ...]:
    """Return the words of titles and keywords that may be misspelt."""
    named = (" ".join((section.title, *section.keywords)) for section in load_sections(language))
    words = {word for text in named for word in significant_words(text)}
    return tuple(sorted(word for word in words if word.isalpha() and len(word) >= MIN_FUZZY_LENGTH))


@functools.cache
def _sounds(language: str) -> dict[str, str]:
    """Return sound -> word for the Latin words of titles and keywords."""
    return {sound_of(word): word for word in _vocabulary(language) if word.isascii()}


def weigh(text: str, language: str) -> dict[str, float]:
    """Return the stems of the significant words of a text with their weights."""
    information = load_classifier(language).information
    return {token: information(token) for token in _tell(text, language)}


def is_mentioned(question: str, language: str) -> bool:
    """Return whether a page of the help holds a word of a question, or this has no significant word."""
    asked = tuple(tokenize(question))
    told = _told_stems(language)
    return not asked or any(word.startswith(asked) for word in told) or any(_holds(token, told) for token in asked)


def _holds(token: str, stems: Iterable[str]) -> bool:
    """Return whether a word is made from another one: "unscanned" from "scan"."""
    return any(len(stem) >= MIN_SOUND_LENGTH and stem in token for stem in stems)


@functools.cache
def _told_stems(language: str) -> frozenset[str]:
    return frozenset().union(*(key_of(section.page) for section in load_sections(language)))


def cover(weights: Mapping[str, float], text: str) -> float:
    """Return the share of the words of a question that a text holds: 0-1, by their weights."""
    return sum(weights[token] for token in weights.keys() & _stems_of(text)) / (sum(weights.values()) or 1)


@functools.cache
def _stems_of(text: str) -> frozenset[str]:
    return key_of(text)
