"""How likely each page of the help answers a question: a linear model, whose weights `docs/train_guide.py` fits."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .classifier import STAYS, UNRELATED, load_classifier
from .follow_up import begins_with_conjunction, has_pronoun
from .reading import cover, read_words, weigh
from .sections import Section, load_sections
from .words import is_known, is_significant, key_of, split_words, stem, tokenize

CANDIDATES = 5
"""Pages, the best by the classifier, that are compared; that of the answer before is a further one."""
EXACT_SCORE = 8.0
"""Added where a question is, word for word, a title, a keyword or a collected question of the page, or only names it
beside the last one."""
MAX_WORDS = 8
"""Significant words that are counted."""
SHORT = 3
"""Words of a question that only names something."""


class Ranked(NamedTuple):
    """A page, and how likely it answers a question."""

    probability: float
    section: Section | None
    """None stands for: none of the pages does."""


def rank_sections(question: str, language: str = "en", topic: Section | None = None) -> list[Ranked]:
    """Rank the sections of a language by how likely each answers a question.

    Args:
        question: Free text.
        language: ``"en"`` or ``"ru"``.
        topic: Section that the answer before was from.

    Returns:
        All sections and None, which stands for none of them, best first; those that are not compared, as the classifier
        orders them, with probability 0.
    """
    words = read_words(question, language)
    sections = {section.title: section for section in load_sections(language)}
    is_about_topic = topic is not None and has_pronoun(question)
    exact = () if is_about_topic else _titles_asked(language).get(_phrase(question), ())
    if not exact and not (is_telling(words, language) if topic is None else any(map(str.isalpha, words))):
        return [Ranked(1.0, None), *(Ranked(0.0, section) for section in sections.values())]
    classifier = load_classifier(language)
    margins = classifier.margins(words)
    ordered = sorted(sections, key=lambda title: -margins[title])
    found = derive_page_features(question, [*ordered[:CANDIDATES], *exact], margins, language, topic)
    weights = classifier.page_weights
    likely = {}
    for title, row in found.items():
        score = math.fsum(weights[name] * value for name, value in row.items())
        likely[title] = math.exp(score + EXACT_SCORE * (title in exact or bool(row.get("sibling_named"))))
    total = math.fsum(likely.values())
    ranked = [Ranked(value / total, sections.get(title)) for title, value in likely.items()]
    rest = (Ranked(0.0, sections[title]) for title in ordered if title not in found)
    return [*sorted(ranked, key=lambda one: -one.probability), *rest]


def derive_page_features(
    question: str, titles: Iterable[str], margins: Mapping[str, float], language: str, topic: Section | None = None
) -> dict[str, dict[str, float]]:
    """Return what speaks for each page as that of the answer: title -> name of the feature -> its value.

    Args:
        question: Free text.
        titles: Of the pages that are compared; that of the topic is one more.
        margins: Of all titles, as the classifier tells them.
        language: Of question and pages.
        topic: Section that the answer before was from.

    Returns:
        Features of the pages, and of `UNRELATED`, which stands for none of them.
    """
    sections = {section.title: section for section in load_sections(language)}
    weights = weigh(question, language)
    brevity = 1 / (1 + len(tokenize(question)))
    stage = "first" if topic is None else "later"
    found = {
        UNRELATED: {f"{stage}_none": 1.0, f"{stage}_none_margin": margins[UNRELATED], f"{stage}_none_brevity": brevity}
    }
    for title in [*titles, *([] if topic is None else [topic.title])]:
        section = sections[title]
        kind = stage if topic is None or title != topic.title else "same"
        found[title] = {
            f"{kind}_margin": margins[title],
            f"{kind}_page": cover(weights, section.page),
            f"{kind}_title": cover(weights, title),
        }
        if topic is not None and kind != "same":
            found[title] |= _compare(question, section, topic)
    if topic is not None:
        found[topic.title] |= _signs_of_staying(question, margins[STAYS], brevity)
    return found


def _compare(question: str, section: Section, topic: Section) -> dict[str, float]:
    """Return what a page has to do with that of the answer before: "and for Ollama?" names only one beside it."""
    is_sibling = section.group == topic.group
    is_short = begins_with_conjunction(question) and len(split_words(question)) <= SHORT
    is_named = is_sibling and is_short and {*tokenize(question)} <= key_of(section.title) - key_of(topic.title)
    return {"sibling": float(is_sibling), "sibling_named": float(is_named)}


def _signs_of_staying(question: str, margin: float, brevity: float) -> dict[str, float]:
    """Return what tells whether a question goes on from the answer before."""
    return {
        "same": 1.0,
        "stays": margin,
        "brevity": brevity,
        "length": min(len(tokenize(question)), MAX_WORDS) / MAX_WORDS,
        "conjunction": float(begins_with_conjunction(question)),
        "pronoun": float(has_pronoun(question)),
    }


def is_telling(words: Sequence[str], language: str) -> bool:
    """Return whether one of the words of a question is significant and known."""
    lines = load_classifier(language).lines
    return any(is_significant(word) and (is_known(word) or stem(word) in lines) for word in words)


def is_asked(question: str, language: str) -> bool:
    """Return whether a question is, word for word, a title, a keyword or a question of the help in a language."""
    return _phrase(question) in _titles_asked(language)


@functools.cache
def _titles_asked(language: str) -> dict[str, list[str]]:
    """Return phrase -> titles of the pages with this title, keyword or collected question."""
    titles: dict[str, list[str]] = {}
    for section in load_sections(language):
        for name in section.names:
            titles.setdefault(_phrase(name), []).append(section.title)
    return titles


def _phrase(text: str) -> str:
    return " ".join(text.lower().replace("ё", "е").strip(" ?.!").split())
