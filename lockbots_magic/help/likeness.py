"""Collected questions that a sentence of the help answers: one that is like them is answered by it, too."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Mapping

from .classifier import load_classifier
from .reading import read_words
from .sections import read_data
from .words import is_known, split_words


def compare_questions(question: str, sentence: str, language: str) -> dict[str, float]:
    """Return how like a question is to those that a sentence answers: the highest likeness, and how many there are."""
    answered = load_answered(language).get(key_of_sentence(sentence), ())
    return {
        "asked": max((likeness(question, other, language) for other in answered), default=0.0),
        "asked_count": math.log1p(len(answered)),
    }


def likeness(question: str, other: str, language: str) -> float:
    """Return how alike two questions are: 0-1, the cosine of their features."""
    known = tuple(word for word in split_words(other) if is_known(word))  # others would have to be stemmed first
    one, two = _vectorize(read_words(question, language), language), _vectorize(known, language)
    return math.fsum(value * two[feature] for feature, value in one.items() if feature in two)


def key_of_sentence(sentence: str) -> str:
    """Return what stands for a sentence in the files: one that is changed has no questions until they are collected."""
    return f"{zlib.crc32(sentence.encode()):08x}"


@functools.cache
def load_answered(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return sentence -> questions that it answers; `docs/train_answers.py` writes the file."""
    lines = (line.split("\t") for line in read_data(f"answered_{language}.txt").splitlines())
    return {key: tuple(questions.split(" | ")) for key, questions in lines}


@functools.lru_cache(512)
def _vectorize(words: tuple[str, ...], language: str) -> Mapping[str, float]:
    return load_classifier(language).vectorize(words)
