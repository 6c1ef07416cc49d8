"""Token counts that a chat-completions response reports. Pure."""

from __future__ import annotations

from typing import Any

from ...conversation.messages import Usage


def parse_usage(value: Any) -> Usage | None:
    """Return the token counts of a chunk's `usage`; None if it has none."""
    if not isinstance(value, dict):
        return None
    counts = [value.get("prompt_tokens"), value.get("completion_tokens")]
    prompt, completion = (c if type(c) is int and c >= 0 else None for c in counts)
    return None if prompt is None and completion is None else Usage(prompt, completion)
