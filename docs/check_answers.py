"""Tell for how many collected questions the guide shows the sentence that answers them, given the right page.

`docs/questions_*.txt` name the sentences. With `--missed` it lists the questions whose answer lacks it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from questions import UNANSWERED, Question, read_questions  # the first: it sets the path

from lockbots_magic.help.follow_up import is_follow_up
from lockbots_magic.help.ranking import Ranked
from lockbots_magic.help.sections import Section, load_sections
from lockbots_magic.help.short_answer import short_answer
from lockbots_magic.language import speaking


class Asked(NamedTuple):
    """A collected question that the help answers, as the guide is asked it."""

    question: Question
    context: str
    """The question before, if this one follows up on it."""
    shown: str
    """The answer before, if it was from the same page."""


def main() -> None:
    """Print the share of answers that hold the sentence, and their average length in characters."""
    for language in ("en", "ru"):
        pages = {section.title: section for section in load_sections(language)}
        answers: dict[str, list[tuple[Question, str]]] = defaultdict(list)
        for question, context, shown in read_asked(language):
            with speaking(language):
                text = short_answer(question.text, [Ranked(1.0, pages[question.page])], language, context, shown)
            answers["then" if question.before else "first"].append((question, text))
        for kind, pairs in answers.items():
            missed = [question for question, text in pairs if question.told not in text]
            share, length = 1 - len(missed) / len(pairs), sum(len(text) for _question, text in pairs) // len(pairs)
            sys.stdout.write(f"{language} {kind}: {share:.3f} of {len(pairs)}, {length} characters\n")
            if "--missed" in sys.argv:
                sys.stdout.writelines(f"    {one.page} | {one.text} :: {one.told}\n" for one in missed)


def read_asked(language: str) -> Iterator[Asked]:
    """Yield the collected questions that the help answers, each with what was said before it."""
    pages = {section.title: section for section in load_sections(language)}
    for question in read_questions(language):
        if question.page == UNANSWERED:
            continue
        context, shown = ask_before(pages[question.before], language) if question.before else ("", "")
        yield Asked(
            question,
            context if is_follow_up(question.text) else "",
            shown if question.before == question.page else "",
        )


def ask_before(section: Section, language: str) -> tuple[str, str]:
    """Return a typical first question about a page, and its answer."""
    question = section.asked[0] or section.title
    with speaking(language):
        return question, short_answer(question, [Ranked(1.0, section)], language)


if __name__ == "__main__":
    main()
