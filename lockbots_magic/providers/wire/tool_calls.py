"""The calls of functions in a chat-completions answer, whose arguments come in pieces. Pure.

Wire facts: OpenAI API reference, "Chat completion chunk object": each piece has the `index` of its call, and the first
one its id and name. Others were seen to leave the index out, or to send every call whole and under index 0, with an
id or without, and arguments as an object in place of its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...conversation.messages import ToolCall
from ...errors import ProtocolError
from .sse import MAX_EVENT, SurrogateJoiner

MOST_CALLS = 128
"""Calls of functions that one answer may ask for."""


@dataclass(eq=False)
class _Call:
    """A call, as far as it has come."""

    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        joiner = SurrogateJoiner()
        return joiner.feed("".join(self.pieces)) + joiner.close()


class CallGatherer:
    """Puts the calls of one answer together."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._size = 0

    def take(self, asked: Any) -> None:
        """Take the `tool_calls` of one chunk.

        Raises:
            ProtocolError: they are malformed, too many or too long.
        """
        if not isinstance(asked, list):
            raise ProtocolError("the tool calls of a chunk are no list")
        here: list[_Call] = []
        for one in asked:
            function = one.get("function") or {} if isinstance(one, dict) else None
            if not isinstance(function, dict):
                raise ProtocolError("a tool call is no JSON object")
            call = self._call_of(one.get("index"), _string(one.get("id")), _string(function.get("name")), here)
            here.append(call)
            arguments = function.get("arguments")
            call.pieces.append(_json(arguments) if isinstance(arguments, dict) else _string(arguments))
            self._size += len(call.pieces[-1])
            if self._size > MAX_EVENT or len(self._calls) > MOST_CALLS:
                raise ProtocolError("the answer asks for too many calls, or too long ones")

    def _call_of(self, index: Any, identity: str, name: str, here: list[_Call]) -> _Call:
        """The call that a piece belongs to; `here` are those that its chunk has told of already."""
        if type(index) is int:
            known = self._by_index.get(index)
        else:
            known = self._by_id.get(identity) or (self._calls[-1] if self._calls else None)
        if known is None or _begins_another(known, identity, name) or (name and known in here):
            known = _Call()
            self._calls.append(known)
        if type(index) is int:
            self._by_index[index] = known
        known.id = known.id or identity
        known.name = known.name or name
        self._by_id[known.id] = known
        return known

    def whole(self) -> tuple[ToolCall, ...]:
        """The calls, in the order in which they began, each with an id of its own.

        Raises:
            ProtocolError: one names no function.
        """
        named = ((call.id, call.name, call.arguments) for call in self._calls)
        calls = [(identity, name, arguments) for identity, name, arguments in named if name or arguments.strip()]
        if not all(name for _, name, _ in calls):
            raise ProtocolError("a tool call names no function")
        identities = _distinct(identity or f"call-{n}" for n, (identity, _, _) in enumerate(calls, 1))
        return tuple(ToolCall(i, name, given) for i, (_, name, given) in zip(identities, calls, strict=True))


def _begins_another(known: _Call, identity: str, name: str) -> bool:
    if identity and known.id:
        return identity != known.id
    return bool(name and known.name)


def _distinct(identities: Iterator[str]) -> Iterator[str]:
    used: set[str] = set()
    for identity in identities:
        numbered = (f"{identity}-{n}" for n in range(2, len(used) + 3))
        free = identity if identity not in used else next(one for one in numbered if one not in used)
        used.add(free)
        yield free


def _json(arguments: Any) -> str:
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:
        raise ProtocolError("the arguments of a tool call are nested too deeply") from None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
