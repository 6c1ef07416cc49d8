"""Short answers from a section: yes or no, the sentences that fit the question, and the line to type."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ..language import _
from . import phrases
from .follow_up import has_pronoun
from .passages import (
    SENTENCE_END,
    Sentence,
    asks_how,
    list_lead,
    may_speak_of,
    rank_sentences,
    split_sentences,
)
from .ranking import Ranked
from .reading import is_mentioned, weigh
from .sections import Passage, Section, detect_language
from .services import named_service
from .words import key_of, split_words, tokenize
from .yes_no import CAPABILITY, NEGATION, NUMBERED, UNSURE, YES, YES_NO

MAX_PAGES = 3
"""Pages that an answer is taken from."""
MIN_PROBABILITY = 0.1
"""Of a further page that it is taken from."""
MAX_WHOLE = 600
"""Characters of a page that is told whole."""
MIN_SENTENCES, MAX_SENTENCES = 3, 6
"""Sentences that are chosen for a question, however sure it is that one answers."""
ENOUGH = 0.88
"""Probability that the sentences told hold the answer: further ones are left out."""
BRIEF_SENTENCES = 2
"""Sentences of an answer that shall be short, or is in another language than the question."""
NEAR_WORDS = 2
"""Words of a question, the most telling among them, that a sentence of its page holds if it is about the same."""
HELD_SHARE = 0.3
"""Share of what a question says, by weight, that the sentence after a yes holds."""
_LINKED = re.compile(
    r"(?:it|its|they|them|this|that|these|those|he|she|so|then|there|otherwise|both|else|everything else|the rest"
    r"|the others?|about everything else|however|but|instead|also|after that"
    r"|он|она|оно|они|его|ее|её|их|это|этот|эта|эти|там|тогда|так|иначе|оба|обе|туда|здесь|остальн\w+|но|однако"
    r"|при этом|поэтому|зато|после этого|обо? вс[её]м остальном|[вкс] н[её]\w+)\b",
    re.IGNORECASE,
)
"""Begins a sentence that the one before it explains."""


class _Part(NamedTuple):
    """A page, and what of it may answer."""

    section: Section
    probability: float
    """That the page answers."""
    ranked: Sequence[tuple[float, Sentence]]
    """Its sentences, each with the probability that it does, best first."""


def short_answer(question: str, pages: Sequence[Ranked], language: str, context: str = "", shown: str = "") -> str:
    """Return the answer to a question out of the sections that may hold it, in Markdown.

    Of the first section, the passages that fit best come first, then how it begins, unless it was shown before, and its
    example. What another section says of it follows under the title of that.

    Args:
        question: The question; empty for what was not told yet of the first section.
        pages: Sections, best first, as `rank_sections` returns them; the first is one that answers.
        language: Language of the sections, which is the current one.
        context: The question before, if this one follows up on it.
        shown: What was answered before.
    """
    parts = [
        _Part(page, likely, rank_sentences(question, page, language, is_shown=_is_shown(page, shown)))
        for likely, page in pages[:MAX_PAGES]
        if page is not None and (likely >= MIN_PROBABILITY or page is pages[0].section)
    ]
    first, *others = parts
    chosen = _choose(question, parts) if question else [_list_untold(first.section, shown)]
    decided = yes_or_no(question, first.section)
    if context and has_pronoun(question) and decided == _(phrases.YES):  # the page may affirm something else than "it"
        decided = ""
    told = _tell_first(question, first, chosen[0], decided, shown)
    more = [] if _is_whole(f"{shown}\n{told}", first.section) else [_(phrases.MORE)]
    rest = [_tell(part, sentences) for part, sentences in zip(others, chosen[1:], strict=False) if sentences]
    return "\n\n".join([told, *more, *rest])


def _is_shown(section: Section, shown: str) -> bool:
    return f"**{section.title}**" in shown


def _choose(question: str, parts: Sequence[_Part]) -> list[list[Sentence]]:
    """Return the sentences of each page to tell: those that most likely answer, of all pages together."""
    ranked = [
        (part.probability * likely, number, one) for number, part in enumerate(parts) for likely, one in part.ranked
    ]
    ranked.sort(key=lambda row: -row[0])
    enough = ENOUGH * math.fsum(part.probability for part in parts)
    sums = itertools.accumulate(row[0] for row in ranked)
    count = 1 + next((number for number, likely in enumerate(sums) if likely >= enough), len(ranked))
    most = MIN_SENTENCES if _asks_for_title(question, parts[0].section) else MAX_SENTENCES
    told = ranked[: min(max(count, MIN_SENTENCES), most)]
    return [[one for _likely, of, one in told if of == number] for number in range(len(parts))]


def _asks_for_title(question: str, section: Section) -> bool:
    """Return whether a question asks for what a page begins with."""
    return key_of(section.title).issuperset(tokenize(question))


def _list_untold(section: Section, shown: str) -> list[Sentence]:
    prose = [sentence for sentence in split_sentences(section) if _is_prose(sentence.passage)]
    return ([one for one in prose if one.passage.text not in shown] or prose[1:])[:MAX_SENTENCES]


def _tell_first(question: str, part: _Part, chosen: Sequence[Sentence], decided: str, shown: str) -> str:
    """Return what the first page answers: yes or no, the sentences, how the page begins, and what to type."""
    section, ranked = part.section, part.ranked
    is_again = _is_shown(section, shown)
    if len(section.body) <= MAX_WHOLE and not is_again:
        decided = _unless_denied(decided, section.body, question)
        gap = "\n\n" if section.body.startswith("```") else " "
        return f"**{section.title}**\n\n{f'{decided}{gap}' if decided else ''}{section.body}"
    chosen = chosen if is_again or not question else _add_lead(question, section, chosen)
    told = _tell_prose(section, chosen)
    text = " ".join(filter(None, [_unless_denied(decided, told, question), told]))
    in_order = [(0.0, one) for one in split_sentences(section)] if _asks_for_title(question, section) else ranked
    example = "" if "```" in told else _best_code(section, in_order)
    is_told = is_again and example in shown and not asks_how(question) and all(_is_prose(one.passage) for one in chosen)
    if is_told and not named_service(question):
        example = ""
    is_new = is_again and not decided and not is_mentioned(question, detect_language(question))
    if is_new and not may_speak_of(question, chosen):
        text = f"{_(phrases.NOT_SAID)}\n\n{text}"
    return "\n\n".join(filter(None, [f"**{section.title}**", text, example]))


def _add_lead(question: str, section: Section, chosen: Sequence[Sentence]) -> list[Sentence]:
    """Return sentences with those that the page begins with: first if they may answer, else last."""
    lead = list_lead(section)
    is_first = _asks_for_title(question, section) or any(one in lead for one in chosen[:MIN_SENTENCES])
    return list(dict.fromkeys([*lead, *chosen] if is_first else [*chosen, *lead]))


def _tell(part: _Part, chosen: Sequence[Sentence]) -> str:
    """Return what a further page says of it."""
    told = _tell_prose(part.section, chosen)
    is_code = "```" not in told and not all(_is_prose(one.passage) for one in chosen)
    example = _best_code(part.section, part.ranked) if is_code else ""
    return "\n\n".join(filter(None, [f"**{part.section.title}**", told, example]))


def _tell_prose(section: Section, chosen: Sequence[Sentence]) -> str:
    """Return sentences with those that they refer to, and with the code that one leads to."""
    parts = _group([one for one in chosen if _is_prose(one.passage)], section)
    return _join([part for passage, text in parts for part in [(passage, text), *_code_below(passage, text, section)]])


def _group(chosen: Sequence[Sentence], section: Section) -> list[tuple[Passage, str]]:
    """Return the passages with the sentences chosen from each, and those that a chosen one refers back to."""
    sentences = split_sentences(section)
    numbers = {sentences.index(one) for one in chosen}
    for number in sorted(numbers, reverse=True):
        at = number
        while at and _LINKED.match(sentences[at].text) and sentences[at - 1].passage is sentences[at].passage:
            at -= 1
            numbers.add(at)
    told = [sentences[number] for number in sorted(numbers)]
    passages = dict.fromkeys(one.passage for one in chosen)
    return [(passage, " ".join(one.text for one in told if one.passage is passage)) for passage in passages]


def _code_below(passage: Passage, told: str, section: Section) -> list[tuple[Passage, str]]:
    """Return the code that a passage leads to, if what is told of it ends with the colon before that code."""
    if not told.endswith(":"):
        return []
    below = section.passages[section.passages.index(passage) + 1 :]
    return [(code, code.text) for code in itertools.takewhile(lambda one: not _is_prose(one), below)]


def brief_answer(section: Section, question: str, language: str) -> str:
    """Return the first sentences of a section and the example that fits, for who finds an answer too long."""
    lead = next((passage.text for passage in section.passages if passage.kind == "text"), "")
    text = " ".join(SENTENCE_END.split(lead)[:BRIEF_SENTENCES])
    return "\n\n".join(filter(None, [f"**{section.title}**", text, example_of(section, question, language)]))


def example_of(section: Section, question: str, language: str) -> str:
    """Return the block of code that fits the question best, with those that follow it directly."""
    return _best_code(section, rank_sentences(question, section, language))


def _best_code(section: Section, ranked: Iterable[tuple[float, Sentence]]) -> str:
    best = next((one.passage for _probability, one in ranked if not _is_prose(one.passage)), None)
    if best is None:
        return ""
    following = section.passages[section.passages.index(best) :]
    return "\n\n".join(passage.text for passage in itertools.takewhile(lambda one: not _is_prose(one), following))


def yes_or_no(question: str, section: Section) -> str:
    """Return "Yes." or "No." for a question that asks so, and nothing where neither is certain."""
    words = " ".join(re.findall(r"[\w%-]+", question.lower()))
    if not YES_NO.match(f"{words}?" if question.rstrip().endswith("?") else words):
        return ""
    asked = key_of(question)
    if any(_with_numbers(words) <= _with_numbers(question) for words in section.undecided):
        return ""
    if any(_with_numbers(words) <= _with_numbers(question) for words in section.denied):
        return _(phrases.NO)
    return _(phrases.YES) if YES.match(words) and _is_affirmed(words, asked, section) else ""


def _with_numbers(text: str) -> frozenset[str]:
    """Return the significant stems and the numbers: "Python 3.9" is not "Python 3.12"."""
    return key_of(text) | frozenset(filter(str.isdigit, split_words(text)))


def _unless_denied(decided: str, told: str, question: str) -> str:
    """Return yes or no, but no yes before a sentence that denies something, or speaks of something else."""
    if decided != _(phrases.YES):
        return decided
    first = SENTENCE_END.split(told)[0]
    asked = weigh(question, detect_language(question))
    stems, letters = key_of(f"{first} {CAPABILITY}"), "".join(split_words(first))  # "VS Code" is "vscode"
    held = math.fsum(weight for token, weight in asked.items() if token in stems or token in letters)
    return "" if NEGATION.search(first) or held < HELD_SHARE * math.fsum(asked.values()) else decided


def _is_affirmed(question: str, asked: Collection[str], section: Section) -> bool:
    """Return whether a section speaks of all that a question asks for, versions too, and nowhere restricts it."""
    told = " ".join((section.title, *section.keywords, section.body, CAPABILITY))
    if UNSURE.search(question) or not key_of(told).issuperset(asked):
        return False
    if not all(f" {named} " in f" {_plain(told)} " for named in NUMBERED.findall(_plain(question))):
        return False
    sentences = [one for passage in section.passages for one in SENTENCE_END.split(passage.text)]
    held = {sentence: key_of(sentence).intersection(asked) for sentence in sentences}
    nearest = max(sentences, key=lambda sentence: len(held[sentence]))
    weights = weigh(question, detect_language(question))
    telling = max(sorted(asked), key=lambda token: weights.get(token, 0.0))
    near = [one for one in sentences if telling in held[one] and len(held[one]) >= NEAR_WORDS]
    return not any(map(NEGATION.search, [nearest, *near]))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _join(parts: Iterable[tuple[Passage, str]]) -> str:
    """Return paragraphs and items; an item that begins the answer is a paragraph."""
    told = ""
    for passage, text in parts:
        is_item = bool(told) and passage.kind == "item"
        gap = "\n" if is_item and told.rpartition("\n")[2].startswith("- ") else "\n\n"
        told += f"{gap if told else ''}{'- ' if is_item else ''}{text}"
    return told


def _is_prose(passage: Passage) -> bool:
    return passage.kind != "code"


def _is_whole(answer: str, section: Section) -> bool:
    return all(passage.text in answer for passage in section.passages)
