"""Messages of a request to the Responses API. Pure.

Wire facts: the OpenAI API reference, "Create a model response: input"; the guides "File inputs" (a file as a data URL,
with its name) and "Reasoning models". No item has an id: with ``store: false`` none is found. A reasoning item goes
only in front of the item that followed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...conversation.documents import SentDocument
from ...conversation.messages import Message, ToolCall
from .call_arguments import is_object
from .chat_messages import NO_RESULT
from .responses_output import OUTPUT
from .tool_names import sendable_name

Item = dict[str, Any]
Target = tuple[str, str, str]
"""Provider, address and model; opaque data go back only to where they are from."""


def encode_input(messages: Iterable[Message], target: Target) -> list[Item]:
    """Return the items of `input`; the system prompt is none of them.

    Args:
        messages: Messages of the request.
        target: Who gets them.
    """
    return [item for message in messages if message.role != "system" for item in _encode_message(message, target)]


def has_reasoning_items(body: Item) -> bool:
    """Return whether reasoning goes back with the input of a request."""
    items = body.get("input")
    return isinstance(items, list) and any(item.get("type") == "reasoning" for item in items)


def without_reasoning_items(body: Item) -> Item:
    """Return the request without reasoning in its input."""
    return {**body, "input": [item for item in body["input"] if item.get("type") != "reasoning"]}


def _encode_message(message: Message, target: Target) -> Iterator[Item]:
    if message.role == "tool":
        output = _encode_content(message) if message.images else message.content or NO_RESULT
        yield {"type": "function_call_output", "call_id": message.call_id, "output": output}
    elif message.role == "assistant":
        yield from _encode_answer(message, target)
    else:
        yield {"type": "message", "role": message.role, "content": _encode_content(message)}


def _encode_content(message: Message) -> Any:
    if not message.images and not message.documents:
        return message.content
    text = [{"type": "input_text", "text": message.content}] if message.content else []
    documents = map(_encode_document, message.documents)
    return [*documents, *text, *({"type": "input_image", "image_url": url, "detail": "auto"} for url in message.images)]


def _encode_document(document: SentDocument) -> Item:
    if not document.has_file:
        return {"type": "input_text", "text": document.as_text()}
    return {"type": "input_file", "filename": document.name, "file_data": document.url}


def _encode_answer(message: Message, target: Target) -> Iterator[Item]:
    """Yield the items of an answer, in the order in which the service gave them where that is known."""
    rows = _find_rows(message, target)
    texts, calls = _split_text(message.content, rows), {call.id: call for call in message.calls}
    if message.content and not texts:
        yield _encode_text(message.content)
    reasoning: list[Item] = []
    for row in rows:
        if row.get("type") == "reasoning":
            reasoning.append(row)
            continue
        if row.get("type") == "message" and texts:
            text = texts.pop(0)
            item = _encode_text(text, row.get("phase")) if text else None
        else:
            call = calls.pop(row.get("call_id", ""), None)
            item = _encode_call(call) if call else None
        if item is not None:
            yield from reasoning
            yield item
        reasoning = []
    yield from map(_encode_call, calls.values())


def _find_rows(message: Message, target: Target) -> list[Item]:
    """Return what `OutputReader.returned` has kept of the answer, if this service made it."""
    for opaque in message.opaque:
        if opaque.is_from(*target) and isinstance(opaque.data, dict):
            rows = opaque.data.get(OUTPUT)
            if isinstance(rows, list):
                return [row for row in rows if isinstance(row, dict)]
    return []


def _split_text(text: str, rows: list[Item]) -> list[str]:
    """Return the text of each message among the rows: all of it in the first one, unless their lengths add up."""
    lengths = [row.get("length") for row in rows if row.get("type") == "message"]
    known = [length for length in lengths if isinstance(length, int)]
    if len(known) < len(lengths) or sum(known) != len(text):
        return [text, *[""] * (len(lengths) - 1)] if lengths else []
    ends = [sum(known[: n + 1]) for n in range(len(known))]
    return [text[end - length : end] for end, length in zip(ends, known, strict=True)]


def _encode_text(text: str, phase: Any = None) -> Item:
    item = {"type": "message", "role": "assistant", "content": text}
    return {**item, "phase": phase} if isinstance(phase, str) else item


def _encode_call(call: ToolCall) -> Item:
    # What the model wrote wrongly was refused, and the result says why; the server need not choke on it again.
    arguments = call.arguments if is_object(call.arguments) else "{}"
    return {"type": "function_call", "call_id": call.id, "name": sendable_name(call.name), "arguments": arguments}
