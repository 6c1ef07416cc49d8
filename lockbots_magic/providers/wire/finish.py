"""Finish reason of a choice, in the server's word. Pure.

Wire facts: the OpenAI API reference, "Chat completion object"; OpenRouter, "Finish reason" (``native_finish_reason``:
the word of the service behind it, which may be a failure beside a ``stop``). Observed: the reason inside the delta, in
``finish_details`` (OpenAI's first models with images), or in ``stop_reason``, where vLLM has the text at which it
stopped.
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
_KNOWN = _USUAL | {"content_filter", "refusal", "stop_sequence", "eos_token", "error"}
"""Words that are no text at which a reply stops."""


def read_finish_reason(choice: Mapping[str, Any], known: str = "") -> str:
    """Return how the reply ended as far as the chunks up to `choice` say; empty if it goes on.

    Args:
        choice: Choice of a chunk.
        known: Finish reason of the chunks before. A success never takes the place of a failure.
    """
    reason, native = _find_reason(choice), choice.get("native_finish_reason")
    if not reason and not native:
        return known
    if isinstance(reason, str) and reason == known and not native:  # services that send it with each chunk
        return known
    own, behind = read_word(reason), read_word(native)
    if own and is_complete(known):
        known = own
    return behind if behind and (not known or (is_complete(known) and not is_complete(behind))) else known


def _find_reason(choice: Mapping[str, Any]) -> Any:
    """Return the finish reason of a choice, wherever it stands."""
    bodies = (choice, choice.get("delta"), choice.get("message"))
    for body in bodies:
        if isinstance(body, Mapping) and (reason := body.get("finish_reason") or body.get("finishReason")):
            return reason
    word = choice.get("stop_reason")
    return choice.get("finish_details") or (word if isinstance(word, str) and word in _KNOWN else None)


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
