"""Finish reason of a choice, in the server's word. Pure.

Wire facts: the OpenAI API reference, "Chat completion object"; OpenRouter, "Finish reason" (``native_finish_reason``:
the word of the service behind it, which may be a failure beside a ``stop``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...conversation.ending import MAX_REASON, is_complete
from ...security.foreign_text import quote_line

_NONE = ("", "null", "none", "None")
"""Words by which services say that the reply goes on."""
_USUAL = frozenset({"stop", "length", "tool_calls", "end_turn", "tool_use", "max_tokens", "completed"})
"""Words that nearly all replies end with; they need no cleaning."""


def read_finish_reason(choice: Mapping[str, Any], known: str = "") -> str:
    """Return how the reply ended as far as the chunks up to `choice` say; empty if it goes on.

    Args:
        choice: Choice of a chunk.
        known: Finish reason of the chunks before. A success never takes the place of a failure.
    """
    reason, native = choice.get("finish_reason") or choice.get("finishReason"), choice.get("native_finish_reason")
    if not reason and not native:
        return known
    if isinstance(reason, str) and reason == known and not native:  # services that send it with each chunk
        return known
    own, behind = read_word(reason), read_word(native)
    if own and is_complete(known):
        known = own
    return behind if behind and (not known or (is_complete(known) and not is_complete(behind))) else known


def read_word(value: Any) -> str:
    """Return a finish reason in the server's word, on one line; empty for one that says nothing."""
    if isinstance(value, str) and value in _USUAL:
        return value
    if value in _NONE or value is None or value is False:
        return ""
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        value = value["type"]
    try:
        return quote_line(value if isinstance(value, str) else json.dumps(value), MAX_REASON)
    except (ValueError, RecursionError):
        return "invalid"
