"""Items of a response of the Responses API: its calls, its reasoning, and what of them goes back. Pure.

Wire facts: the OpenAI API reference, "The response object: output"; the guide "Reasoning models: keeping reasoning
items in context". Observed: a reasoning item is refused without the item that followed it, an id of an item that is not
stored is not found, and reasoning goes back without its plain text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...conversation.messages import ToolCall
from .sse import MAX_EVENT, SurrogateJoiner
from .tool_calls import ToolCallAssembler

OUTPUT = "responses_output"
"""Name of the opaque data: the items of one response in order, see `OutputReader.returned`."""
SEPARATOR = "\n\n"
"""Between two parts of a summary."""


class OutputReader:
    """Reads the items of one response, except for their text.

    Args:
        tools: Names of the functions that the model may call.
    """

    def __init__(self, tools: Iterable[str] = ()) -> None:
        self._calls = ToolCallAssembler(tools)
        self._numbers: dict[str, int] = {}
        self._moved: dict[
            int, int
        ] = {}  # place that events name -> number of the last call there, where it has several
        self._call_ids: dict[int, str] = {}
        self._last = 0  # number of the last item
        self._begun: set[int] = set()
        self._with_arguments: set[int] = set()
        self._items: dict[int, Mapping[str, Any]] = {}
        self._whole: list[Mapping[str, Any]] = []

    def add_item(self, item: Any, event: Mapping[str, Any]) -> bool:
        """Take an item that begins; return whether it is a call.

        Raises:
            ProtocolError: It is a malformed call, or there are too many.
        """
        if not _is_call(item):
            return False
        number = self._number(event, item)
        if number not in self._begun:
            self._begun.add(number)
            self._feed(number, _arguments_of(item), id=_call_id(item), name=item.get("name"))
            if _arguments_of(item):
                self._with_arguments.add(number)
        return True

    def end_item(self, item: Any, event: Mapping[str, Any]) -> bool:
        """Take an item that is whole; return whether it is a call. Errors as for `add_item`."""
        if not isinstance(item, dict):
            return False
        number = self._number(event, item)
        self._items[number] = item
        if self.add_item(item, event) and number not in self._with_arguments:
            self._end(number, _arguments_of(item))
        return _is_call(item)

    def add_arguments(self, event: Mapping[str, Any]) -> None:
        """Take a piece of a call's arguments. Errors as for `add_item`."""
        number = self._number(event)
        self._with_arguments.add(number)
        self._feed(number, event.get("delta"))

    def end_arguments(self, event: Mapping[str, Any]) -> None:
        """Take the arguments of a call as a whole, which repeat their pieces. Errors as for `add_item`."""
        number = self._number(event)
        if number not in self._with_arguments:
            self._end(number, _arguments_of(event))

    def read_whole(self, items: list[Any]) -> bool:
        """Take the items of the whole response, which repeat the events; return whether there is a call among them."""
        self._whole = items
        calls = [item for item in items if _is_call(item)]
        if calls:
            described = ({"name": item.get("name"), "arguments": _arguments_of(item)} for item in calls)
            pairs = zip(calls, described, strict=True)
            self._calls.feed_message([{"id": _call_id(item), "function": function} for item, function in pairs])
        return bool(calls)

    def assemble(self) -> tuple[ToolCall, ...]:
        """Return the calls in order, each with a unique id.

        Raises:
            ProtocolError: One does not name a function, or what was asked for can't be known.
        """
        return self._calls.assemble()

    def returned(self) -> dict[str, Any] | None:
        """Return what goes back with the answer; None if there is no reasoning to return, nor a phase.

        It is the order of the items: reasoning as it goes back, a message with the length of its text, and a call with
        its id. Text and calls themselves stand in the turn.
        """
        items = self._whole or [self._items[number] for number in sorted(self._items)]
        rows = [row for item in items if (row := _describe(item)) is not None]
        size = sum(len(row.get("encrypted_content", "")) for row in rows)
        is_needed = any(row["type"] == "reasoning" or "phase" in row for row in rows)
        return {OUTPUT: rows} if is_needed and size <= MAX_EVENT else None

    def _feed(self, number: int, arguments: Any, *, id: str = "", name: Any = None) -> None:  # noqa: A002  # a field
        function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
        self._calls.feed([{"index": number, **({"id": id} if id else {}), "function": function}])

    def _end(self, number: int, arguments: str) -> None:
        if arguments:
            self._with_arguments.add(number)
            self._feed(number, arguments)

    def _number(self, event: Mapping[str, Any], item: Mapping[str, Any] | None = None) -> int:
        """Return the place of an item in the output: by its id, else as the event says.

        Proxies change one of them. Some say the same place of all items: two calls there differ in their ids.
        """
        item = item or {}
        identity = event.get("item_id") or item.get("id") or item.get("call_id")
        place = event.get("output_index")
        if type(place) is not int or not 0 <= place < MAX_EVENT:
            place = len(self._numbers) if identity else self._last
        number = self._moved.get(place, place)
        if identity:
            number = self._numbers.setdefault(str(identity), number)
        called = item.get("call_id")
        if isinstance(called, str) and called and self._call_ids.setdefault(number, called) != called:
            known = (one for one, other in self._call_ids.items() if other == called)
            number = next(known, MAX_EVENT + len(self._call_ids))
            self._call_ids[number] = called
            self._numbers[str(identity)] = self._moved[place] = number
        self._last = number
        return number


class ReasoningJoiner:
    """Joins the reasoning of one response, which comes in parts: summaries, or the text itself."""

    def __init__(self) -> None:
        self.has_any = False
        """Whether there was any reasoning."""
        self._kind = ""
        self._place: tuple[Any, ...] = ()
        self._joiner = SurrogateJoiner()

    def feed(self, kind: str, event: Mapping[str, Any]) -> str:
        """Return the reasoning that an event adds. Where a server sends it in two kinds, the first is read."""
        piece = event.get("delta")
        if isinstance(piece, dict):
            piece = piece.get("text")
        self._kind = self._kind or kind
        if not isinstance(piece, str) or not piece or kind != self._kind:
            return ""
        place = event.get("item_id"), event.get("output_index"), event.get("summary_index")
        gap = SEPARATOR if self.has_any and place != self._place else ""
        self.has_any, self._place = True, place
        return self._joiner.feed(gap + piece)

    def end_item(self, text: str) -> str:
        """Return the reasoning of a whole item; empty where events have told it piece by piece."""
        if self._kind or not text:
            return ""
        gap = SEPARATOR if self.has_any else ""
        self.has_any = True
        return self._joiner.feed(gap + text)

    def complete(self, text: str) -> str:
        """Return the whole reasoning, of which no event has told."""
        self.has_any = bool(text)
        return self._joiner.feed(text)

    def close(self) -> str:
        """Return the text that was held back."""
        return self._joiner.close()


def whole_items(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a whole response.

    Observed: none of them is a message, the text stands beside them as `output_text`, as the service's own clients
    show it.
    """
    output, text = response.get("output"), response.get("output_text")
    items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    if isinstance(text, str) and text and not any(item.get("type") == "message" for item in items):
        items.append({"type": "message", "content": text})
    return items


def text_of(items: Iterable[Mapping[str, Any]]) -> tuple[str, bool]:
    """Return the text of whole items, and whether it holds a refusal."""
    parts = [part for item in items if item.get("type") == "message" for part in _parts(item, "content")]
    return _join(parts), any(isinstance(part.get("refusal"), str) for part in parts)


def reasoning_of(items: Iterable[Mapping[str, Any]]) -> str:
    """Return the reasoning of whole items: its summary, else its text."""
    texts = []
    for item in items:
        if item.get("type") == "reasoning":
            summary = [part["text"] for part in _parts(item, "summary") if isinstance(part.get("text"), str)]
            texts.append(SEPARATOR.join(summary) or _join(_parts(item, "content")))
    return SEPARATOR.join(filter(None, texts))


def annotations_of(item: Mapping[str, Any]) -> list[Any]:
    """Return the annotations of the text of a whole item."""
    lists = (part.get("annotations") for part in _parts(item, "content"))
    return [one for rows in lists if isinstance(rows, list) for one in rows]


def _describe(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row of an item; None for reasoning that can't go back."""
    kind = item.get("type")
    if kind == "reasoning":
        encrypted = item.get("encrypted_content")
        if not isinstance(encrypted, str) or not encrypted:
            return None
        summary = [{"type": "summary_text", "text": str(part.get("text", ""))} for part in _parts(item, "summary")]
        return {"type": "reasoning", "summary": summary, "encrypted_content": encrypted}
    if kind == "message":
        phase = item.get("phase")
        row: dict[str, Any] = {"type": "message", "length": len(_join(_parts(item, "content")))}
        return {**row, "phase": phase} if isinstance(phase, str) and phase else row
    if _is_call(item):
        return {"type": "function_call", "call_id": _call_id(item)}
    return {"type": "other"}


def _parts(item: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    parts = item.get(name)
    if isinstance(parts, str) and name == "content":  # as in a request, from some gateways
        return [{"type": "output_text", "text": parts}]
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _join(parts: Iterable[Mapping[str, Any]]) -> str:
    return "".join(_iterate_texts(parts))


def _iterate_texts(parts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        text = part.get("text", part.get("refusal"))
        if isinstance(text, str):
            yield text


def _is_call(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") in ("function_call", "custom_tool_call")


def _call_id(item: Mapping[str, Any]) -> str:
    identity = item.get("call_id") or item.get("id")
    return identity if isinstance(identity, str) else ""


def _arguments_of(holder: Mapping[str, Any]) -> str:
    """Return the arguments in an item or event as text, where a server sends them as an object.

    A custom call has text as `input`, which is no JSON object and is refused as such: only functions are offered.
    """
    arguments = holder.get("arguments", holder.get("input"))
    if isinstance(arguments, dict | list):
        return json.dumps(arguments, ensure_ascii=False)
    return arguments if isinstance(arguments, str) else ""
