"""Conversation: turns in order, and where the next one goes. No I/O."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass
from .history_entry import MAX_FORMER_IDS, ConversationInfo, HistoryEntry, RestoredConversation
from .observers import Observers
from .ordering import random_start, start_of
from .recorded_reply import CassetteReport, derived_id
from .reply_queue import ActiveReply, ReplyQueue
from .saved_form import SavedConversation, read_saved_form, saved_form
from .turn import MAX_ID, MAX_TIME, Turn, is_id, is_time, with_distinct_ids


@late_dataclass(frozen=True)
class Slot:
    """Position of a turn to come."""

    context: tuple[Turn, ...]
    """Turns before it."""
    replaced: tuple[str, ...] = ()
    """Ids of the turns it replaces."""
    tentative: bool = False
    """True if a failed or empty turn replaces nothing: no cell shows the failure in place of the old turn."""


class Conversation:
    """Turns in order. A cell owns its turns: when it runs again, the new turns replace them in the same place.

    A copy (`copy.copy`, `copy.deepcopy`, `pickle`) has the same turns, but an id and observers of its own.

    Args:
        name: Display name.
        system: System prompt of every turn that has none of its own.
        turns: Turns so far, oldest first. A turn whose id repeats an earlier one gets a new id.
        id: UUID4 sent to services that group requests by conversation; at most 200 characters.

    Raises:
        UsageError: If `id` is too long.

    Example:
        >>> Conversation("physics", system="Be brief.")
        Conversation('physics', 0 turns)
    """

    def __init__(self, name: str = "main", *, system: str = "", turns: Iterable[Turn] = (), id: str = "") -> None:  # noqa: A002  # the field's name
        self.name = name
        self.system = system
        if id and not is_id(id):
            raise UsageError(
                _(
                    "The id of a conversation must be text of at most {max_id} characters, got {id!r:.40}.",
                    max_id=MAX_ID,
                    id=id,
                )
            )
        self.id = id or str(uuid.uuid4())
        self._turns = with_distinct_ids(turns)
        self._is_used = bool(self._turns or id)  # False: neither a service nor an output knows the id
        self._is_saved = bool(id)  # False: no output and no file holds the id
        self._is_recorded = False  # True: a cassette made or replayed the last turn
        self._derived = 0  # ids and times that were derived from the last turn, not drawn
        self._serials: dict[str, int] = {}  # id of a turn -> its serial number
        self._next_serial: int | None = None  # None: the first turn decides
        self._made = max((t.started for t in self._turns if is_time(t.started)), default=0.0)
        self._former: tuple[str, ...] = ()
        self._tools: dict[str, tuple[Any, ...]] = {}  # id of a turn -> named for it, in this process
        self._unlogged: frozenset[str] = frozenset()  # ids of turns that were kept out of the log
        self._lock = threading.Lock()
        self._replies = ReplyQueue()
        self.observers = Observers()
        """Notified when the turns change, and when a reply begins and ends."""

    def __repr__(self) -> str:
        return f"Conversation({self.name!r}, {len(self)} turns)"

    def __len__(self) -> int:
        return len(self._turns)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = ("name", "system", "_turns", "_serials", "_made", "_is_used", "_is_recorded", "_unlogged")
            return {name: getattr(self, name) for name in state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Conversation.__init__(self)
        vars(self).update(state, _serials=dict(state["_serials"]))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns, oldest first."""
        return self._turns

    @property
    def made(self) -> float:
        """Time of the last change; see `HistoryEntry.made`. 0 if it never changed."""
        return self._made

    @property
    def active_reply(self) -> ActiveReply | None:
        """The reply in progress, if any: a conversation has one at a time."""
        return self._replies.active

    def close_abandoned_reply(self) -> None:
        """Close an active reply whose caller stopped iterating before the end.

        Raises:
            UsageError: If a reply is in progress.
        """
        self._replies.close_abandoned(self.name)

    def begin_reply(self, reply: ActiveReply) -> None:
        """Make `reply` the active one.

        Raises:
            UsageError: If another reply is in progress.
        """
        self._replies.begin(reply, self.name)
        self.observers.notify()

    def queue_reply(self, reply: ActiveReply, admit: Callable[[], object]) -> None:
        """Call `admit`, in any thread, once `reply` is the active one: replies wait for those before them, in order."""
        self._replies.enter(reply, admit)

    def refresh_queue(self, reply: ActiveReply) -> None:
        """Let the next reply in if the one before `reply` was abandoned, which nobody is told of."""
        self._replies.refresh(reply)

    def end_reply(self, reply: ActiveReply) -> None:
        """Release the conversation, or the place in its queue; does nothing if `reply` has neither."""
        self._replies.leave(reply)
        self.observers.notify()

    def slot(self, cell_id: str | None = None, run: str | None = None) -> Slot:
        """Return the position of a turn of one execution of a cell.

        Args:
            cell_id: The cell; None outside notebooks: such turns are appended.
            run: The execution; turns of earlier executions of the cell are replaced.
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
        """Return the position that replaces one turn.

        Raises:
            UsageError: If there is no such turn.
        """
        at = self._index(turn_id)
        return Slot(self._turns[:at], (turn_id,), tentative=True)

    def tools_of(self, turn_id: str) -> tuple[Any, ...]:
        """Return the tools that were named for a turn in this process; no file can name one."""
        return self._tools.get(turn_id, ())

    def is_unlogged(self, turn_id: str) -> bool:
        """Return whether a turn was kept out of the log in this process."""
        return turn_id in self._unlogged

    def commit(
        self,
        turn: Turn,
        slot: Slot,
        tools: Iterable[Any] = (),
        report: CassetteReport | None = None,
        *,
        log: bool = True,
    ) -> HistoryEntry | None:
        """Put a turn into its position. Later turns were made without it, so they become stale.

        Args:
            turn: The turn.
            slot: Its position.
            tools: Tools that the model was offered for it.
            report: Recordings behind it. The conversation takes its time from there, and its id if nothing holds one
                yet, so that a notebook that is replayed again is the same file again.
            log: False if the turn is kept out of the log; its prompt, sent again, is kept out, too.

        Returns:
            The entry for the notebook; None if the turn was not taken in.
        """
        if slot.tentative and not turn.in_context:
            return None
        with self._lock:
            ended = self._follow_recording(turn, report or CassetteReport())
            entry = self._insert(turn, slot, tuple(tools), ended)
            if not log and entry.turn is not None:
                self._unlogged |= {entry.turn.id}
        self.observers.notify()
        return entry

    def _insert(self, turn: Turn, slot: Slot, tools: tuple[Any, ...], ended: float | None) -> HistoryEntry:
        turns = self._turns
        ids = [t.id for t in turns]
        (turn,) = with_distinct_ids([turn], set(ids) - set(slot.replaced))
        at = next((i for i, one in enumerate(ids) if one in slot.replaced), len(turns))
        if at == len(turns) and slot.context and slot.context[-1].id in ids:
            at = ids.index(slot.context[-1].id) + 1
        later = [t for t in turns[at:] if t.id not in slot.replaced]
        displaces = any(t.is_shown for t in turns[at:] if t.id in slot.replaced)
        if turn.is_shown or displaces:
            later = [replace(t, stale=True) for t in later]
        self._turns = (*turns[:at], turn, *later)
        present = {t.id for t in self._turns}
        self._tools = {**{k: v for k, v in self._tools.items() if k in present}, turn.id: tools}
        self._is_used = True
        self._is_saved = self._is_saved or turn.is_shown
        self._tick(ended)
        return self._entry(turn, displaces=displaces)

    def _follow_recording(self, turn: Turn, report: CassetteReport) -> float | None:
        """Take the id of a recorded turn's conversation; return when the turn ended, None for now."""
        self._is_recorded = report.is_recorded
        if report.replies and not self._is_saved:
            first, self._made = report.replies[0], 0.0
            self.id = first.conversation or derived_id("conversation", first.id, self.name)
        return turn.started + turn.elapsed if report.replies else None

    def snapshot(self, *, deleted: bool = False) -> HistoryEntry:
        """Return the entry for a notebook output that shows no turn, as after `undo`.

        Args:
            deleted: Whether the conversation was deleted.
        """
        with self._lock:
            if not (self._is_used or self._former):  # nothing to restore
                return HistoryEntry(None)
            self._is_saved = True
            return self._entry(deleted=deleted)

    def entries(self) -> list[HistoryEntry]:
        """Return an entry for each turn that outputs show, all of the present state."""
        with self._lock:
            state = self._entry()
            return [replace(state, turn=t, serial=self._serial_of(t)) for t in self._turns if t.is_shown]

    def undo(self, count: int = 1) -> tuple[Turn, ...]:
        """Remove the last `count` turns and return them, oldest first.

        Raises:
            UsageError: If there are fewer turns.
        """
        with self._lock:
            if not self._turns:
                raise UsageError(_("Nothing to undo: {name} is empty.", name=self.name))
            if not 1 <= count <= len(self._turns):
                raise UsageError(
                    _(
                        "count must be 1-{n}, the number of turns in {name!r}; got {count}.",
                        n=len(self),
                        name=self.name,
                        count=count,
                    )
                )
            kept, removed = self._turns[:-count], self._turns[-count:]
            self._turns = kept
            self._tick()
        self.observers.notify()
        return removed

    def clear(self) -> None:
        """Remove all turns, and take a new id if there were any since the last time; name and system prompt stay."""
        with self._lock:
            if self._is_used:  # else clearing an empty conversation again and again would push out the former ids
                self._former = (*self._former, self.id)[-MAX_FORMER_IDS:]
                self.id = self._new_id("cleared")
            self._turns, self._serials, self._tools, self._is_used = (), {}, {}, False
            self._tick()
        self.observers.notify()

    def fork(self, name: str, at: str | None = None) -> Conversation:
        """Return a new conversation with the same turns.

        Args:
            name: Name of the new conversation.
            at: Id of the last turn to copy; None copies all.

        Raises:
            UsageError: If there is no such turn.
        """
        with self._lock:
            end = len(self) if at is None else self._index(at) + 1
            fork = Conversation(name, system=self.system, turns=self._turns[:end])
            if self._is_recorded:
                fork.id, fork._is_recorded = self._new_id("fork", name), True
            fork._serials = {t.id: self._serial_of(t) for t in fork._turns}
            fork._tools = dict(self._tools)
            fork._unlogged = self._unlogged
            fork._made = self._made
            fork._tick()
            return fork

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form, versioned, without credentials and addresses."""
        return saved_form(SavedConversation(self.name, self.system, self.id, self._turns))

    @classmethod
    def from_dict(cls, data: Any) -> Conversation:
        """Return the conversation that `to_dict` described.

        Raises:
            UsageError: If `data` is something else, damaged, or of a later version.
        """
        saved = read_saved_form(data)
        return cls(saved.name, system=saved.system, turns=saved.turns, id=saved.id)

    @classmethod
    def from_restored(cls, restored: RestoredConversation) -> Conversation:
        """Return the conversation that was restored from a notebook."""
        info = restored.info
        conversation = cls(info.name, system=info.system, turns=restored.turns, id=info.id)
        conversation._serials = {t.id: n for t, n in zip(conversation._turns, restored.serials, strict=True)}
        conversation._made, conversation._is_used = restored.made, True
        conversation._former = info.former
        return conversation

    def _entry(self, turn: Turn | None = None, *, deleted: bool = False, displaces: bool = False) -> HistoryEntry:
        shown = [t for t in self._turns if t.is_shown]
        serial = self._serial_of(turn) if turn and turn.is_shown else 0
        known = self._serials
        order = [known[t.id] if t.id in known else self._serial_of(t) for t in shown]
        return HistoryEntry(
            ConversationInfo(self.id, self.name, self.system, self._former),
            turn,
            serial,
            tuple(order),
            tuple(number for t, number in zip(shown, order, strict=True) if t.stale),
            self._made,
            deleted,
            displaces,
        )

    def _serial_of(self, turn: Turn) -> int:
        if turn.id not in self._serials:
            if self._next_serial is None:
                self._next_serial = start_of(turn.id) if self._is_recorded else random_start()
            self._serials[turn.id] = self._next_serial
            self._next_serial += 1
        return self._serials[turn.id]

    def _new_id(self, *purpose: str) -> str:
        """Return a new id; after a recorded turn it follows from what there is."""
        if not self._is_recorded:
            return str(uuid.uuid4())
        self._derived += 1
        return derived_id(*purpose, self.id, self._made, self._derived)

    def _tick(self, at: float | None = None) -> None:
        """Set the time of the last change, but always to later than before, as a clock may be set back.

        It is `at`, if given; else now, but after a recorded turn the next moment.

        From `MAX_TIME` on, as only a damaged file has it, the time stays: a later one could not be read back.
        """
        now = at if at is not None else 0.0 if self._is_recorded else time.time()
        self._made = min(max(now, math.nextafter(self._made, math.inf)), MAX_TIME)

    def _index(self, turn_id: str) -> int:
        for index, turn in enumerate(self._turns):
            if turn.id == turn_id:
                return index
        raise UsageError(_("{name!r} has no turn {turn_id!r}.", name=self.name, turn_id=turn_id))
