"""Turn: one prompt and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from .messages import Message, ToolCall, Usage
from .ordering import Place, place_of

Status = Literal["complete", "interrupted", "error", "truncated"]


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
    images: tuple[str, ...] = ()
    """URLs of the images that went with the prompt, ``data:`` URLs among them."""
    calls: tuple[ToolCall, ...] = ()
    """The functions that were called for the reply, in order."""
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
        """Whether there is something to show of it: not of a failure before the first word, or call."""
        return self.status != "error" or bool(self.reply or self.calls)

    @property
    def messages(self) -> tuple[Message, Message]:
        """The turn as the two messages that later requests carry."""
        return Message("user", self.prompt, self.images), Message("assistant", self.reply)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; fields at their defaults are left out."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        del given["run"]  # counts within one kernel only
        kept = {k: v for k, v in given.items() if v not in ("", None, {}, (), False) or k in ("prompt", "reply")}
        kept["params"] = dict(self.params)
        for name in ("place", "images"):
            if name in kept:
                kept[name] = list(kept[name])
        if self.calls:
            kept["calls"] = [call._asdict() for call in self.calls]
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
        if "images" in kept:
            kept["images"] = tuple(_text(url) for url in kept["images"])
        if "calls" in kept:
            kept["calls"] = tuple(ToolCall(**{k: _text(v) for k, v in call.items()}) for call in kept["calls"])
        for name, value in kept.items():
            if not isinstance(value, _KINDS.get(name, str)):
                raise ValueError(f"a turn's {name} can't be {value!r}")
        if "prompt" not in kept or kept.get("status", "complete") not in get_args(Status):
            raise ValueError("a turn needs a prompt and a known status")
        return cls(**kept)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} should be text")
    return value


_KINDS: Mapping[str, Any] = {
    "images": tuple,
    "calls": tuple,
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
