"""Fast reading of JSON that a server sends. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from ...late_pattern import late_pattern

MAX_VALUES = 100_000
"""JSON values, one after the other, that are read."""
MAX_MARKS = 1_500_000
"""Brackets, braces and commas of a text that is read: each may begin a value, which takes 20 times its length."""

_BLANK = late_pattern(r"\s*")
_MARK = late_pattern(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\]]', re.DOTALL)
_STRING_BEGUN = late_pattern(r'"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*')
_WORD_BEGUN = late_pattern(r'[^\s,:\[\]{}"]{1,40}\Z')
_CLOSING = {"{": "}", "[": "]"}
_raw_decode = json.JSONDecoder().raw_decode
_lenient_decode = json.JSONDecoder(strict=False).raw_decode
"""Takes line breaks and tabs in strings as they are, as some servers write them."""


def parse_json(text: str) -> Any:
    """Return `text` parsed as JSON; None if it is invalid (or ``null``)."""
    text = text.strip()
    if is_too_dense(text):
        return None
    try:
        value, end = _decode(text, 0)  # a third faster than `json.loads`; called for each token
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def is_too_dense(text: str) -> bool:
    """Tell whether `text` holds more JSON values than a reply needs, which would fill the memory."""
    return len(text) > MAX_MARKS and sum(map(text.count, "[{,")) > MAX_MARKS


def is_cut_json(text: str) -> bool:
    """Tell whether `text` is the beginning of a JSON value that goes on.

    Example:
        >>> is_cut_json('{"a": [1, 2'), is_cut_json('{"a": tr'), is_cut_json('{"a" 1}')
        (True, True, False)
    """
    text = text.strip()
    if is_too_dense(text):
        return False
    try:
        _decode(text, 0)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        in_string = error.msg.startswith("Unterminated") or (error.msg.startswith("Invalid \\u") and len(rest) < 6)
        return in_string or any(word.startswith(rest) for word in ("true", "false", "null", "-", ","))
    except (ValueError, RecursionError):  # a number of too many digits
        pass
    return False


def split_json(text: str) -> tuple[list[str], str]:
    """Return the JSON values with which `text` begins, each as text, and what follows them."""
    values: list[str] = []
    if is_too_dense(text):
        return values, text
    start = _start_of_value(text, 0)
    while start < len(text) and len(values) < MAX_VALUES:
        try:
            _, end = _decode(text, start)
        except (ValueError, RecursionError):
            break
        values.append(text[start:end])
        start = _start_of_value(text, end)
    return values, text[start:]


def close_json(text: str) -> str:
    """Return the beginning of a JSON value as a value: what was cut off is left out, what is open is closed.

    Example:
        >>> close_json('{"a": [1, {"b": "so fa')
        '{"a": [1, {"b": "so fa"}]}'
    """
    if is_too_dense(text):
        return text
    opened: list[str] = []
    begun = -1  # where the last string begins
    for mark in _MARK.finditer(text):
        if mark[0][0] == '"':
            begun = mark.start()
            if mark[0] == '"':
                string = _STRING_BEGUN.match(text, begun)
                text = f'{text[: string.end() if string else begun + 1]}"'
                break
        elif mark[0] in "{[":
            opened.append(mark[0])
        elif mark[0] in "}]" and opened:
            opened.pop()
    else:
        text = _WORD_BEGUN.sub("", text)
    text = text.rstrip()
    if opened[-1:] == ["{"] and text.endswith('"') and (before := text[:begun].rstrip()).endswith(("{", ",")):
        text = before  # a name without a value
    text = f"{text} null" if text.endswith(":") else text.removesuffix(",")
    return text + "".join(_CLOSING[one] for one in reversed(opened))


def _decode(text: str, at: int) -> tuple[Any, int]:
    """Return the JSON value in `text` from `at` on, and its end.

    Raises:
        json.JSONDecodeError: There is none.
        RecursionError: It is nested too deeply.
    """
    try:
        return _raw_decode(text, at)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Invalid control character"):
            raise
    return _lenient_decode(text, at)


def _start_of_value(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
