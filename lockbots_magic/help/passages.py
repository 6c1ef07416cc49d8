"""The passages of a page that answer a question, ranked by a linear model. `docs/train_answers.py` fits its weights."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .likeness import compare_questions
from .meanings import meanings_of
from .reading import read_words, weigh
from .sections import Passage, Section, read_data
from .words import is_significant, key_of, key_of_words, split_words

LETTERS = 3
"""Letters of the parts of words that a question and a passage may share, where they share no whole word."""

LIKE = 0.3
"""Share of these that makes them speak of the same."""
LEAD_SENTENCES = 2
"""Sentences of the beginning of a page."""

_ASKS_HOW = re.compile(
    r"\bhow (?:do|can|to|would|should|does)\b|^(?:and )?how\b|command|example|what do i type|show me"
    r"|where (?:do|should|can|to) (?:i )?(?:type|put|enter|paste|write)"
    r"|^(?:а |и )?как\b|команд|пример|покажи|что писать"
    r"|куда (?:\w+ )?(?:вводить|ввести|вписать|вписывать|вставить|вставлять|писать)",
    re.IGNORECASE,
)
"""Asks for what to type."""
_SWITCH = re.compile(r"\b(?:turn|switch|shut|get)(?: \w+)? (on|off|rid)\b", re.IGNORECASE)
_SWITCHED = {"on": "enable", "off": "disable", "rid": "remove"}
"""What verbs of two words mean, whose first one means something else here: a turn of a conversation."""
_CUES = {
    "number": (
        r"how (?:many|much|long|big|large|often|old)|what size|number of|limit|maximum|\bmax\b|at most"
        r"|сколько|как (?:долго|часто|много)|лимит|предел|размер|максим",
        r"\d",
    ),
    "money": (
        r"cost|price|pay|charge|free\b|money|expensive|bill|стои|плат|цен|деньг|дорог",
        r"cost|free|price|pay|charge|US dollar|стои|плат|цен|доллар",
    ),
    "python": (
        r"python|script|\bcode\b|program|питон|скрипт|\bкод[аеу]?\b|программ",
        r"Python|`[A-Za-z_]+\([^`]*\)|Chat|Session",
    ),
    "failure": (
        r"what if|what happens|fail|break|crash|doesn|не работ|а если|что будет|что если|ошибк",
        r"\bif\b|\berror|\bfail|\bесли\b|ошибк|не удал",
    ),
}
"""Kind of answer -> what a question says that asks for it, and what a passage holds that gives it."""
_PATTERNS = {
    name: (re.compile(asks, re.IGNORECASE), re.compile(tells, re.IGNORECASE if name != "python" else 0))
    for name, (asks, tells) in _CUES.items()
}


SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZА-ЯЁ`“«\"(])")


class Sentence(NamedTuple):
    """A sentence, or a block of code."""

    text: str
    passage: Passage
    """Holds it."""


@dataclass(frozen=True)
class _Text:
    """What a sentence or a passage holds."""

    words: str
    """Its words between spaces."""
    stems: frozenset[str]
    common: frozenset[str]
    """Words without significance for a topic, such as "off" or "where"."""
    meanings: frozenset[int]


def rank_sentences(
    question: str, section: Section, language: str, *, is_shown: bool = False
) -> list[tuple[float, Sentence]]:
    """Rank the sentences and blocks of code of a section by how likely each answers the question.

    Args:
        question: Free text.
        section: One of the sections of the language.
        language: Language of the section.
        is_shown: The page was shown before, so that its beginning is no better than another passage.

    Returns:
        (probability, sentence), best first.
    """
    weights = _load_weights()
    found = derive_sentence_features(question, section, language, is_shown=is_shown)
    scores = [math.exp(math.fsum(weights[name] * value for name, value in row.items())) for row in found.values()]
    total = math.fsum(scores)
    ranked = [(score / total, sentence) for score, sentence in zip(scores, found, strict=True)]
    return sorted(ranked, key=lambda pair: -pair[0])


def derive_sentence_features(
    question: str, section: Section, language: str, *, is_shown: bool = False
) -> dict[Sentence, dict[str, float]]:
    """Return what speaks for each sentence of a section as an answer: name of the feature -> its value."""
    sentences = split_sentences(section)
    lead = list_lead(section)
    question = _SWITCH.sub(lambda match: _SWITCHED[match[1].lower()], question)
    texts = [_read(one.text) for one in sentences]
    asked = _Asked(question, section, language, texts)
    cues = [name for name, (asks, _tells) in _PATTERNS.items() if asks.search(question)]
    is_how = float(asks_how(question))
    found = {}
    for sentence, text in zip(sentences, texts, strict=True):
        is_code = float(sentence.passage.kind == "code")
        around = [other for one, other in zip(sentences, texts, strict=True) if one.passage is sentence.passage]
        is_lead = sentence in lead
        found[sentence] = {
            **asked.compare(text),
            **asked.compare_around(around),
            **compare_questions(question, sentence.text, language),
            "lead": float(is_lead and not is_shown),
            "lead_again": float(is_lead and is_shown),
            "code": is_code,
            "code_again": is_code * is_shown,
            "how": is_code * is_how,
            "how_again": is_code * is_how * is_shown,
            "length": math.log(len(sentence.text)) / 5,
            **{name: float(name in cues and bool(_PATTERNS[name][1].search(sentence.text))) for name in _PATTERNS},
        }
    return found


def split_sentences(section: Section) -> list[Sentence]:
    """Return the sentences and blocks of code of a section, in order."""
    return [
        Sentence(text, passage)
        for passage in section.passages
        for text in ([passage.text] if passage.kind == "code" else SENTENCE_END.split(passage.text))
    ]


def list_lead(section: Section) -> list[Sentence]:
    """Return the beginning of a page, which tells what it is about."""
    sentences = split_sentences(section)
    lead = next((one.passage for one in sentences if one.passage.kind == "text"), None)
    return [one for one in sentences if one.passage is lead][:LEAD_SENTENCES]


def asks_how(question: str) -> bool:
    """Return whether a question asks for what to type."""
    return _ASKS_HOW.search(question) is not None


def may_speak_of(question: str, sentences: Iterable[Sentence]) -> bool:
    """Return whether one of the sentences may speak of what a question does: in other words, letters or numbers."""
    words = split_words(question)
    meanings, letters = meanings_of(words), _letters(words)
    texts = [_read(sentence.text) for sentence in sentences]
    return any(map(str.isdigit, "".join(words))) or any(
        meanings & text.meanings or sum(part in text.words for part in letters) > LIKE * len(letters) for text in texts
    )


class _Asked:
    """A question, compared with the texts of a page."""

    def __init__(self, question: str, section: Section, language: str, texts: Sequence[_Text]) -> None:
        words = read_words(question, language)
        weights = weigh(question, language)
        own = key_of(section.title)
        self._meanings, self._letters, self._common = meanings_of(words), _letters(words), _common(words)
        self._total = sum(weights.values()) or 1.0
        spread = Counter(token for text in texts for token in text.stems)  # what all sentences hold chooses none
        self._weights = {
            token: weight / (1 + (token in own)) / math.sqrt(spread[token] or 1) for token, weight in weights.items()
        }
        self._meaning_spread = Counter(meaning for text in texts for meaning in text.meanings)
        self._common_spread = Counter(word for text in texts for word in text.common)
        self._letter_spread = {part: sum(part in text.words for text in texts) for part in self._letters}

    def compare(self, text: _Text) -> dict[str, float]:
        """Return what a sentence has in common with the question."""
        held, shared = self._weigh_stems(text.stems), self._weigh_meanings(text.meanings)
        alike = [1 / math.sqrt(self._letter_spread[part]) for part in self._letters if part in text.words]
        return {
            "words": held / 10,
            "share": held / self._total,
            "common": math.fsum(1 / math.sqrt(self._common_spread[word]) for word in self._common & text.common),
            "meanings": shared,
            "meanings_share": shared / math.sqrt(len(self._meanings) or 1),
            "letters": math.fsum(alike) / math.sqrt(len(self._letters) or 1),
        }

    def compare_around(self, texts: Sequence[_Text]) -> dict[str, float]:
        """Return what the passage of a sentence has in common with the question."""
        held = self._weigh_stems(frozenset().union(*(text.stems for text in texts)))
        shared = self._weigh_meanings(frozenset().union(*(text.meanings for text in texts)))
        return {"around": held / self._total, "around_meanings": shared / math.sqrt(len(self._meanings) or 1)}

    def _weigh_stems(self, stems: frozenset[str]) -> float:
        return math.fsum(self._weights[token] for token in self._weights.keys() & stems)

    def _weigh_meanings(self, meanings: frozenset[int]) -> float:
        return math.fsum(1 / math.sqrt(self._meaning_spread[meaning]) for meaning in self._meanings & meanings)


@functools.lru_cache(512)
def _read(text: str) -> _Text:
    words = split_words(text)
    return _Text(f" {' '.join(words)} ", key_of_words(words), _common(words), meanings_of(words))


def _common(words: Collection[str]) -> frozenset[str]:
    return frozenset(word for word in words if not is_significant(word))


def _letters(words: Collection[str]) -> frozenset[str]:
    marked = (f" {word} " for word in words if is_significant(word) and word[0].isalpha())
    return frozenset(word[at : at + LETTERS] for word in marked for at in range(len(word) - LETTERS + 1))


@functools.cache
def _load_weights() -> Mapping[str, float]:
    pairs = (line.split() for line in read_data("passage_weights.txt").splitlines())
    return {name: float(weight) for name, weight in pairs}
