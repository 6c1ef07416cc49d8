"""Reasoning of a chat-completions response in fields of its own, and what of it goes back. Pure.

Wire facts: DeepSeek API, "Thinking Mode": `reasoning_content` returns in all later requests with each message of a turn
with tool calls, its answer too; elsewhere it is ignored. Gateways to DeepSeek demand it with every message
(charmbracelet/crush issue 2754). Of other models it returns with the calls that it led to. OpenRouter, "Reasoning
Tokens": the items of `reasoning_details` return as they came. LiteLLM, "Reasoning content": `thinking_blocks` with
signatures return with the tool calls. Elsewhere reasoning comes as `reasoning` or `thinking` (vLLM, Groq, Ollama), as
text or as an object, and nothing of it is sent back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...conversation.messages import Message
from .content import parse_content, reasoning_of_parts

MAX_RETURNED = 4_000_000
"""Characters (as JSON) of the reasoning that is kept to be sent back; of more, nothing is."""

CONTENT = "reasoning_content"
DETAILS = "reasoning_details"
BLOCKS = "thinking_blocks"
_TEXTS = ("text", "summary", "thinking")
_FIELDS = (
    CONTENT, "reasoning", "thinking", "reasoning_text", "thinking_content", "thought", "thoughts", "reasoning_summary",
    "reasoningContent",
)  # fmt: skip
"""Fields of a message that hold its reasoning, the most usual first."""
_JOINED = frozenset({"reasoning.text", "reasoning.summary", "thinking"})
"""Types of items whose text arrives in pieces."""


class ReasoningReader:
    """Reads the reasoning of one response, and keeps what the service wants back with the next request."""

    def __init__(self) -> None:
        self._has_content = False
        self._items: dict[str, list[Any]] = {}
        self._size = 0
        self._last: dict[str, Any] = {}  # the item that grows
        self._tail: dict[str, list[str]] = {}  # pieces of its texts

    def feed(self, body: Mapping[str, Any], *, is_whole: bool = False) -> str:
        """Return the reasoning of a message or delta.

        Args:
            body: The message or delta.
            is_whole: Whether it is the whole message, which may follow its deltas.

        Raises:
            ProtocolError: A part of the content that holds reasoning is malformed.
        """
        self._has_content = self._has_content or bool(body.get(CONTENT))
        text = parse_reasoning(body)
        for name in (DETAILS, BLOCKS):
            if isinstance(items := body.get(name), list) and items:
                text = text or "".join(map(_text_of, items))
                self._keep(name, items, is_whole=is_whole)
        return text

    def returned(self, *, has_calls: bool) -> dict[str, Any]:
        """Return the fields to send back, by name; None stands for the reasoning of the message.

        Args:
            has_calls: Whether the response holds tool calls, with which alone some fields go back.
        """
        self._join_tail()
        if self._size > MAX_RETURNED:
            return {}
        fields = {CONTENT: None, **self._items} if self._has_content else dict(self._items)
        return {name: value for name, value in fields.items() if has_calls or name != BLOCKS}

    def _keep(self, name: str, items: list[Any], *, is_whole: bool) -> None:
        kept = self._items.setdefault(name, [])
        if is_whole:
            self._tail.clear()
            kept.clear()
        for item in items:
            if not isinstance(item, dict) or self._size > MAX_RETURNED:
                continue
            self._size += len(json.dumps(item))
            if kept and _continues(kept[-1], item):
                self._continue(kept[-1], item)
            else:
                self._join_tail()
                kept.append(dict(item))
                self._last = kept[-1]
        if self._size > MAX_RETURNED:
            self._tail.clear()
            self._items.clear()

    def _continue(self, last: dict[str, Any], item: Mapping[str, Any]) -> None:
        if last is not self._last:  # pieces of two fields in turn
            self._join_tail()
            self._last = last
        for name, value in item.items():
            if name in _TEXTS and isinstance(value, str) and isinstance(last.get(name), str):
                self._tail.setdefault(name, [last[name]]).append(value)
            elif last.get(name) is None:
                last[name] = value

    def _join_tail(self) -> None:
        for name, pieces in self._tail.items():
            self._last[name] = "".join(pieces)
        self._tail.clear()


def parse_reasoning(body: Mapping[str, Any]) -> str:
    """Return the reasoning of a message or delta: in a field of its own, or in parts of the content.

    Raises:
        ProtocolError: A part that holds reasoning is malformed.
    """
    for name in _FIELDS:
        value = body.get(name)
        if isinstance(value, Mapping):
            value = next((value[key] for key in ("content", *_TEXTS) if value.get(key)), "")
        if isinstance(value, list):
            value = "".join(map(_text_of, value))
        if value and isinstance(value, str):
            return value
    parts = body.get("content")
    return reasoning_of_parts(parts) if isinstance(parts, list) else ""


def wants_all_reasoning(model: str) -> bool:
    """Whether the service of `model`, or a gateway to it, may demand `reasoning_content` with every message.

    Example:
        >>> wants_all_reasoning("deepseek/deepseek-v4-pro"), wants_all_reasoning("qwen3")
        (True, False)
    """
    return "deepseek" in model.lower()


def returned_fields(message: Message, target: tuple[str, str, str]) -> dict[str, Any]:
    """Return the fields of reasoning with which an assistant's message goes back.

    Args:
        message: The message.
        target: Provider, address and model that get it; another one's reasoning is not sent.
    """
    provider, _, model = target
    wants_content = bool(message.calls) or wants_all_reasoning(model) or wants_all_reasoning(provider)
    fields: dict[str, Any] = {}
    for opaque in message.opaque:
        data = opaque.data
        if not (opaque.is_from(*target) and isinstance(data, dict)):
            continue
        if CONTENT in data and wants_content and message.reasoning:
            fields[CONTENT] = message.reasoning
        fields |= {name: data[name] for name in (DETAILS, BLOCKS) if name in data}
    return fields


def _text_of(item: Any) -> str:
    if isinstance(item, str):
        return item
    if not isinstance(item, Mapping):
        return ""
    value = next((item[key] for key in ("content", *_TEXTS) if item.get(key)), "")
    return parse_content(value) if isinstance(value, str | list) else ""


def _continues(last: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether `item` is the next piece of `last`."""
    same = item.get("type") == last.get("type") and item.get("index") == last.get("index")
    return (
        same and str(item.get("type")) in _JOINED and not (last.get("signature") and any(item.get(n) for n in _TEXTS))
    )
