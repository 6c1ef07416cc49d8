"""Rhythm: when how much of a reply arrived. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..conversation.attachments import CitationPart, ImagePart
from ..conversation.messages import Delta
from ..conversation.parts import part_from_json, part_to_json
from ..language import _

Row = list[Any]
MAX_DURATION = 86_400
"""Longest duration (s) that a recorded reply may have."""


def rhythm_of(deltas: Iterable[tuple[float, Delta]], elapsed: float) -> list[Row]:
    """Return the rhythm of a reply.

    Args:
        deltas: Each delta with its arrival time (s).
        elapsed: Duration of the reply (s).

    Returns:
        Rows of a time (ms) and the lengths (characters) that arrived then. For all but text, the kind stands between
        them; notices, images and sources stand there in full. The last row is the end.
    """
    rows: list[Row] = []
    last: tuple[int, str] = (-1, "")
    for at, delta in deltas:
        for kind, text in (("reasoning", delta.reasoning), ("text", delta.text), ("notice", delta.notice)):
            if text:
                if last != (round(at * 1000), kind):
                    last = (round(at * 1000), kind)
                    rows.append([last[0]] if kind == "text" else [*last])
                rows[-1].append(text if kind == "notice" else len(text))
        if delta.parts:
            last = (-1, "")
            rows.append([round(at * 1000), "part", *map(part_to_json, delta.parts)])
    return [*rows, [round(elapsed * 1000)]]


def timed_deltas(rhythm: Iterable[Row], text: str, reasoning: str) -> Iterator[tuple[float, Delta]]:
    """Yield the deltas of a reply, each with its time (s).

    A reply edited by hand keeps its new text; what the rhythm doesn't cover comes at the end.
    """
    left = {"text": text, "reasoning": reasoning}
    at = 0.0
    for milliseconds, *pieces in rhythm:
        at = milliseconds / 1000
        kind = pieces.pop(0) if pieces and isinstance(pieces[0], str) else "text"
        for piece in pieces:
            if kind == "notice":
                yield at, Delta(notice=str(piece))
            elif kind == "part":
                yield at, Delta(parts=(_attachment(piece),))
            elif part := left[kind][: max(piece, 0)]:
                left[kind] = left[kind][len(part) :]
                yield at, _delta(kind, part)
    for kind, part in left.items():
        if part:
            yield at, _delta(kind, part)


def checked_rhythm(rhythm: Any) -> list[Row]:
    """Return `rhythm` if it has the form that `rhythm_of` makes.

    Raises:
        ValueError, TypeError: If it hasn't.
    """
    for at, *pieces in rhythm:
        if type(at) not in (int, float) or not 0 <= at <= MAX_DURATION * 1000:
            raise ValueError(_("time must be 0-{value} ms, got {at!r:.40}", value=MAX_DURATION * 1000, at=at))
        kind = pieces[0] if pieces and isinstance(pieces[0], str) else ""
        if kind not in ("", "reasoning", "notice", "part"):
            raise ValueError(_("unknown kind of text {kind!r:.40}", kind=kind))
        if kind == "part":
            for piece in pieces[1:]:
                _attachment(piece)
            continue
        wanted = str if kind == "notice" else int
        if not all(type(piece) is wanted for piece in pieces[bool(kind) :]):
            raise ValueError(_("a rhythm is rows of milliseconds and lengths"))
    return list(rhythm)


def _attachment(data: Any) -> ImagePart | CitationPart:
    part = part_from_json(data)
    if not isinstance(part, ImagePart | CitationPart):
        raise TypeError(_("neither an image nor a source: {data!r:.40}", data=data))
    return part


def _delta(kind: str, text: str) -> Delta:
    return Delta(text) if kind == "text" else Delta(reasoning=text)
