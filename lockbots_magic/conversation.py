"""The history of one conversation, and what of it a model is told. No I/O."""

from __future__ import annotations

import math
import threading
import time
import uuid
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import PromptTooLongError, RestoreWarning, UsageError
from .messages import Message, ModelInfo, Turn
from .notebook.record import MOST_FORMER, Entry, Neighbour, Origin, Owner, Trail
from .places import between
from .watchers import Watchers

if TYPE_CHECKING:
    from .notebook.history import Past

FORMAT = "lockbots-conversation"
VERSION = 1
TOKENS_PER_MESSAGE = 4
"""What a message costs besides its text, in tokens, as tokenizers of chat models go."""
TOKENS_PER_IMAGE = 1000
"""About what an image costs, in tokens: one of a megapixel is 700 to 1,500 at most services."""


@dataclass(frozen=True)
class Slot:
    """Where a turn to come belongs."""

    context: tuple[Turn, ...]
    """The turns before it."""
    replaced: tuple[str, ...] = ()
    """Ids of the turns it takes the place of."""
    tentative: bool = False
    """Whether the replaced turns stay unless the new one is of use: no cell shows in their place what went wrong."""


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
        self.watchers = Watchers()
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
        self.watchers.tell()
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
        self.watchers.tell()
        return removed

    def clear(self) -> None:
        """Forget all turns; the name and the system prompt stay."""
        with self._lock:
            if self._made:
                self._former = (*self._former, self.id)[-MOST_FORMER:]
            self._turns, self._made, self._origin = (), 0.0, None
            self.id = str(uuid.uuid4())
        self.watchers.tell()

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

    @classmethod
    def from_notebook(cls, path: str | Path, name: str | None = None) -> Conversation:
        """Return a conversation that the outputs of a saved notebook hold.

        What the notebook can't tell, or tells against expectation, is a `RestoreWarning`.

        Args:
            path: the notebook, an .ipynb file.
            name: which of its conversations; by default the one with the latest turn.

        Raises:
            UsageError: the file can't be read, holds no conversation, or none of that name.
        """
        from .notebook.reading import restored  # noqa: PLC0415  # few read notebooks; %load_ext does not wait for it

        notebook = restored(path)
        for remark in notebook.remarks:
            warnings.warn(remark, RestoreWarning, stacklevel=2)
        known = {past.owner.name: past for past in notebook.pasts}
        if name is not None and name not in known:
            raise UsageError(f"{path} holds no conversation {name!r}; it holds: {', '.join(known)}")
        return cls.from_past(notebook.pasts[-1] if name is None else known[name])

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


def estimated_tokens(text: str) -> int:
    """Return about how many tokens `text` has: a token is some four bytes of UTF-8, in most scripts."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4)


def fitted(
    system: str, turns: Sequence[Turn], prompt: str | Message, model: ModelInfo
) -> tuple[tuple[Message, ...], int]:
    """Return the messages to send, and how many of the oldest turns were left out to respect the limits.

    Args:
        system: the system prompt; never left out.
        turns: those before the prompt; failed ones are passed over.
        prompt: the new prompt, with its images perhaps; never left out.
        model: `max_length` is in characters, `token_limit` in tokens (estimated).

    Raises:
        PromptTooLongError: the prompts alone exceed a limit.
    """
    last = Message("user", prompt) if isinstance(prompt, str) else prompt
    first = (Message("system", system),) if system else ()
    fixed = [*first, last]
    characters, tokens = _cost(fixed)
    most_characters = math.inf if model.max_length is None else model.max_length
    most_tokens = math.inf if model.token_limit is None else model.token_limit
    if characters > most_characters:
        raise PromptTooLongError(
            f"the prompt has {characters} characters, {model.id} takes {most_characters}; shorten it"
        )
    if tokens > most_tokens:
        raise PromptTooLongError(f"the prompt has about {tokens} tokens, {model.id} takes {most_tokens}; shorten it")
    told = [t for t in turns if t.in_context]
    kept: list[Message] = []
    left_out = len(told)
    for turn in reversed(told):
        more_characters, more_tokens = _cost(turn.messages)
        characters, tokens = characters + more_characters, tokens + more_tokens
        if characters > most_characters or tokens > most_tokens:
            break
        kept[:0] = turn.messages
        left_out -= 1
    return (*first, *kept, last), left_out


def fitted_or_not(
    system: str, turns: Sequence[Turn], prompt: Message, model: ModelInfo
) -> tuple[tuple[Message, ...], int, PromptTooLongError | None]:
    """Return what `fitted` does; what can't be sent as it is, with the error that says so, alone."""
    try:
        return (*fitted(system, turns, prompt, model), None)
    except PromptTooLongError as error:
        alone, _ = fitted(system, (), prompt, replace(model, max_length=None, token_limit=None))
        return alone, sum(turn.in_context for turn in turns), error


def _cost(messages: Sequence[Message]) -> tuple[int, int]:
    """Characters and estimated tokens of `messages`."""
    return sum(len(m.content) for m in messages), sum(map(tokens_of, messages))


def tokens_of(message: Message) -> int:
    """Return about how many tokens a message takes."""
    return estimated_tokens(message.content) + TOKENS_PER_MESSAGE + TOKENS_PER_IMAGE * len(message.images)
