"""Corpus of replies that attack the reader's page, as data.

Each family is a dict of label -> reply, one text or the pieces of its stream. An active vector calls `hurt()`, sets
`window.hurt`, or sends a request to `http://evil.example/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.hostile.links import LINKS, PLACES
from tests.hostile.looks import COVERS, NOTICES
from tests.hostile.markdown import EXPORTS, IMAGES, MARKDOWN, UNFINISHED
from tests.hostile.markup import CLOBBERING, EVENTS, FRAMES, MUTATION, NAMESPACES, SCRIPTS, STYLES
from tests.hostile.notebook import JUPYTER, MERMAID
from tests.hostile.tex import DELIMITERS, LAYOUT, MACROS, TEX

FAMILIES: dict[str, dict[str, str | tuple[str, ...]]] = {
    "scripts": SCRIPTS,
    "events": EVENTS,
    "mutation": MUTATION,
    "namespaces": NAMESPACES,
    "clobbering": CLOBBERING,
    "frames": FRAMES,
    "styles": STYLES,
    "links": LINKS,
    "places": PLACES,
    "images": IMAGES,
    "markdown": MARKDOWN,
    "exports": EXPORTS,
    "unfinished": UNFINISHED,
    "jupyter": JUPYTER,
    "mermaid": MERMAID,
    "tex": TEX,
    "delimiters": DELIMITERS,
    "layout": LAYOUT,
    "macros": MACROS,
    "covers": COVERS,
    "notices": NOTICES,
}


class Vector(NamedTuple):
    """One hostile reply."""

    name: str
    """Family and label."""
    family: str
    pieces: tuple[str, ...]
    """The deltas in which it streams."""

    @property
    def text(self) -> str:
        """The whole reply."""
        return "".join(self.pieces)

    def __str__(self) -> str:
        return self.name


VECTORS = tuple(
    Vector(f"{family}/{label}", family, (reply,) if isinstance(reply, str) else reply)
    for family, replies in FAMILIES.items()
    for label, reply in replies.items()
)


class Batch(NamedTuple):
    """Content of one reply in a browser: one vector, or several independent ones of a family."""

    vectors: tuple[Vector, ...]

    @property
    def pieces(self) -> tuple[str, ...]:
        """The deltas in which it streams."""
        if len(self.vectors) == 1:
            return self.vectors[0].pieces
        return tuple(f"{vector.text}\n\n" for vector in self.vectors)

    @property
    def family(self) -> str:
        """Family of all vectors."""
        return self.vectors[0].family

    def __str__(self) -> str:
        return ", ".join(vector.name for vector in self.vectors)


_TOGETHER = {
    **dict.fromkeys(("scripts", "events", "mutation", "namespaces", "frames", "styles", "links"), 12),
    **dict.fromkeys(("images", "places", "tex"), 6),
    **dict.fromkeys(("clobbering", "markdown", "delimiters"), 4),
}
"""Number of one-line vectors of a family that share a reply, because a page takes 0.1 s to show one reply."""


def _batches() -> Iterator[Batch]:
    for family in FAMILIES:
        ones = [v for v in VECTORS if v.family == family]
        size = _TOGETHER.get(family, 1)
        alone = [v for v in ones if size == 1 or len(v.pieces) > 1 or "\n" in v.text]
        shared = [v for v in ones if v not in alone]
        yield from (Batch(tuple(shared[at : at + size])) for at in range(0, len(shared), size))
        yield from (Batch((vector,)) for vector in alone)


BATCHES = tuple(_batches())
