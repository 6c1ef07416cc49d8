"""The topic of a conversation with the guide: the page that a question is about, read with the questions before it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import forms, search, small_talk
from .follow_up import begins_with_conjunction, has_pronoun, is_follow_up
from .sections import Section, detect_language, load_sections
from .words import tokenize

TOPIC_PROMPTS = 6
"""Previous prompts that are read again for the last topic."""
TOPIC_RATIO = 0.8
"""A follow-up stays with the last topic if this scores at least this share of the best."""
PRONOUN_RATIO = 0.3
"""The same for one that speaks of "it" or "them"."""
COVERED = 0.5
"""Share of what a follow-up says that the last page holds, and no other one more of it, if it stays there."""
LITTLE_COVERED = 0.25
"""The same for one that no page answers."""
_TROUBLE_TITLE = re.compile(
    r"\b(?:\d{3}|not (?!do\b)|nothing|can t|slow|errors|cut off|не|нет связи|ничего|медленный|ошибки|обрыв\w*)"
)
"""Titles of the pages that tell what to do when something goes wrong."""
_TROUBLE = {
    "en": ("not shown, does not work", "errors of lockbots"),
    "ru": ("не показывается, не работает", "ошибки lockbots"),
}
"""Words that lead to the page on the troubles of a topic, and the page for those without one."""


def rank(question: str, earlier: Sequence[str], language: str) -> list[tuple[float, Section]]:
    """Rank the sections for the last prompt of a conversation, best first."""
    return search.rank_sections(question, language, earlier[-1] if earlier else "")


def select(question: str, ranked: Sequence[tuple[float, Section]], topic: Section | None) -> Section | None:
    """Return the section that answers: of a follow-up the last topic, unless another one fits it clearly better."""
    score, best = ranked[0]
    answers = best if search.is_answer(score) else None
    words = forms.plain(question)
    if topic is not None and forms.STUCK.fullmatch(words):
        return _find_trouble(topic, detect_language(question))
    if topic is None or not is_follow_up(question):
        return answers
    if answers is None:
        stays = _goes_on(question, topic)
    elif forms.SYMPTOM.search(words):
        stays = _covers(question, topic, best)
    else:
        stays = _is_about_topic(question, topic) or _fits(question, ranked, topic)
    return topic if stays or forms.BARE.fullmatch(words) else answers


def _fits(question: str, ranked: Sequence[tuple[float, Section]], topic: Section) -> bool:
    """Return whether a follow-up that another page answers is better answered by that of the last topic."""
    best = ranked[0][1]
    if search.is_named(question, best) and not search.is_named(question, topic):
        return not begins_with_conjunction(question) and _stays(question, ranked, topic)
    return _covers(question, topic, best) or _stays(question, ranked, topic)


def find_topic(earlier: Sequence[str], language: str) -> Section | None:
    """Return the section that the last answer was from, in a language; None if it was from none."""
    at = None
    for number in range(max(0, len(earlier) - TOPIC_PROMPTS), len(earlier)):
        question = earlier[number]
        if at is not None and is_form(question):
            continue
        sections = load_sections(asked_in := detect_language(question))
        ranked = rank(question, earlier[:number], asked_in)
        section = select(question, ranked, None if at is None else sections[at])
        at = at if section is None else sections.index(section)
    return None if at is None else load_sections(language)[at]


def is_form(question: str) -> bool:
    """Return whether a question asks for the last answer in another form, and keeps its topic."""
    words = forms.plain(question)
    kept = (forms.MORE, forms.EXAMPLE, forms.SHORTER, forms.OTHER_LANGUAGE, small_talk.THANKS)
    return any(form.fullmatch(words) for form in kept)


def _goes_on(question: str, topic: Section) -> bool:
    """Return whether a question that no page answers goes on from the last answer: "and three?"."""
    is_operation = forms.OPERATION.fullmatch(forms.plain(question)) is not None
    if has_pronoun(question) and (is_operation or not search.is_unrelated(question)):
        return True
    covered = search.cover(question, topic)
    least = LITTLE_COVERED if begins_with_conjunction(question) else 1
    if covered >= least or (covered and has_pronoun(question)):
        return True
    return begins_with_conjunction(question) and not search.is_unrelated(question) and len(tokenize(question)) <= 1


def _covers(question: str, topic: Section, best: Section) -> bool:
    """Return whether the page of the last topic holds what a follow-up says, and the best page no more of it."""
    return search.cover(question, topic) >= max(COVERED, TOPIC_RATIO * search.cover(question, best))


def _stays(question: str, ranked: Sequence[tuple[float, Section]], topic: Section) -> bool:
    """Return whether the last topic scores enough beside the best page."""
    score, best = ranked[0]
    if has_pronoun(question):
        ratio = PRONOUN_RATIO
    else:
        is_held = search.is_held(question, topic, search.TELLING_WEIGHT)
        ratio = 0.0 if is_held and not search.is_named(question, best) else TOPIC_RATIO
    stays = next(at for at, section in ranked if section is topic)
    return bool(stays) and stays >= ratio * score


def _find_trouble(topic: Section, language: str) -> Section | None:
    """Return the page for who still has trouble with a topic: this page if it is about troubles, or that of errors."""
    if _tells_of_trouble(topic):
        return topic
    words, otherwise = _TROUBLE[language]
    ranked = search.rank_sections(f"{topic.title}: {words}", language)
    troubles = (section for score, section in ranked if search.is_answer(score) and _tells_of_trouble(section))
    return next(troubles, None) or search.find_section(otherwise, language)


def _tells_of_trouble(section: Section) -> bool:
    return _TROUBLE_TITLE.search(forms.plain(section.title)) is not None


def _is_about_topic(question: str, topic: Section) -> bool:
    """Return whether a follow-up names no thing of its own, or one that the page of the last topic tells of."""
    words = forms.plain(question)
    if not tokenize(question) and re.search(r"[^\W\d]", question):
        return True
    if forms.QUANTITY.fullmatch(words) or (forms.DETAIL.match(words) and has_pronoun(question)):
        return True
    if len(tokenize(question)) == 1 and forms.HOW.match(words) and search.is_held(question, topic):
        return True
    if forms.IN_CODE.fullmatch(words):
        return search.is_held("python", topic)
    if forms.ASPECT.fullmatch(words) or forms.OPERATION.fullmatch(words) or forms.DETAIL.match(words):
        return search.is_held(question, topic)
    return (has_pronoun(question) or forms.FORMAT.match(words) is not None) and search.is_held(question, topic)
