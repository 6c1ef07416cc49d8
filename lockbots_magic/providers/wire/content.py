"""Content of a chat-completions message or delta: its text and its reasoning. Pure.

Wire facts: the OpenAI API reference, "Chat completion chunk object"; Gemini API, "OpenAI compatibility: thinking" (a
delta whose `extra_content.google.thought` is true holds thoughts, also between ``<thought>`` tags); and observed
responses of compatible servers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import ProtocolError
from ...language import _

_REASONING_PARTS = ("thinking", "reasoning", "reasoning_text", "redacted_thinking", "thought")
"""Types of parts of the content that hold reasoning."""


def parse_content(content: Any) -> str:
    """Return the text of a message's content.

    Args:
        content: None, a string, a number, or a list of parts.

    Raises:
        ProtocolError: It is none of these.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if type(content) in (int, float):  # gateways that parse each text as JSON
        return json.dumps(content)
    if isinstance(content, list):
        return "".join(_get_part_text(part) for part in content if not _is_reasoning(part))
    raise ProtocolError(_("The content of a chunk is neither text nor a list of parts."))


def parse_refusal(body: Mapping[str, Any]) -> str:
    """Return the words by which the model refuses, in a field of their own; empty if there are none."""
    refusal = body.get("refusal")
    return refusal if isinstance(refusal, str) else ""


def has_refusal(body: Mapping[str, Any]) -> bool:
    """Whether a message or delta is a refusal, in a field or in a part of the content."""
    content = body.get("content")
    parts = content if isinstance(content, list) else []
    return bool(parse_refusal(body)) or any(isinstance(p, dict) and p.get("type") == "refusal" for p in parts)


def reasoning_of_parts(parts: list[Any]) -> str:
    """Return the reasoning among the parts of a message's content.

    Raises:
        ProtocolError: A part that holds reasoning is malformed.
    """
    texts = (part.get("thinking") or part.get("text") or part.get("summary") for part in parts if _is_reasoning(part))
    return "".join(parse_content(text) for text in texts)


def split_thought(body: Mapping[str, Any], text: str) -> tuple[str, str]:
    """Return the text of a message or delta without the reasoning in it, and that reasoning.

    Args:
        body: The message or delta.
        text: The text of its content.
    """
    google = extra.get("google") if isinstance(extra := body.get("extra_content"), dict) else None
    if body.get("thought") is not True and not (isinstance(google, dict) and google.get("thought") is True):
        return text, ""
    thought, _unused, rest = text.partition("</thought>")
    return rest, thought.removeprefix("<thought>")


def _is_reasoning(part: Any) -> bool:
    return isinstance(part, dict) and (part.get("type") in _REASONING_PARTS or part.get("thought") is True)


def _get_part_text(part: Any) -> str:
    text = part.get("text", part.get("refusal")) if isinstance(part, dict) else part
    if isinstance(text, dict) and isinstance(text.get("value"), str):  # as in messages of the Assistants API
        text = text["value"]
    if isinstance(text, str) or (text is None and isinstance(part, dict)):
        return text or ""
    raise ProtocolError(_("A part of the content is malformed."))
