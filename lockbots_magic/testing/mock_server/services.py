"""Wire formats: how each service reads a request, and writes a reply or an error."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from .replies import (
    MockToolCall,
    complain_of_documents,
    get_text,
    make_markdown,
    parse_calls,
    reply_to,
    split_bytes,
    split_words,
)
from .request_log import MockRequest
from .settings import CREDENTIAL, MockSettings

MODELS = ("demo", "gpt-4", "gpt-3.5-turbo")


def dump_json(value: Any) -> str:
    """Return JSON as the services write it: compact, without escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class StreamEvents(NamedTuple):
    """The events of a reply, each the content of one `data` field."""

    opening: list[str]
    text: list[str]
    closing: list[str]


class MockService(ABC):
    """One wire format."""

    name: ClassVar[str]
    base: ClassVar[str] = ""
    path: ClassVar[str]
    """Path that a client appends to the base URL."""
    media_type: ClassVar[str] = "text/event-stream"
    has_events: ClassVar[bool] = True
    always_streams: ClassVar[bool] = True
    """Whether a request that doesn't say `stream` gets a stream."""

    def speaks(self, request: MockRequest) -> bool:
        """Whether a request is in this format, by its path."""
        return request.path.endswith(self.base + self.path)

    @abstractmethod
    def credential(self, request: MockRequest) -> str:
        """Return the credential of `request`, ``""`` if there is none."""

    def accepts(self, exchange: MockExchange) -> bool:
        """Whether the credential is valid, or not required."""
        return exchange.settings.auth != "required" or exchange.credential == CREDENTIAL

    @abstractmethod
    def error(self, status: int, message: str, code: str | None = None) -> str:
        """Return an error object as JSON."""

    @abstractmethod
    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Return the content of an event that holds `delta`."""

    def events(self, words: list[str], body: Mapping[str, Any], thoughts: Sequence[str] = ()) -> StreamEvents:
        """Return the events of the reply `words` to the request `body`.

        Args:
            words: Text of the reply.
            body: The request.
            thoughts: Reasoning before it, for a service that has such a thing.
        """
        return StreamEvents([], [self.chunk({"content": word}, body) for word in words], [])

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Return the messages of a request in the form of chat completions; None if it has none."""
        messages = body.get("messages")
        return messages if isinstance(messages, list) else None

    def calls(self, body: Mapping[str, Any]) -> list[MockToolCall]:
        """Return the tool calls of the reply to the request `body`."""
        return parse_calls(self.messages(body) or []) if body.get("tools") else []

    def complaint(self, body: Mapping[str, Any]) -> str:
        """Return why a request with messages is refused anyway; empty if it is not."""
        return complain_of_documents(self.messages(body) or [])

    def count_usage(self, words: list[str], body: Mapping[str, Any]) -> dict[str, int]:
        """Return the token counts; a word counts as a token."""
        prompt = sum(len(get_text(m)[0].split()) for m in self.messages(body) or [])
        return {"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)}

    def whole(self, words: list[str], body: Mapping[str, Any]) -> str | None:
        """Return the reply as one JSON object, if the service has such a format."""
        return None

    def answer(self, exchange: MockExchange) -> str | None:
        """Return the JSON for a request that asks for something else than a reply; None if it asks for a reply."""
        return None


class OpenAIService(MockService):
    """Chat completions."""

    name = "openai"
    base = "/v1"
    path = "/chat/completions"
    always_streams = False

    def credential(self, request: MockRequest) -> str:
        """Return the bearer token."""
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def error(self, status: int, message: str, code: str | None = None) -> str:
        """Return the error object of the API reference."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        return dump_json({"error": {"message": message, "type": kind, "param": None, "code": code}})

    def answer(self, exchange: MockExchange) -> str | None:
        """Return the list of models, if it is asked for."""
        return dump_json(self.list_models()) if exchange.asks("GET", "/models") else None

    def list_models(self) -> dict[str, Any]:
        """Return the list of models."""
        rows = [{"id": m, "object": "model", "created": 0, "owned_by": "mock"} for m in MODELS]
        return {"object": "list", "data": rows}

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Return a `chat.completion.chunk`."""
        return self._object("chat.completion.chunk", body, [{"index": 0, "delta": delta, "finish_reason": None}])

    def events(self, words: list[str], body: Mapping[str, Any], thoughts: Sequence[str] = ()) -> StreamEvents:
        """Return a role and the thoughts first; finish reason, usage if requested, and `[DONE]` last."""
        calls = self.calls(body)
        end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}
        closing = [self._object("chat.completion.chunk", body, [end])]
        if (body.get("stream_options") or {}).get("include_usage"):
            closing.append(self._object("chat.completion.chunk", body, [], usage=self.count_usage(words, body)))
        opening = [self.chunk({"role": "assistant", "content": ""}, body)]
        opening += [self.chunk({"reasoning_content": thought}, body) for thought in thoughts]
        pieces = [
            self.chunk({"tool_calls": [piece]}, body) for n, call in enumerate(calls) for piece in _split_call(n, call)
        ]
        return StreamEvents(opening, pieces if calls else super().events(words, body).text, [*closing, "[DONE]"])

    def whole(self, words: list[str], body: Mapping[str, Any]) -> str:
        """Return a `chat.completion`."""
        calls = self.calls(body)
        message: dict[str, Any] = {"role": "assistant", "content": "".join(words)}
        if calls:
            message |= {"content": None, "tool_calls": [_describe_call(call, call.arguments) for call in calls]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
        return self._object("chat.completion", body, [choice], usage=self.count_usage(words, body))

    def _object(self, kind: str, body: Mapping[str, Any], choices: list[Any], **more: Any) -> str:
        head = {"id": "chatcmpl-mock", "object": kind, "created": 0, "model": body.get("model")}
        return dump_json({**head, "choices": choices, **more})


def _describe_call(call: MockToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _split_call(index: int, call: MockToolCall) -> list[dict[str, Any]]:
    """Return the chunks of a streamed call: its name, then the arguments, three characters at a time."""
    pieces = [call.arguments[i : i + 3] for i in range(0, len(call.arguments), 3)]
    rest = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [{"index": index, **_describe_call(call, "")}, *rest]


class LockchatService(OpenAIService):
    """Chat completions with deltas only; the credential is the query parameter `auth`."""

    name = "lockchat"
    base = ""
    path = "/v1/chat/completions"

    def credential(self, request: MockRequest) -> str:
        """Return the query parameter."""
        return request.query.get("auth", "")

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Return a chunk with the delta only."""
        return dump_json({"choices": [{"delta": delta}]})

    def events(self, words: list[str], body: Mapping[str, Any], thoughts: Sequence[str] = ()) -> StreamEvents:
        """Return the thoughts and the text, then `[DONE]`."""
        opening = [self.chunk({"reasoning_content": thought}, body) for thought in thoughts]
        return StreamEvents(opening, [self.chunk({"content": word}, body) for word in words], ["[DONE]"])


class LiaobotsEventsService(MockService):
    """Liaobots, later format: server-sent events of its own."""

    name = "liaobots-events"
    path = "/api/chat"

    def credential(self, request: MockRequest) -> str:
        """Return the header."""
        return request.headers.get("x-auth-code", "")

    def accepts(self, exchange: MockExchange) -> bool:
        """Whether the credential is valid; it is always required."""
        return exchange.credential == CREDENTIAL

    def error(self, status: int, message: str, code: str | None = None) -> str:
        """Return the error object as observed; an exhausted quota (402) is its most frequent reason."""
        return dump_json({"error": True, "res_status": status or 402, "message": message})

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Return the content of an event."""
        return dump_json({"role": "assistant", **delta})


class LiaobotsService(LiaobotsEventsService):
    """Liaobots, early format: the body is the reply."""

    name = "liaobots"
    media_type = "application/octet-stream"
    has_events = False


@dataclass(frozen=True)
class MockExchange:
    """A request and everything else that its response depends on."""

    service: MockService
    settings: MockSettings
    request: MockRequest
    origin: str
    """URL of this server, such as ``http://127.0.0.1:8000``."""

    @property
    def credential(self) -> str:
        """Credential of the request."""
        return self.service.credential(self.request)

    @property
    def body(self) -> Mapping[str, Any]:
        """JSON object of the request, empty if there is none."""
        return self.request.json if isinstance(self.request.json, dict) else {}

    @property
    def path(self) -> str:
        """Path below the service's base URL."""
        below = "/" + self.request.path.lstrip("/").partition("/")[2]
        return below.removeprefix(self.service.base)

    def asks(self, method: str, path: str) -> bool:
        """Whether the request has this method, and this path below the base URL."""
        return (self.request.method, self.path) == (method, path)

    @property
    def reply(self) -> str:
        """Text of the reply."""
        return (
            make_markdown(self.settings.tokens)
            if self.settings.tokens
            else reply_to(self.service.messages(self.body) or [])
        )

    @property
    def complaint(self) -> str:
        """Why the body is refused; empty if it is not."""
        if self.service.messages(self.body) is None or not self.body.get("model"):
            return "The body must be a JSON object with a model and messages"
        return self.service.complaint(self.body)

    @property
    def words(self) -> list[str]:
        """Text of the reply in words."""
        return split_words(self.reply)

    @property
    def events(self) -> StreamEvents:
        """Events of an ordinary response."""
        return self.service.events(self.words, self.body)

    def frames(self) -> list[bytes]:
        """Return the pieces of an ordinary response, as sent."""
        if not self.service.has_events:
            return split_bytes(self.reply)
        return [frame(event) for part in self.events for event in part]

    def half(self) -> list[bytes]:
        """Return the pieces up to about half of the text, at least one of text."""
        if not self.service.has_events:
            words = self.words
            return split_bytes("".join(words[: max(1, len(words) // 2)]))
        events = self.events
        return [frame(event) for event in [*events.opening, *events.text[: max(1, len(events.text) // 2)]]]


def frame(event: str) -> bytes:
    """Return one event as it is usually written: under its type, where its data begin with one."""
    named = re.match(r'\{"type":"([\w.]+)"', event)
    return f"{f'event: {named[1]}' if named else ''}{chr(10) if named else ''}data: {event}\n\n".encode()
