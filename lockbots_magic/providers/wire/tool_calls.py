"""Assembly of the tool calls in a chat-completions response, whose names and arguments arrive in pieces. Pure.

Wire facts: OpenAI API reference, "Chat completion chunk object": each piece has the `index` of its call, and the first
one its id and name. Observed elsewhere: index always 0, missing, or not from 0; an id in each piece, the same or a new
one, or none; a name in each piece, or in pieces itself; calls once more as `message` at the end; `function_call`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import starmap
from typing import Any, NamedTuple

from ...conversation.messages import ToolCall
from ...conversation.opaque_data import OpaqueData
from ...errors import ProtocolError
from ...language import _
from .call_arguments import is_object, is_same_json, normalize_arguments
from .call_pieces import MAX_SIZE, CallAssembly, PartialCall
from .nested_arguments import unnest_arguments
from .tool_names import meant_name


class ToolCallAssembler:
    """Assembles the tool calls of one response, in any of the forms that servers use.

    A call that is not sure to be what the model asked for is never returned: its arguments stay as they arrived, so
    that the caller refuses them as invalid JSON, or the response is an error.

    Args:
        names: Names of the functions that the model may call, if known; a mapping holds the schemas of their arguments.

    Example:
        >>> calls = ToolCallAssembler(["weather"])
        >>> calls.feed([{"index": 0, "id": "a", "function": {"name": "weather", "arguments": '{"city": '}}])
        >>> calls.feed([{"index": 0, "function": {"arguments": '"Rome"}'}}])
        >>> str(calls.assemble()[0])
        'weather(city="Rome")'
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._schemas: Mapping[str, Any] = names if isinstance(names, Mapping) else {}
        self._deltas = CallAssembly(self._names)
        self._legacy = CallAssembly(self._names)
        self._messages: list[Any] = []
        self._size = 0

    def feed_choice(self, choice: Mapping[str, Any]) -> bool:
        """Add the calls of a choice, in whichever form it has them.

        Args:
            choice: Choice of a chunk, with a `delta`, a whole `message`, or both.

        Returns:
            True if it has any.

        Raises:
            ProtocolError: They are malformed, too many or too long.
        """
        delta, message = choice.get("delta"), choice.get("message")
        forms: list[tuple[Mapping[str, Any], Callable[[Any], None]]] = []
        if isinstance(delta, dict):
            forms.append((delta, self.feed))
        if isinstance(message, dict) and message != delta:  # some servers send each delta under both names
            forms.append((message, self.feed_message))
        if not any(body.get("tool_calls") for body, _ in forms):
            forms.append((choice, self.feed))
        found = False
        for body, feed in forms:
            if tool_calls := body.get("tool_calls"):
                feed(tool_calls)
                found = True
            if function_call := body.get("function_call"):
                self.feed_function_call(function_call)
                found = True
        return found

    def feed(self, tool_calls: Any) -> None:
        """Add the `tool_calls` of a delta.

        Raises:
            ProtocolError: They are malformed, too many or too long.
        """
        self._deltas.add_chunk(tool_calls)

    def feed_function_call(self, function_call: Any) -> None:
        """Add the `function_call` of a delta or message: the form before `tool_calls`, of one call.

        Raises:
            ProtocolError: It is malformed or too long.
        """
        self._legacy.add_chunk([{"function": function_call}])

    def feed_message(self, tool_calls: Any) -> None:
        """Add the `tool_calls` of a whole message; it may repeat what deltas have brought.

        Raises:
            ProtocolError: They are malformed, too many or too long.
        """
        assembly = self._assembly([tool_calls])
        self._messages.append(tool_calls)
        self._size += assembly.size
        if self._size > MAX_SIZE:
            raise ProtocolError(_("The response holds too many tool calls, or too long ones."))

    def assemble(self) -> tuple[ToolCall, ...]:
        """Return the calls in order, each with a unique id.

        Raises:
            ProtocolError: One does not name a function, or what was asked for can't be known.
        """
        calls = _reconcile(self._finish(self._deltas), self._read_messages()) or self._finish(self._legacy)
        identities = _make_unique(call.id or make_call_id(n) for n, call in enumerate(calls, 1))
        return tuple(
            ToolCall(identity, call.name, call.arguments, None, OpaqueData(call.opaque) if call.opaque else None)
            for identity, call in zip(identities, calls, strict=True)
        )

    def _read_messages(self) -> list[_Call]:
        """Return the calls of the whole messages: of the last one, if each repeats the one before."""
        if not self._messages:
            return []
        with suppress(ProtocolError):  # a message in pieces
            lists = [self._finish(self._assembly([message])) for message in self._messages]
            if all(starmap(_extends, zip(lists[1:], lists, strict=False))):
                return lists[-1]
        return self._finish(self._assembly(self._messages))

    def _finish(self, assembly: CallAssembly) -> list[_Call]:
        return [_finish_call(call, self._names, self._schemas) for call in assembly.finish()]

    def _assembly(self, chunks: Iterable[Any]) -> CallAssembly:
        assembly = CallAssembly(self._names)
        for chunk in chunks:
            assembly.add_chunk(chunk)
        return assembly


class _Call(NamedTuple):
    """A call as it was put together."""

    id: str
    name: str
    arguments: str
    opaque: dict[str, Any]

    @property
    def is_whole(self) -> bool:
        return not self.arguments or is_object(self.arguments)

    def is_like(self, other: _Call) -> bool:
        return self.name == other.name and is_same_json(self.arguments or "{}", other.arguments or "{}")


def make_call_id(number: int) -> str:
    """Return an id for a call whose server gave none; nine letters and digits are valid everywhere (Mistral API)."""
    return f"call{number:05}"


def _finish_call(call: PartialCall, names: frozenset[str], schemas: Mapping[str, Any]) -> _Call:
    name = meant_name(call.name, names)
    arguments = normalize_arguments(call.final_arguments)
    if isinstance(schema := schemas.get(name), Mapping):
        arguments = unnest_arguments(arguments, name, schema)
    return _Call(next(iter(call.ids), ""), name, arguments, call.opaque)


def _extends(calls: Sequence[_Call], earlier: Sequence[_Call]) -> bool:
    begin = calls[: len(earlier)]
    return len(begin) == len(earlier) and all(map(_Call.is_like, begin, earlier))


def _reconcile(deltas: list[_Call], message: list[_Call]) -> list[_Call]:
    """Return the calls of a response that wrote them in deltas, as a whole message, or both.

    Raises:
        ProtocolError: The two differ.
    """
    if not message or not deltas:
        return deltas or message
    if _extends(deltas, message):
        arguments = [one.arguments for one in message] + [one.arguments for one in deltas[len(message) :]]
        return [one._replace(arguments=text) for one, text in zip(deltas, arguments, strict=True)]
    is_cut = [one.name for one in deltas] == [one.name for one in message[: len(deltas)]] and all(
        map(lambda a, b: a.is_like(b) or not a.is_whole or not a.arguments, deltas, message)
    )
    if not is_cut:
        raise ProtocolError(_("The server sent two versions of its tool calls, so none was made. Ask again."))
    return [one._replace(id=(deltas[n].id if n < len(deltas) else "") or one.id) for n, one in enumerate(message)]


def _make_unique(identities: Iterable[str]) -> Iterator[str]:
    used: set[str] = set()
    for identity in identities:
        numbered = (f"{identity}-{n}" for n in range(2, len(used) + 3))
        free = identity if identity not in used else next(one for one in numbered if one not in used)
        used.add(free)
        yield free
