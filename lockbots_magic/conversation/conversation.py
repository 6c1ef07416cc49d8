"""The history of one conversation, and what of it a model is told. No I/O."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

from ..errors import UsageError
from .history_entry import MAX_FORMER_IDS, Entry, Neighbour, Origin, Owner, Past, Trail
from .observers import Observers
from .ordering import between
from .turn import Turn

FORMAT = "lockbots-conversation"
VERSION = 1


@dataclass(frozen=True)
class Slot:
    """Where a turn to come belongs."""

    context: tuple[Turn, ...]
    """The turns before it."""
    replaced: tuple[str, ...] = ()
    """Ids of the turns it takes the place of."""
    tentative: bool = False
    """Whether the replaced turns stay unless the new one is of use: no cell shows in their place what went wrong."""


class ActiveReply(Protocol):
    """A reply in progress, as its conversation knows it."""

    @property
    def abandoned(self) -> bool:
        """True if its reader left it unfinished."""

    def close(self) -> None:
        """End it where it is."""


class Conversation:
    """Turns in their order. A cell owns its turns: when it runs again, they are replaced where they stand.

    Args:
        name: what people call it.
        system: the system prompt of every turn that brings none of its own.
        turns: the turns so far.
        id: a uuid4; some services want to know which requests belong together.
    """

    def __init__(self, name: str = "main", *, system: str = "", turns: Iterable[Turn] = (), id: str = "") -> None:  # noqa: A002  # the field's name
        self.name = name
        self.system = system
        self.id = id or str(uuid.uuid4())
        self._turns = _in_places(turns)
        self._made = max((t.made for t in self._turns), default=0.0)
        self._origin: Origin | None = None
        self._former: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._reply_lock = threading.Lock()
        self._active_reply: ActiveReply | None = None
        self.observers = Observers()
        """Told when the turns have changed, and when a reply begins and ends."""

    def __repr__(self) -> str:
        return f"Conversation({self.name!r}, {len(self)} turns)"

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns, oldest first."""
        return self._turns

    @property
    def made(self) -> float:
        """When it was last changed, on the clock of `Turn.made`; 0 if it never was."""
        return self._made

    @property
    def active_reply(self) -> ActiveReply | None:
        """The reply in progress, if any: a conversation has one at a time."""
        reply = self._active_reply
        return None if reply is None or reply.abandoned else reply

    def close_abandoned_reply(self) -> None:
        """Close a reply that its reader left unfinished.

        Raises:
            UsageError: If a reply is in progress.
        """
        reply = self._active_reply
        if reply is None:
            return
        if not reply.abandoned:
            raise UsageError(
                f"Conversation {self.name!r} already has a reply in progress. Wait, or run `%lockbots stop`."
            )
        reply.close()

    def begin_reply(self, reply: ActiveReply) -> None:
        """Make `reply` the active one.

        Raises:
            UsageError: If another reply is in progress.
        """
        with self._reply_lock:
            self.close_abandoned_reply()
            self._active_reply = reply
        self.observers.tell()

    def end_reply(self, reply: ActiveReply) -> None:
        """Release the conversation; does nothing if `reply` is not the active one."""
        if self._active_reply is reply:
            self._active_reply = None
        self.observers.tell()

    def slot(self, cell_id: str | None = None, run: str | None = None) -> Slot:
        """Return where a turn of this execution of a cell belongs.

        Args:
            cell_id: the cell; None where there are no cells: such turns append.
            run: the execution; the turns that an earlier execution of the cell left are replaced.
        """
        turns = self._turns
        mine = [i for i, t in enumerate(turns) if cell_id is not None and t.cell_id == cell_id]
        new = [i for i in mine if turns[i].run == run]
        if new:
            return Slot(turns[: new[-1] + 1])
        if mine:
            return Slot(turns[: mine[0]], tuple(turns[i].id for i in mine))
        return Slot(turns)

    def slot_of(self, turn_id: str) -> Slot:
        """Return the slot that replaces one turn.

        Raises:
            UsageError: there is no such turn.
        """
        at = self._index(turn_id)
        return Slot(self._turns[:at], (turn_id,), tentative=True)

    def commit(self, turn: Turn, slot: Slot) -> Entry | None:
        """Put `turn` where `slot` says; turns after it were made without it, so they become stale.

        Returns:
            What the notebook is to keep, the turn with its place among it; None if the turn was not taken in.
        """
        if slot.tentative and not turn.in_context:
            return None
        entry = self._taken_in(turn, slot)
        self.observers.tell()
        return entry

    def _taken_in(self, turn: Turn, slot: Slot) -> Entry:
        with self._lock:
            turns = self._turns
            ids = [t.id for t in turns]
            at = next((i for i, one in enumerate(ids) if one in slot.replaced), len(turns))
            if at == len(turns) and slot.context and slot.context[-1].id in ids:
                at = ids.index(slot.context[-1].id) + 1
            replaced = [t for t in turns[at:] if t.id in slot.replaced]
            later = [t for t in turns[at:] if t.id not in slot.replaced]
            low, high = turns[at - 1].place if at else None, later[0].place if later else None
            place = replaced[0].place if replaced else between(low, high)
            turn = replace(turn, place=place, made=self._tick())
            trail = str(Trail(turns[:at]))
            around = _shown(reversed(turns[:at])), _shown(later)
            entry = Entry(self._owner(), turn, *around, trail, displaces=_shown(replaced) is not None)
            if turn.is_shown or entry.displaces:
                later = [replace(t, stale=True) for t in later]
            self._turns = (*turns[:at], turn, *later)
            return entry

    def ending(self, *, deleted: bool = False) -> Entry:
        """Return what the notebook is to keep when turns were taken back: where the conversation ends now.

        Args:
            deleted: whether all of it is gone.
        """
        with self._lock:
            return Entry(self._owner(), None, _shown(reversed(self._turns)), ended=self._tick(), deleted=deleted)

    def undo(self, count: int = 1) -> tuple[Turn, ...]:
        """Remove the last `count` turns and return them, oldest first.

        Raises:
            UsageError: there are not as many.
        """
        with self._lock:
            if not 1 <= count <= len(self._turns):
                raise UsageError(f"{self.name!r} has {len(self)} turns; {count} can't be undone")
            kept, removed = self._turns[:-count], self._turns[-count:]
            self._turns = kept
        self.observers.tell()
        return removed

    def clear(self) -> None:
        """Forget all turns; the name and the system prompt stay."""
        with self._lock:
            if self._made:
                self._former = (*self._former, self.id)[-MAX_FORMER_IDS:]
            self._turns, self._made, self._origin = (), 0.0, None
            self.id = str(uuid.uuid4())
        self.observers.tell()

    def fork(self, name: str, at: str | None = None) -> Conversation:
        """Return a new conversation with the turns up to the one with id `at` (all, without it).

        Raises:
            UsageError: there is no such turn.
        """
        with self._lock:
            end = len(self) if at is None else self._index(at) + 1
            fork = Conversation(name, system=self.system, turns=self._turns[:end])
            fork._made = self._tick()
            if fork._turns:
                fork._origin = Origin(self.id, fork._made, fork._turns[-1].place)
            return fork

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form, versioned. It holds no credential and no URL."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "id": self.id,
            "name": self.name,
            "system": self.system,
            "turns": [t.to_dict() for t in self._turns],
        }

    @classmethod
    def from_dict(cls, data: Any) -> Conversation:
        """Return the conversation that `to_dict` described.

        Raises:
            UsageError: `data` is something else, or of a later version.
        """
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise UsageError("this is not a saved conversation")
        if data.get("version") != VERSION:
            raise UsageError(
                f"this conversation was saved in format {data.get('version')!r}, this release reads {VERSION}"
            )
        try:
            turns = [Turn.from_dict(t) for t in data["turns"]]
            name, system, identity = (str(data.get(key, "")) for key in ("name", "system", "id"))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UsageError("the saved conversation is damaged: its turns can't be read") from None
        return cls(name or "main", system=system, turns=turns, id=identity)

    @classmethod
    def from_past(cls, past: Past) -> Conversation:
        """Return the conversation that a notebook remembers."""
        owner = past.owner
        conversation = cls(owner.name, system=owner.system, turns=past.turns, id=owner.id)
        conversation._made = max(past.made, conversation._made)
        conversation._origin, conversation._former = owner.origin, owner.former
        return conversation

    def _owner(self) -> Owner:
        return Owner(self.id, self.name, self.system, self._origin, self._former)

    def _tick(self) -> float:
        """The time, but always later than the last: a clock may be set back."""
        self._made = max(time.time(), math.nextafter(self._made, math.inf))
        return self._made

    def _index(self, turn_id: str) -> int:
        for index, turn in enumerate(self._turns):
            if turn.id == turn_id:
                return index
        raise UsageError(f"{self.name!r} has no turn {turn_id!r}")


def _in_places(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return `turns` with their places, new ones if some have none or they are not in that order."""
    turns = tuple(turns)
    if all(t.place for t in turns) and all(a.place < b.place for a, b in pairwise(turns)):
        return turns
    return tuple(replace(t, place=(n,)) for n, t in enumerate(turns, 1))


def _shown(turns: Iterable[Turn]) -> Neighbour | None:
    """The first of `turns` that an output shows, as whose neighbour another can be known."""
    return next((Neighbour(t.id, t.place) for t in turns if t.is_shown), None)
