"""The wire formats: how each service takes a question and words an answer or an error."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from .record import Recorded
from .replies import Call, bytes_of, calls_for, reply_to, text_of, tokens, words_of
from .settings import CREDENTIAL, Settings

MODELS = ("demo", "gpt-4", "gpt-3.5-turbo")


def dumps(value: Any) -> str:
    """JSON as the services write it: compact, and UTF-8 rather than escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Parts(NamedTuple):
    """The events of an answer, each the content of one `data` field."""

    opening: list[str]
    text: list[str]
    closing: list[str]


class Service(ABC):
    """One wire format. `path` is what a client appends to the base URL."""

    name: ClassVar[str]
    base: ClassVar[str] = ""
    path: ClassVar[str]
    media_type: ClassVar[str] = "text/event-stream"
    has_events: ClassVar[bool] = True

    @abstractmethod
    def credential(self, request: Recorded) -> str:
        """The credential that `request` carries, ``""`` if none."""

    def admits(self, question: Question) -> bool:
        """Whether the credential is good enough."""
        return question.settings.auth != "required" or question.credential == CREDENTIAL

    @abstractmethod
    def error(self, status: int, message: str, code: str | None = None) -> str:
        """An error object."""

    @abstractmethod
    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """The content of an event that holds `delta`."""

    def parts(self, words: list[str], body: Mapping[str, Any]) -> Parts:
        """The events that hold the reply `words` to the request `body`."""
        return Parts([], [self.chunk({"content": word}, body) for word in words], [])

    def whole(self, words: list[str], body: Mapping[str, Any]) -> str | None:
        """The reply as one JSON object, if the service has such a form."""
        return None


class OpenAI(Service):
    """The chat-completions dialect."""

    name = "openai"
    base = "/v1"
    path = "/chat/completions"

    def credential(self, request: Recorded) -> str:
        """The bearer token."""
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def error(self, status: int, message: str, code: str | None = None) -> str:
        """The object as the API reference has it."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """A `chat.completion.chunk`."""
        return self._object("chat.completion.chunk", body, [{"index": 0, "delta": delta, "finish_reason": None}])

    def parts(self, words: list[str], body: Mapping[str, Any]) -> Parts:
        """A role first; a finish reason, the usage if asked for and `[DONE]` last."""
        calls = _calls(body)
        end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}
        closing = [self._object("chat.completion.chunk", body, [end])]
        if (body.get("stream_options") or {}).get("include_usage"):
            closing.append(self._object("chat.completion.chunk", body, [], usage=usage(words, body)))
        opening = [self.chunk({"role": "assistant", "content": ""}, body)]
        pieces = [self.chunk({"tool_calls": [piece]}, body) for n, call in enumerate(calls) for piece in _cut(n, call)]
        return Parts(opening, pieces if calls else super().parts(words, body).text, [*closing, "[DONE]"])

    def whole(self, words: list[str], body: Mapping[str, Any]) -> str:
        """A `chat.completion`."""
        calls = _calls(body)
        message: dict[str, Any] = {"role": "assistant", "content": "".join(words)}
        if calls:
            message |= {"content": None, "tool_calls": [_described(call, call.arguments) for call in calls]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
        return self._object("chat.completion", body, [choice], usage=usage(words, body))

    def _object(self, kind: str, body: Mapping[str, Any], choices: list[Any], **more: Any) -> str:
        head = {"id": "chatcmpl-mock", "object": kind, "created": 0, "model": body.get("model")}
        return dumps({**head, "choices": choices, **more})


def _calls(body: Mapping[str, Any]) -> list[Call]:
    return calls_for(body.get("messages") or []) if body.get("tools") else []


def _described(call: Call, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _cut(index: int, call: Call) -> list[dict[str, Any]]:
    """A call as a stream tells it: its name, then the arguments, three characters at a time."""
    pieces = [call.arguments[i : i + 3] for i in range(0, len(call.arguments), 3)]
    rest = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [{"index": index, **_described(call, "")}, *rest]


class Lockchat(OpenAI):
    """That dialect at its barest; the credential is the query parameter `auth`."""

    name = "lockchat"
    base = ""
    path = "/v1/chat/completions"

    def credential(self, request: Recorded) -> str:
        """The query parameter."""
        return request.query.get("auth", "")

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Nothing but the delta."""
        return dumps({"choices": [{"delta": delta}]})

    def parts(self, words: list[str], body: Mapping[str, Any]) -> Parts:
        """Text, then `[DONE]`."""
        return Parts([], [self.chunk({"content": word}, body) for word in words], ["[DONE]"])


class LiaobotsEvents(Service):
    """Liaobots, the later form: events of its own."""

    name = "liaobots-events"
    path = "/api/chat"

    def credential(self, request: Recorded) -> str:
        """The header."""
        return request.headers.get("x-auth-code", "")

    def admits(self, question: Question) -> bool:
        """Always asks for it."""
        return question.credential == CREDENTIAL

    def error(self, status: int, message: str, code: str | None = None) -> str:
        """The object as it was seen; the quota (402) is its commonest reason."""
        return dumps({"error": True, "res_status": status or 402, "message": message})

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """A message of its own kind."""
        return dumps({"role": "assistant", **delta})


class Liaobots(LiaobotsEvents):
    """Liaobots, the early form: the body is the reply."""

    name = "liaobots"
    media_type = "application/octet-stream"
    has_events = False


SERVICES: Mapping[str, Service] = {s.name: s for s in (Lockchat(), Liaobots(), LiaobotsEvents(), OpenAI())}


@dataclass(frozen=True)
class Question:
    """A request, and all that an answer depends on."""

    service: Service
    settings: Settings
    request: Recorded
    origin: str
    """This server, such as ``http://127.0.0.1:8000``."""

    @property
    def credential(self) -> str:
        """The credential that came along."""
        return self.service.credential(self.request)

    @property
    def body(self) -> Mapping[str, Any]:
        """The JSON object that was sent, empty if none was."""
        return self.request.json if isinstance(self.request.json, dict) else {}

    @property
    def path(self) -> str:
        """The path below the service's base URL."""
        below = "/" + self.request.path.lstrip("/").partition("/")[2]
        return below.removeprefix(self.service.base)

    @property
    def reply(self) -> str:
        """The text to answer with."""
        return tokens(self.settings.tokens) if self.settings.tokens else reply_to(self.body.get("messages") or [])

    @property
    def words(self) -> list[str]:
        """That text in pieces."""
        return words_of(self.reply)

    @property
    def parts(self) -> Parts:
        """The events of an ordinary answer."""
        return self.service.parts(self.words, self.body)

    def frames(self) -> list[bytes]:
        """The pieces of an ordinary answer, as they leave."""
        if not self.service.has_events:
            return bytes_of(self.reply)
        return [frame(event) for part in self.parts for event in part]

    def half(self) -> list[bytes]:
        """The pieces up to about half of the text, at least one of text."""
        if not self.service.has_events:
            words = self.words
            return bytes_of("".join(words[: max(1, len(words) // 2)]))
        parts = self.parts
        return [frame(event) for event in [*parts.opening, *parts.text[: max(1, len(parts.text) // 2)]]]


def frame(event: str) -> bytes:
    """One event as it is usually written."""
    return f"data: {event}\n\n".encode()


def usage(words: list[str], body: Mapping[str, Any]) -> dict[str, int]:
    """The token counts; a word counts as a token."""
    asked = sum(len(text_of(m)[0].split()) for m in body.get("messages") or [])
    return {"prompt_tokens": asked, "completion_tokens": len(words), "total_tokens": asked + len(words)}
