"""The messages API of Anthropic, at the service `openai`.

Wire facts: the Anthropic API reference, "Create a message", "Streaming messages", "Count message tokens" and "Errors".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .replies import MockToolCall, get_text
from .request_log import MockRequest
from .services import MODELS, MockExchange, OpenAIService, StreamEvents, dump_json

SIGNATURE = "bW9jay1zaWduYXR1cmU="
"""Signature of all reasoning."""
MIN_CACHED = 50
"""Tokens of the shortest head that is cached."""

_SOURCES = {"base64": "application/pdf", "text": "text/plain"}
"""Sources of documents -> their only media type."""
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
"""Status -> type of the error."""


class MessagesService(OpenAIService):
    """`POST /v1/messages`: content blocks, and events with types."""

    path = "/messages"

    def speaks(self, request: MockRequest) -> bool:
        """Whether a request is in this format, by its header."""
        return "anthropic-version" in request.headers or super().speaks(request)

    def credential(self, request: MockRequest) -> str:
        """Return the header `x-api-key`, or the bearer token, which the service takes since version 2026-10-21."""
        return request.headers.get("x-api-key", "") or super().credential(request)

    def error(self, status: int, message: str, code: str | None = None) -> str:
        """Return the error object of the API reference."""
        kind = _KINDS.get(status, "api_error")
        return dump_json({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_mock"})

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Return the messages in the form of chat completions."""
        given = body.get("messages")
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            return None
        system = [{"role": "system", "content": _text_of(body["system"])}] if body.get("system") else []
        return [*system, *(read for one in given for read in _read_message(one))]

    def complaint(self, body: Mapping[str, Any]) -> str:
        """Return why a request is refused, in words like those of the service."""
        if type(body.get("max_tokens")) is not int:
            return "max_tokens: Field required"
        if problem := _complain_of_thinking(body):
            return problem
        blocks = [block for one in body["messages"] for block in _blocks_of(one.get("content"))]
        if any(one.get("type") == "thinking" and one.get("signature") != SIGNATURE for one in blocks):
            return "messages.1.content.0: Invalid `signature` in `thinking` block"
        marks = json.dumps([body.get("tools"), body.get("system"), blocks]).count('"cache_control"')
        if marks > 4:
            return f"A maximum of 4 blocks with cache_control may be provided. Found {marks}."
        calls = {one["id"] for one in blocks if one.get("type") == "tool_use"}
        results = {one["tool_use_id"] for one in blocks if one.get("type") == "tool_result"}
        if calls != results:
            return "`tool_use` ids were found without `tool_result` blocks immediately after"
        return next(filter(None, map(_complain_of_document, blocks)), "")

    def calls(self, body: Mapping[str, Any]) -> list[MockToolCall]:
        """Return the tool calls of the reply; a tool that must be called gets an object with the reply."""
        choice = body.get("tool_choice") or {}
        called = super().calls(body)
        if called or choice.get("type") != "tool":
            return called
        prompt = get_text((self.messages(body) or [{}])[-1])[0]
        return [MockToolCall("call_1_1", choice.get("name", ""), prompt.partition("say ")[2] or "{}")]

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Return an event that holds `delta`: text, or reasoning."""
        if "reasoning_content" in delta:
            return _event("content_block_delta", index=0, delta=_thought(delta["reasoning_content"]))
        content = delta.get("content")
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        return _text_event(int(_is_thinking(body)), content)

    def events(self, words: list[str], body: Mapping[str, Any], thoughts: Sequence[str] = ()) -> StreamEvents:
        """Return all events of a message, `thoughts` first."""
        calls = self.calls(body)
        usage = self._usage(words, body)
        message = {**self._message(body, []), "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        opening = [_event("message_start", message=message), _event("ping")]
        first = 0
        if thoughts or _is_thinking(body):
            opening += _thinking_events(thoughts or _THOUGHTS)
            first = 1
        text: list[str] = []
        closing: list[str] = []
        if calls:
            text = [event for n, call in enumerate(calls, first) for event in _call_events(n, call)]
        else:
            opening.append(_event("content_block_start", index=first, content_block={"type": "text", "text": ""}))
            text = [_text_event(first, word) for word in words]
            closing.append(_event("content_block_stop", index=first))
        ended = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
        closing.append(_event("message_delta", delta=ended, usage={"output_tokens": usage["output_tokens"]}))
        return StreamEvents(opening, text, [*closing, _event("message_stop")])

    def whole(self, words: list[str], body: Mapping[str, Any]) -> str:
        """Return the message object."""
        calls = self.calls(body)
        thought = [{"type": "thinking", "thinking": "".join(_THOUGHTS), "signature": SIGNATURE}]
        content = thought if _is_thinking(body) else []
        content += [*map(_describe_call, calls)] if calls else [{"type": "text", "text": "".join(words)}]
        reason = "tool_use" if calls else "end_turn"
        return dump_json({**self._message(body, content), "stop_reason": reason, "usage": self._usage(words, body)})

    def answer(self, exchange: MockExchange) -> str | None:
        """Return the list of models, or the number of tokens of a request, if it is asked for."""
        if exchange.asks("POST", f"{self.path}/count_tokens") and self.messages(exchange.body) is not None:
            return dump_json({"input_tokens": self.count_usage([], exchange.body)["prompt_tokens"]})
        return super().answer(exchange)

    def list_models(self) -> dict[str, Any]:
        """Return the list of models."""
        rows = [
            {"type": "model", "id": m, "display_name": m, "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active"}
            for m in MODELS
        ]
        return {"data": rows, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}

    def _message(self, body: Mapping[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
        head = {"type": "message", "id": "msg_mock", "role": "assistant", "model": body.get("model")}
        return {**head, "content": content, "stop_sequence": None}

    def _usage(self, words: list[str], body: Mapping[str, Any]) -> dict[str, int]:
        """Return token counts; what a mark covers counts as written, and from the third message on as read."""
        counts = self.count_usage(words, body)
        marked = counts["prompt_tokens"] if '"cache_control"' in json.dumps(body) else 0
        head = marked - 1 if marked > MIN_CACHED else 0
        read = head if len(body["messages"]) > 2 else 0
        return {
            "input_tokens": counts["prompt_tokens"] - head,
            "cache_creation_input_tokens": head - read,
            "cache_read_input_tokens": read,
            "output_tokens": counts["completion_tokens"],
        }


_THOUGHTS = ("Let ", "me ", "think. ")


def _event(kind: str, **fields: Any) -> str:
    return dump_json({"type": kind, **fields})


def _text_event(index: int, text: Any) -> str:
    return _event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


def _thought(text: str) -> dict[str, Any]:
    return {"type": "thinking_delta", "thinking": text}


def _is_thinking(body: Mapping[str, Any]) -> bool:
    return (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")


def _thinking_events(thoughts: Sequence[str]) -> list[str]:
    empty = {"type": "thinking", "thinking": "", "signature": ""}
    return [
        _event("content_block_start", index=0, content_block=empty),
        *(_event("content_block_delta", index=0, delta=_thought(thought)) for thought in thoughts),
        _event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": SIGNATURE}),
        _event("content_block_stop", index=0),
    ]


def _call_events(index: int, call: MockToolCall) -> list[str]:
    """Return the events of a call: its arguments come three characters at a time."""
    pieces = [call.arguments[i : i + 3] for i in range(0, len(call.arguments), 3)]
    empty = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
    return [
        _event("content_block_start", index=index, content_block=empty),
        *(
            _event("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece})
            for piece in pieces
        ),
        _event("content_block_stop", index=index),
    ]


def _describe_call(call: MockToolCall) -> dict[str, Any]:
    try:
        value = json.loads(call.arguments)
    except ValueError:
        value = {}
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": value}


def _blocks_of(content: Any) -> list[dict[str, Any]]:
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in _blocks_of(content) if block.get("type") == "text")


def _complain_of_thinking(body: Mapping[str, Any]) -> str:
    if (body.get("thinking") or {}).get("type") in (None, "disabled"):
        return ""
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        return "Thinking may not be enabled when tool_choice forces tool use."
    is_usual = body.get("temperature", 1) == 1
    return "" if is_usual else "`temperature` may only be set to 1 when thinking is enabled."


def _complain_of_document(block: Mapping[str, Any]) -> str:
    source = block.get("source")
    if block.get("type") != "document":
        return ""
    if not isinstance(source, dict) or source.get("type") not in _SOURCES:
        return f"messages.0.content.0.document.source: Input tag found using 'type' must be one of {[*_SOURCES]}"
    kind = _SOURCES[source["type"]]
    if source.get("media_type") != kind:
        return f"messages.0.content.0.document.source.{source['type']}.media_type: Input should be '{kind}'"
    return "" if source.get("data") else "messages.0.content.0.document.source.data: Field required"


def _read_document(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in the form of chat completions."""
    data = (block.get("source") or {}).get("data")
    return {"type": "file", "file": {"filename": block.get("title"), "file_data": data}}


def _read_message(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a message in the form of chat completions: results of calls are messages of their own."""
    content = message.get("content")
    blocks = _blocks_of(content)
    results = [
        {"role": "tool", "tool_call_id": one.get("tool_use_id"), "content": _text_of(one.get("content"))}
        for one in blocks
        if one.get("type") == "tool_result"
    ]
    calls = [
        {"id": one.get("id"), "function": {"name": one.get("name"), "arguments": json.dumps(one.get("input"))}}
        for one in blocks
        if one.get("type") == "tool_use"
    ]
    parts = [{"type": "image_url"} for one in blocks if one.get("type") == "image"]
    parts += [_read_document(one) for one in blocks if one.get("type") == "document"]
    said = [{"type": "text", "text": _text_of(content)}, *parts] if parts else _text_of(content)
    rest = {"role": message.get("role"), "content": said, **({"tool_calls": calls} if calls else {})}
    return [*results, *([rest] if said or calls or not results else [])]
