"""Rebuilds conversations from the entries that outputs hold. Pure.

Entries are taken in the order in which they were made. Each says that at its moment nothing stood between a turn and
its neighbours: whatever was made earlier and lies there had been replaced or taken back by then. So the order is right
however many entries are lost. Where one is missing, the turn behind it does not find its neighbour, and that is told;
and a turn that was asked when others stood before it is stale.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..conversation.history_entry import MAX_FORMER_IDS, Entry, Neighbour, Origin, Owner, Past, Trail
from ..conversation.ordering import Place
from ..conversation.turn import Turn

MOST_COPIES = 50
"""Copies of copies that are followed."""


def replayed(entries: Iterable[Entry]) -> list[Past]:
    """Return the conversations that `entries` tell of, the one with the latest entry last; no two have the same name.

    Entries of turns outside every conversation, conversations that were deleted, and what was in one before it was
    cleared are passed over.
    """
    logs: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.owner:
            logs.setdefault(entry.owner.id, []).append(entry)
    for log in logs.values():
        log.sort(key=lambda entry: entry.made)
    cleared = {one for log in logs.values() for entry in log if entry.owner for one in entry.owner.former}
    kept = [log for name, log in logs.items() if name not in cleared and not log[-1].deleted]
    kept.sort(key=lambda log: (log[-1].made, _owner(log).id))
    copied: dict[str, float] = {}
    for origin in (entry.owner.origin for log in logs.values() for entry in log if entry.owner):
        if origin:
            copied[origin.id] = max(origin.made, copied.get(origin.id, 0.0))
    return _under_own_names([_past(log, logs, copied) for log in kept])


def _under_own_names(pasts: Sequence[Past]) -> list[Past]:
    """Give all but the latest conversation of a name a number behind it."""
    taken = {past.owner.name for past in pasts}
    seen: set[str] = set()
    named: list[Past] = []
    for past in reversed(pasts):
        name, number = past.owner.name, 2
        while name in seen or (name != past.owner.name and name in taken):
            name, number = f"{past.owner.name}-{number}", number + 1
        seen.add(name)
        named.insert(0, replace(past, owner=replace(past.owner, name=name), called=past.owner.name))
    return named


def _past(log: Sequence[Entry], logs: dict[str, list[Entry]], copied: dict[str, float]) -> Past:
    owner = _owner(log)
    places = _replayed(log, owner.origin, logs)
    turns: list[Turn] = []
    gaps: list[str] = []
    trail, latest, before = Trail(), 0.0, None
    for stand in places.stands:
        turn, expected = stand.turn, stand.after.id if stand.after else None
        if expected not in (None, before):
            gaps.append(turn.id)
        is_stale = stand.trail != str(trail) if stand.trail else bool(gaps) or turn.made < latest
        turns.append(replace(turn, stale=is_stale))
        trail.add(turn)
        latest, before = max(latest, turn.made), turn.id
    return Past(owner, tuple(turns), max(log[-1].made, copied.get(owner.id, 0.0)), tuple(gaps))


def _owner(log: Sequence[Entry]) -> Owner:
    """What is known of the conversation itself: the last entry knows best, but a file forgets where it came from."""
    owners = [entry.owner for entry in log if entry.owner]
    origin = next((owner.origin for owner in owners if owner.origin), None)
    former = tuple(dict.fromkeys(one for owner in owners for one in owner.former))[-MAX_FORMER_IDS:]
    return replace(owners[-1], origin=origin, former=former)


@dataclass
class _Stand:
    """A turn, and what stood before it when that was last told."""

    turn: Turn
    after: Neighbour | None
    trail: str
    """What stood before it when it was made."""


@dataclass
class _Places:
    """The turns of a conversation at one moment, in their order."""

    stands: list[_Stand] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Go on to the moment of `entry`."""
        start, end = self._end_of(entry.after), self._start_of(entry.before)
        behind = self.stands[end:]
        self.stands[start:] = []
        if entry.turn:
            self.stands.append(_Stand(entry.turn, entry.after, entry.trail))
        if behind and entry.before and behind[0].turn.id == entry.before.id:
            behind[0].after = Neighbour(entry.turn.id, entry.turn.place) if entry.turn else entry.after
        self.stands += behind

    def _end_of(self, after: Neighbour | None) -> int:
        """How many turns stand up to `after`; another turn in its place had gone by then."""
        at = bisect_right(self.stands, after.place, key=_place) if after else 0
        return at - 1 if after and at and self._differs(at - 1, after) else at

    def _start_of(self, before: Neighbour | None) -> int:
        at = bisect_left(self.stands, before.place, key=_place) if before else len(self.stands)
        return at + 1 if before and at < len(self.stands) and self._differs(at, before) else at

    def _differs(self, at: int, told: Neighbour) -> bool:
        there = self.stands[at].turn
        return there.place == told.place and there.id != told.id


def _place(stand: _Stand) -> Place:
    return stand.turn.place


def _replayed(log: Iterable[Entry], origin: Origin | None, logs: dict[str, list[Entry]]) -> _Places:
    """Replay `log` on what the conversation began with."""
    places = _beginning(origin, logs)
    for entry in log:
        places.take(entry)
    return places


def _beginning(origin: Origin | None, logs: dict[str, list[Entry]]) -> _Places:
    """What a copy began with: its original as it was then; nothing where that is lost."""
    steps: list[Origin] = []
    while origin and origin.id in logs and len(steps) < MOST_COPIES:
        steps.append(origin)
        origin = _owner(logs[origin.id]).origin
    places = _Places()
    for step in reversed(steps):
        for entry in logs[step.id]:
            if entry.made <= step.made:
                places.take(entry)
        places = _Places(places.stands[: bisect_right(places.stands, step.last, key=_place)])
    return places
