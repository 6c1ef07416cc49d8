"""What an error object says beside its message: code, field, and all words. Pure.

Wire facts: the OpenAI API reference, "Error codes" (``code``, ``param``); FastAPI, "Handling errors" (``detail`` with
``loc``); observed responses of compatible servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import ContextLengthError, ProviderError
from ...security.redaction import redacted
from .context_length import find_overflow

MAX_WORDS = 8000
"""Characters of a server's words that are searched."""
MAX_DEPTH = 8
"""Levels of an error object that are searched."""
ECHOES = frozenset({"input", "ctx", "body", "request", "headers", "url", "user_id", "request_id"})
"""Keys under which servers repeat the request; what stands there is not what they refuse."""


def specify_error(error: ProviderError, value: Any) -> ProviderError:
    """Return `error` with its code, param and details, as a `ContextLengthError` if that is what the answer says.

    Args:
        error: The error for the answer, by its status and message.
        value: The answer: an error object as parsed JSON, or text.
    """
    code = _find(value, "code") or _find(value, "type")
    details = "\n".join(_walk_strings(value))[: MAX_WORDS * 2]
    status = getattr(error, "status", 404)
    if overflow := find_overflow(status, code, details, value):
        error = ContextLengthError(str(error), status=status, limit=overflow.limit, prompt_tokens=overflow.prompt)
    error.code = code
    error.param = _find(value, "param")
    error.details = redacted(details)[:MAX_WORDS]
    return error


def _find(value: Any, key: str) -> str:
    """Return the text under `key` in an error object, or in the object that it wraps."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        return ""
    inner = value.get("error")
    found = inner.get(key) if isinstance(inner, dict) else None
    found = value.get(key) if found is None else found
    return redacted(found)[:200] if isinstance(found, str) else ""


def _walk_strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield what an error object says, one string for each value; a path such as FastAPI's ``loc`` is one string."""
    if isinstance(value, str):
        yield value
    elif depth >= MAX_DEPTH:
        return
    elif isinstance(value, list):
        if value and all(isinstance(item, str | int) for item in value):
            yield ".".join(map(str, value))
        else:
            for item in value:
                yield from _walk_strings(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if str(key).lower() not in ECHOES:
                yield from _walk_strings(item, depth + 1)
