"""Which dialect a response, or an event of one, is written in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...language import N_

CHAT_COMPLETIONS = N_("with chat completions")
RESPONSES = N_("in the format of the Responses API")
MESSAGES = N_("in the format of the messages API")

_EVENTS = ("message_start", "content_block_start", "content_block_delta")


def format_of(value: Mapping[str, Any]) -> str:
    """Return how a server answered with this object, in English; empty if that is none of the dialects.

    Example:
        >>> format_of({"object": "response", "output": []})
        'in the format of the Responses API'
    """
    kind = value.get("type")
    if value.get("choices"):
        return CHAT_COMPLETIONS
    if value.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response.")):
        return RESPONSES
    if kind in _EVENTS or (kind == "message" and isinstance(value.get("content"), list)):
        return MESSAGES
    return ""
