"""Search of the help by the name of a page, or by what is like it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from .ranking import is_asked, rank_sections
from .sections import Section, list_titles, load_sections
from .words import is_significant, key_of, split_words, tokenize


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
    return rank_sections(name, language)[0].section


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
    is_other = rank_sections(name, language)[0].section is None
    ranked = [] if is_other else [section.title for section in near_sections(name, language)]
    return list(dict.fromkeys([*(titles[one] for one in near), *ranked]))[:count]


def near_sections(question: str, language: str) -> list[Section]:
    """Return the sections near a question, best first: those named by a word of it, other words being known, too."""
    asked = {*tokenize(question)}
    ranked = (one.section for one in rank_sections(question, language))
    return [one for one in ranked if one and asked & key_of(" ".join((one.title, *one.keywords)))]
