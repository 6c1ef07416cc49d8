"""How a question shows that it goes on from the one before."""

from __future__ import annotations

import re

from .words import tokenize

MAX_FOLLOW_UP_TOKENS = 2
"""A question with at most this many significant words counts as a follow-up."""

_FOLLOW_UP = re.compile(
    r"(and|also|what about|how about|what if|then|but|or|а|и|ну а|но|или|тогда|(что|как) насч[её]т)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(it|its|them|they|that|those|there|её|ее|его|их|она|он|они|это|этого|туда|там|него|нее|ней|нем|них|эту|этот)\b"
    r"|\b(?:(?:the|an?) (?:\w+ )?)?ones?\b(?!-)",
    re.IGNORECASE,
)


def is_follow_up(question: str) -> bool:
    """Return whether a question continues an earlier one: "and for Ollama?", "where is it?", or very short."""
    return begins_with_conjunction(question) or has_pronoun(question) or len(tokenize(question)) <= MAX_FOLLOW_UP_TOKENS


def begins_with_conjunction(question: str) -> bool:
    """Return whether a question begins like one that goes on: "and for Ollama?"."""
    return _FOLLOW_UP.match(question.strip()) is not None


def has_pronoun(question: str) -> bool:
    """Return whether a question speaks of something without naming it: "where is it?"."""
    return _PRONOUN.search(question) is not None
