"""Errors for the refusals of servers: error objects of many shapes, HTTP statuses, plain text. Pure."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import Any

from ...errors import (
    AuthenticationError,
    HTTPStatusError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from ...language import _
from ...late_pattern import late_pattern
from ...security.foreign_text import quote_line
from .error_words import MAX_WORDS, error_words, is_markup, is_page, page_words
from .json_text import parse_json
from .refusal import specify_error
from .sse import EventDecoder

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
    "overloaded_error": 529,
    "billing_error": 402,
    "request_too_large": 413,
    "timeout_error": 504,
    "gateway_timeout_error": 504,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
"""Names of errors inside a 200, of services that send no number -> HTTP status."""
_STATUS_KEYS = ("res_status", "status", "code", "status_code", "statusCode", "error_code", "type")
_BAD_KEY = late_pattern(
    r"\bapi[ _-]?key\b.{0,30}\b(?:not valid|invalid|expired|incorrect|missing|not found|required)\b"
    r"|\b(?:invalid|incorrect|missing|expired|no) api[ _-]?key\b",
    re.IGNORECASE,
)
"""What services say of a credential under a 400."""
_UNKNOWN_MODEL = late_pattern(r"\bis not a valid model\b|\b(?:unknown|no such) model\b", re.IGNORECASE)
"""What services say of an unknown model under a 400 (OpenRouter)."""
_FAILURES = ("error", "failed", "failure", "exception")
"""Values of `status`, and types of events, that tell a failure."""
_FRAMES = ("data:", "event:", "id:", "retry:", ":")
_META_CHARSET = re.compile(rb"<meta[^>]{0,80}\bcharset=[\"']?([\w-]{2,20})", re.IGNORECASE | re.ASCII)
"""Encoding that a web page names for itself."""
_CHALLENGE = late_pattern(r'\b(error|error_description)="([^"]*)"')
_MESSAGE_KEYS = ("message", "detail", "errors", "msg", "error_message", "error_msg", "errorMessage", "err_msg", "fault")
"""Names under which an object without choices says what went wrong."""


def is_error_event(kind: str) -> bool:
    """Whether the type of an event says that it holds an error."""
    return kind in _FAILURES


def is_error(value: Any) -> bool:
    """Whether a JSON value is an error object: it says so, or it has a message and no choices."""
    value = _unwrap(value)
    if not isinstance(value, dict):
        return False
    if _says_error(value):
        return True
    message = next((value[key] for key in _MESSAGE_KEYS if value.get(key)), None)
    is_chat_message = isinstance(message, dict) and ("role" in message or "content" in message)
    return not value.get("choices") and isinstance(message, str | list | dict) and not is_chat_message


def _says_error(value: dict[str, Any]) -> bool:
    error, base = value.get("error"), value.get("base_resp")
    if isinstance(error, dict):  # some services send an empty one with each success
        error = any(error.values()) or value.get("object") == "error"
    if isinstance(base, dict) and base.get("status_code"):
        return True
    if not value.get("choices") and (value.get("status") in _FAILURES or value.get("success") is False):
        return True
    return bool(error) or value.get("object") == "error" or (value.get("type") == "error" and not value.get("choices"))


def object_error(value: Any, status: int = 200, retry_after: float | None = None) -> ProviderError:
    """Return the error that a server's error object describes.

    Args:
        value: The object, possibly in a list; its ``error`` may be an object, a text or ``true``, depending on the
            service.
        status: HTTP status of the response; inside a success, the status that the object names is used.
        retry_after: Pause (s) that the server asked for.
    """
    value = _unwrap(value)
    body = value if isinstance(value, dict) else {}
    error = body.get("error")
    inner = error if isinstance(error, dict) else body
    message = error_words(value) or _("The server reported an unspecified error")
    if status < 400:
        status = _find_status(inner) or _find_status(body) or status
    is_unknown = status == 404 and "model" in message.lower()
    is_unknown = is_unknown or (status in (400, 422) and _UNKNOWN_MODEL.search(message) is not None)
    if is_unknown or inner.get("code") in ("model_not_found", "DeploymentNotFound"):
        return specify_error(ModelNotFoundError(message), value)
    if status == 400 and _BAD_KEY.search(message):  # Gemini
        status_words = f"{message} (HTTP {status})"
        return specify_error(AuthenticationError(status_words, status=status, retry_after=retry_after), value)
    return specify_error(status_error(status, message, retry_after), value)


def status_error(status: int, message: str, retry_after: float | None = None) -> HTTPStatusError:
    """Return the error for an HTTP status: 4xx, 5xx, or 200 for an error object inside a success.

    Args:
        status: HTTP status.
        message: Text of the server; the status is appended.
        retry_after: Pause (s) that the server asked for.
    """
    if status in (401, 403):
        kind: type[HTTPStatusError] = AuthenticationError
    elif status in (402, 429):
        kind = RateLimitError
    elif status >= 500 or status < 400:
        kind = ServerError
    else:
        kind = HTTPStatusError
    return kind(f"{message} (HTTP {status})" if status >= 400 else message, status=status, retry_after=retry_after)


def refusal_error(
    status: int,
    body: bytes,
    retry_after: float | None = None,
    charset: str = "",
    challenge: str = "",
) -> ProviderError:
    """Return the error for a response whose HTTP status is not a success, in the server's own words.

    Args:
        status: HTTP status.
        body: Body of the response, in any format.
        retry_after: Pause (s) that the server asked for.
        charset: Character encoding that the response names.
        challenge: Header ``WWW-Authenticate``, whose words count where the body has none.
    """
    if status < 400:
        return address_error(_("The server answered with HTTP {status}. Check the base URL.", status=status))
    text = _unframe(_decode(body, charset).strip())
    value = parse_json(text)
    if isinstance(_unwrap(value), dict):
        return object_error(value, status, retry_after)
    if is_page(text):
        title = page_words(text)
        message = (
            _("The server returned a web page: {title}", title=title) if title else _("The server returned a web page")
        )
    elif is_markup(text):
        message = page_words(text)
    else:
        message = error_words(text if value is None else value) or _challenge_words(challenge)
    return specify_error(status_error(status, message or _("The server refused the request"), retry_after), text)


def _challenge_words(challenge: str) -> str:
    """Return what a header ``WWW-Authenticate`` says went wrong (RFC 6750, 3); empty if it does not say."""
    found = dict(_CHALLENGE.findall(challenge[:MAX_WORDS]))
    return error_words(found.get("error_description") or found.get("error") or "")


def _decode(body: bytes, charset: str) -> str:
    """Return the text of a refusal; the encoding that it or its header names counts where it is not UTF-8."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(body) > 2:
        return body.decode("utf-16", "replace")
    if not charset and (found := _META_CHARSET.search(body, 0, 1024)):
        charset = found[1].decode()
    for encoding in ("utf-8-sig", charset):
        with suppress(LookupError, ValueError):
            if encoding and (b"\0" not in body or encoding == charset):
                return body.decode(encoding)
    return body.decode("utf-8", "replace")


def _unframe(text: str) -> str:
    """Return the JSON that a refusal frames as an event of a stream, or else `text`."""
    if not text.startswith(_FRAMES):
        return text
    events = EventDecoder().feed(f"{text}\n\n".encode("utf-8", "replace"))
    return next((event.data for event in events if isinstance(parse_json(event.data), dict)), text)


def address_error(message: str) -> ProtocolError:
    """Return the error of a response that perhaps comes from another place than the API."""
    error = ProtocolError(message)
    error.doubts_address = True
    return error


def make_snippet(text: str) -> str:
    """Return the beginning of a server's text, on one line, without control characters and credentials."""
    return quote_line(text, MAX_WORDS)


def _unwrap(value: Any) -> Any:
    """Return the error object that Gemini wraps in a list of one, and Groq in the field of its own extensions."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    groq = value.get("x_groq") if isinstance(value, dict) and not value.get("error") else None
    return {"error": groq["error"]} if isinstance(groq, dict) and groq.get("error") else value


def _find_status(error: dict[str, Any]) -> int | None:
    statuses = (_parse_status(error.get(key)) for key in _STATUS_KEYS)
    return next((status for status in statuses if status), None)


def _parse_status(value: Any) -> int | None:
    """Return the HTTP status for `value`, a number or a name."""
    if isinstance(value, str):
        value = _STATUS_OF_NAME.get(value) or (int(value) if len(value) == 3 and value.isdecimal() else None)
    return value if type(value) is int and 400 <= value < 600 else None
