"""Linear classifier of questions: how well each page of the help fits one. `docs/train_guide.py` fits its weights."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .sections import read_data
from .words import is_known, is_significant, stem

GRAM = 3
"""Letters of the parts of a word: they find a misspelt word, or another form of it."""
SCALE = 100
"""Weights are stored as integers: 100 stands for 1."""
UNRELATED = "-"
"""Stands for a title, for questions about something else."""
STAYS = "+"
"""Stands for a title, for questions that go on from the answer before, whatever it was about."""


@dataclass(frozen=True)
class Classifier:
    """The weights of one language."""

    titles: tuple[str, ...]
    lines: Mapping[str, str]
    """Feature -> its information and its weights: ``"3.2 7:54 12:-8"``, numbers of titles before the colons."""

    def information(self, token: str) -> float:
        """Return the inverse frequency of a stem among the pages; that of an unknown one is the highest."""
        line = self.lines.get(token)
        return float(line.partition(" ")[0]) if line else math.log(1 + 2 * len(self.titles))

    @functools.cached_property
    def page_weights(self) -> dict[str, float]:
        """Weights of what speaks for a page: see `ranking`."""
        pairs = (pair.split("=") for pair in self.lines["@"].split(" "))
        return {name: float(weight) for name, weight in pairs}

    def margins(self, words: Sequence[str]) -> dict[str, float]:
        """Return the margin of each title, at least some -1; one above 0 is very likely the one.

        Args:
            words: Of the question, in lower case.
        """
        margins = self._bias.copy()
        for feature, value in self.vectorize(words).items():
            for pair in self.lines[feature].split(" ")[1:]:
                number, _, weight = pair.partition(":")
                margins[int(number)] += value * int(weight) / SCALE
        return dict(zip(self.titles, margins, strict=True))

    def vectorize(self, words: Sequence[str]) -> dict[str, float]:
        """Return the known features of a question with their values, as a vector of at most length 1."""
        counts = {feature: count for feature, count in Counter(derive_features(words)).items() if feature in self.lines}
        values = {feature: (1 + math.log(count)) * self.information(feature) for feature, count in counts.items()}
        unknown = [self.information(token) for token in foreign_stems(words) if token not in self.lines]
        norm = math.hypot(*values.values(), *unknown) or 1
        return {feature: value / norm for feature, value in values.items()}

    @functools.cached_property
    def _bias(self) -> list[float]:
        return [int(weight) / SCALE for weight in self.lines[""].split(" ")]


def derive_features(words: Sequence[str]) -> Iterator[str]:
    """Yield what a question is classified by: stems, pairs of them, and the parts of its significant words."""
    stems = list(map(stem, words))
    telling = [stem(word) for word in words if is_significant(word)]
    yield from telling
    yield from (f"_{token}" for token in stems)
    yield from _pairs("+", telling)
    yield from _pairs("_", stems)
    for word in filter(is_significant, words):
        if word[0].isalpha():
            yield from (f"#{part}" for part in _grams(f"<{word}>"))


def foreign_stems(words: Iterable[str]) -> list[str]:
    """Return the stems of significant words that neither the help holds nor people ask it."""
    return [stem(word) for word in words if is_significant(word) and not is_known(word)]


def _pairs(mark: str, tokens: Sequence[str]) -> Iterable[str]:
    return map(mark.join, itertools.pairwise(tokens))


def _grams(word: str) -> Iterable[str]:
    return (word[at : at + GRAM] for at in range(len(word) - GRAM + 1))


@functools.cache
def load_classifier(language: str) -> Classifier:
    """Return the classifier for questions in ``"en"`` or ``"ru"``."""
    titles, *lines = read_data(f"weights_{language}.txt").splitlines()
    return Classifier(tuple(titles.split(" | ")), dict(line.split("\t") for line in lines))
