"""Questions with the sentence of the help that answers each: what the guide's weights are fitted and checked by.

`questions_en.txt` and `questions_ru.txt` hold a block for each page, `# Title`, of lines `KIND | QUESTION :: ANSWER`.
KIND is `first`, for a question that begins a conversation, or `then`, for one that is asked after an answer from this
page. ANSWER is a part of the page, word for word, that a good answer shows. `QUESTION > TITLE` names another page than
the block's as the one that answers; `> -`, without an answer, says that the help does not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from lockbots_magic.help.classifier import UNRELATED  # noqa: E402  # needs the path
from lockbots_magic.help.sections import load_sections  # noqa: E402

UNANSWERED = UNRELATED
"""Stands for the page of a question that the help does not answer."""


class Question(NamedTuple):
    """A question, and what answers it."""

    text: str
    before: str
    """Title of the page that the answer before was from; empty for the first question of a conversation."""
    page: str
    """Title of the page that answers, or `UNANSWERED`."""
    told: str
    """Part of that page that the answer shows."""


def read_questions(language: str) -> list[Question]:
    """Return the questions of a language, ``"en"`` or ``"ru"``.

    Raises:
        ValueError: A line is not of the form, or names no page or no part of one.
    """
    pages = {section.title: section.page for section in load_sections(language)}
    found: list[Question] = []
    block = ""
    text = (Path(__file__).parent / f"questions_{language}.txt").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if line.startswith("# "):
            block = line[2:]
            continue
        question = _parse(line, block)
        if question is None or (question.page != UNANSWERED and question.told not in pages.get(question.page, "")):
            raise ValueError(f"questions_{language}.txt:{number}: no such form, page or part of it: {line}")
        found.append(question)
    return found


def _parse(line: str, block: str) -> Question | None:
    kind, _, rest = line.partition(" | ")
    asked, _, told = rest.partition(" :: ")
    text, _, page = asked.partition(" > ")
    page = (page or block).strip()
    if kind not in ("first", "then") or not text.strip() or bool(told.strip()) == (page == UNANSWERED):
        return None
    return Question(text.strip(), block if kind == "then" else "", page, told.strip())


if __name__ == "__main__":
    for name in ("en", "ru"):
        questions = read_questions(name)
        follow_ups = sum(bool(question.before) for question in questions)
        sys.stdout.write(f"{name}: {len(questions) - follow_ups} first questions, {follow_ups} that follow up\n")
