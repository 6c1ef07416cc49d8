"""JSON as files hold it. Pure."""

from __future__ import annotations

import json
from typing import Any

from ..errors import UsageError


def text_of(value: Any) -> str:
    """Return `value` as JSON, a line for each of its parts.

    Raises:
        UsageError: a part of it is no JSON; in a conversation that can only be a parameter.
    """
    try:
        return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError):
        raise UsageError("a parameter of a turn is no JSON, so the conversation can't be saved as that") from None


def value_of(text: str) -> Any:
    """Return what `text` says in JSON.

    Raises:
        UsageError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("it is not JSON") from None
