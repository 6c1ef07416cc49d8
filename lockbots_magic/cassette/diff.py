"""Diff between a request that was never recorded and the nearest recorded one. No I/O."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence

from ..language import _
from .request import RecordedRequest

MAX_LINES = 12
"""Most lines of a diff."""
MAX_COMPARED = 100
"""Most lines compared, from the first that differs."""
MAX_WIDTH = 100
"""Most characters of a line."""


def difference(request: RecordedRequest, recorded: Sequence[RecordedRequest]) -> str:
    """Return a diff between `request` and the nearest recorded one.

    Args:
        request: The request that was not found.
        recorded: All recorded requests; at least one.

    Returns:
        At most `MAX_LINES` lines that begin with ``-`` (recorded), ``+`` (requested) or a space.
    """
    nearest = _nearest(request, recorded)
    equal = max(0, _common_length(request, nearest) - 1)  # show the end of what is equal
    lines = list(_diff_lines(*_differing_part(list(_lines(nearest, equal)), list(_lines(request, equal)))))
    return "\n".join([*lines[:MAX_LINES], *([_("  ... and more")] if len(lines) > MAX_LINES else [])])


def changed_tools(request: RecordedRequest, recorded: Sequence[RecordedRequest]) -> list[str]:
    """Return the names of tools that the nearest recorded request describes otherwise.

    Args:
        request: The request that was not found.
        recorded: All recorded requests; at least one.
    """
    mine, theirs = (_split_tools(one)[1] for one in (request, _nearest(request, recorded)))
    return [name for name, described in mine.items() if theirs.get(name, described) != described]


def _split_tools(request: RecordedRequest) -> tuple[str, dict[str, str]]:
    """Return the parameters without the tools, and the tools by name, each as text."""
    params = json.loads(request.params)
    functions = [one.get("function", one) for one in params.pop("tools", ()) if isinstance(one, dict)]
    described = {str(one.get("name")): json.dumps(one, ensure_ascii=False, sort_keys=True) for one in functions}
    return json.dumps(params, ensure_ascii=False, sort_keys=True), described


def _nearest(request: RecordedRequest, recorded: Iterable[RecordedRequest]) -> RecordedRequest:
    """Return the one with the same model, most messages in common and the most similar last message."""
    rough = sorted(recorded, key=lambda one: _rank(request, one), reverse=True)[:20]
    return max(rough, key=lambda one: (*_rank(request, one), _similarity(request, one)))


def _rank(request: RecordedRequest, other: RecordedRequest) -> tuple[int, ...]:
    return (
        request.provider == other.provider,
        request.model == other.model,
        _common_length(request, other),
        -abs(len(request.messages) - len(other.messages)),
        request.params == other.params,
    )


def _common_length(request: RecordedRequest, other: RecordedRequest) -> int:
    """Return how many messages at the beginning are equal."""
    pairs = enumerate(zip(request.thread, other.thread, strict=False))
    differs = next((i for i, (mine, theirs) in pairs if mine != theirs), None)
    shorter = min(len(request.messages), len(other.messages))
    return shorter if differs is None else differs // 2


def _similarity(request: RecordedRequest, other: RecordedRequest) -> float:
    mine, theirs = (one.messages[-1].content[:2000] if one.messages else "" for one in (request, other))
    return difflib.SequenceMatcher(None, mine, theirs).ratio()


def _lines(request: RecordedRequest, start: int) -> Iterator[str]:
    yield f"model: {request.provider}:{request.model}"
    params, tools = _split_tools(request)
    yield f"parameters: {params}"
    yield from (f"tool {name}: {described}" for name, described in tools.items())
    for message in request.messages[start:]:
        first, *rest = message.content.split("\n")
        yield f"{message.role}: {first}"
        yield from (f"    {line}" for line in rest)
        yield from (f"    image: {url}" for url in message.images)
        yield from (f"    document {document.name}: {document.url}" for document in message.documents)
        yield from (f"    call: {call.name}({call.arguments})" for call in message.calls)


def _differing_part(recorded: list[str], asked: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines from the one before the first that differs: comparing thousands would take minutes."""
    pairs = enumerate(zip(recorded, asked, strict=False))
    first = next((i for i, (a, b) in pairs if a != b), min(len(recorded), len(asked)))
    start = max(0, first - 1)
    return recorded[start : start + MAX_COMPARED], asked[start : start + MAX_COMPARED]


def _diff_lines(recorded: list[str], asked: list[str]) -> Iterator[str]:
    """Yield the lines that differ, each block with the line above it."""
    matcher = difflib.SequenceMatcher(None, recorded, asked, autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        if a:
            yield f"  {_clip(recorded[a - 1])}"
        removed, added = recorded[a:a_end], asked[b:b_end]
        at = _first_difference(removed[0], added[0]) if removed and added else 0
        yield from (f"- {_clip(line, at if n == 0 else 0)}" for n, line in enumerate(removed))
        yield from (f"+ {_clip(line, at if n == 0 else 0)}" for n, line in enumerate(added))


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _clip(line: str, around: int = 0) -> str:
    """Return the part of a long line around the character at `around`."""
    start = max(0, around - MAX_WIDTH // 2) if len(line) > MAX_WIDTH else 0
    part = line[start : start + MAX_WIDTH]
    return f"{'…' if start else ''}{part}{'…' if start + MAX_WIDTH < len(line) else ''}"
