"""Events that differ from one before in their text, and in fields that say nothing: read without parsing all. Pure.

A stream repeats the same JSON for each token, a hundred times as long as its text. Where all of an event but some
values is the same, it means the same but for these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in the stubs
from typing import Any, NamedTuple

from ...language import _
from .json_text import parse_json

MAX_LEARNED = 8
"""Events of one response that are learned from: where each has a form of its own, learning only takes time."""

_match_number = re.compile(r"(?:0|[1-9][0-9]{0,15})(?![0-9.eE])").match

Path = tuple[str | int, ...]


class _Hole(NamedTuple):
    """A value that may be another one."""

    before: str
    """What stands between the hole before it and its value, with the quote of a string."""
    size: int
    """Its length (characters)."""
    is_string: bool
    is_text: bool


class TextTemplate:
    """Reads events that are a learned one with another text.

    Args:
        text: Path of the text in an event.
        ignored: Fields of an event, strings and integers, that say nothing about the reply, and may vary.

    Example:
        >>> template = TextTemplate(("delta",), ["number"])
        >>> for number in (1, 2):
        ...     template.learn(f'{{"number": {number}, "delta": "a"}}', {"number": number, "delta": "a"})
        >>> template.read('{"number": 22, "delta": "b"}'), template.read('{"number": 3, "delta": "b", "x": 1}')
        ('b', None)
    """

    def __init__(self, text: Path, ignored: Sequence[str] = ()) -> None:
        self._text = text
        self._ignored = ignored
        self._varying: set[str] = set()
        self._last: Mapping[str, Any] | None = None
        self._holes: list[_Hole] = []
        """Empty if none is learned."""
        self._tail = ""
        self._learned = 0

    def read(self, data: str) -> str | None:
        """Return the text of an event; None if it may differ from the learned one in anything else."""
        if not self._holes:
            return None
        text, at = "", 0
        try:
            for before, size, is_string, is_text in self._holes:
                if not data.startswith(before, at):
                    return None
                at += size
                if is_text:
                    text, at = scanstring(data, at)
                elif is_string:
                    at = scanstring(data, at)[1]
                else:
                    at = _match_number(data, at).end()  # type: ignore[union-attr]  # handled below
        except (ValueError, AttributeError):  # no string, no integer
            return None
        return text if data[at:] == self._tail else None

    def learn(self, data: str, event: Mapping[str, Any]) -> None:
        """Take an event as the template of the next ones.

        Args:
            data: The event as it came.
            event: The same, parsed; it has a text.
        """
        if self._learned >= MAX_LEARNED:
            return
        self._learned += 1
        self.forget()
        last, self._last = self._last or event, event
        self._varying |= {name for name in self._ignored if event.get(name) != last.get(name)}
        holes, end = [], 0
        for found in re.finditer(rf'"({"|".join((str(self._text[-1]), *sorted(self._varying)))})"\s*:\s*', data):
            start, is_text = found.end(), found[1] == self._text[-1]
            value_end = _end_of_value(data, start)
            path = self._text if is_text else (found[1],)
            if value_end is None or not _is_value_at(data, start, value_end, event, path):
                continue
            is_string = data[start] == '"'
            before = data[end : start + is_string]
            holes.append(_Hole(before, len(before), is_string, is_text))
            end = value_end
        if any(hole.is_text for hole in holes):
            self._holes, self._tail = holes, data[end:]

    def forget(self) -> None:
        """Know no template: what it means may have changed."""
        self._holes = []


def _is_value_at(data: str, start: int, end: int, event: Mapping[str, Any], path: Path) -> bool:
    """Whether the value at a place of `data` is that of `path` in the event: changed there, it is changed here."""
    written, value = ('"\\u0001"', "\1") if data[start] == '"' else ("9876543210987", 9876543210987)
    try:
        return bool(parse_json(f"{data[:start]}{written}{data[end:]}") == _replaced(event, path, value))
    except (KeyError, IndexError, TypeError):  # there is no such path
        return False


def _replaced(holder: Any, path: Path, value: Any) -> Any:
    """Return a copy of JSON with another value at a path; raise `KeyError`, `IndexError` or `TypeError` without one."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    changed = _replaced(holder[key], rest, value)
    return {**holder, key: changed} if isinstance(key, str) else [*holder[:key], changed, *holder[key + 1 :]]


def _end_of_value(data: str, start: int) -> int | None:
    """Return the end of a string or an integer; None for any other value."""
    try:
        return int(scanstring(data, start + 1)[1]) if data[start : start + 1] == '"' else _end_of_number(data, start)
    except ValueError:
        return None


def _end_of_number(data: str, start: int) -> int:
    found = _match_number(data, start)
    if found is None:
        raise ValueError(_("no integer"))
    return found.end()
