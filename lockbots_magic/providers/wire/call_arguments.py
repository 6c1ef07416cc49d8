"""Arguments of a tool call: whether the pieces so far are whole, and the one JSON object that they mean. Pure.

Wire facts, all observed: an empty object before the arguments (gateways to Bedrock), the arguments encoded twice (a
JSON string that holds the object), and the whole arguments once more after their pieces; line feeds as they are in
strings (DeepSeek), a marker of the prompt format at the end, a fence around them, one brace too many, a dict of Python,
an empty list (PHP).
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from ...late_pattern import late_pattern

_OUTSIDE = late_pattern(r'["{}\[\]]')
_INSIDE = late_pattern(r'["\\]')
_WHITESPACE = late_pattern(r"\s*")
_EMPTY = late_pattern(r"(?:\s*\{\s*\})+\s*")
_STRING = late_pattern(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPES = {number: json.dumps(chr(number))[1:-1] for number in range(0x20)}
"""Escapes of the characters that JSON strings hold only escaped."""
MAX_VALUES = 100
"""JSON values in the arguments of one call; more are no repetition of them."""
MAX_MARKERS = 3
"""Markers behind the arguments that are left out."""
MAX_LITERAL = 20_000
"""Characters of arguments that are read as Python."""
_FENCED = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)
_MARKERS = ("</tool_call>", "<|call|>", "<|end|>", "<|im_end|>", "<|tool_call_end|>")


class ArgumentsScanner:
    """Follows the brackets and strings of JSON that arrives in pieces; the time is that of one pass."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._is_escaped = False
        self._has_value = False

    def feed(self, text: str) -> None:
        """Add the next piece."""
        at = int(self._is_escaped and bool(text))
        self._is_escaped = self._is_escaped and not text
        while found := (_INSIDE if self._in_string else _OUTSIDE).search(text, at):
            at = found.end()
            sign = found.group()
            if sign == '"':
                self._in_string = not self._in_string
            elif sign == "\\":
                self._is_escaped = at == len(text)
                at += 1
            else:
                self._depth += 1 if sign in "{[" else -1
            self._has_value = True

    @property
    def is_whole(self) -> bool:
        """True if all brackets and strings are closed, and there were some."""
        return self._has_value and not self._in_string and self._depth <= 0


def is_empty_object(text: str) -> bool:
    """Return whether `text` is `{}`, perhaps several times."""
    return _EMPTY.fullmatch(text) is not None


def is_same_json(one: str, other: str) -> bool:
    """Return whether two texts are the same JSON value, written alike or not."""
    if one.strip() == other.strip():
        return True
    values = [value for value, _ in _read_values(one)]
    return bool(values) and values == [value for value, _ in _read_values(other)]


def normalize_arguments(text: str) -> str:
    """Return the one JSON object that `text` means, in the words of the model.

    Args:
        text: All pieces of the arguments, joined.

    Returns:
        The object; `""` if there are no arguments; `text` unchanged if it is anything else, which the caller must
        refuse.

    Example:
        >>> normalize_arguments('{}{"city": "Rome"}'), normalize_arguments('"{\\\\"x\\\\": 1}"')
        ('{"city": "Rome"}', '{"x": 1}')
    """
    values = _read_values(text) or _read_values(_mend(text)) or _read_literal(text)
    if not values:
        return text if text.strip() else ""
    while len(values) > 1 and values[0][0] in (_Object(), None):
        del values[0]
    value, written = values[0]
    if any(other != value for other, _ in values[1:]):
        return text
    if isinstance(value, str):
        inner = normalize_arguments(value)
        return inner if not inner or is_object(inner) else text
    if value is None or value == []:  # PHP writes an empty object as an empty list
        return ""
    return written


def _mend(text: str) -> str:
    """Return `text` as JSON: without what stands around it, the control characters in its strings escaped.

    Empty if it is no JSON even so. Only what was read is searched for strings: in anything else that takes long.
    """
    text = text.removeprefix("\ufeff").strip()
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    for _ in range(MAX_MARKERS):
        marker = next((one for one in _MARKERS if text.endswith(one)), "")
        text = text.removesuffix(marker).rstrip()
    is_json = _read_values(text, _lenient_decoder)
    if not is_json and text.endswith("}}"):
        text = text[:-1]  # one closing brace too many, as a parser of vLLM has sent
        is_json = _read_values(text, _lenient_decoder)
    return _STRING.sub(lambda string: string[0].translate(_ESCAPES), text) if is_json else ""


def _read_literal(text: str) -> list[tuple[Any, str]]:
    """Return the dict that `text` writes in Python, as JSON; none if it is anything else."""
    text = text.strip()
    if text == "None":
        return [(None, "null")]
    if not (text.startswith("{") and text.endswith("}")) or len(text) > MAX_LITERAL or "\\" in text:
        return []
    try:
        written = json.dumps(ast.literal_eval(text), ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return []
    return _read_values(written)


class _Object(tuple[Any, ...]):
    """Pairs of a JSON object; other than a dict it keeps repeated keys."""

    __slots__ = ()


def is_object(text: str) -> bool:
    """Return whether `text` is one JSON object."""
    values = _read_values(text)
    return len(values) == 1 and isinstance(values[0][0], _Object)


def _read_values(text: str, decoder: json.JSONDecoder | None = None) -> list[tuple[Any, str]]:
    """Return the JSON values in `text`, each with how it is written; none if something else is among them."""
    values: list[tuple[Any, str]] = []
    at = _skip_whitespace(text, 0)
    try:
        while at < len(text) and len(values) <= MAX_VALUES:
            value, end = (decoder or _decoder).raw_decode(text, at)
            values.append((value, text[at:end]))
            at = _skip_whitespace(text, end)
    except (ValueError, RecursionError):
        return []
    return values if len(values) <= MAX_VALUES else []


def _skip_whitespace(text: str, at: int) -> int:
    found = _WHITESPACE.match(text, at)
    return found.end() if found else at


def _make_decoder(*, strict: bool) -> json.JSONDecoder:
    """Return a decoder under which numbers stay text: they are only compared, and long ones take long to parse."""
    return json.JSONDecoder(
        object_pairs_hook=_Object,
        parse_int=lambda digits: ("number", digits),
        parse_float=lambda digits: ("number", digits),
        parse_constant=lambda name: ("number", name),
        strict=strict,
    )


_decoder = _make_decoder(strict=True)
_lenient_decoder = _make_decoder(strict=False)
"""Takes control characters in strings; behind a backslash, where it is unclear what was meant, it refuses them."""
