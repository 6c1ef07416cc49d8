"""The topic of a conversation with the guide: the page that the last answer was from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import forms, small_talk
from .ranking import Ranked, rank_sections
from .search import find_section
from .sections import Section, detect_language, load_sections
from .words import key_of

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


def rank_pages(question: str, topic: Section | None) -> list[Ranked]:
    """Return the sections that may answer, best first; words that only tell of trouble lead to the page on that."""
    words = forms.plain(question)
    language = detect_language(question)
    if topic is None:
        return rank_sections(question, language)
    if forms.STUCK.fullmatch(words):
        section = _find_trouble(topic, language) or find_section(_TROUBLE[language][1], language)
    elif forms.NOT_SHOWN.fullmatch(words):
        section = _find_trouble(topic, language) or topic
    elif forms.BARE.fullmatch(words):
        section = topic
    else:
        return rank_sections(question, language, topic)
    return [Ranked(1.0, section)]


def find_topic(earlier: Sequence[str], language: str) -> Section | None:
    """Return the section that the last answer was from, in a language; None if it was from none."""
    at = None
    for question in earlier[-TOPIC_PROMPTS:]:
        if at is not None and is_form(question):
            continue
        sections = load_sections(detect_language(question))
        section = rank_pages(question, None if at is None else sections[at])[0].section
        at = at if section is None else sections.index(section)
    return None if at is None else load_sections(language)[at]


def is_form(question: str) -> bool:
    """Return whether a question asks for the last answer in another form, and keeps its topic."""
    words = forms.plain(question)
    kept = (forms.MORE, forms.EXAMPLE, forms.SHORTER, forms.OTHER_LANGUAGE, small_talk.THANKS)
    return any(form.fullmatch(words) for form in kept)


def _find_trouble(topic: Section, language: str) -> Section | None:
    """Return the page on troubles with a topic, which its title names as that of the topic does; None without one."""
    if _tells_of_trouble(topic):
        return topic
    ranked = rank_sections(f"{topic.title}: {_TROUBLE[language][0]}", language)
    likely = (one.section for one in ranked if one.section and one.probability)
    titled = (one for one in likely if _tells_of_trouble(one) and key_of(one.title) & key_of(topic.title))
    return next(titled, None)


def _tells_of_trouble(section: Section) -> bool:
    return _TROUBLE_TITLE.search(forms.plain(section.title)) is not None
