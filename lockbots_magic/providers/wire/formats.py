"""Which dialect a response, or an event of one, is written in, and what gateways put around it. Pure.

Observed: ``{"success": true, "data": {"choices": [...]}}`` (api.cline.bot), and
``{"code": 200, "msg": "ok", "data": ...}``; the response under ``result`` (Cloudflare), ``response``, ``output``
(DashScope, with the usage beside it), or, as text, ``body`` (AWS Lambda).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...language import N_
from .json_text import parse_json

CHAT_COMPLETIONS = N_("with chat completions")
RESPONSES = N_("in the format of the Responses API")
MESSAGES = N_("in the format of the messages API")

_WRAPPERS = ("data", "result", "response", "output", "body")
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


def unwrapped(value: Any) -> Any:
    """Return the response, or the event, that a gateway wraps in an object of its own; else `value`.

    Example:
        >>> unwrapped({"success": True, "data": {"choices": []}})
        {'choices': []}
    """
    if not isinstance(value, dict) or "choices" in value or value.get("error") or format_of(value):
        return value
    held = (_object_in(value[key]) for key in _WRAPPERS if key in value)
    inner = next((one for one in held if isinstance(one.get("choices"), list) or format_of(one)), None)
    if inner is None:
        return value
    return inner if inner.get("usage") or "usage" not in value else {**inner, "usage": value["usage"]}


def _object_in(value: Any) -> dict[str, Any]:
    """Return the object that a wrapper holds, perhaps as text; an empty one if there is none."""
    value = parse_json(value) if isinstance(value, str) and value.lstrip().startswith("{") else value
    return value if isinstance(value, dict) else {}
