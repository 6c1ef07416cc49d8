"""Search of the help: the page that a question is about, by a linear classifier."""

from __future__ import annotations

import difflib
import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence

from .classifier import STAYS, UNRELATED, load_classifier
from .sections import Section, detect_language, list_titles, load_sections
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

THRESHOLD = 0.3
"""Minimum score of a section that answers a question."""
EXACT_MATCH_BONUS = 2.0
"""Added if a question is, word for word, a title, a keyword or a collected question of the page."""
CLEAR_MARGIN = 0.1
"""Lead of the best page over "about something else", below which nothing answers the question."""
UNANSWERED = 0.1
"""Factor of all scores then: they still tell the nearest pages."""
NEAR_PAGES = 4
"""Best pages whose text is read, too."""
TEXT_WEIGHT = 0.25
"""What it adds to the score of one that holds all words of the question."""
MAX_CORRECTED = 100
"""Unknown words of a question that are corrected: each takes a millisecond, and a pasted log has thousands."""
MIN_SOUND_LENGTH = 4
"""Letters of a Cyrillic word that may be a name written as it sounds."""


def find_page(name: str, languages: Sequence[str]) -> Section | None:
    """Return the section for a topic in the first of the languages that have it; None if none has.

    A title or keyword in any of them wins over what is merely like the topic, and is shown in the first one.
    """
    first = languages[0]
    for language in languages:
        if language != first and is_asked(name, first):
            break
        exact = find_section(name, language) if is_asked(name, language) else find_titled(name, language)
        if exact:
            return load_sections(first)[load_sections(language).index(exact)]
    return next(filter(None, (find_section(name, language) for language in languages)), None)


def find_section(name: str, language: str = "en") -> Section | None:
    """Return the section for a title or its words, as `find_titled`, a keyword or a question; None if none."""
    if titled := find_titled(name, language):
        return titled
    score, section = rank_sections(name, language)[0]
    return section if is_answer(score) else None


def find_titled(name: str, language: str) -> Section | None:
    """Return the first section whose title begins with these words, else the only one that has them within."""
    wanted = " ".join(split_words(name))
    titles = {section: f" {' '.join(split_words(section.title))} " for section in load_sections(language)}
    if wanted and (begun := next((one for one, title in titles.items() if title.startswith(f" {wanted} ")), None)):
        return begun
    if is_asked(name, language) or not any(map(is_significant, wanted.split())):
        return None
    within = [one for one, title in titles.items() if f" {wanted} " in title]
    return within[0] if len(within) == 1 else None


def suggest_titles(name: str, language: str = "en", count: int = 3) -> list[str]:
    """Return titles of sections that `name` may mean, best first, though none answers it; none for another subject."""
    titles = {title.lower(): title for title in list_titles(language)}
    near = difflib.get_close_matches(name.lower(), titles, count)
    ranked = [] if is_unrelated(name) else [section.title for section in near_sections(name, language)]
    return list(dict.fromkeys([*(titles[one] for one in near), *ranked]))[:count]


def near_sections(question: str, language: str) -> list[Section]:
    """Return the sections near a question, best first: those named by a word of it, other words being known, too."""
    asked = {*tokenize(question)}
    named = (section for score, section in rank_sections(question, language) if score > 0)
    return [section for section in named if asked & key_of(" ".join((section.title, *section.keywords)))]


def rank_sections(question: str, language: str = "en") -> list[tuple[float, Section]]:
    """Rank the sections of a language by how likely they answer a question.

    Args:
        question: Free text.
        language: ``"en"`` or ``"ru"``.

    Returns:
        (score, section), best first; equal scores in the order of the file. A section with a score of at least
        `THRESHOLD` answers the question.
    """
    scores = _score(question, language)
    exact = _titles_asked(language).get(_phrase(question), ())
    ranked = [
        (scores.get(section.title, 0.0) + EXACT_MATCH_BONUS * (section.title in exact), section)
        for section in load_sections(language)
    ]
    ranked.sort(key=lambda pair: -pair[0])
    return prefer_held(ranked, question, language) if is_answer(ranked[0][0]) else ranked


def prefer_held(ranked: Sequence[tuple[float, Section]], question: str, language: str) -> list[tuple[float, Section]]:
    """Return ranked sections, of the best of which those are preferred whose pages hold the words of the question."""
    weights = weigh(question, language)
    near = [(score + TEXT_WEIGHT * cover(weights, section.page), section) for score, section in ranked[:NEAR_PAGES]]
    return [*sorted(near, key=lambda pair: -pair[0]), *ranked[NEAR_PAGES:]]


def is_answer(score: float) -> bool:
    """Return whether a section with this score answers a question, or the question is about something else."""
    return score >= THRESHOLD


def is_unrelated(question: str) -> bool:
    """Return whether a question is most likely about something else than this package."""
    margins = _margins(question, detect_language(question))
    margins.pop(STAYS, None)
    return bool(margins) and max(margins, key=margins.__getitem__) == UNRELATED


def is_asked(question: str, language: str) -> bool:
    """Return whether a question is, word for word, a title, a keyword or a question of the help in a language."""
    return _phrase(question) in _titles_asked(language)


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


def _score(question: str, language: str) -> dict[str, float]:
    """Return title -> score, without those that score nothing; a question without a significant word has none."""
    margins = _margins(question, language)
    margins.pop(STAYS, None)
    least = margins.pop(UNRELATED, 0.0) + CLEAR_MARGIN
    factor = 1.0 if max(margins.values(), default=0.0) > least else UNANSWERED
    return {title: factor * (1 + margin) for title, margin in margins.items() if margin > -1}


def _margins(question: str, language: str) -> dict[str, float]:
    words = read_words(question, language)
    classifier = load_classifier(language)
    tells = any(is_significant(word) and (is_known(word) or stem(word) in classifier.lines) for word in words)
    return classifier.margins(words) if tells else {}


def read_words(question: str, language: str) -> list[str]:
    """Return the words of a question in lower case, unknown ones corrected or as the name that they sound like."""
    words = split_words(question)
    unknown = dict.fromkeys(word for word in words if is_significant(word) and not is_known(word))
    meant = {word: _correct(word, language) for word in itertools.islice(unknown, MAX_CORRECTED)}
    return [meant.get(word, word) for word in words]


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
