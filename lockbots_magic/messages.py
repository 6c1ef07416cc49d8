"""The values that pass between the parts: all frozen, none of them knows where it is stored."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from threading import Event, Lock
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from .errors import UsageError
from .places import Place, place_of

Status = Literal["complete", "interrupted", "error", "truncated"]


@dataclass(frozen=True)
class Message:
    """One message of a conversation, as every chat API knows it."""

    role: str
    """``"system"``, ``"user"`` or ``"assistant"``."""
    content: str

    @classmethod
    def of(cls, value: Message | Mapping[str, Any]) -> Message:
        """Take a message as it is, or make one of ``{"role": ..., "content": ...}``, both text.

        Raises:
            UsageError: `value` is neither.
        """
        if isinstance(value, Message):
            return value
        role, content = (value.get(key) for key in ("role", "content")) if isinstance(value, Mapping) else (None, None)
        if not (isinstance(role, str) and isinstance(content, str)):
            raise UsageError("a message is a dict with a role and a content, both text")
        return cls(role, content)

    def to_dict(self) -> dict[str, str]:
        """The form in which chat APIs send it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True)
class ModelInfo:
    """A model and its limits, as far as they are known."""

    id: str
    name: str = ""
    max_length: int | None = None
    """Characters that the messages may hold together."""
    token_limit: int | None = None
    """Tokens that the messages may hold together."""


@dataclass(frozen=True)
class Usage:
    """Tokens, as the provider counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Delta(NamedTuple):
    """One step of a reply. A named tuple: there is one for each token, and a dataclass takes four times as long."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    """``"stop"``, ``"length"``, ...; ``"truncated"`` when the stream ended without its end mark."""
    usage: Usage | None = None
    notice: str = ""
    """A line for the reader that is not part of the reply, such as "retrying in 3 s"."""


class Cancellation:
    """A switch that stops one reply from any thread, at once, even inside a blocked read."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._callback: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether it was used."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Stop the reply. Any thread may call it, any number of times."""
        with self._lock:
            self._event.set()
            callback = self._callback
        if callback is not None:
            callback()

    def on_cancel(self, callback: Callable[[], None] | None) -> None:
        """Call `callback` when cancelled, at once if that has happened; it replaces the one before."""
        with self._lock:
            self._callback = callback
            late = self._event.is_set()
        if late and callback is not None:
            callback()

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` (s); true when cancelled meanwhile."""
        return self._event.wait(seconds)


Asker = tuple[str, str]
"""The notebook cell that asks, and which execution of it."""


@dataclass(frozen=True)
class ChatRequest:
    """What a provider is asked: the whole of it, so that a provider needs no other state.

    `messages` may be given as dicts; a system prompt comes first among them, as role ``"system"``.
    """

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = True
    conversation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Stays the same through one conversation (uuid4)."""
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)
    asker: Asker | None = field(default=None, compare=False, repr=False)
    """Who asks, if it is a cell: one that runs again may be given the same recorded answer again."""
    watched: bool = field(default=False, compare=False, repr=False)
    """Whether somebody watches the reply come: a recorded one then keeps its rhythm."""

    def __post_init__(self) -> None:
        messages: Iterable[Message | Mapping[str, Any]] = self.messages
        object.__setattr__(self, "messages", tuple(Message.of(m) for m in messages))
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    @property
    def system(self) -> str:
        """The system prompt, ``""`` if there is none."""
        return "\n\n".join(m.content for m in self.messages if m.role == "system")


@dataclass(frozen=True, repr=False)
class Turn:
    """One question and what came of it. Its `str` is the reply."""

    prompt: str
    reply: str = ""
    model: str = ""
    provider: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    system: str = ""
    """The system prompt in force."""
    status: Status = "complete"
    error: str = ""
    """Why the status is not "complete", one sentence."""
    reasoning: str = ""
    usage: Usage | None = None
    started: float = 0.0
    """Unix time, s."""
    elapsed: float = 0.0
    """From sending to the end, s."""
    first_text: float | None = None
    """From sending to the first text, s."""
    left_out: int = 0
    """Older turns that did not fit into the model's limits."""
    stale: bool = False
    """An earlier turn was run again since."""
    cell_id: str | None = None
    """The notebook cell that owns the turn."""
    run: str | None = None
    """The execution of that cell; one execution may hold several turns."""
    place: Place = field(default=(), compare=False, repr=False)
    """Where it stands in its conversation: the order of these is the order of the turns."""
    made: float = field(default=0.0, compare=False, repr=False)
    """When it took its place: Unix time (s), and later than all that its conversation had been through before."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __repr__(self) -> str:
        return f"Turn({self.prompt!r}, {self.reply!r}, {self.provider}:{self.model}, {self.status})"

    def __str__(self) -> str:
        return self.reply

    @property
    def in_context(self) -> bool:
        """Whether later turns are told of this one: failed and empty turns are not."""
        return self.status != "error" and bool(self.reply)

    @property
    def is_shown(self) -> bool:
        """Whether there is something to show of it: not of a failure before the first word."""
        return self.status != "error" or bool(self.reply)

    @property
    def messages(self) -> tuple[Message, Message]:
        """The turn as the two messages that later requests carry."""
        return Message("user", self.prompt), Message("assistant", self.reply)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; fields at their defaults are left out."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        del given["run"]  # counts within one kernel only
        kept = {k: v for k, v in given.items() if v not in ("", None, {}, (), False) or k in ("prompt", "reply")}
        kept["params"] = dict(self.params)
        if self.place:
            kept["place"] = list(self.place)
        if self.usage is not None:
            kept["usage"] = asdict(self.usage)
        return kept

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Turn:
        """The turn that `to_dict` described.

        Raises:
            TypeError, ValueError: `data` is not such a description.
        """
        known = {f.name for f in fields(cls)} - {"run"}
        kept = {k: v for k, v in data.items() if k in known and v is not None}
        if isinstance(kept.get("usage"), Mapping):
            kept["usage"] = Usage(**kept["usage"])
        if isinstance(kept.get("place"), list):
            kept["place"] = place_of(kept["place"])
        for name, value in kept.items():
            if not isinstance(value, _KINDS.get(name, str)):
                raise ValueError(f"a turn's {name} can't be {value!r}")
        if "prompt" not in kept or kept.get("status", "complete") not in get_args(Status):
            raise ValueError("a turn needs a prompt and a known status")
        return cls(**kept)


_KINDS: Mapping[str, Any] = {
    "params": Mapping,
    "usage": Usage,
    "started": int | float,
    "elapsed": int | float,
    "first_text": int | float,
    "left_out": int,
    "stale": bool,
    "place": tuple,
    "made": int | float,
}
"""The fields of a saved turn that are not text."""
