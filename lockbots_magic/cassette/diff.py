"""What to say when a question was never recorded. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from .entry import Question

MOST_LINES = 12
"""Lines of a difference that are shown."""
MOST_COMPARED = 100
"""Lines that are compared, from the first that differs on."""
WIDTH = 100
"""Characters of a line that are shown."""


def difference(question: Question, recorded: Sequence[Question]) -> str:
    """Say how the nearest of the recorded questions differs from `question`.

    Args:
        question: the one asked.
        recorded: those on the cassette; at least one.

    Returns:
        Lines that begin with ``-`` (recorded), ``+`` (asked) or a space, at most `MOST_LINES`.
    """
    nearest = _nearest(question, recorded)
    same = max(0, _same(question, nearest) - 1)  # of what is the same, the end is shown
    lines = list(_compared(*_where_they_differ(list(_lines(nearest, same)), list(_lines(question, same)))))
    return "\n".join([*lines[:MOST_LINES], *(["  ... and more"] if len(lines) > MOST_LINES else [])])


def _nearest(question: Question, recorded: Iterable[Question]) -> Question:
    """The recorded question of the same model, with the most messages in common, whose last one is most alike."""
    rough = sorted(recorded, key=lambda one: _in_common(question, one), reverse=True)[:20]
    return max(rough, key=lambda one: (*_in_common(question, one), _alike(question, one)))


def _in_common(question: Question, other: Question) -> tuple[int, ...]:
    return (
        question.provider == other.provider,
        question.model == other.model,
        _same(question, other),
        -abs(len(question.messages) - len(other.messages)),
        question.params == other.params,
    )


def _same(question: Question, other: Question) -> int:
    """How many messages the two begin with alike."""
    pairs = enumerate(zip(question.thread, other.thread, strict=False))
    differs = next((i for i, (mine, theirs) in pairs if mine != theirs), None)
    shorter = min(len(question.messages), len(other.messages))
    return shorter if differs is None else differs // 2


def _alike(question: Question, other: Question) -> float:
    mine, theirs = (one.messages[-1].content[:2000] if one.messages else "" for one in (question, other))
    return difflib.SequenceMatcher(None, mine, theirs).ratio()


def _lines(question: Question, start: int) -> Iterator[str]:
    yield f"model: {question.provider}:{question.model}"
    yield f"parameters: {question.params}"
    for message in question.messages[start:]:
        first, *rest = message.content.split("\n")
        yield f"{message.role}: {first}"
        yield from (f"    {line}" for line in rest)
        yield from (f"    image: {url}" for url in message.images)
        yield from (f"    call: {call.name}({call.arguments})" for call in message.calls)


def _where_they_differ(recorded: list[str], asked: list[str]) -> tuple[list[str], list[str]]:
    """The lines from the first that differs on, and one before: comparing thousands would take minutes."""
    pairs = enumerate(zip(recorded, asked, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(recorded), len(asked)))
    start = max(0, first - 1)
    return recorded[start : start + MOST_COMPARED], asked[start : start + MOST_COMPARED]


def _compared(recorded: list[str], asked: list[str]) -> Iterator[str]:
    """The lines that differ, each block with the line above it."""
    matcher = difflib.SequenceMatcher(None, recorded, asked, autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        if a:
            yield f"  {_clipped(recorded[a - 1])}"
        gone, come = recorded[a:a_end], asked[b:b_end]
        at = _first_difference(gone[0], come[0]) if gone and come else 0
        yield from (f"- {_clipped(line, at if n == 0 else 0)}" for n, line in enumerate(gone))
        yield from (f"+ {_clipped(line, at if n == 0 else 0)}" for n, line in enumerate(come))


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _clipped(line: str, around: int = 0) -> str:
    """The part of a long line that shows the character at `around`."""
    start = max(0, around - WIDTH // 2) if len(line) > WIDTH else 0
    part = line[start : start + WIDTH]
    return f"{'…' if start else ''}{part}{'…' if start + WIDTH < len(line) else ''}"
