"""The topic of a conversation with the guide: the page that the last answer was from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from . import forms, search, small_talk
from .classifier import STAYS, UNRELATED, load_classifier
from .follow_up import begins_with_conjunction, has_pronoun
from .sections import Section, detect_language, load_sections
from .words import key_of, split_words, tokenize

MAX_WORDS = 8
"""Significant words that are counted."""
SHORT = 3
"""Words of a question that only names something."""
TOPIC_PROMPTS = 6
"""Previous prompts that are read again for the last topic."""
_TROUBLE_TITLE = re.compile(
    r"\b(?:\d{3}|not (?!do\b)|nothing|can t|slow|errors|cut off|не|нет связи|ничего|медленный|ошибки|обрыв\w*)"
)
"""Titles of the pages that tell what to do when something goes wrong."""
_TROUBLE = {
    "en": ("not shown, does not work", "errors of lockbots"),
    "ru": ("не показывается, не работает", "ошибки lockbots"),
}
"""Words that lead to the page on the troubles of a topic, and the page for those without one."""


def select(question: str, ranked: Sequence[tuple[float, Section]], topic: Section | None) -> Section | None:
    """Return the section that answers; of a question that goes on from the answer before, that of the last topic."""
    score, best = ranked[0]
    words = forms.plain(question)
    language = detect_language(question)
    if topic is not None and forms.STUCK.fullmatch(words):
        return _find_trouble(topic, language) or search.find_section(_TROUBLE[language][1], language)
    if topic is not None and forms.NOT_SHOWN.fullmatch(words):
        return _find_trouble(topic, language) or topic
    if topic is not None and (forms.BARE.fullmatch(words) or _stays(question, topic)):
        return topic
    return best if search.is_answer(score) else None


def find_topic(earlier: Sequence[str], language: str) -> Section | None:
    """Return the section that the last answer was from, in a language; None if it was from none."""
    at = None
    for question in earlier[-TOPIC_PROMPTS:]:
        if at is not None and is_form(question):
            continue
        sections = load_sections(asked_in := detect_language(question))
        topic = None if at is None else sections[at]
        section = select(question, search.rank_sections(question, asked_in), topic)
        at = at if section is None else sections.index(section)
    return None if at is None else load_sections(language)[at]


def signs_of_staying(question: str, topic: Section, margins: Mapping[str, float], language: str) -> list[float]:
    """Return what tells whether a question goes on from the answer before; `docs/train_guide.py` weighs each.

    Args:
        question: Free text.
        topic: Section of the answer before.
        margins: Of the pages for the question, as the classifier tells them.
        language: Of question and section.
    """
    others = [section for section in load_sections(language) if section is not topic]
    best = max(others, key=lambda section: margins[section.title])
    weights = search.weigh(question, language)
    count = len(tokenize(question))
    return [
        margins[topic.title],
        margins[best.title],
        margins[UNRELATED],
        margins[STAYS],
        search.cover(weights, topic.page),
        search.cover(weights, best.page),
        search.cover(weights, topic.title),
        search.cover(weights, best.title),
        min(count, MAX_WORDS) / MAX_WORDS,
        1 / (1 + count),
        float(begins_with_conjunction(question)),
        float(has_pronoun(question)),
    ]


def _stays(question: str, topic: Section) -> bool:
    """Return whether a question is most likely answered by the page of the answer before."""
    language = detect_language(question)
    words = search.read_words(question, language)
    if not any(map(str.isalpha, words)) or _names_sibling(question, topic, language):
        return False
    classifier = load_classifier(language)
    signs = signs_of_staying(question, topic, classifier.margins(words), language)
    *weights, bias = classifier.stay_weights
    return math.fsum(sign * weight for sign, weight in zip(signs, weights, strict=True)) + bias > 0


def _names_sibling(question: str, topic: Section, language: str) -> bool:
    """Return whether a question names another page of the topic's group and nothing else: "and for Ollama?"."""
    best = search.rank_sections(question, language)[0][1]
    is_short = begins_with_conjunction(question) and len(split_words(question)) <= SHORT
    return is_short and best.group == topic.group and {*tokenize(question)} <= key_of(best.title) - key_of(topic.title)


def is_form(question: str) -> bool:
    """Return whether a question asks for the last answer in another form, and keeps its topic."""
    words = forms.plain(question)
    kept = (forms.MORE, forms.EXAMPLE, forms.SHORTER, forms.OTHER_LANGUAGE, small_talk.THANKS)
    return any(form.fullmatch(words) for form in kept)


def _find_trouble(topic: Section, language: str) -> Section | None:
    """Return the page on troubles with a topic, which its title names as that of the topic does; None without one."""
    if _tells_of_trouble(topic):
        return topic
    ranked = search.rank_sections(f"{topic.title}: {_TROUBLE[language][0]}", language)
    answers = (section for score, section in ranked if search.is_answer(score) and _tells_of_trouble(section))
    titled = (section for section in answers if key_of(section.title) & key_of(topic.title))
    return next(titled, None)


def _tells_of_trouble(section: Section) -> bool:
    return _TROUBLE_TITLE.search(forms.plain(section.title)) is not None
