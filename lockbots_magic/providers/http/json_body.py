"""Bodies of requests as JSON. Pure."""

from __future__ import annotations

import json
from typing import Any

from ...errors import UsageError
from ...language import _
from ...security.control_characters import replace_surrogates


def encode_json(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, on one line, without lone surrogates.

    Raises:
        UsageError: It can't be written as JSON.

    Example:
        >>> encode_json({"a": None})
        b'{"a": null}'
    """
    try:
        return _encode(json.dumps(value, allow_nan=False, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        message = _("A parameter can't be written as JSON. Use numbers, text, lists or dicts.")
    raise UsageError(message)  # outside of the handler: a context would hold the value


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which strict readers refuse, or both as two characters
        return replace_surrogates(text).encode()
