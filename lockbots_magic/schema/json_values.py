"""Strict JSON, and quoting its values in error messages. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from ..security.control_characters import printable

MAX_DIGITS = 1000
"""Digits of an integer; parsing time grows with their square."""
MAX_QUOTED = 40
"""Characters of a value quoted in a message."""
MAX_MESSAGE = 200
"""Characters of a message that comes from a validator or a user's type."""


class SchemaMismatch(ValueError):  # noqa: N818  # says what it is
    """JSON from a model is malformed or doesn't match its schema.

    The message is one short sentence for the model and the user alike, such as
    ``items[2].price: Input should be a valid number, got "x"``.
    """


class InvalidJSON(SchemaMismatch):
    """Text that breaks the grammar of JSON.

    Args:
        message: What is wrong.
        position: Offset of the error in the text, in characters.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


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
        raise InvalidJSON(f"Invalid JSON: {error.msg} (line {error.lineno}, column {error.colno})", error.pos) from None
    except RecursionError:
        raise SchemaMismatch("Nested too deeply") from None


def quote_value(value: Any) -> str:
    """Quote a JSON value on one short line; lists and objects are only named."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else shorten(json.dumps(value, ensure_ascii=False))


def shorten(text: object, limit: int = MAX_QUOTED) -> str:
    """Return text from outside on one line, printable, cut to `limit` characters."""
    line = " ".join(printable(str(text)).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, value in pairs:
        if key in built:
            raise SchemaMismatch(f"Duplicate key {quote_value(key)} in an object")
        built[key] = value
    return built


def parse_integer(digits: str) -> int:
    """Return an integer; raise `SchemaMismatch` if it has too many digits."""
    if len(digits) > MAX_DIGITS:
        raise SchemaMismatch(f"Integer with more than {MAX_DIGITS} digits")
    return int(digits)


def parse_number(digits: str) -> float:
    """Return a number; raise `SchemaMismatch` if it is out of range."""
    value = float(digits)
    if not math.isfinite(value):
        raise SchemaMismatch(f"Number {digits:.20} is out of range")
    return value


def _refuse_constant(name: str) -> Any:
    raise SchemaMismatch(f"{name} is not valid JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_build_object,
    parse_int=parse_integer,
    parse_float=parse_number,
    parse_constant=_refuse_constant,
)
