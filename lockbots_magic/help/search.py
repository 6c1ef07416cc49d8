"""The packaged help: its sections, and which of them a question is about. Pure; nothing but package data is read."""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

TITLE_WEIGHT = 5.0
KEYWORD_WEIGHT = 5.0
"""A word among a section's title or keywords counts as often as this many in its body."""
NAMED = 10.0
"""What it adds when the question comes down to a title or a keyword, no word more or less."""
EARLIER_WEIGHT = 0.2
"""What a follow-up question inherits from the questions before it."""
THRESHOLD = 2.5
"""The score below which a section is not what the question is about."""

_ALIKE = 0.8  # how much of a misspelt word is right: "conect", "modle"
_MISSPELT = 5  # letters from which on a word may be misspelt
_SATURATION = 1.2  # k1 of BM25: how soon a repeated word stops to add
_LENGTH_SHARE = 0.3  # b of BM25: low, as all sections are of about one length
_SHORT = 2  # words of content up to which a question is taken for a follow-up

_WORD = re.compile(  # %chat and options are words of their own
    r"%%?chat\b|(?<![\w-])--?[a-z]+(?:-[a-z]+)*|(?<![\w-])--(?![\w-])|[^\W_]+"
)
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_FOLLOW_UP = re.compile(
    r"(and|also|what about|how about|what if|then|but|or|а|и|ну а|но|или|тогда|(что|как) насч[её]т)\b", re.IGNORECASE
)
_RUSSIAN_ENDINGS = re.compile(
    r"(?<=...)(?:ами|ями|ого|его|ому|ему|ыми|ими|ая|яя|ое|ее|ые|ие|ый|ий|ой|ей|ую|юю|ом|ем|ам|ям|ах|ях|ов|ев"
    r"|[аяыиоеуюьй])$"
)
_ENGLISH_ENDINGS = re.compile(r"(?<=...)(?:ings?|ed|es|ly|s)$")

_EXAMPLE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """One topic of the help."""

    title: str
    keywords: tuple[str, ...]
    """Other words for it, which the reader does not see."""
    body: str
    """Markdown."""

    @property
    def page(self) -> str:
        """Title and body, in Markdown."""
        return f"**{self.title}**\n\n{self.body}"


@functools.cache
def sections(language: str = "en") -> tuple[Section, ...]:
    """All sections in `language` (``"en"`` or ``"ru"``), in the order of the book.

    Raises:
        FileNotFoundError: there is no help in that language.
    """
    return parse(_data(f"{language}.md"))


@functools.cache
def _stop_words() -> frozenset[str]:
    """Words that tell nothing about a topic, of all languages, with е for ё."""
    return frozenset(_data("stop_words.txt").split())


def _data(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def parse(text: str) -> tuple[Section, ...]:
    """The sections of a help file: ``## Title``, a line ``keywords: one, two words``, and the body."""
    chapters = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return tuple(_section(*chapter.split("\n", 2)) for chapter in chapters)


def _section(title: str, keywords: str, body: str) -> Section:
    words = keywords.removeprefix("keywords:").split(",")
    return Section(title.strip(), tuple(word.strip() for word in words if word.strip()), body.strip())


def language_of(text: str) -> str:
    """``"ru"`` or ``"en"``: names and commands are Latin in both, so a third of Cyrillic words is enough."""
    words = _WORD.findall(text)
    cyrillic = sum(1 for word in words if _CYRILLIC.search(word))
    return "ru" if cyrillic and 3 * cyrillic >= sum(1 for word in words if not word.isdigit()) else "en"


def tokens(text: str) -> list[str]:
    """The stems of the words of `text`, without those that tell nothing about a topic."""
    return [_stem(word) for word in _telling_words(text)]


def _telling_words(text: str) -> list[str]:
    ignored = _stop_words()
    return [word for word in _words(text) if word not in ignored and not (word.isdigit() and len(word) < 3)]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


def _gist(text: str) -> frozenset[str]:
    """What `text` comes down to; where no word tells much ("what is this?"), all of them together may."""
    return frozenset(tokens(text) or _words(text))


def _stem(word: str) -> str:
    if word.startswith(("%", "-")):
        return word
    if _CYRILLIC.match(word):
        return _RUSSIAN_ENDINGS.sub("", word)[:5]
    stem = _ENGLISH_ENDINGS.sub("", _ENGLISH_ENDINGS.sub("", word))
    if len(stem) > 3 and stem[-1] == stem[-2]:
        stem = stem[:-1]
    return re.sub(r"(?<=..)[eyi]$", "", stem)[:6]


def topics(language: str = "en") -> list[str]:
    """The titles of all sections."""
    return [section.title for section in sections(language)]


def topic(name: str, language: str = "en") -> Section | None:
    """The section called `name`, or about it: its title, the title's first words, a keyword, or a question."""
    chapters = sections(language)
    wanted = " ".join(_words(name))
    if wanted:
        for section in chapters:
            if " ".join([*_words(section.title), ""]).startswith(f"{wanted} "):
                return section
    score, section = rank(name, chapters)[0]
    return section if score >= THRESHOLD else None


def rank(question: str, sections: Sequence[Section], earlier: str = "") -> list[tuple[float, Section]]:
    """Order `sections` by how much they are about `question`.

    Args:
        question: in words.
        sections: of one language.
        earlier: the prompts before; in a follow-up they decide between sections of which the question itself speaks.

    Returns:
        (score, section), the best first; equal scores in the given order. From `THRESHOLD` on, a score means
        that the section answers the question.
    """
    index = _index(tuple(sections))
    found = index.tokens(question)
    asked = index.rarities(found)
    inherited = index.rarities(tokens(earlier)) if is_follow_up(question) else {}
    gist = frozenset(found or _words(question))
    scores = [
        index.score(number, asked, inherited) + NAMED * index.is_named(number, gist)
        for number in range(len(index.sections))
    ]
    return sorted(zip(scores, index.sections, strict=True), key=lambda pair: -pair[0])


def is_follow_up(question: str) -> bool:
    """Whether `question` goes on from an earlier one: "and for Ollama?", or very short."""
    return bool(_FOLLOW_UP.match(question.strip())) or len(tokens(question)) <= _SHORT


class _Index:
    """Word counts of some sections, weighted by where the words stand (BM25F)."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self.sections = sections
        self._names = [{_gist(name) for name in (section.title, *section.keywords)} for section in sections]
        self._vocabulary = sorted(
            {
                word
                for section in sections
                for word in _telling_words(" ".join((section.title, *section.keywords)))
                if word.isalpha() and len(word) >= _MISSPELT
            }
        )
        self._counts = [_weighted_counts(section) for section in sections]
        lengths = [math.fsum(counts.values()) for counts in self._counts]
        average = math.fsum(lengths) / max(len(lengths), 1)
        self._norms = [1 - _LENGTH_SHARE + _LENGTH_SHARE * length / average for length in lengths]
        self._spread = Counter(token for counts in self._counts for token in counts)

    def tokens(self, question: str) -> list[str]:
        """The stems of the words of `question`; one that no section holds, but a title or keyword nearly, is that."""
        return [self._token(word) for word in _telling_words(question)]

    def _token(self, word: str) -> str:
        token = _stem(word)
        if token in self._spread or len(word) < _MISSPELT or not word.isalpha():
            return token
        candidates = [name for name in self._vocabulary if name[0] == word[0]]
        return next(map(_stem, difflib.get_close_matches(word, candidates, 1, _ALIKE)), token)

    def rarities(self, found: Iterable[str]) -> dict[str, float]:
        """Each token with its weight: the fewer sections hold it, the more it tells; most of all if none does."""
        return {token: self._rarity(self._spread[token]) for token in found}

    def _rarity(self, spread: int) -> float:
        return math.log(1 + (len(self.sections) - spread + 0.5) / (spread + 0.5))

    def is_named(self, number: int, gist: frozenset[str]) -> bool:
        """Whether `gist` is that of the section's title or of one of its keywords."""
        return bool(gist) and gist in self._names[number]

    def score(self, number: int, asked: Mapping[str, float], inherited: Mapping[str, float]) -> float:
        """How much the section is about what was asked, less for each word that it doesn't speak of."""
        counts = self._counts[number]
        known = math.fsum(weight for token, weight in asked.items() if token in counts)
        if not known:
            return 0.0
        coverage = known / math.fsum(asked.values())
        return self._sum(number, asked) * coverage + EARLIER_WEIGHT * self._sum(number, inherited)

    def _sum(self, number: int, weights: Mapping[str, float]) -> float:
        counts, norm = self._counts[number], _SATURATION * self._norms[number]
        found = [(weight, counts[token]) for token, weight in weights.items() if token in counts]
        return math.fsum(weight * count * (_SATURATION + 1) / (count + norm) for weight, count in found)


def _weighted_counts(section: Section) -> dict[str, float]:
    counts: defaultdict[str, float] = defaultdict(float)
    for token in tokens(_EXAMPLE.sub("", section.body)):  # an example's prompt is not what the section is about
        counts[token] += 1
    for token in set(tokens(section.title)):
        counts[token] += TITLE_WEIGHT
    for token, weight in _keyword_weights(section.keywords).items():
        counts[token] += weight
    return dict(counts)


def _keyword_weights(keywords: Iterable[str]) -> dict[str, float]:
    """A keyword's weight is shared by its words; a word in several counts once, where it weighs most."""
    weights: defaultdict[str, float] = defaultdict(float)
    for words in map(tokens, keywords):
        for token in words:
            weights[token] = max(weights[token], KEYWORD_WEIGHT / len(words))
    return weights


@functools.cache
def _index(sections: tuple[Section, ...]) -> _Index:
    return _Index(sections)
