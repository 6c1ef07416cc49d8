"""What models write for JSON: trailing commas, comments, raw line breaks, other quotes, Python's literals. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from ..late_pattern import late_pattern
from .json_values import (
    NESTED_TOO_DEEPLY,
    InvalidJSON,
    SchemaMismatch,
    duplicate_key,
    not_json,
    parse_integer,
    parse_number,
)

MAX_DEPTH = 100
"""Nesting of lists and objects."""

_SKIPPED = late_pattern(r"(?:\s+|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_DOUBLE = late_pattern(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_SINGLE = late_pattern(r"'([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL)
_CURLY = late_pattern(r'[“”„]([^“”"\\]*(?:\\.[^“”"\\]*)*)[“”]', re.DOTALL)
_ESCAPE = late_pattern(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}|(.))', re.DOTALL)
"""An escape; with a group, one that JSON does not have, as in a regular expression or in LaTeX."""
_NUMBER = late_pattern(r"[-+]?(?:(?:0|[1-9]\d*)(\.\d*)?|(\.\d+))([eE][-+]?\d+)?(?![\w.])")
_WORD = late_pattern(r"[-+]?[A-Za-z_$][\w$]*")
_ESCAPED = late_pattern(r"""\\(['\n])|\\x([0-9a-fA-F]{2})|"|\\.""", re.DOTALL)
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None, "undefined": None}
_QUOTES = {'"': _DOUBLE, "'": _SINGLE, "“": _CURLY, "„": _CURLY, "”": _CURLY}
_NO_JSON = {"NaN", "nan", "Infinity", "inf", "Inf"}


class NearJSON(NamedTuple):
    """A value that was read, or what keeps it from being JSON."""

    value: Any
    end: int
    """Offset behind it, in characters."""
    problem: SchemaMismatch | None = None
    """What no reading can mend: NaN, a duplicate key, a number out of range."""


def read_near_json(text: str, start: int = 0) -> NearJSON:
    """Read one list or object that is nearly JSON, at this offset of a text.

    Raises:
        InvalidJSON: It is not even nearly JSON; the message tells what was expected and where.
        SchemaMismatch: It is nested too deeply.

    Example:
        >>> read_near_json("{'a': [True, 1,], // so\\n}").value
        {'a': [True, 1]}
    """
    reader = _Reader(text)
    value, end = reader.read(start, 0)
    return NearJSON(value, end, reader.problem)


class _Reader:
    def __init__(self, text: str) -> None:
        self.problem: SchemaMismatch | None = None
        self._text = text

    def read(self, at: int, depth: int) -> tuple[Any, int]:
        """Return the value at `at`, and the offset behind it."""
        if depth > MAX_DEPTH:
            raise SchemaMismatch(NESTED_TOO_DEEPLY)
        first = self._text[at : at + 1]
        if first == "{":
            return self._read_object(at + 1, depth + 1)
        if first == "[":
            return self._read_list(at + 1, depth + 1)
        if first and first in _QUOTES:
            return self._read_string(at)
        return self._read_scalar(at)

    def _read_object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        built: dict[str, Any] = {}
        at = self._skip(at)
        while self._text[at : at + 1] != "}":
            key, at = self._read_key(at)
            at = self._skip(at)
            if self._text[at : at + 1] != ":":
                raise self._error("Expecting ':' delimiter", at)
            if key in built:
                self._note(duplicate_key(key))
            built[key], at = self.read(self._skip(at + 1), depth)
            at = self._end_item(at, "}")
        return built, at + 1

    def _read_list(self, at: int, depth: int) -> tuple[list[Any], int]:
        built: list[Any] = []
        at = self._skip(at)
        while self._text[at : at + 1] != "]":
            value, at = self.read(at, depth)
            built.append(value)
            at = self._end_item(at, "]")
        return built, at + 1

    def _end_item(self, at: int, closing: str) -> int:
        """Return the offset of the next item, or of the bracket that closes."""
        at = self._skip(at)
        following = self._text[at : at + 1]
        if following == ",":
            return self._skip(at + 1)
        if following != closing:
            raise self._error("Expecting ',' delimiter", at)
        return at

    def _read_key(self, at: int) -> tuple[str, int]:
        if self._text[at : at + 1] in _QUOTES:
            return self._read_string(at)
        word = _WORD.match(self._text, at)
        if word is None:
            raise self._error("Expecting a property name in double quotes", at)
        return word[0], word.end()

    def _read_string(self, at: int) -> tuple[str, int]:
        quote = self._text[at]
        match = _QUOTES[quote].match(self._text, at)
        if match is None:
            raise self._error("Unterminated string", at, end=len(self._text))
        body = _ESCAPED.sub(_in_double_quotes, match[1]) if quote == "'" else match[1]
        body = _ESCAPE.sub(lambda escape: f"\\{escape[0]}" if escape[1] else escape[0], body)
        try:
            value: str = json.loads(f'"{body}"', strict=False)
        except ValueError:
            raise self._error("Invalid \\escape", at) from None
        return value, match.end()

    def _read_scalar(self, at: int) -> tuple[Any, int]:
        if number := _NUMBER.match(self._text, at):
            try:
                is_integer = not any(number.groups())
                return (parse_integer if is_integer else parse_number)(number[0]), number.end()
            except SchemaMismatch as mismatch:
                self._note(mismatch)
                return None, number.end()
        word = _WORD.match(self._text, at)
        if word and word[0] in _LITERALS:
            return _LITERALS[word[0]], word.end()
        if word and word[0].lstrip("+-") in _NO_JSON:
            self._note(not_json(word[0]))
            return None, word.end()
        raise self._error("Expecting value", at)

    def _skip(self, at: int) -> int:
        skipped = _SKIPPED.match(self._text, at)
        return skipped.end() if skipped else at

    def _note(self, problem: SchemaMismatch) -> None:
        self.problem = self.problem or problem

    def _error(self, message: str, at: int, end: int | None = None) -> InvalidJSON:
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        return InvalidJSON(message, line, column, at if end is None else end)


def _in_double_quotes(match: re.Match[str]) -> str:
    """Return a part of a string in single quotes as it stands in double quotes."""
    if match[1]:
        return "" if match[1] == "\n" else match[1]
    if match[2]:
        return f"\\u00{match[2]}"
    return '\\"' if match[0] == '"' else match[0]
