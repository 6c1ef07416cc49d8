"""What a notebook keeps of a conversation: one entry per output, and the conversation rebuilt from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from .ordering import Place
from .turn import Turn

MAX_FORMER_IDS = 50
"""Former ids that a conversation remembers."""


@dataclass(frozen=True)
class Neighbour:
    """A turn that stands beside another."""

    id: str
    place: Place


@dataclass(frozen=True)
class Origin:
    """The conversation of which another was a copy in the beginning."""

    id: str
    made: float
    """When it was copied, on the clock of `Turn.made`."""
    last: Place
    """Up to which place."""


@dataclass(frozen=True)
class Owner:
    """What an entry says of its conversation as a whole."""

    id: str
    name: str
    system: str = ""
    origin: Origin | None = None
    former: tuple[str, ...] = ()
    """Its ids before it was cleared, oldest first."""


@dataclass(frozen=True)
class Entry:
    """A turn that took its place, or, without a turn, that at a moment nothing stood between its neighbours.

    A turn that no output shows (see `Turn.is_shown`) is kept as if there were none.
    """

    owner: Owner | None
    """None: the turn was asked outside every conversation, or not kept."""
    turn: Turn | None = None
    after: Neighbour | None = None
    """What stands right before the turn, or, without one, at the end of the conversation; None if nothing does."""
    before: Neighbour | None = None
    """What stands right behind the turn; None if nothing does."""
    trail: str = ""
    """The `Trail` of the turns before this one; `""` if it is not known."""
    ended: float = 0.0
    """Without a turn: when, on the clock of `Turn.made`."""
    deleted: bool = False
    """Whether the conversation was deleted then."""
    displaces: bool = False
    """Whether turns have gone for it that outputs may show. Not kept: it is in what stands where they stood."""

    @property
    def made(self) -> float:
        """When it was made, on the clock of `Turn.made`."""
        return self.turn.made if self.turn else self.ended


@dataclass(frozen=True)
class Past:
    """A conversation as its entries tell it."""

    owner: Owner
    turns: tuple[Turn, ...]
    made: float
    """When it was last changed or copied, on the clock of `Turn.made`."""
    gaps: tuple[str, ...] = ()
    """Ids of the turns right before which others stood that are lost."""
    called: str = ""
    """Its own name, where a later conversation has that: then `owner.name` has a number."""


class Trail:
    """A digest of turns in their order: the same for the same turns only.

    Args:
        turns: the first of them; those that no output shows are passed over.
    """

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self._digest = hashlib.sha256()
        for turn in turns:
            self.add(turn)

    def add(self, turn: Turn) -> None:
        """Go on with one more turn."""
        if turn.is_shown:
            self._digest.update(turn.id.encode("utf-8", "replace") + b"\n")

    def __str__(self) -> str:
        return self._digest.hexdigest()[:16]
