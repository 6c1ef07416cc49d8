"""The same replies in every dialect, as the bytes of its service: for the contract of the dialects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.chatserver import delta
from tests.providers import anthropic_events as messages
from tests.providers import responses_events as responses

THOUGHT = "Adding is easy."
USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}


@dataclass(frozen=True)
class Speaker:
    """How one dialect says things; each field takes what is said."""

    say: Callable[..., bytes]
    """Words of a complete reply."""
    whole: Callable[[str], dict[str, Any]]
    """The same as one JSON object."""
    half: Callable[..., bytes]
    """Words before the connection breaks off."""
    at_limit: Callable[..., bytes]
    """Words before the limit of length."""
    refuse: Callable[..., bytes]
    """Words of a refusal, or what comes before it."""
    fail: Callable[[str, str], bytes]
    """Words before an error, and its message."""
    call: Callable[[str], bytes]
    """Arguments of a call of `add`, after a thought that is to go back."""
    refusal: Callable[[str], dict[str, Any]]
    """Message of an error status."""
    returned: str
    """What stands in the next request where the thought goes back."""


def _chat(*chunks: dict[str, Any], done: bool = True) -> bytes:
    body = b"".join(b"data: " + json.dumps({"model": "m-1", **chunk}).encode() + b"\n\n" for chunk in chunks)
    return body + (b"data: [DONE]\n\n" if done else b"")


def _chat_words(*words: str) -> list[dict[str, Any]]:
    return [delta(content=word) for word in words]


def _chat_call(arguments: str) -> bytes:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "add", "arguments": arguments}}
    return _chat(delta(reasoning_content=THOUGHT), delta(tool_calls=[call]), delta("tool_calls"))


def _openai_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


CHAT = Speaker(
    say=lambda *words: _chat(*_chat_words(*words), delta("stop"), {"choices": [], "usage": USAGE}),
    whole=lambda text: {
        "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": USAGE,
    },
    half=lambda *words: _chat(*_chat_words(*words), done=False),
    at_limit=lambda *words: _chat(*_chat_words(*words), delta("length")),
    refuse=lambda *words: _chat(*(delta(refusal=word) for word in words), delta("stop")),
    fail=lambda words, message: _chat(*_chat_words(words), _openai_error(message), done=False),
    call=_chat_call,
    refusal=_openai_error,
    returned=f'"reasoning_content": "{THOUGHT}"',
)


def _responses_refusal(*words: str) -> bytes:
    deltas = (responses.event("refusal.delta", delta=word) for word in words)
    return responses.stream(*responses.start(), *deltas, *responses.end())


def _responses_call(arguments: str) -> bytes:
    events = *responses.thinking(0, THOUGHT), *responses.call(1, arguments)
    return responses.stream(
        *responses.start(), *events, *responses.end(responses.REASONING, responses.function_call(arguments))
    )


def _responses_words(*words: str, **end: Any) -> bytes:
    return responses.stream(*responses.start(), *responses.text(0, *words), *(responses.end(**end) if end else ()))


RESPONSES = Speaker(
    say=lambda *words: _responses_words(*words, status="completed"),
    whole=lambda text: responses.response("completed", [responses.message(text)], usage=responses.USAGE),
    half=_responses_words,
    at_limit=lambda *words: _responses_words(
        *words, status="incomplete", incomplete_details={"reason": "max_output_tokens"}
    ),
    refuse=_responses_refusal,
    fail=lambda words, message: _responses_words(
        words, status="failed", error={"code": "server_error", "message": message}
    ),
    call=_responses_call,
    refusal=_openai_error,
    returned=responses.ENCRYPTED,
)


def _messages_words(*words: str, end: tuple[Any, ...] = ()) -> bytes:
    return messages.stream(messages.start(), *messages.text(0, *words), *end)


def _messages_error(message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


MESSAGES = Speaker(
    say=lambda *words: _messages_words(*words, end=(*messages.end(),)),
    whole=lambda text: {
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 5},
    },
    half=_messages_words,
    at_limit=lambda *words: _messages_words(*words, end=(*messages.end("max_tokens"),)),
    refuse=lambda *words: _messages_words(*words, end=(*messages.end("refusal"),)),
    fail=lambda words, message: messages.stream(
        messages.start(),
        *messages.text(0, words),
        {"type": "error", "error": {"type": "overloaded_error", "message": message}},
    ),
    call=lambda arguments: messages.stream(
        messages.start(), *messages.thinking(0, THOUGHT), *messages.call(1, arguments), *messages.end("tool_use")
    ),
    refusal=_messages_error,
    returned=messages.SIGNED["signature"],
)

SPEAKERS = {"chat-completions": CHAT, "responses": RESPONSES, "messages": MESSAGES}
