"""Short answers from a section: yes or no, the sentences that fit the question, and the line to type."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable

from ..language import _
from . import forms, phrases
from .follow_up import has_pronoun
from .passages import question_weights, rank_passages
from .search import is_mentioned
from .sections import Passage, Section, detect_language
from .services import named_service
from .words import key_of, split_words, tokenize
from .yes_no import CAPABILITY, NEGATION, NUMBERED, UNSURE, YES, YES_NO

MAX_WHOLE = 600
"""Characters of a page that is told whole."""
MAX_SENTENCES = 3
"""Sentences of one passage."""
MAX_PASSAGES = 2
"""Passages that fit best."""
MAX_FURTHER = 4
"""Further passages, where the best do not hold most of what the question says."""
BRIEF_SENTENCES = 2
"""Sentences of an answer that shall be short, or is in another language than the question."""
CLOSE_RATIO = 0.7
"""A second passage is told if it scores at least this share of the best."""
SHOWN_WEIGHT = 0.6
"""Weight of a passage that was told in the answer before."""
AGAIN_RATIO = 0.5
"""The same share for a passage of a page that was told before, where no beginning follows."""
MAX_AGAIN = 3
"""Passages of such a page."""
LEAD_RATIO = 0.15
"""Other passages follow the beginning of the best page if they score at least this share of its score."""
NEAR_WORDS = 2
"""Words of a question, the most telling among them, that a sentence of its page holds if it is about the same."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZА-ЯЁ`“«\"(])")


def short_answer(question: str, section: Section, language: str, context: str = "", shown: str = "") -> str:
    """Return the answer to a question out of the section that holds it, in Markdown.

    The passage that fits best comes first, then how the page begins, with its example. Of a page that was shown
    before, the passages that fit are told alone, and those that were not shown before others.

    Args:
        question: The question.
        section: The section.
        language: Language of the section, which is the current one.
        context: The question before, if this one follows up on it.
        shown: What was answered before, if this question follows up on it.
    """
    decided = yes_or_no(question, section)
    if context and has_pronoun(question) and decided == _(phrases.YES):  # the page may affirm something else than "it"
        decided = ""
    is_again = section.title in shown
    if len(section.body) <= MAX_WHOLE and not is_again:
        decided = _unless_denied(decided, section.body)
        gap = "\n\n" if section.body.startswith("```") else " "
        return f"**{section.title}**\n\n{f'{decided}{gap}' if decided else ''}{section.body}"
    asked = question_weights(question, language, context)
    is_told_anew = is_again and not decided
    chosen = (_choose_again(question, section, language, context, shown) if is_told_anew else []) or _choose(
        question, section, language, context
    )
    parts = [(passage, _shorten(passage.text, asked)) for passage in chosen]
    told = _join([part for passage, text in parts for part in [(passage, text), *_code_below(passage, text, section)]])
    text = " ".join(filter(None, [_unless_denied(decided, told), told]))
    example = "" if "```" in told else example_of(section, question, language, context)
    if is_again and example in shown and not named_service(question):
        example = ""
    if is_told_anew and not is_mentioned(question, language):
        text = f"{_(phrases.NOT_SAID)}\n\n{text}"
    whole = "\n\n".join(filter(None, [f"**{section.title}**", text, example]))
    return whole if _is_whole(f"{shown}\n{whole}", section) else f"{whole}\n\n{_(phrases.MORE)}"


def _choose(question: str, section: Section, language: str, context: str) -> list[Passage]:
    """Return the passages that fit a question best, and the first one, which says what the page is about."""
    asked = question_weights(question, language, context)
    ranked = [pair for pair in rank_passages(question, section, language, context) if _is_prose(pair[1])]
    lead = [passage for passage in section.passages if passage.kind == "text"][:1]
    others = [(score, passage) for score, passage in ranked if passage not in lead]
    chosen = [passage for score, passage in others if score >= CLOSE_RATIO * others[0][0]][:MAX_PASSAGES]
    if ranked and ranked[0][1] in lead:
        chosen = [*lead, *(passage for passage in chosen if others[0][0] >= LEAD_RATIO * ranked[0][0])]
    chosen += [passage for passage in lead if passage not in chosen]
    known = asked.keys() & (key_of(" ".join(section.names)) - key_of(section.title))
    if sum(asked[token] for token in known - _stems(chosen)) >= sum(asked.values()) / 2 > 0:
        further = [*(passage for _score, passage in ranked), *filter(_is_prose, section.passages)]
        chosen += [passage for passage in dict.fromkeys(further) if passage not in chosen][:MAX_FURTHER]
    return chosen


def _choose_again(question: str, section: Section, language: str, context: str, shown: str) -> list[Passage]:
    """Return the passages of a page that fit a follow-up; those that were not shown yet, if none does."""
    ranked = [
        (score * (SHOWN_WEIGHT if passage.text in shown else 1), passage)
        for score, passage in rank_passages(question, section, language, is_shown=True)
        if _is_prose(passage)
    ]
    ranked.sort(key=lambda pair: -pair[0])
    fitting = [passage for score, passage in ranked if score >= AGAIN_RATIO * ranked[0][0]][:MAX_AGAIN]
    fresh = [passage for passage in section.passages if _is_prose(passage) and passage.text not in shown][:MAX_PASSAGES]
    if not question:
        return fresh or list(filter(_is_prose, section.passages))[1:][:MAX_PASSAGES]
    if not fitting:
        is_short = len(section.body) <= MAX_WHOLE
        first = filter(_is_prose, section.passages) if is_short else _choose(question, section, language, context)
        return list(dict.fromkeys([*first, *fresh]))
    is_operation = forms.OPERATION.fullmatch(forms.plain(question)) is not None  # its word stands for many others
    lead = [passage for passage in section.passages if passage.kind == "text"][:1] if is_operation else []
    return list(dict.fromkeys([*fitting, *lead]))


def _code_below(passage: Passage, told: str, section: Section) -> list[tuple[Passage, str]]:
    """Return the code that a passage leads to, if what is told of it ends with the colon before that code."""
    if not told.endswith(":"):
        return []
    below = section.passages[section.passages.index(passage) + 1 :]
    return [(code, code.text) for code in itertools.takewhile(lambda one: not _is_prose(one), below)]


def brief_answer(section: Section, question: str, language: str) -> str:
    """Return the first sentences of a section and the example that fits, for who finds an answer too long."""
    lead = next((passage.text for passage in section.passages if passage.kind == "text"), "")
    text = " ".join(_SENTENCE.split(lead)[:BRIEF_SENTENCES])
    return "\n\n".join(filter(None, [f"**{section.title}**", text, example_of(section, question, language)]))


def example_of(section: Section, question: str, language: str, context: str = "") -> str:
    """Return the block of code that fits the question best, with those that follow it directly.

    Without one that does, it is the block that the fitting passage leads to, else the first.
    """
    ranked = [passage for _score, passage in rank_passages(question, section, language, context)]
    fitting = [passage for passage in ranked if passage.kind == "code"]
    led_to = [section.passages.index(passage) + 1 for passage in ranked[:1] if _leads_on(passage.text, question)]
    blocks = [passage for passage in section.passages if passage.kind == "code"]
    at = next(iter([*map(section.passages.index, fitting), *led_to, *map(section.passages.index, blocks)]), 0)
    adjacent = itertools.takewhile(lambda passage: passage.kind == "code", section.passages[at:])
    return "\n\n".join(passage.text for passage in adjacent)


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


def _unless_denied(decided: str, told: str) -> str:
    """Return yes or no, but no yes before a sentence that denies something."""
    return "" if decided == _(phrases.YES) and NEGATION.search(_SENTENCE.split(told)[0]) else decided


def _is_affirmed(question: str, asked: Collection[str], section: Section) -> bool:
    """Return whether a section speaks of all that a question asks for, versions too, and nowhere restricts it."""
    told = " ".join((section.title, *section.keywords, section.body, CAPABILITY))
    if UNSURE.search(question) or not key_of(told).issuperset(asked):
        return False
    if not all(f" {named} " in f" {_plain(told)} " for named in NUMBERED.findall(_plain(question))):
        return False
    sentences = [one for passage in section.passages for one in _SENTENCE.split(passage.text)]
    held = {sentence: key_of(sentence).intersection(asked) for sentence in sentences}
    nearest = max(sentences, key=lambda sentence: len(held[sentence]))
    weights = question_weights(question, detect_language(question))
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


def _leads_on(text: str, question: str) -> bool:
    return text.endswith(":") and bool(key_of(_SENTENCE.split(text)[-1]) & {*tokenize(question)})


def _is_prose(passage: Passage) -> bool:
    return passage.kind != "code"


def _stems(passages: Iterable[Passage]) -> set[str]:
    return {token for passage in passages for token in tokenize(passage.text)}


def _shorten(text: str, asked: dict[str, float]) -> str:
    """Return the sentences that fit the question best, in their order."""
    sentences = _SENTENCE.split(text)
    if len(sentences) <= MAX_SENTENCES:
        return text
    fit = [sum(asked.get(token, 0.0) for token in key_of(sentence)) for sentence in sentences]
    best = sorted(range(len(sentences)), key=lambda number: -fit[number])[:MAX_SENTENCES]
    return " ".join(sentences[number] for number in sorted(best))


def _is_whole(answer: str, section: Section) -> bool:
    return all(passage.text in answer for passage in section.passages)
