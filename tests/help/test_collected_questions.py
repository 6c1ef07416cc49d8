"""The questions that the guide's weights are fitted to, with the part of a page that answers each."""

import importlib.util
from pathlib import Path

import pytest

from lockbots_magic.help.ranking import Ranked
from lockbots_magic.help.sections import detect_language, load_sections
from lockbots_magic.help.short_answer import MAX_PAGES, MIN_PROBABILITY, short_answer
from lockbots_magic.help.topic import rank_pages

PATH = Path(__file__).parents[2] / "docs" / "questions.py"


@pytest.fixture(scope="module")
def questions():
    spec = importlib.util.spec_from_file_location("questions", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "ru"])
def test_each_names_a_page_and_a_part_of_it_and_follow_ups_find_it(questions, language):
    collected = questions.read_questions(language)  # raises where a line names no page, or no part of it
    sections = {section.title: section for section in load_sections(language)}
    sample = [one for one in collected if one.before and detect_language(one.text) == language][::4]
    found = []
    for question in sample:
        ranked = rank_pages(question.text, sections[question.before])
        likely = [one for one in ranked[:MAX_PAGES] if one.probability >= MIN_PROBABILITY]
        titles = [one.section.title if one.section else questions.UNANSWERED for one in likely]
        found.append((titles[0] == question.page, question.page in titles))
    assert sum(is_first for is_first, _is_told in found) >= 0.85 * len(found)
    assert sum(is_told for _is_first, is_told in found) >= 0.95 * len(found)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_answer_out_of_the_right_page_is_short_and_holds_that_part(questions, language):
    sections = {section.title: section for section in load_sections(language)}
    collected = [one for one in questions.read_questions(language) if one.page != questions.UNANSWERED]
    told = {}
    for one in collected[::17]:
        section = sections[one.page]
        shown = f"**{section.title}**" if one.before == one.page else ""
        told[one] = short_answer(one.text, [Ranked(1.0, section)], language, shown=shown)
    missed = [one.text for one, text in told.items() if one.told not in text]
    assert len(missed) <= 0.16 * len(told), missed
    assert sum(map(len, told.values())) <= 700 * len(told)
