"""Writes tool calls as chunks in every form that servers are known to use."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

INDEXES = ("right", "from 7", "zero", "missing")
IDS = ("once", "each", "new", "twice", "never")
NAMES = ("once", "each", "pieces")
ARGUMENTS = ("pieces", "whole", "object", "empty object first", "encoded twice", "whole at the end", "null first")
CARRIERS = ("delta", "message", "message beside deltas", "message after deltas", "one chunk")

Call = tuple[str, str]
"""Name, and arguments as JSON."""


@dataclass(frozen=True)
class Form:
    """How a server writes calls."""

    index: str = "right"
    id: str = "once"
    name: str = "once"
    arguments: str = "pieces"
    carrier: str = "delta"

    def write(self, calls: Sequence[Call], cuts: Iterator[int]) -> list[dict[str, Any]]:
        """Return the choices of the chunks; `cuts` gives lengths of pieces."""
        whole = [self._whole(n, call) for n, call in enumerate(calls)]
        if self.carrier == "message":
            return [{"message": {"role": "assistant", "content": None, "tool_calls": whole}}]
        if self.carrier == "one chunk":
            return [{"delta": {"tool_calls": whole}}]
        pieces = [piece for n, call in enumerate(calls) for piece in self._pieces(n, call, cuts)]
        choices: list[dict[str, Any]] = [{"delta": {"tool_calls": [piece]}} for piece in pieces]
        if self.carrier == "message beside deltas":
            choices[-1]["message"] = {"tool_calls": whole}
        if self.carrier == "message after deltas":
            choices.append({"message": {"tool_calls": whole}})
        return choices

    def _whole(self, number: int, call: Call) -> dict[str, Any]:
        name, arguments = call
        if self.arguments == "object":
            written: Any = json.loads(arguments or "{}")
        else:
            written = json.dumps(arguments) if self.arguments == "encoded twice" else arguments
        return {**self._index(number), **self._identity(number, 0, 1), "function": {"name": name, "arguments": written}}

    def _pieces(self, number: int, call: Call, cuts: Iterator[int]) -> Iterator[dict[str, Any]]:
        name, arguments = call
        parts = list(self._parts(arguments, cuts))
        names = _cut(name, cuts) if self.name == "pieces" else [name]
        if self.name == "pieces" and len(names) > 1:
            parts[:0] = [""] * (len(names) - 1)
        for at, part in enumerate(parts):
            function = {"arguments": part}
            if at < len(names) or self.name == "each":
                function["name"] = names[min(at, len(names) - 1)]
            yield {**self._index(number), **self._identity(number, at, len(parts)), "function": function}

    def _parts(self, arguments: str, cuts: Iterator[int]) -> Iterator[Any]:
        if self.arguments == "object":
            yield json.loads(arguments or "{}")
        elif self.arguments == "whole":
            yield arguments
        elif self.arguments == "encoded twice":
            yield from _cut(json.dumps(arguments), cuts)
        elif self.arguments == "empty object first":
            yield from ("{}", *_cut(arguments, cuts))
        elif self.arguments == "null first":
            yield from (None, *_cut(arguments, cuts))
        elif self.arguments == "whole at the end":
            yield from ("", *_cut(arguments, cuts), arguments)
        else:
            yield from ("", *_cut(arguments, cuts))

    def _index(self, number: int) -> dict[str, Any]:
        index = {"right": number, "from 7": number + 7, "zero": 0}.get(self.index)
        return {} if index is None else {"index": index}

    def _identity(self, number: int, at: int, count: int) -> dict[str, Any]:
        given = {
            "once": at == 0,
            "each": True,
            "new": True,
            "twice": at in (0, count - 1),
            "never": False,
        }[self.id]
        return {"id": f"call-{number}" + (f"-{at}" if self.id == "new" and at else "")} if given else {"id": None}


def _cut(text: str, cuts: Iterator[int]) -> list[str]:
    pieces = []
    while text:
        length = max(1, next(cuts))
        pieces.append(text[:length])
        text = text[length:]
    return pieces or [""]


def forms() -> list[Form]:
    """Return every combination."""
    return [Form(*one) for one in itertools.product(INDEXES, IDS, NAMES, ARGUMENTS, CARRIERS)]


def single_forms() -> list[Form]:
    """Return the forms that differ in one respect from what the API reference describes."""
    usual = Form()
    fields = {"index": INDEXES, "id": IDS, "name": NAMES, "arguments": ARGUMENTS, "carrier": CARRIERS}
    return [replace(usual, **{name: value}) for name, values in fields.items() for value in values]
