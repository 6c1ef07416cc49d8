"""Assembly of the tool calls in a chat-completions response, whose arguments arrive in pieces. Pure.

Wire facts: OpenAI API reference, "Chat completion chunk object": each piece has the `index` of its call, and the first
one its id and name. Observed elsewhere: no index; every call complete and under index 0, with or without an id;
arguments as an object in place of its JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...conversation.messages import ToolCall
from ...errors import ProtocolError
from .sse import MAX_EVENT, SurrogateJoiner

MAX_CALLS = 128
"""Tool calls in one response."""


@dataclass(eq=False)
class _PartialCall:
    """A tool call, as far as it has arrived."""

    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        joiner = SurrogateJoiner()
        return joiner.feed("".join(self.pieces)) + joiner.close()


class ToolCallAssembler:
    """Assembles the tool calls of one response."""

    def __init__(self) -> None:
        self._calls: list[_PartialCall] = []
        self._by_index: dict[int, _PartialCall] = {}
        self._by_id: dict[str, _PartialCall] = {}
        self._size = 0

    def feed(self, tool_calls: Any) -> None:
        """Add the `tool_calls` of one chunk.

        Raises:
            ProtocolError: They are malformed, too many or too long.
        """
        if not isinstance(tool_calls, list):
            raise ProtocolError("The tool calls of a chunk are not a list.")
        here: list[_PartialCall] = []
        for one in tool_calls:
            function = one.get("function") or {} if isinstance(one, dict) else None
            if not isinstance(function, dict):
                raise ProtocolError("A tool call is not a JSON object.")
            call = self._find_call(one.get("index"), _string(one.get("id")), _string(function.get("name")), here)
            here.append(call)
            arguments = function.get("arguments")
            call.pieces.append(_dump_json(arguments) if isinstance(arguments, dict) else _string(arguments))
            self._size += len(call.pieces[-1])
            if self._size > MAX_EVENT or len(self._calls) > MAX_CALLS:
                raise ProtocolError("The response holds too many tool calls, or too long ones.")

    def _find_call(self, index: Any, identity: str, name: str, here: list[_PartialCall]) -> _PartialCall:
        """Return the call that a piece belongs to; `here` are the calls of the same chunk before it."""
        if type(index) is int:
            known = self._by_index.get(index)
        else:
            known = self._by_id.get(identity) or (self._calls[-1] if self._calls else None)
        if known is None or _starts_new_call(known, identity, name) or (name and known in here):
            known = _PartialCall()
            self._calls.append(known)
        if type(index) is int:
            self._by_index[index] = known
        known.id = known.id or identity
        known.name = known.name or name
        self._by_id[known.id] = known
        return known

    def assemble(self) -> tuple[ToolCall, ...]:
        """Return the calls in order, each with a unique id.

        Raises:
            ProtocolError: One does not name a function.
        """
        named = ((call.id, call.name, call.arguments) for call in self._calls)
        calls = [(identity, name, arguments) for identity, name, arguments in named if name or arguments.strip()]
        if not all(name for _, name, _ in calls):
            raise ProtocolError("A tool call does not name a function.")
        identities = _make_unique(identity or f"call-{n}" for n, (identity, _, _) in enumerate(calls, 1))
        return tuple(ToolCall(i, name, given) for i, (_, name, given) in zip(identities, calls, strict=True))


def _starts_new_call(known: _PartialCall, identity: str, name: str) -> bool:
    if identity and known.id:
        return identity != known.id
    return bool(name and known.name)


def _make_unique(identities: Iterator[str]) -> Iterator[str]:
    used: set[str] = set()
    for identity in identities:
        numbered = (f"{identity}-{n}" for n in range(2, len(used) + 3))
        free = identity if identity not in used else next(one for one in numbered if one not in used)
        used.add(free)
        yield free


def _dump_json(arguments: Any) -> str:
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:
        raise ProtocolError("The arguments of a tool call are nested too deeply.") from None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
