"""Messages, tools and schemas of a messages request (Anthropic). Pure.

Wire facts: the Anthropic API reference, "Create a message"; "Vision" (sources of images); "PDF support" and "Citations"
(sources of documents, which come before the question); "How tool use works" (results come first in the message right
after the calls); "Structured outputs". Observed: empty text and ids of calls other than ``[a-zA-Z0-9_-]+`` are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ...conversation.documents import PDF, SentDocument
from ...conversation.messages import Message, Tool, ToolCall
from .anthropic_blocks import AFTER_CALLS, AFTER_TEXT, BLOCK, SENT_TYPES
from .call_arguments import is_object
from .chat_messages import NO_RESULT
from .json_text import parse_json
from .response_format import close_schema
from .tool_names import sendable_name, short_id

REPLY_TOOL = "reply"
"""Name of the tool whose arguments are the reply, for models without structured outputs."""

MAX_TITLE = 500
"""Length (characters) of the title of a document that the API takes."""
_DATA_URL = re.compile(r"data:(?P<type>[\w/+.-]+);base64,", re.IGNORECASE)
_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_BOUNDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"}
    | {"minItems", "maxItems", "uniqueItems"}
)
"""Keywords of schemas that structured outputs do not have."""

Block = dict[str, Any]


def encode_conversation(messages: Iterable[Message], target: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Return the messages of a request without its system prompt; consecutive ones of one role are joined.

    Args:
        messages: Messages of the request.
        target: Provider, address and model that get them; opaque data go back only to where they are from.
    """
    encoded: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _encode_reply(message, target) if role == "assistant" else _encode_prompt(message)
        if encoded and encoded[-1]["role"] == role:
            encoded[-1]["content"] += blocks
        elif blocks:
            encoded.append({"role": role, "content": blocks})
    return [{**message, "content": _simplify(message["content"])} for message in encoded]


def encode_tool(tool: Tool) -> dict[str, Any]:
    """Return the declaration of a tool."""
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": dict(tool.parameters)}


def encode_output_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `output_config` that makes the reply match a schema of an object.

    Bounds are left out: they are refused, and the reply is validated against the whole schema anyway.
    """
    return {"format": {"type": "json_schema", "schema": _without_bounds(close_schema(schema))}}


def _without_bounds(value: Any, *, are_names: bool = False) -> Any:
    if isinstance(value, list):
        return [_without_bounds(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_bounds(one, are_names=not are_names and key in ("properties", "$defs"))
        for key, one in value.items()
        if are_names or key not in _BOUNDS
    }


def encode_reply_tool(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request that make the model call a tool with the reply as its arguments."""
    tool = {"name": REPLY_TOOL, "description": "Give the reply.", "input_schema": dict(schema)}
    return {"tools": [tool], "tool_choice": {"type": "tool", "name": REPLY_TOOL}}


def flatten_blocks(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return encoded messages with calls and results as text, for a request without tools."""
    flat: list[dict[str, Any]] = []
    calls: dict[str, str] = {}
    for message in messages:
        content = message["content"]
        if not isinstance(content, list):
            flat.append(message)
            continue
        blocks: list[Block] = []
        for block in content:
            if block.get("type") == "tool_use":
                calls[block["id"]] = str(ToolCall(block["id"], block["name"], json.dumps(block["input"])))
            elif block.get("type") == "tool_result":
                called = calls.get(block["tool_use_id"], "a function")
                blocks.append({"type": "text", "text": f"[Called {called}; result: {_text_of(block['content'])}]"})
            else:
                blocks.append(block)
        if blocks:
            flat.append({**message, "content": _simplify(blocks)})
    return flat


def _text_of(content: str | list[Block]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "[an image]")) for block in content)


def _encode_prompt(message: Message) -> list[Block]:
    if message.role == "tool":
        content = _encode_result(message) if message.images else message.content.strip() and message.content
        result = {"type": "tool_result", "tool_use_id": _portable_id(message.call_id)}
        return [{**result, "content": content or NO_RESULT}]
    documents = map(_encode_document, message.documents)
    return [*documents, *_encode_images(message), *_encode_text(message.content)]


def _encode_document(document: SentDocument) -> Block:
    if document.has_file and document.media_type == PDF:
        source = _encode_source(document.url)
    else:
        source = {"type": "text", "media_type": "text/plain", "data": document.text}
    return {"type": "document", "source": source, "title": document.name[:MAX_TITLE]}


def _encode_result(message: Message) -> list[Block]:
    """Return the blocks of a result with images ("How to implement tool use": results)."""
    return [*_encode_text(message.content), *_encode_images(message)]


def _encode_images(message: Message) -> list[Block]:
    return [{"type": "image", "source": _encode_source(url)} for url in message.images]


def _encode_source(url: str) -> dict[str, str]:
    if found := _DATA_URL.match(url):
        return {"type": "base64", "media_type": found["type"].lower(), "data": url[found.end() :]}
    return {"type": "url", "url": url}


def _encode_reply(message: Message, target: tuple[str, str, str]) -> list[Block]:
    """Return the blocks of a reply: text, calls, and between them what goes back, each at its place."""
    returned = sorted(
        (
            (_count(data, AFTER_TEXT), _count(data, AFTER_CALLS), number, data[BLOCK])
            for number, data in enumerate(one.data for one in message.opaque if one.is_from(*target))
            if isinstance(data, dict)
            and isinstance(data.get(BLOCK), dict)
            and str(data[BLOCK].get("type")) not in SENT_TYPES
        ),
        key=lambda place: place[:3],
    )
    blocks: list[Block] = []
    text_done = calls_done = 0
    for after_text, after_calls, _, block in returned:
        blocks += _encode_text(message.content[text_done:after_text])
        blocks += map(_encode_call, message.calls[calls_done:after_calls])
        blocks.append(dict(block))
        text_done, calls_done = max(text_done, after_text), max(calls_done, after_calls)
    blocks += _encode_text(message.content[text_done:])
    return [*blocks, *map(_encode_call, message.calls[calls_done:])]


def _encode_text(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text.strip() else []


def _encode_call(call: ToolCall) -> Block:
    # What the model wrote wrongly was refused, and the result says why; the server need not choke on it again.
    value = parse_json(call.arguments) if is_object(call.arguments) else None
    name = sendable_name(call.name)
    return {"type": "tool_use", "id": _portable_id(call.id), "name": name, "input": value or {}}


def _portable_id(identity: str) -> str:
    return identity if _CALL_ID.fullmatch(identity) else short_id(identity)


def _count(data: Mapping[str, Any], key: str) -> int:
    value = data.get(key)
    return value if type(value) is int and value > 0 else 0


def _simplify(blocks: list[Block]) -> str | list[Block]:
    """Return the text of a message that holds nothing else."""
    return blocks[0]["text"] if len(blocks) == 1 and blocks[0]["type"] == "text" else blocks
