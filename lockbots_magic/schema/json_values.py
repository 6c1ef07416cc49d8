"""Strict JSON, and quoting its values in error messages. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from ..language import N_, _
from ..security.control_characters import printable

MAX_DIGITS = 1000
"""Digits of an integer; parsing time grows with their square."""
MAX_QUOTED = 40
"""Characters of a value quoted in a message."""
MAX_MESSAGE = 200
"""Characters of a message that comes from a validator or a user's type."""

NESTED_TOO_DEEPLY = N_("Nested too deeply")


class SchemaMismatch(ValueError):  # noqa: N818  # says what it is
    """JSON from a model is malformed or doesn't match its schema.

    The message is one short sentence for the model and the user alike, such as
    ``items[2].price: Input should be a valid number, got "x"``: `english` for the model, and the text of the exception,
    in the current language, for the user.

    Args:
        message: What is wrong, in English, a text of the catalogue or the words of a library.
        **values: Values of its placeholders.
    """

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message.format(**values) if values else message)
        self._message, self._values = message, values

    def __str__(self) -> str:
        return _(self._message, **self._values)

    @property
    def english(self) -> str:
        """The message in English."""
        return str(self.args[0])


class InvalidJSON(SchemaMismatch):
    """Text that breaks the grammar of JSON.

    Args:
        problem: What is wrong, in the words of `json`.
        line: Line of the error, from 1.
        column: Column of the error, from 1.
        position: Offset of the error in the text, in characters.
    """

    def __init__(self, problem: str, line: int, column: int, position: int) -> None:
        message = N_("Invalid JSON: {problem} (line {line}, column {column})")
        super().__init__(message, problem=problem, line=line, column=column)
        self.position = position

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self._values.values(), self.position)


def read_json(text: str, start: int | None = None) -> Any:
    """Parse strict JSON: no duplicate keys, no NaN or infinity, no oversized numbers.

    Args:
        text: The JSON.
        start: If given, parse one value at this offset and return it with the offset of its end.

    Raises:
        InvalidJSON: The text is not JSON.
        SchemaMismatch: It is JSON, with a duplicate key, a number out of range or too deep nesting.
    """
    try:
        return _decoder.decode(text) if start is None else _decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise InvalidJSON(error.msg, error.lineno, error.colno, error.pos) from None
    except RecursionError:
        raise SchemaMismatch(NESTED_TOO_DEEPLY) from None


def quote_value(value: Any) -> str:
    """Quote a JSON value on one short line; lists and objects are only named."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else shorten(json.dumps(value, ensure_ascii=False))


def shorten(text: object, limit: int = MAX_QUOTED) -> str:
    """Return text from outside on one line, printable, cut to `limit` characters."""
    line = " ".join(printable(str(text)).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def duplicate_key(key: str) -> SchemaMismatch:
    """Return the error for a key that an object has twice."""
    return SchemaMismatch(N_("Duplicate key {key} in an object"), key=quote_value(key))


def not_json(word: str) -> SchemaMismatch:
    """Return the error for a word that JSON lacks, such as NaN."""
    return SchemaMismatch(N_("{word} is not valid JSON"), word=word)


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, value in pairs:
        if key in built:
            raise duplicate_key(key)
        built[key] = value
    return built


def parse_integer(digits: str) -> int:
    """Return an integer; raise `SchemaMismatch` if it has too many digits."""
    if len(digits) > MAX_DIGITS:
        raise SchemaMismatch(N_("Integer with more than {digits} digits"), digits=MAX_DIGITS)
    return int(digits)


def parse_number(digits: str) -> float:
    """Return a number; raise `SchemaMismatch` if it is out of range."""
    value = float(digits)
    if not math.isfinite(value):
        raise SchemaMismatch(N_("Number {digits:.20} is out of range"), digits=digits)
    return value


def _refuse_constant(name: str) -> Any:
    raise not_json(name)


_decoder = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_int=parse_integer,
    parse_float=parse_number,
    parse_constant=_refuse_constant,
)
