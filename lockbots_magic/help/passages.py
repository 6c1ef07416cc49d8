"""The passages of a page that answer a question."""

from __future__ import annotations

import math
import re
from collections import Counter

from .search import weigh
from .sections import Passage, Section
from .words import key_of, tokenize

CONTEXT_WEIGHT = 0.15
"""Weight of the words of the question before, where a passage of the same topic is chosen."""
CODE_WEIGHT = 0.5
"""Weight of a word that a passage holds only in code, such as the name of a variable."""
LEAD_WEIGHT = 2.0
"""Weight of the first paragraph of a page, which is written to answer most questions about it."""

_ASKS_WHERE = re.compile(r"\b(?:where|где)\b", re.IGNORECASE)
_WHERE = "file path folder файл папка"
"""What a page speaks of that tells where something is."""
_SPOKEN_OF = (
    (
        r"how much (?:is|does|do|will)|how expensive|сколько (?:это )?(?:стои|будет стои)",
        "cost price charge цена доллар",
    ),
    (r"how (?:big|large)|what size|размер\w*", "MB limit scaled МБ предел"),
    (r"\b(?:safe|secure|dangerous|risky)\b|безопасн|опасн|рискованн", "approve ask rights спросят правами"),
    (r"\binternet\b|\bonline\b|интернет", "network сеть"),
)
"""What else a question asks by its words, and what a page speaks of that answers it."""
_INLINE_CODE = re.compile(r"`[^`\n]+`")


def rank_passages(
    question: str, section: Section, language: str, context: str = "", *, is_shown: bool = False
) -> list[tuple[float, Passage]]:
    """Rank the passages of a section by the words of the question that they hold; best first, those without left out.

    Args:
        question: Free text.
        section: One of the sections of the language.
        language: Language of the section.
        context: The question before, if this one follows up on it.
        is_shown: The page was shown before, so that its beginning is no better than another passage.
    """
    asked = question_weights(question, language, context)
    own = key_of(section.title)
    lead = next((passage for passage in section.passages if passage.kind == "text"), None)
    others = (key_of(one.text) for one in section.passages if one.kind != "code" and one is not lead)
    titled = frozenset() if is_shown else own.difference(*others)  # a word of the title that only the title says
    held = {
        passage: key_of(passage.text) | (titled if passage is lead else frozenset()) for passage in section.passages
    }
    spread = Counter(token for stems in held.values() for token in stems)  # a word of all passages chooses none
    scores = []
    for passage in section.passages:
        prose = key_of(_INLINE_CODE.sub(" ", passage.text)) if passage.kind != "code" else held[passage]
        if passage is lead:  # it is about what the title says, whatever its words
            prose |= titled
        fit = math.fsum(
            asked[token] / (1 + (token in own)) / math.sqrt(spread[token]) * (1 if token in prose else CODE_WEIGHT)
            for token in asked.keys() & held[passage]
        )
        scores.append((fit * (LEAD_WEIGHT if passage is lead and not is_shown else 1), passage))
    return sorted((pair for pair in scores if pair[0]), key=lambda pair: -pair[0])


def question_weights(question: str, language: str, context: str = "") -> dict[str, float]:
    """Return the stems of a question with their weights, as the search reads it; those of its context weigh less."""
    question += f" {_WHERE}" if not tokenize(question) and _ASKS_WHERE.search(question) else ""
    question += "".join(f" {words}" for asks, words in _SPOKEN_OF if re.search(asks, question, re.IGNORECASE))
    before = {token: CONTEXT_WEIGHT * weight for token, weight in weigh(context, language).items()}
    return before | weigh(question, language)
