"""A server's refusal -> one of our errors: error objects of many shapes, HTTP statuses, plain words. Pure."""

from __future__ import annotations

import json
from typing import Any

from ...errors import (
    AuthenticationError,
    HTTPStatusError,
    ModelNotFoundError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from ...security.secrets import redacted

SNIPPET = 200
"""Characters of a server's words that an error message quotes."""

_STATUS_OF_NAME = {
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "insufficient_quota": 402,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "not_found_error": 404,
    "server_error": 500,
    "api_error": 500,
    "overloaded_error": 503,
}
"""What services that send no number name their errors by, inside a 200."""

_raw_decode = json.JSONDecoder().raw_decode


def is_error(value: Any) -> bool:
    """Whether a JSON value is an error object: it says so, or bears plain words where a chunk has its choices."""
    value = _unwrapped(value)
    if not isinstance(value, dict):
        return False
    words = value.get("message") or value.get("detail")
    speaks = isinstance(words, str) and "choices" not in value
    return bool(value.get("error")) or value.get("object") == "error" or speaks


def error_of(value: Any, status: int = 200, retry_after: float | None = None) -> ProviderError:
    """Return the error that a server's error object describes.

    Args:
        value: the object, perhaps in a list; its ``error`` may be an object, a text or ``true``, as services differ.
        status: the HTTP status it came with; inside a success, the status that the object names counts.
        retry_after: the pause (s) the server asked for.
    """
    value = _unwrapped(value)
    body = value if isinstance(value, dict) else {}
    error = body.get("error")
    inner = error if isinstance(error, dict) else body
    candidates = (error, inner.get("message"), inner.get("detail"), inner.get("code"), inner.get("type"))
    words = next((w for w in candidates if isinstance(w, str) and w.strip()), "")
    message = snippet(words) or "the server reports an error without saying which"
    if status < 400:
        status = _status_inside(inner) or _status_inside(body) or status
    if inner.get("code") == "model_not_found" or (status == 404 and "model" in message.lower()):
        return ModelNotFoundError(message)
    return status_error(status, message, retry_after)


def status_error(status: int, message: str, retry_after: float | None = None) -> HTTPStatusError:
    """Return the error that stands for an HTTP status: 4xx, 5xx, or 200 for an error object inside a success."""
    if status in (401, 403):
        kind: type[HTTPStatusError] = AuthenticationError
    elif status in (402, 429):
        kind = RateLimitError
    elif status >= 500 or status < 400:
        kind = ServerError
    else:
        kind = HTTPStatusError
    return kind(f"{message} (HTTP {status})" if status >= 400 else message, status=status, retry_after=retry_after)


def refusal(status: int, body: bytes, retry_after: float | None = None) -> ProviderError:
    """Return the error for an answer whose HTTP status is not a success, in the server's own words.

    Args:
        status: the HTTP status.
        body: the body of the answer, any format.
        retry_after: the pause (s) the server asked for.
    """
    text = body.decode("utf-8", "replace").strip()
    value = parsed(text)
    if isinstance(_unwrapped(value), dict):
        return error_of(value, status, retry_after)
    words = "the server answers with a web page" if text.startswith("<") else snippet(text)
    return status_error(status, words or "the server refuses the request", retry_after)


def snippet(text: str) -> str:
    """The beginning of a server's words, on one line, without control characters and without credentials."""
    text = redacted(text)  # before it is cut: half a credential would not be found
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[: SNIPPET * 2]).split())
    return shown if len(shown) <= SNIPPET else shown[: SNIPPET - 1] + "…"


def parsed(text: str) -> Any:
    """The JSON value that `text` is, None if it is none, or is ``null``."""
    text = text.strip()
    try:
        value, end = _raw_decode(text)  # a third faster than `json.loads`, and called once a token
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _unwrapped(value: Any) -> Any:
    """`value` out of the list of one that Gemini wraps an error object in."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _status_inside(described: dict[str, Any]) -> int | None:
    named = (_status_named(described.get(key)) for key in ("res_status", "status", "code", "status_code", "type"))
    return next((status for status in named if status), None)


def _status_named(value: Any) -> int | None:
    """The HTTP status that `value`, a number or a name, stands for."""
    if isinstance(value, str):
        value = _STATUS_OF_NAME.get(value) or (int(value) if len(value) == 3 and value.isdecimal() else None)
    return value if type(value) is int and 400 <= value < 600 else None
