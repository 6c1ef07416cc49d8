"""Turn: one prompt, its reply, and how the reply ended."""

from __future__ import annotations

import inspect
import itertools
import uuid
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import field, fields, replace
from functools import cached_property
from typing import Any, Literal, get_args

from ..language import _
from ..late_dataclass import late_dataclass
from ..security.exits import clean_printed
from ..security.redaction import redacted
from .attachments import CitationPart, ImagePart
from .call_messages import messages_of_rounds
from .documents import SentDocument, checked_document
from .foreign import is_sendable_image, without_hidden_text
from .messages import Message, ToolCall, Usage
from .parts import (
    Round,
    calls_of,
    checked_result,
    citations_of,
    images_of,
    map_strings,
    reasoning_of,
    rounds_from_json,
    rounds_to_json,
    simple_rounds,
    text_of,
)
from .recorded_reply import derived_id

Status = Literal["complete", "interrupted", "error", "truncated"]

MAX_ID = 200
"""Maximum number of characters of an id."""
MAX_TIME = 2.0**52
"""Maximum of a time (s); floats below it tell seconds apart."""
MAX_INTEGER = 2**53
"""Largest integer that front ends, which save the notebook, keep exactly."""


@late_dataclass(frozen=True, repr=False, init=False)
class Turn:
    """One prompt, its reply, and how the reply ended. `str(turn)` is the reply.

    Args:
        prompt: Text of the prompt, as sent.
        reply: Text of the reply; with `reasoning` and `calls`, a short form of `rounds`.
        model: Model id.
        provider: Provider name.
        params: Parameters sent along, such as ``{"temperature": 0.2}``.
        system: System prompt in force.
        status: How the reply ended.
        error: Why the status is not ``"complete"``, one sentence.
        reasoning: Reasoning of the model.
        usage: Token counts, as reported.
        started: Unix time (s).
        elapsed: Seconds from sending to the end.
        first_text: Seconds from sending to the first text; None if none came.
        left_out: Number of older turns that did not fit into the context window.
        images: URLs of the images sent with the prompt, including ``data:`` URLs.
        documents: Documents sent with the prompt as parts of their own; their text is not in `prompt`.
        calls: Tool calls made for the reply, in order.
        stale: True if an earlier turn has been run again since.
        cell_id: Notebook cell that owns the turn.
        run: Execution of that cell; one execution may hold several turns.
        id: uuid4, hex.
        finish_reason: Finish reason in the server's words.
        address: Address of the service, without user and query; ``""`` for the provider's own.
        dialect: Dialect of the request, such as ``"responses"``; ``""`` for chat completions where they are the
            default, and for providers without a choice.
        rounds: Rounds of typed parts of the reply; they take precedence over `reply`, `reasoning` and `calls`.
        answered_by: Model that answered, in the server's words; `""` if it is the one that was asked.
        remarks: Remarks of the toolkit on the request, such as that the server may have cut it.
        from_file: True if a file brought the turn, so that its author may be anyone. Not saved, and not compared.

    Example:
        >>> turn = Turn("Hi", "Hello", reasoning="A greeting.")
        >>> turn.reply, turn.rounds[0].parts[0]
        ('Hello', ReasoningPart(text='A greeting.', opaque=None))
    """

    prompt: str
    rounds: tuple[Round, ...]
    model: str
    provider: str
    params: Mapping[str, Any] = field(hash=False)
    system: str
    status: Status
    error: str
    finish_reason: str
    usage: Usage | None
    started: float
    elapsed: float
    first_text: float | None
    left_out: int
    images: tuple[str, ...]
    documents: tuple[SentDocument, ...]
    answered_by: str
    remarks: tuple[str, ...]
    stale: bool
    cell_id: str | None
    run: str | None
    id: str
    address: str
    dialect: str
    from_file: bool = field(compare=False)

    def __init__(  # noqa: PLR0917  # fields, as a dataclass takes them
        self,
        prompt: str,
        reply: str = "",
        model: str = "",
        provider: str = "",
        params: Mapping[str, Any] | None = None,
        system: str = "",
        status: Status = "complete",
        error: str = "",
        reasoning: str = "",
        usage: Usage | None = None,
        started: float = 0.0,
        elapsed: float = 0.0,
        first_text: float | None = None,
        left_out: int = 0,
        images: tuple[str, ...] = (),
        calls: Iterable[ToolCall] = (),
        stale: bool = False,
        cell_id: str | None = None,
        run: str | None = None,
        id: str | None = None,  # noqa: A002  # the field's name
        finish_reason: str = "",
        rounds: tuple[Round, ...] | None = None,
        answered_by: str = "",
        address: str = "",
        remarks: tuple[str, ...] = (),
        dialect: str = "",
        from_file: bool = False,
        documents: tuple[SentDocument, ...] = (),
    ) -> None:
        if rounds is not None and (reply or reasoning or calls):
            raise TypeError(_("give either rounds, or reply, reasoning and calls"))
        given = {**locals()}
        for name in ("self", "reply", "reasoning", "calls"):  # not stored: `rounds` holds them
            del given[name]
        given["params"] = dict(params or {})
        given["id"] = uuid.uuid4().hex if id is None else id
        given["rounds"] = simple_rounds(reply, reasoning, calls) if rounds is None else rounds
        vars(self).update(given)  # the class is frozen: attributes are set here alone

    def __repr__(self) -> str:
        prompt, reply = redacted(self.prompt), redacted(self.reply)  # first: an escape would part a credential
        return clean_printed(f"Turn({prompt!r}, {reply!r}, {self.provider}:{self.model}, {self.status})")

    def __str__(self) -> str:
        return self.reply

    @cached_property
    def reply(self) -> str:
        """Text of the reply; rounds are separated by blank lines."""
        return text_of(self.rounds)

    @cached_property
    def reasoning(self) -> str:
        """Reasoning of all rounds."""
        return reasoning_of(self.rounds)

    @cached_property
    def calls(self) -> tuple[ToolCall, ...]:
        """Tool calls that were made, in order, each with its result."""
        return calls_of(self.rounds)

    @cached_property
    def made_images(self) -> tuple[ImagePart, ...]:
        """Images that the model made; their labels stand in `reply`."""
        return images_of(self.rounds)

    @cached_property
    def citations(self) -> tuple[CitationPart, ...]:
        """Sources that the reply cites, in order, each once."""
        return citations_of(self.rounds)

    @cached_property
    def in_context(self) -> bool:
        """True if later requests carry this turn: failed and empty turns are left out."""
        return self.status != "error" and bool(self.reply or self.calls)

    @cached_property
    def is_shown(self) -> bool:
        """True if there is something to show: False for a failure before the first word or call."""
        return self.status != "error" or bool(self.reply or self.calls)

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages that later requests carry: prompt, tool calls with their results, and reply."""
        prompt = Message("user", self.prompt, self.sent_images, documents=self.sent_documents)
        return prompt, *messages_of_rounds(self.rounds)

    @property
    def sent_images(self) -> tuple[str, ...]:
        """URLs of the images that later requests carry; those out of a file may name no other file."""
        return tuple(filter(is_sendable_image, self.images)) if self.from_file else self.images

    @property
    def sent_documents(self) -> tuple[SentDocument, ...]:
        """Documents that later requests carry; of those out of a file, only the text where the rest is no document."""
        return tuple(map(checked_document, self.documents)) if self.from_file else self.documents

    def map_strings(self, change: Callable[[str], str]) -> Turn:
        """Return a copy with `change` applied to every text in it, such as a redactor."""
        return replace(self, **{f.name: map_strings(getattr(self, f.name), change) for f in fields(self)})

    def to_dict(self) -> dict[str, Any]:
        """Return the turn as JSON; fields at their defaults are left out.

        Rounds are written only if `reply`, `reasoning` and `calls` don't determine them.
        """
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name in _DEFAULTS}
        kept: dict[str, Any] = {"prompt": self.prompt, "reply": self.reply}
        kept |= {k: v for k, v in given.items() if v != _DEFAULTS[k]}
        kept["params"] = dict(self.params)
        kept |= {name: list(texts) for name in ("images", "remarks") if (texts := getattr(self, name))}
        if self.documents:
            kept["documents"] = [document.to_dict() for document in self.documents]
        if self.usage is not None:
            kept["usage"] = self.usage.to_dict()
        if self.rounds != simple_rounds(self.reply, self.reasoning, self.calls):
            kept["rounds"] = rounds_to_json(self.rounds)
            return kept
        if self.reasoning:
            kept["reasoning"] = self.reasoning
        if self.calls:
            kept["calls"] = [_call_to_json(call) for call in self.calls]
        return kept

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Turn:
        """Read what `to_dict` wrote.

        Raises:
            TypeError, ValueError: If `data` is something else.
        """
        known = {f.name for f in fields(cls)} - _NOT_SAVED | {"reply", "reasoning", "calls"}
        kept = {k: v for k, v in data.items() if k in known and v is not None}
        if isinstance(kept.get("usage"), Mapping):
            kept["usage"] = Usage(**kept["usage"])
        for name in {"images", "remarks"} & kept.keys():
            kept[name] = tuple(_checked_text(text) for text in kept[name])
        if "documents" in kept:
            kept["documents"] = tuple(map(SentDocument.from_dict, kept["documents"]))
        if "calls" in kept:
            kept["calls"] = tuple(_call_from_json(call) for call in kept["calls"])
        if "rounds" in kept:
            kept["rounds"] = without_hidden_text(rounds_from_json(kept["rounds"]))
            kept = {k: v for k, v in kept.items() if k not in ("reply", "reasoning", "calls")}
        for name, value in kept.items():
            if not is_valid_field(name, value):
                raise ValueError(_("{name} of a turn can't be {value!r:.60}", name=name, value=value))
        if "prompt" not in kept:
            raise ValueError(_("a turn needs a prompt"))
        return cls(**kept, from_file=True)


_NOT_SAVED = {"run", "from_file"}
_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(Turn.__init__).parameters.items()
    if name in Turn.__dataclass_fields__ and name not in {"prompt", "params", "rounds"} | _NOT_SAVED
}
"""Fields that a saved turn holds where they differ from these defaults."""


def _call_to_json(call: ToolCall) -> dict[str, Any]:
    told = {"id": call.id, "name": call.name, "arguments": call.arguments, "result": call.result}
    more = {"elapsed": call.elapsed, "approved_by": call.approved_by, "images": list(call.images)}
    return told | {name: value for name, value in more.items() if value not in (None, "", [])}


def _call_from_json(data: Any) -> ToolCall:
    result = data.get("result")
    identity, name, arguments = (_checked_text(data[field]) for field in ("id", "name", "arguments"))
    return ToolCall(
        identity, name, arguments, None if result is None else _checked_text(result), **checked_result(data)
    )


def _checked_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(_("{value!r:.40} must be text", value=value))
    return value


def is_id(value: object) -> bool:
    """Return whether a saved turn or conversation can have `value` as its id."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def is_time(value: object) -> bool:
    """Return whether `value` is a time or a duration (s) that can be saved."""
    return isinstance(value, int | float) and 0 <= value <= MAX_TIME


def is_valid_field(name: str, value: object) -> bool:
    """Return whether a saved turn can have `value` in the field `name`; what is saved must be readable again."""
    if name in _CHECKS:
        return _CHECKS[name](value)
    return isinstance(value, _TYPES.get(name, str))


def with_distinct_ids(turns: Iterable[Turn], taken: Iterable[str] = ()) -> tuple[Turn, ...]:
    """Return the turns, with a new id for each whose id is invalid, repeated, or one of `taken`."""
    seen = set(taken)
    distinct: list[Turn] = []
    for turn in turns:
        kept = turn if is_id(turn.id) and turn.id not in seen else replace(turn, id=_unused_id(turn, seen))
        seen.add(kept.id)
        distinct.append(kept)
    return tuple(distinct)


def _unused_id(turn: Turn, seen: Container[str]) -> str:
    """Return a new id, the same one whenever the same turn is taken in again beside the same others."""
    if not is_id(turn.id):
        return uuid.uuid4().hex
    numbered = (uuid.UUID(derived_id("again", turn.id, number)).hex for number in itertools.count(2))
    return next(one for one in numbered if one not in seen)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and abs(value) <= MAX_INTEGER


def _is_usage(value: object) -> bool:
    counts = vars(value).values() if isinstance(value, Usage) else [""]
    return all(n is None or (type(n) is int and _is_count(n)) for n in counts)


_TYPES: Mapping[str, Any] = {
    "images": tuple,
    "documents": tuple,
    "remarks": tuple,
    "calls": tuple,
    "rounds": tuple,
    "params": Mapping,
    "stale": bool,
}
"""Types of the fields of a saved turn that are neither text nor in `_CHECKS`."""
_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "id": is_id,
    "status": lambda value: value in get_args(Status),
    "usage": _is_usage,
    "started": is_time,
    "elapsed": is_time,
    "first_text": is_time,
    "left_out": _is_count,
}
"""Fields of a saved turn that take only some values of a type."""
