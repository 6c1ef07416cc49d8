"""Help pages and their full-text search (BM25F), in English and Russian. Pure: reads package data only."""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

THRESHOLD = 2.6
"""Minimum score of a section that answers a question."""
TITLE_WEIGHT = 5.0
KEYWORD_WEIGHT = 5.0
"""Weight of a word in the title or keywords, relative to one occurrence in the body."""
EXACT_MATCH_BONUS = 10.0
"""Added if the words of the question are exactly those of the title or of one keyword."""
EARLIER_WEIGHT = 0.2
"""Weight of the previous questions in a follow-up question."""
MAX_FOLLOW_UP_TOKENS = 2
"""A question with at most this many significant words counts as a follow-up."""

BM25_K1 = 1.2  # saturation of repeated words
BM25_B = 0.3  # length normalisation; low, because sections have similar lengths
MIN_SIMILARITY = 0.8  # of a misspelt word and the word it stands for
MIN_FUZZY_LENGTH = 5  # shorter words are matched exactly

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
_GROUP = re.compile(r"^# ", re.MULTILINE)
_CHAPTER = re.compile(r"^## ", re.MULTILINE)
_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_WRAPPED = re.compile(r"(?<=[^\n|])\n[ \t]*(?![\n>#|\s]|[-*+] |\d+[.)] |```|\Z)")


@dataclass(frozen=True)
class Section:
    """One topic of the help."""

    title: str
    keywords: tuple[str, ...]
    """Synonyms for the search; not shown."""
    body: str
    """Markdown."""
    group: str = field(default="", compare=False)
    """Title of the group that it belongs to in the list of topics."""

    @property
    def page(self) -> str:
        """Title and body, in Markdown."""
        return f"**{self.title}**\n\n{self.body}"


@functools.cache
def load_sections(language: str = "en") -> tuple[Section, ...]:
    """Return all sections in a language, in the order of the file.

    Args:
        language: ``"en"`` or ``"ru"``.

    Raises:
        FileNotFoundError: There is no help in this language.
    """
    return parse_sections(_read_data(f"{language}.md"))


def parse_sections(text: str) -> tuple[Section, ...]:
    """Parse a help file.

    Args:
        text: ``## Title``, a line ``keywords: one, two words``, and the body, for each section; ``# Group`` before the
            first section of each group.
    """
    sections = []
    for part in _GROUP.split(f"# \n{text}"):
        group, *chapters = _CHAPTER.split(part)
        sections += [_parse_section(group.strip(), *chapter.split("\n", 2)) for chapter in chapters]
    return tuple(sections)


def _unwrap(text: str) -> str:
    """Join the lines of each paragraph and list item: in a reply, a line end is a line break."""
    blocks = [*_CODE_BLOCK.findall(text), ""]
    prose = (_WRAPPED.sub(" ", part) for part in _CODE_BLOCK.split(text))
    return "".join(part for pair in zip(prose, blocks, strict=True) for part in pair)


def _parse_section(group: str, title: str, keywords: str, body: str) -> Section:
    words = keywords.removeprefix("keywords:").split(",")
    return Section(title.strip(), tuple(word.strip() for word in words if word.strip()), _unwrap(body.strip()), group)


@functools.cache
def _load_stop_words() -> frozenset[str]:
    """Return words without significance for a topic, in all languages, with е for ё."""
    return frozenset(_read_data("stop_words.txt").split())


def _read_data(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def detect_language(text: str) -> str:
    """Return ``"ru"`` if at least a third of the words are Cyrillic, else ``"en"``.

    Commands and names are in Latin script in both languages, so a third is enough.
    """
    words = _WORD.findall(text)
    cyrillic = sum(1 for word in words if _CYRILLIC.search(word))
    return "ru" if cyrillic and 3 * cyrillic >= sum(1 for word in words if not word.isdigit()) else "en"


def list_titles(language: str = "en") -> list[str]:
    """Return the titles of all sections."""
    return [section.title for section in load_sections(language)]


def list_groups(language: str = "en") -> dict[str, list[str]]:
    """Return the titles of all sections by their group, in the order of the file."""
    groups: dict[str, list[str]] = {}
    for section in load_sections(language):
        groups.setdefault(section.group, []).append(section.title)
    return groups


def suggest_titles(name: str, language: str = "en", count: int = 3) -> list[str]:
    """Return titles of sections that `name` may mean, best first, though none answers it."""
    near = difflib.get_close_matches(name.lower(), [title.lower() for title in list_titles(language)], count)
    titles = {title.lower(): title for title in list_titles(language)}
    ranked = [section.title for score, section in rank_sections(name, load_sections(language)) if score > 0]
    return list(dict.fromkeys([*(titles[one] for one in near), *ranked]))[:count]


def find_section(name: str, language: str = "en") -> Section | None:
    """Return the section for a title, the first words of a title, a keyword or a question; None if there is none."""
    sections = load_sections(language)
    wanted = " ".join(_split_words(name))
    if wanted:
        for section in sections:
            if " ".join([*_split_words(section.title), ""]).startswith(f"{wanted} "):
                return section
    score, section = rank_sections(name, sections)[0]
    return section if score >= THRESHOLD else None


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
    found = index.tokenize(question)
    asked = index.weigh(found)
    inherited = index.weigh(tokenize(earlier)) if is_follow_up(question) else {}
    key = frozenset(found or _split_words(question))
    scores = [
        index.score(number, asked, inherited) + EXACT_MATCH_BONUS * index.has_name(number, key)
        for number in range(len(index.sections))
    ]
    return sorted(zip(scores, index.sections, strict=True), key=lambda pair: -pair[0])


def is_follow_up(question: str) -> bool:
    """Return whether a question continues an earlier one: "and for Ollama?", or very short."""
    return bool(_FOLLOW_UP.match(question.strip())) or len(tokenize(question)) <= MAX_FOLLOW_UP_TOKENS


def tokenize(text: str) -> list[str]:
    """Return the stems of the significant words of `text`."""
    return [_stem(word) for word in _significant_words(text)]


def _significant_words(text: str) -> list[str]:
    ignored = _load_stop_words()
    return [word for word in _split_words(text) if word not in ignored and not (word.isdigit() and len(word) < 3)]


def _split_words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


def _key_of(text: str) -> frozenset[str]:
    """Return the significant stems of `text`; if it has none ("what is this?"), all its words."""
    return frozenset(tokenize(text) or _split_words(text))


def _stem(word: str) -> str:
    if word.startswith(("%", "-")):
        return word
    if _CYRILLIC.match(word):
        return _RUSSIAN_ENDINGS.sub("", word)[:5]
    stem = _ENGLISH_ENDINGS.sub("", _ENGLISH_ENDINGS.sub("", word))
    if len(stem) > 3 and stem[-1] == stem[-2]:
        stem = stem[:-1]
    return re.sub(r"(?<=..)[eyi]$", "", stem)[:6]


class _Index:
    """Word counts of sections, weighted by field (BM25F)."""

    def __init__(self, sections: tuple[Section, ...]) -> None:
        self.sections = sections
        self._names = [{_key_of(name) for name in (section.title, *section.keywords)} for section in sections]
        self._vocabulary = sorted(
            {
                word
                for section in sections
                for word in _significant_words(" ".join((section.title, *section.keywords)))
                if word.isalpha() and len(word) >= MIN_FUZZY_LENGTH
            }
        )
        self._counts = [_count_tokens(section) for section in sections]
        lengths = [math.fsum(counts.values()) for counts in self._counts]
        average = math.fsum(lengths) / max(len(lengths), 1)
        self._norms = [1 - BM25_B + BM25_B * length / average for length in lengths]
        self._document_frequency = Counter(token for counts in self._counts for token in counts)

    def tokenize(self, question: str) -> list[str]:
        """Return the stems of a question; unknown words are corrected to similar words of titles and keywords."""
        return [self._correct(word) for word in _significant_words(question)]

    def _correct(self, word: str) -> str:
        token = _stem(word)
        if token in self._document_frequency or len(word) < MIN_FUZZY_LENGTH or not word.isalpha():
            return token
        candidates = [name for name in self._vocabulary if name[0] == word[0]]
        return next(map(_stem, difflib.get_close_matches(word, candidates, 1, MIN_SIMILARITY)), token)

    def weigh(self, tokens: Iterable[str]) -> dict[str, float]:
        """Return each token with its inverse document frequency; unknown tokens weigh most."""
        return {token: self._inverse_frequency(self._document_frequency[token]) for token in tokens}

    def _inverse_frequency(self, frequency: int) -> float:
        return math.log(1 + (len(self.sections) - frequency + 0.5) / (frequency + 0.5))

    def has_name(self, number: int, key: frozenset[str]) -> bool:
        """Return whether `key` equals the words of the section's title or of one of its keywords."""
        return bool(key) and key in self._names[number]

    def score(self, number: int, asked: Mapping[str, float], inherited: Mapping[str, float]) -> float:
        """Return the relevance of a section, reduced by the share of the question that it does not mention."""
        counts = self._counts[number]
        known = math.fsum(weight for token, weight in asked.items() if token in counts)
        if not known:
            return 0.0
        coverage = known / math.fsum(asked.values())
        return self._sum(number, asked) * coverage + EARLIER_WEIGHT * self._sum(number, inherited)

    def _sum(self, number: int, weights: Mapping[str, float]) -> float:
        counts, norm = self._counts[number], BM25_K1 * self._norms[number]
        found = [(weight, counts[token]) for token, weight in weights.items() if token in counts]
        return math.fsum(weight * count * (BM25_K1 + 1) / (count + norm) for weight, count in found)


def _count_tokens(section: Section) -> dict[str, float]:
    counts: defaultdict[str, float] = defaultdict(float)
    for token in tokenize(_CODE_BLOCK.sub("", section.body)):  # the prompt of an example is not the topic
        counts[token] += 1
    for token in set(tokenize(section.title)):
        counts[token] += TITLE_WEIGHT
    for token, weight in _weigh_keywords(section.keywords).items():
        counts[token] += weight
    return dict(counts)


def _weigh_keywords(keywords: Iterable[str]) -> dict[str, float]:
    """Divide the weight of each keyword by its number of words; a word in several keywords counts once, at its best."""
    weights: defaultdict[str, float] = defaultdict(float)
    for words in map(tokenize, keywords):
        for token in words:
            weights[token] = max(weights[token], KEYWORD_WEIGHT / len(words))
    return weights


@functools.cache
def _build_index(sections: tuple[Section, ...]) -> _Index:
    return _Index(sections)
