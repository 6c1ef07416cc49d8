"""JSON as a model must write it: one value, no key twice, no number that is none. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

from .shapes import Misfit, shown

MOST_DIGITS = 1000
"""Digits of an integer: longer ones take minutes to be read."""


def read_json(text: str, start: int | None = None) -> Any:
    """Return the JSON value that `text` is. With a `start`, return the value that begins there, and where it ends.

    Raises:
        Misfit: it is none; or a key stands twice, a number is NaN, endless or huge, or it is nested too deeply.
    """
    try:
        return _decoder.decode(text) if start is None else _decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotJSON(f"it is no JSON: {error.msg} (line {error.lineno}, column {error.colno})", error.pos) from None
    except RecursionError:
        raise Misfit("it is nested too deeply") from None


class NotJSON(Misfit):
    """The text breaks the grammar of JSON.

    Args:
        why: what is wrong.
        position: where in the text, characters.
    """

    def __init__(self, why: str, position: int) -> None:
        super().__init__(why)
        self.position = position


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # None
        raise Misfit(f"the key {shown(twice)} stands twice in one object")
    return made


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise Misfit(f"an integer has more than {MOST_DIGITS} digits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Misfit(f"the number {digits:.20} is too large")
    return value


def _constant(name: str) -> Any:
    raise Misfit(f"JSON has no {name}")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
