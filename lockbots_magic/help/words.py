"""Words of questions and pages: which are significant, their stems, and the right spelling."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .russian import root_of
from .sections import read_data

MIN_SIMILARITY = 0.8
"""Similarity of a misspelt word and the word it stands for: 0-1."""
MIN_FUZZY_LENGTH = 5
"""Letters of a word that may be misspelt; shorter words are matched exactly."""

_WORD = re.compile(  # %chat and options are words of their own
    r"%%?chat\b|(?<![\w-])--?[a-z]+(?:-[a-z]+)*|(?<![\w-])--(?![\w-])|[^\W_]+"
)
_LOG_IN = re.compile(r"\blog(?:ged|ging)?[ -](in|out)(?:to)?\b")
"""One word, lest it be about the log."""
_CYRILLIC = re.compile(r"[а-я]")
_NUMBER = re.compile(r"\d{1,2}|\d+[kк]")
"""Says how many, and not which error."""


def split_words(text: str) -> list[str]:
    """Return all words in lower case, with е for ё."""
    text = text.lower().replace("ё", "е")
    return _WORD.findall(_LOG_IN.sub(r"log\1", text) if "log" in text else text)


def significant_words(text: str) -> list[str]:
    """Return the words that say something about the topic."""
    return [word for word in split_words(text) if is_significant(word)]


def tokenize(text: str) -> list[str]:
    """Return the stems of the significant words."""
    return [stem(word) for word in significant_words(text)]


def key_of(text: str) -> frozenset[str]:
    """Return the significant stems; if there are none ("what is this?"), all words."""
    return key_of_words(split_words(text))


def key_of_words(words: Sequence[str]) -> frozenset[str]:
    """Return the same for words in lower case."""
    return frozenset(stem(word) for word in words if is_significant(word)) or frozenset(words)


def is_significant(word: str) -> bool:
    """Return whether a word in lower case says something about a topic."""
    return word not in _load_stop_words() and not _NUMBER.fullmatch(word)


@functools.cache
def stem(word: str) -> str:
    """Return the stem of a word in lower case, in Russian its root, for synonyms that of the first of them.

    Options and magics are their own stems.
    """
    return _load_stems()[0].get(word) or derive_stem(word)


def derive_stem(word: str) -> str:
    """Return the same without the table of the words of the help."""
    if word.startswith(("%", "-")):
        return word
    stemmed = _snowball(word)
    return _load_stems()[1].get(stemmed, stemmed)


def is_known(word: str) -> bool:
    """Return whether the help, or what people ask it, holds a word."""
    return word in _load_stems()[0]


def correct(word: str, vocabulary: Iterable[str]) -> str:
    """Return the most similar word of the vocabulary for an unknown word in lower case, or the word itself."""
    if len(word) < MIN_FUZZY_LENGTH or not word.isalpha():
        return word
    candidates = [name for name in vocabulary if name[0] == word[0] and not _is_another_word(word, name)]
    swapped = [name for name in candidates if len(name) == len(word) and sorted(name) == sorted(word)]
    return next(iter(swapped or difflib.get_close_matches(word, candidates, 1, MIN_SIMILARITY)), word)


def _is_another_word(word: str, name: str) -> bool:
    """Return whether the two differ by more than the order of letters, where five letters leave room for no more."""
    return len(word) == len(name) == MIN_FUZZY_LENGTH and sorted(word) != sorted(name)


@functools.cache
def _load_stop_words() -> frozenset[str]:
    """Return words without significance for a topic, in all languages, with е for ё."""
    return frozenset(read_data("stop_words.txt").split())


def derive_synonyms() -> dict[str, str]:
    """Return stem -> stem of the word that the pages use, for what people call a thing otherwise."""
    lines = (line.split(":") for line in read_data("synonyms.txt").splitlines())
    return {_snowball(other): _snowball(word) for word, others in lines for other in others.split()}


@functools.cache
def _load_stems() -> tuple[dict[str, str], dict[str, str]]:
    """Return the stems of the words of the help, and those of synonyms: to derive them takes long."""
    words, synonyms = (
        dict(line.split() for line in part.splitlines()) for part in read_data("stems.txt").split("\n\n")
    )
    return words, synonyms


def _snowball(word: str) -> str:
    is_russian = _CYRILLIC.match(word) is not None
    stemmed: str = _stemmer("russian" if is_russian else "english").stemWord(word)
    return root_of(stemmed) if is_russian else stemmed


@functools.cache
def _stemmer(language: str) -> Any:
    import snowballstemmer  # noqa: PLC0415  # 20 ms, and only for questions

    return snowballstemmer.stemmer(language)
