"""Recording: one request with its reply, and its form as a line of JSON. No I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

from .. import errors
from ..conversation.messages import Delta, Message, ToolCall, Usage
from ..conversation.opaque_data import OpaqueData
from ..conversation.parts import checked_result
from ..conversation.recorded_reply import RecordedReply
from ..conversation.turn import MAX_ID, is_time
from ..errors import ContextLengthError, HTTPStatusError, ProviderError
from ..language import _
from ..security.exits import mask_json
from .request import RecordedRequest, Thread, dump_params, flatten
from .rhythm import Row, checked_rhythm, timed_deltas

Ending = Literal["complete", "interrupted", "cancelled", "error"]


@dataclass(frozen=True)
class Recording:
    """A request, its reply with its rhythm, and how the reply ended."""

    request: RecordedRequest
    reply: str = ""
    reasoning: str = ""
    rhythm: Sequence[Row] = ()
    """See `rhythm_of`."""
    ended: Ending = "complete"
    finish_reason: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage | None = None
    default: bool = False
    """True if the server chose the model."""
    id: str = ""
    calls: tuple[ToolCall, ...] = ()
    """Tool calls that the model asked for."""
    answered_by: str = ""
    """Model that answered, in the server's words."""
    opaque: tuple[OpaqueData, ...] = ()
    """Data of the service that go back with the reply."""
    started: float = 0.0
    """Unix time (s) at which it was sent; 0 if unknown."""
    conversation: str = ""
    """Id of the conversation that made it."""
    key: str = ""
    """What a journal finds the answer of a row by; `""` for a recording that is no such answer."""

    @property
    def elapsed(self) -> float:
        """Duration (s)."""
        return float(self.rhythm[-1][0]) / 1000 if self.rhythm else 0.0

    def about(self) -> RecordedReply:
        """Return what the turn of this reply takes over."""
        first = next((at for at, delta in self.deltas() if delta.text or delta.parts), None)
        return RecordedReply(self.id, self.conversation, self.started, self.elapsed, first)

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """Messages of the request and the reply: the beginning of the next request."""
        return (*self.request.messages, Message("assistant", self.reply, calls=self.calls))

    @cached_property
    def thread(self) -> Thread:
        """The same, flattened."""
        return (*self.request.thread, *flatten(self.messages[-1:]))

    def deltas(self) -> Iterator[tuple[float, Delta]]:
        """Yield the deltas, each with its time (s). Only a complete reply has a last one with the finish reason."""
        at = 0.0
        for at, delta in timed_deltas(self.rhythm, self.reply, self.reasoning):
            yield at, delta
        if self.ended == "complete":
            at = max(at, self.rhythm[-1][0] / 1000) if self.rhythm else at
            yield from ((at, Delta(opaque=one)) for one in self.opaque)
            reason = self.finish_reason or None
            end = Delta("", "", reason, self.usage, calls=self.calls, model=self.answered_by)
            yield at, end._replace(is_replayed=bool(self.calls))

    def failure(self) -> ProviderError:
        """Return the error that ended the reply."""
        kind = getattr(errors, str(self.error.get("type")), ProviderError)
        kind = kind if isinstance(kind, type) and issubclass(kind, ProviderError) else ProviderError
        known = {"status": int, "retry_after": int | float} if issubclass(kind, HTTPStatusError) else {}
        known |= {"limit": int, "prompt_tokens": int} if issubclass(kind, ContextLengthError) else {}
        details = {name: self.error[name] for name, of in known.items() if isinstance(self.error.get(name), of)}
        about = {"provider": self.request.provider, "model": self.request.model, "partial": self.reply}
        return kind(str(self.error.get("message", "")), **about, **details)

    def to_line(self, following: Recording | None = None) -> str:
        """Return the recording as one line of JSON, without the newline and without credentials.

        Args:
            following: A recording with whose messages and reply this one begins; they are not repeated.
        """
        request = self.request
        sent = {
            "provider": request.provider,
            "model": request.model,
            **({"default": True} if self.default else {}),
            "messages": [_message_to_json(m) for m in request.messages[len(following.messages) if following else 0 :]],
            "params": json.loads(request.params),
        }
        line = {
            **({"key": self.key} if self.key else {}),  # first: a journal is searched by the first bytes of its lines
            "id": self.id,
            **({"started": self.started} if self.started else {}),
            **({"conversation": self.conversation} if self.conversation else {}),
            **({"after": following.id} if following else {}),
            "request": sent,
            "reply": self.reply,
            **({"reasoning": self.reasoning} if self.reasoning else {}),
            "ended": self.ended,
            **({"finish_reason": self.finish_reason} if self.finish_reason else {}),
            **({"error": dict(self.error)} if self.error else {}),
            **({"usage": self.usage.to_dict()} if self.usage else {}),
            **({"calls": [_call_to_json(call) for call in self.calls]} if self.calls else {}),
            **({"answered_by": self.answered_by} if self.answered_by else {}),
            **({"opaque": [one.to_dict() for one in self.opaque]} if self.opaque else {}),
            "rhythm": self.rhythm,
        }
        return json.dumps(mask_json(line), ensure_ascii=False)

    @classmethod
    def from_line(cls, line: Mapping[str, Any], following: Recording | None = None) -> Recording:
        """Return the recording that a line describes.

        Args:
            line: JSON object of the line.
            following: The recording that it follows.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: If the line describes no recording.
        """
        sent, ended = line["request"], line["ended"]
        if ended not in get_args(Ending):
            raise ValueError(_("unknown ending {ended!r}", ended=ended))
        params = dump_params(sent.get("params", {}))
        messages = tuple(map(_message_from_json, sent["messages"]))
        request = RecordedRequest(
            _text(sent["provider"]),
            _text(sent["model"]),
            (*following.messages, *messages) if following else messages,
            params,
        )
        if following:  # a long conversation flattens each message once
            vars(request)["thread"] = (*following.thread, *flatten(messages))
        return cls(
            request,
            _text(line["reply"]),
            _text(line.get("reasoning", "")),
            checked_rhythm(line["rhythm"]),
            ended,
            _text(line.get("finish_reason", "")),
            dict(line.get("error", {})),
            _usage(line.get("usage")),
            bool(sent.get("default")),
            _text(line.get("id", "")),
            tuple(map(_call_from_json, line.get("calls") or ())),
            _text(line.get("answered_by", "")),
            tuple(map(OpaqueData.from_dict, line.get("opaque") or ())),
            _time(line.get("started", 0.0)),
            _text(line.get("conversation", ""))[:MAX_ID],
            _text(line.get("key", ""))[:MAX_ID],
        )

    def digest(self) -> str:
        """Return a short digest of the content, without its time and rhythm."""
        request = self.request
        if any(m.elapsed is not None for m in request.messages):
            untimed = tuple(replace(m, elapsed=None) for m in request.messages)
            request = replace(request, messages=untimed)
        content = replace(self, request=request, id="", rhythm=(), started=0.0, conversation="").to_line()
        return hashlib.blake2b(content.encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()


def _message_to_json(message: Message) -> dict[str, Any]:
    about = {"elapsed": message.elapsed, "approved_by": message.approved_by}
    return message.to_dict() | {name: value for name, value in about.items() if value not in (None, "")}


def _message_from_json(value: Any) -> Message:
    message = Message.of(value)
    return replace(message, **checked_result(value)) if {"elapsed", "approved_by"} & value.keys() else message


def _call_to_json(call: ToolCall) -> dict[str, Any]:
    return {**call.to_dict(), **({"opaque": call.opaque.to_dict()} if call.opaque else {})}


def _call_from_json(value: Any) -> ToolCall:
    (call,) = Message.of({"role": "assistant", "content": "", "tool_calls": [value]}).calls
    return call._replace(opaque=OpaqueData.from_dict(value["opaque"])) if "opaque" in value else call


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(_("expected text, got {value!r}", value=value))
    return value


def _time(value: Any) -> float:
    if not is_time(value):
        raise TypeError(_("expected a time (s), got {value!r:.40}", value=value))
    return float(value)


def _usage(value: Any) -> Usage | None:
    if not value:
        return None
    usage = Usage(**value)
    if not all(n is None or type(n) is int for n in vars(usage).values()):
        raise TypeError(_("usage must be counts of tokens"))
    return usage
