"""Pieces of tool calls, and which call each belongs to. Pure.

What a piece belongs to is never guessed. Evidence, strongest first: its index, its id, its place in the list of one
chunk, its name, and whether the arguments so far are whole. Where two readings are left, the call is marked unclear.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from ...conversation.opaque_data import is_shallow
from ...errors import ProtocolError
from ...language import _
from ...late_dataclass import late_dataclass
from .call_arguments import ArgumentsScanner, is_empty_object, is_object, is_same_json
from .sse import SurrogateJoiner

MAX_CALLS = 128
"""Tool calls in one response."""
MAX_SIZE = 4_000_000
"""Characters of the calls of one response."""
PIECE_COST = 64
"""Characters that each piece of a call counts for besides its own: the memory of one in Python."""
OPAQUE_FIELDS = ("extra_content", "provider_specific_fields")
"""Fields of a call that go back unchanged.

Wire facts: Gemini API, "Thought signatures": `extra_content.google.thought_signature`; LiteLLM sends the signature in
`provider_specific_fields`.
"""


@late_dataclass(frozen=True)
class CallPiece:
    """One entry of a chunk's `tool_calls`."""

    index: int | None
    id: str
    name: str
    arguments: str
    opaque: dict[str, Any]

    @property
    def size(self) -> int:
        """Characters, those of opaque data too, and what it costs to keep them."""
        return PIECE_COST + sum(
            map(len, (self.id, self.name, self.arguments, _dump_json(self.opaque) if self.opaque else ""))
        )

    @property
    def is_blank(self) -> bool:
        """True if it brings no arguments."""
        return not self.arguments.strip()


@late_dataclass(eq=False)
class PartialCall:
    """A tool call, as far as it has arrived."""

    index: int | None
    chunk: int = 0
    """Number of the last chunk with a piece of it."""
    name: str = ""
    ids: dict[str, None] = field(default_factory=dict)
    """Its ids, in order; the first one is the call's."""
    opaque: dict[str, Any] = field(default_factory=dict)
    is_unclear: bool = False
    """True if pieces of it may belong to another call."""
    is_announced_twice: bool = False
    """True if its name came again before any arguments: one call or two, if none come."""
    is_named_again: bool = False
    """True if its name came again after `{}`: one call or two, if more arguments come."""
    has_bare_piece: bool = False
    """True if a later piece of it came without an id, so that a new id is another call's."""
    size: int = 0
    _last: str = ""
    _grows: bool = True  # whether each piece continues the one before: all may be snapshots
    _pieces: list[str] = field(default_factory=list)
    _scanner: ArgumentsScanner = field(default_factory=ArgumentsScanner)

    @property
    def arguments(self) -> str:
        """Arguments as they arrived; a character cut into halves is joined."""
        if len(self._pieces) > 1:
            self._pieces[:] = ["".join(self._pieces)]
        joiner = SurrogateJoiner()
        return joiner.feed(self._pieces[0]) + joiner.close() if self._pieces else ""

    @property
    def final_arguments(self) -> str:
        """Arguments once no more come: the last piece, where each has held all of them so far."""
        joined = self.arguments
        return self._last if self._grows and is_object(self._last) and not is_object(joined) else joined

    @property
    def is_blank(self) -> bool:
        """True if no arguments have arrived."""
        return not self._pieces

    @property
    def is_whole(self) -> bool:
        """True if the arguments so far are closed, so that no prefix of an object is."""
        return self._scanner.is_whole

    @property
    def is_empty_object(self) -> bool:
        """True if the arguments so far are `{}`, which some gateways send before the true ones."""
        return self.size < 100 and is_empty_object(self.arguments)

    def is_ambiguous(self) -> bool:
        """Return whether its pieces may be those of two calls."""
        return self.is_unclear or (self.is_announced_twice and self.is_blank)

    def add(self, piece: CallPiece, chunk: int, name: str) -> None:
        """Add the next piece.

        Args:
            piece: The piece.
            chunk: Number of its chunk.
            name: Name of the call with it.
        """
        self.name = name
        self.chunk = chunk
        self.has_bare_piece = self.has_bare_piece or bool(self.ids and not piece.id)
        if piece.id:
            self.ids[piece.id] = None
        self.opaque.update(piece.opaque)
        self.is_unclear = self.is_unclear or (self.is_named_again and not piece.is_blank)
        if not piece.is_blank or self._pieces:
            self.size += len(piece.arguments)
            self._grows = self._grows and piece.arguments.startswith(self._last)
            self._last = piece.arguments
            self._pieces.append(piece.arguments)
            self._scanner.feed(piece.arguments)


class CallAssembly:
    """Puts the pieces of one response, in the order of their chunks, together to calls.

    Args:
        names: Names of the functions that the model may call, if known; they tell pieces of a name from names.
    """

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self.calls: list[PartialCall] = []
        self._names = names
        self._chunk = 0
        self.size = 0
        """Characters so far."""

    def add_chunk(self, tool_calls: Any) -> None:
        """Add the `tool_calls` of one chunk.

        Raises:
            ProtocolError: They are malformed, too many or too long.
        """
        self._chunk += 1
        for piece in _read_pieces(tool_calls):
            self._add_piece(piece)
            self.size += piece.size
            if self.size > MAX_SIZE or len(self.calls) > MAX_CALLS:
                raise ProtocolError(_("The response holds too many tool calls, or too long ones."))

    def finish(self) -> list[PartialCall]:
        """Return the calls; those without name and arguments are no calls.

        Raises:
            ProtocolError: One does not name a function, or its pieces can't be told from those of another.
        """
        kept: list[PartialCall] = []
        for call in self.calls:
            if call.name and not self._is_echo(call, kept[-1] if kept else None):
                kept.append(call)
            elif not call.name and not call.is_blank and not _absorb(call, kept[-1] if kept else None):
                raise ProtocolError(_("A tool call does not name a function, so none was made."))
        kept = [call for call in kept if not _is_shadow(call, kept)]
        if any(map(PartialCall.is_ambiguous, kept)):
            raise ProtocolError(_("The server sent tool calls that can't be told apart, so none was made. Ask again."))
        return kept

    def _is_echo(self, call: PartialCall, before: PartialCall | None) -> bool:
        """Whether a call without arguments is the end of the one before: its function has arguments, as that shows."""
        if before is None or not call.is_blank or before.is_blank or before.is_empty_object:
            return False
        return (call.name, call.index) == (before.name, before.index) and call.chunk != before.chunk

    def _add_piece(self, piece: CallPiece) -> None:
        call = self._find_call(piece)
        if call is None or self._begins_call(call, piece):
            call = PartialCall(piece.index)
            self.calls.append(call)
        is_naming = piece.name and (call.is_blank or not call.name)
        call.add(piece, self._chunk, self._join_names(call.name, piece.name) if is_naming else call.name)

    def _find_call(self, piece: CallPiece) -> PartialCall | None:
        """Return the call that the piece continues, if it continues one."""
        pool = self.calls if piece.index is None else [one for one in self.calls if one.index == piece.index]
        known = (one for one in reversed(pool) if piece.id and piece.id in one.ids)
        return next(known, pool[-1] if pool else None)

    def _begins_call(self, call: PartialCall, piece: CallPiece) -> bool:
        """Whether the piece begins another call than `call`, the one it would continue; may mark that as unclear."""
        if not piece.name:
            is_other = bool(piece.id and call.ids and piece.id not in call.ids)
            return is_other and call.is_whole
        if not call.name:
            return bool(piece.id and call.ids and piece.id not in call.ids) and call.is_whole
        if self._is_same_name(call, piece):
            return self._repeats_call(call, piece)
        if not call.is_blank or call.chunk == self._chunk:
            return True
        return self._is_second_name(call, piece)

    def _repeats_call(self, call: PartialCall, piece: CallPiece) -> bool:
        """Whether a piece with the name of `call` begins another call of that function."""
        has_known_id = piece.id in call.ids
        has_new_id = bool(piece.id and call.ids and not has_known_id)
        is_beside = call.chunk == self._chunk
        if has_new_id and call.has_bare_piece and (call.is_blank or call.is_whole):
            return True
        if call.is_blank:
            # Its function has arguments if any come, so that a call without any is none: it was only announced.
            is_second = not is_beside and (has_new_id or not call.ids)
            call.is_announced_twice = call.is_announced_twice or is_second
            return is_beside and not has_known_id
        if not call.is_whole or (has_known_id and (piece.is_blank or not is_beside)):
            return False
        if is_beside:
            call.is_unclear = has_known_id and call.is_empty_object
            return True
        return self._follows_whole_call(call, piece, has_new_id=has_new_id)

    def _follows_whole_call(self, call: PartialCall, piece: CallPiece, *, has_new_id: bool) -> bool:
        """Whether a piece of a later chunk begins another call; the arguments of `call` are whole."""
        if call.is_empty_object:  # a call without arguments, or what some gateways send before them
            if call.ids and not piece.id:  # where calls have ids, another one would
                return False
            call.is_named_again = piece.is_blank and not has_new_id
            call.is_unclear = not call.is_named_again
            return not call.is_named_again
        if piece.is_blank or not is_same_json(call.arguments, piece.arguments):
            return True
        if has_new_id and len(call.ids) == 1:  # where each piece has an id of its own, a new one says nothing
            return True
        call.is_unclear = has_new_id or not call.ids
        return False

    def _is_same_name(self, call: PartialCall, piece: CallPiece) -> bool:
        is_half = self._names and call.name not in self._names and self._begins_name(call.name * 2)
        return call.name == piece.name and not is_half

    def _is_second_name(self, call: PartialCall, piece: CallPiece) -> bool:
        """Whether a piece names another function than a call without arguments; else its name continues that name."""
        joins = self._begins_name(call.name + piece.name)
        parts = call.name in self._names and self._begins_name(piece.name)
        call.is_unclear = joins and parts
        if joins or parts:
            return parts
        return bool(piece.id and call.ids and piece.id not in call.ids)

    def _begins_name(self, text: str) -> bool:
        return any(name.startswith(text) for name in self._names)

    def _join_names(self, begun: str, name: str) -> str:
        is_repeated = begun == name and not (self._names and name not in self._names and self._begins_name(name * 2))
        return name if not begun or is_repeated else begun + name


def _is_shadow(call: PartialCall, calls: list[PartialCall]) -> bool:
    """Whether a call is another one, as far as it had come, under another index (LocalAI): they have one id."""
    before = True
    for other in calls:
        if other is call:
            before = False
        elif other.name == call.name and other.index != call.index and other.chunk != call.chunk:
            is_less = (call.is_blank and not other.is_blank) or (not call.is_whole and other.is_whole)
            is_same = is_less or (before and is_same_json(other.arguments, call.arguments))
            if is_same and not call.ids.keys().isdisjoint(other.ids):
                return True
    return False


def _absorb(call: PartialCall, before: PartialCall | None) -> bool:
    """Add a call without a name to the one before it, where it can be nothing else; return whether it was."""
    if before is None or before.index != call.index:
        return False
    if before.is_empty_object:
        before.add(CallPiece(call.index, "", "", call.arguments, call.opaque), before.chunk, before.name)
        return True
    return is_same_json(before.arguments, call.arguments)


def _read_pieces(tool_calls: Any) -> Iterator[CallPiece]:
    if isinstance(tool_calls, dict):  # one call without its list
        tool_calls = [tool_calls]
    if not isinstance(tool_calls, list):
        raise ProtocolError(_("The tool calls of a chunk are not a list."))
    for one in tool_calls:
        function = _function_of(one) if isinstance(one, dict) else None
        if not isinstance(function, dict):
            raise ProtocolError(_("A tool call is not a JSON object."))
        index, arguments = one.get("index"), _first_of(function, "arguments", "input", "parameters")
        opaque = {name: one[name] for name in OPAQUE_FIELDS if isinstance(one.get(name), dict)}
        yield CallPiece(
            index if type(index) is int else None,
            _string(one.get("id")),
            _string(function.get("name")),
            arguments if isinstance(arguments, str) else "" if arguments is None else _dump_json(arguments),
            _bounded(opaque),
        )


def _function_of(call: dict[str, Any]) -> Any:
    """Return the object with the name and the arguments of a call.

    Some servers leave out that level. A call of the type `custom` has text as `input`, which is no JSON object and is
    refused as such: the toolkit offers functions only.
    """
    return call.get("function") or call.get("custom") or call


def _first_of(function: dict[str, Any], *names: str) -> Any:
    return next((function[name] for name in names if function.get(name) is not None), None)


def _bounded(opaque: dict[str, Any]) -> dict[str, Any]:
    """Return `opaque` unless it can't be saved."""
    if not is_shallow(opaque):
        raise ProtocolError(_("The extra content of a tool call is nested too deeply."))
    return opaque


def _dump_json(arguments: Any) -> str:
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:
        raise ProtocolError(_("The arguments of a tool call are nested too deeply.")) from None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
