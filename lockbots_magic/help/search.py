"""Full-text search of the help: SQLite's FTS5 (bm25) over the stems of sections and of their passages."""

from __future__ import annotations

import difflib
import functools
import math
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .follow_up import is_follow_up
from .sections import Passage, Section, detect_language, list_titles, load_sections, without_code
from .transliteration import sound_of
from .words import (
    MIN_FUZZY_LENGTH,
    correct,
    key_of,
    key_of_words,
    load_topic_words,
    significant_words,
    split_words,
    stem,
    tokenize,
)

if TYPE_CHECKING:
    import sqlite3

THRESHOLD = 2.8
"""Minimum score of a section that answers a question."""
OWN_THRESHOLD = 0.9
"""The same for a question that names something of this package: a model, a cell, a key."""
COLUMN_WEIGHTS = (8.0, 5.0, 0.6)
"""Weights of title, keywords and body."""
EXACT_MATCH_BONUS = 10.0
"""Added if the words of the question are exactly those of the title or of one keyword."""
LITERAL_MATCH_BONUS = 4.0
"""Added to that if they are the same words in the same order, those without significance included."""
PHRASE_BONUS = 4.0
"""Added for the largest share of the words of a keyword and the question that are in both, if two or more are."""
TITLE_BONUS = 1.0
"""Added for the share of a title that the question holds."""
PASSAGE_BONUS = 2.0
"""Added for the share of the question that one passage holds, together with the title."""
TELLING_WEIGHT = 1.0
"""Least weight of a word that tells a topic: it is not on every third page."""
PASSAGE_SECTIONS = 15
"""Best sections whose passages are looked at."""
EARLIER_WEIGHT = 0.2
"""Weight of the previous questions in a follow-up question."""
CONTEXT_WEIGHT = 0.3
"""Weight of the words of the question before, where a passage of the same topic is chosen."""
CODE_WEIGHT = 0.5
"""Weight of a word that a passage holds only in code, such as the name of a variable."""
LEAD_WEIGHT = 2.0
"""Weight of the first paragraph of a page, which is written to answer most questions about it."""

MIN_SOUND_LENGTH = 4
"""Letters of a Cyrillic word that may be a name written as it sounds."""

_SEARCH = "SELECT rowid, bm25(section, ?, ?, ?) FROM section WHERE section MATCH ?"
_TOKENIZER = "unicode61 remove_diacritics 0 tokenchars '%-_'"
_ASKS_WHERE = re.compile(r"\b(?:where|где)\b", re.IGNORECASE)
_WHERE = "file path folder файл папка"
"""What a page speaks of that tells where something is."""
_INLINE_CODE = re.compile(r"`[^`\n]+`")


def find_section(name: str, language: str = "en") -> Section | None:
    """Return the section for a title, the first words of a title, a keyword or a question; None if there is none."""
    sections = load_sections(language)
    wanted = " ".join(split_words(name))
    if wanted:
        for section in sections:
            if " ".join([*split_words(section.title), ""]).startswith(f"{wanted} "):
                return section
    score, section = rank_sections(name, sections)[0]
    return section if is_answer(name, score) else None


def suggest_titles(name: str, language: str = "en", count: int = 3) -> list[str]:
    """Return titles of sections that `name` may mean, best first, though none answers it."""
    titles = {title.lower(): title for title in list_titles(language)}
    near = difflib.get_close_matches(name.lower(), titles, count)
    ranked = [section.title for score, section in rank_sections(name, load_sections(language)) if score > 0]
    return list(dict.fromkeys([*(titles[one] for one in near), *ranked]))[:count]


def rank_sections(question: str, sections: Sequence[Section], earlier: str = "") -> list[tuple[float, Section]]:
    """Rank sections by relevance to a question.

    Args:
        question: Free text.
        sections: Sections in one language.
        earlier: Previous questions. In a follow-up they decide between sections that the question itself matches.

    Returns:
        (score, section), best first; equal scores in the given order. A section with a score of at least `THRESHOLD`
        answers the question.
    """
    index = _build_index(tuple(sections))
    tokens = index.tokenize(question)
    scores = index.score(tokens)
    inherited = index.score(tokenize(earlier)) if earlier and is_follow_up(question) else {}
    words = tuple(split_words(question))
    key = frozenset(tokens or words)
    total = [
        score + EARLIER_WEIGHT * inherited.get(number, 0.0) + index.name_bonus(number, key, words)
        if (score := scores.get(number, 0.0)) or key in index.names[number] or words in index.literal[number]
        else 0.0
        for number in range(len(index.sections))
    ]
    return sorted(zip(total, index.sections, strict=True), key=lambda pair: -pair[0])


def is_answer(question: str, score: float) -> bool:
    """Return whether a section with this score answers a question, or the question is about something else."""
    ours, foreign = load_topic_words()
    stems = {*tokenize(question)}
    if score >= EXACT_MATCH_BONUS and len(stems) > 1:
        return True
    if stems & ours:
        return score >= OWN_THRESHOLD
    return score >= THRESHOLD and not stems & foreign


def is_asked(question: str, language: str) -> bool:
    """Return whether a question is, word for word, a title, a keyword or a question of the help in a language."""
    words = tuple(split_words(question))
    return any(words in literal for literal in _build_index(load_sections(language)).literal)


def rank_passages(question: str, section: Section, language: str, context: str = "") -> list[tuple[float, Passage]]:
    """Rank the passages of a section by the words of the question that they hold; best first, those without left out.

    Args:
        question: Free text.
        section: One of the sections of the language.
        language: Language of the section.
        context: The question before, if this one follows up on it.
    """
    asked = question_weights(question, language, context)
    own = key_of(section.title)
    lead = next((passage for passage in section.passages if passage.kind == "text"), None)
    held = {passage: key_of(passage.text) | (own if passage is lead else frozenset()) for passage in section.passages}
    spread = Counter(token for stems in held.values() for token in stems)  # a word of all passages chooses none
    scores = []
    for passage in section.passages:
        prose = key_of(_INLINE_CODE.sub(" ", passage.text)) if passage.kind != "code" else held[passage]
        if passage is lead:  # it is about what the title says, whatever its words
            prose |= own
        fit = math.fsum(
            asked[token] / (1 + (token in own)) / math.sqrt(spread[token]) * (1 if token in prose else CODE_WEIGHT)
            for token in asked.keys() & held[passage]
        )
        scores.append((fit * (LEAD_WEIGHT if passage is lead else 1), passage))
    return sorted((pair for pair in scores if pair[0]), key=lambda pair: -pair[0])


def question_weights(question: str, language: str, context: str = "") -> dict[str, float]:
    """Return the stems of a question with their weights, as the search reads it; those of its context weigh less."""
    index = _build_index(load_sections(language))
    question += f" {_WHERE}" if not tokenize(question) and _ASKS_WHERE.search(question) else ""
    before = {token: CONTEXT_WEIGHT * index.weight(token) for token in index.tokenize(context)}
    return before | {token: index.weight(token) for token in index.tokenize(question)}


def is_named(question: str, section: Section) -> bool:
    """Return whether all significant words of a question stand in the title of a section."""
    return {*tokenize(question)} <= key_of(section.title)


def is_held(question: str, section: Section, least: float = 0.0) -> bool:
    """Return whether the page of a section holds all significant words of a question, one of this weight among them."""
    asked = question_weights(question, detect_language(question))
    held = key_of(section.page) | key_of(" ".join(section.names))
    is_telling = max(asked.values(), default=0.0) >= least
    return is_telling and all(any(word.startswith(token) for word in held) for token in asked)


class _Index:
    """Sections in an FTS5 table in memory, as stems."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self.sections = sections
        self.literal: list[set[tuple[str, ...]]] = []
        self.names: list[set[frozenset[str]]] = []
        for section in sections:
            names = [tuple(split_words(name)) for name in section.names]
            own = len(section.names) - len(section.asked)
            keys = list(map(key_of_words, names))
            self.literal.append(set(names))
            self.names.append({*keys[:own], *(key for key in keys[own:] if len(key) > 1)})  # one word is of many pages
        self._vocabulary = _vocabulary(sections)
        latin = (word for word in self._vocabulary if word.isascii())
        self._sounds = {sound_of(word): stem(word) for word in latin}
        columns = [
            [
                tokenize(section.title),
                tokenize(" ".join(section.names[1:])),
                _once(tokenize(without_code(section.body))),
            ]
            for section in sections
        ]
        self._stems = [{token for column in row for token in column} for row in columns]
        self._frequency = Counter(token for stems in self._stems for token in stems)
        self._lock = threading.Lock()
        self._database = _database()
        self._database.executemany(
            "INSERT INTO section(rowid, title, keywords, body) VALUES (?, ?, ?, ?)",
            [(number, *map(" ".join, row)) for number, row in enumerate(columns)],
        )

    def tokenize(self, question: str) -> list[str]:
        """Return the stems of a question; unknown words are corrected to similar words of titles and keywords."""
        return [self._recognize(word) for word in significant_words(question)]

    def _recognize(self, word: str) -> str:
        token = correct(word, self._vocabulary, self._frequency)
        is_unknown = token not in self._frequency and len(word) >= MIN_SOUND_LENGTH
        return self._sounds.get(sound_of(word), token) if is_unknown and not word.isascii() else token

    def weight(self, token: str) -> float:
        """Return the inverse document frequency of a stem; an unknown one weighs most."""
        frequency = self._frequency[token]
        return math.log(1 + (len(self.sections) - frequency + 0.5) / (frequency + 0.5))

    def score(self, tokens: Iterable[str]) -> Mapping[int, float]:
        """Return bm25 by the section's number, reduced by the share of the question that it does not mention."""
        asked = {token: self.weight(token) for token in tokens}
        if not asked:
            return {}
        query = " OR ".join(f'"{token}"' for token in asked)
        with self._lock:  # threads of the panel and of cells share the connection
            found = self._database.execute(_SEARCH, (*COLUMN_WEIGHTS, query)).fetchall()
        whole = math.fsum(asked.values())
        scores = {number: -score * _weight_in(self._stems[number], asked) / whole for number, score in found}
        for number in sorted(scores, key=lambda number: -scores[number])[:PASSAGE_SECTIONS]:
            passages = _passage_stems(self.sections[number])
            scores[number] += PASSAGE_BONUS * max(_weight_in(stems, asked) for stems in passages) / whole
        return scores

    def name_bonus(self, number: int, key: frozenset[str], words: tuple[str, ...]) -> float:
        """Return the bonus for the words of the question that make up the title or a keyword."""
        names = self.names[number]
        if words and words in self.literal[number]:
            return EXACT_MATCH_BONUS + LITERAL_MATCH_BONUS
        if key and key in names:
            return EXACT_MATCH_BONUS
        shared = (name for name in names if len(name & key) > 1)
        phrase = max((self._sum(name & key) / self._sum(name | key) for name in shared), default=0.0)
        title = key_of(self.sections[number].title)
        return PHRASE_BONUS * phrase + TITLE_BONUS * self._sum(title & key) / self._sum(title)

    def _sum(self, tokens: Iterable[str]) -> float:
        return math.fsum(map(self.weight, tokens))


def _once(tokens: Iterable[str]) -> list[str]:
    """Return each token once: a page that repeats a word is not more about it."""
    return list(dict.fromkeys(tokens))


def _weight_in(stems: Collection[str], asked: Mapping[str, float]) -> float:
    return math.fsum(weight for token, weight in asked.items() if token in stems)


@functools.cache
def _passage_stems(section: Section) -> list[set[str]]:
    title = {*tokenize(section.title)}
    return [title, *(title.union(tokenize(passage.text)) for passage in section.passages)]


def _vocabulary(sections: Iterable[Section]) -> tuple[str, ...]:
    named = (" ".join(section.names) for section in sections)
    words = {word for text in named for word in significant_words(text)}
    return tuple(sorted(word for word in words if word.isalpha() and len(word) >= MIN_FUZZY_LENGTH))


def _database() -> sqlite3.Connection:
    import sqlite3  # noqa: PLC0415  # only for questions

    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute(f'CREATE VIRTUAL TABLE section USING fts5(title, keywords, body, tokenize="{_TOKENIZER}")')
    return database


@functools.cache
def _build_index(sections: tuple[Section, ...]) -> _Index:
    return _Index(sections)
