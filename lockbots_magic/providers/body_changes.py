"""What a request body holds of the toolkit's own, and the body without it. Pure: no body is changed in place.

Each function takes a body and the fields that the user set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from .wire.tool_names import short_id

Body: TypeAlias = dict[str, Any]

REASONING_FIELDS = ("reasoning_content", "reasoning_details", "thinking_blocks")
"""Fields of messages in which reasoning goes back."""


def streams(body: Body, given: Collection[str]) -> bool:
    """Whether the toolkit asks for a stream."""
    return body.get("stream") is True and "stream" not in given


def without_stream(body: Body, given: Collection[str]) -> Body:
    """Ask for the whole reply at once."""
    kept = {key: value for key, value in body.items() if key != "stream_options" or key in given}
    return {**kept, "stream": False}


def streams_not(body: Body, given: Collection[str]) -> bool:
    """Whether the provider is set to ask for the whole reply at once."""
    return body.get("stream") is False and "stream" not in given


def with_stream(body: Body, given: Collection[str]) -> Body:
    """Ask for a stream."""
    return {**body, "stream": True}


def change_schemas(body: Body, given: Collection[str], change: Callable[[Any], Any]) -> Body:
    """Apply `change` to the schemas of tools and of the reply, unless the user gave them."""
    mine: Body = {key: change(body[key]) for key in ("tools", "response_format") if key in body and key not in given}
    for key in ("text", "output_config"):  # of other dialects; the format stands in an object among other fields
        holder = body.get(key)
        if isinstance(holder, dict) and "format" in holder and key not in given:
            mine[key] = {**holder, "format": change(holder["format"])}
    return {**body, **mine}


def without_keys(keys: frozenset[str]) -> Callable[[Any], Any]:
    """Return the function that removes keywords from JSON, but no property of an object that is named like one."""

    def strip(value: Any, *, are_names: bool = False) -> Any:
        if isinstance(value, list):
            return [strip(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: strip(item, are_names=not are_names and key in ("properties", "$defs", "definitions"))
            for key, item in value.items()
            if are_names or key not in keys
        }

    return strip


def with_any_of(value: Any) -> Any:
    """Name the alternatives of schemas `anyOf` in place of `oneOf`, which fewer services know."""
    if isinstance(value, list):
        return [with_any_of(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {**value}
    if isinstance(value.get("oneOf"), list):  # else it is the name of a property, or of a definition
        alternatives = renamed.pop("oneOf")
        if isinstance(value.get("anyOf"), list):  # both count
            others = value.get("allOf")
            renamed["allOf"] = [*(others if isinstance(others, list) else ()), {"anyOf": alternatives}]
        else:
            renamed["anyOf"] = alternatives
    return {key: with_any_of(item) for key, item in renamed.items()}


def has_system(body: Body, given: Collection[str]) -> bool:
    """Whether a system prompt is among the messages."""
    return "messages" not in given and any(m.get("role") == "system" for m in body.get("messages", ()))


def as_developer(body: Body, given: Collection[str]) -> Body:
    """Give the system prompt the role ``developer``."""
    messages = [{**m, "role": "developer"} if m["role"] == "system" else m for m in body["messages"]]
    return {**body, "messages": messages}


def fold_system(body: Body, given: Collection[str]) -> Body:
    """Put the system prompt at the head of the first message of the user."""
    system = "\n\n".join(m["content"] for m in body["messages"] if m["role"] == "system")
    messages = [m for m in body["messages"] if m["role"] != "system"]
    for at, message in enumerate(messages):
        if message["role"] == "user":
            messages[at] = {**message, "content": _prepend(system, message["content"])}
            return {**body, "messages": messages}
    return {**body, "messages": [{"role": "user", "content": system}, *messages]}


def _prepend(text: str, content: Any) -> Any:
    if isinstance(content, list):
        return [{"type": "text", "text": text}, *content]
    return f"{text}\n\n{content}"


def has_calls_with(content: str | None) -> Callable[[Body, Collection[str]], bool]:
    """Return the function that tells whether a message with tool calls has this content."""

    def applies(body: Body, given: Collection[str]) -> bool:
        return "messages" not in given and any(_holds(m, content) for m in body.get("messages", ()))

    return applies


def set_content(old: str | None, new: str | None) -> Callable[[Body, Collection[str]], Body]:
    """Return the function that sets the content of messages with tool calls from `old` to `new`."""

    def change(body: Body, given: Collection[str]) -> Body:
        messages = [{**m, "content": new} if _holds(m, old) else m for m in body["messages"]]
        return {**body, "messages": messages}

    return change


def has_reasoning(body: Body, given: Collection[str]) -> bool:
    """Whether reasoning goes back with a message."""
    return "messages" not in given and any(name in m for m in body.get("messages", ()) for name in REASONING_FIELDS)


def without_reasoning(body: Body, given: Collection[str]) -> Body:
    """Leave out the reasoning of earlier rounds."""
    messages = [{key: value for key, value in m.items() if key not in REASONING_FIELDS} for m in body["messages"]]
    return {**body, "messages": messages}


def lacks_reasoning(body: Body, given: Collection[str]) -> bool:
    """Whether a message of the model goes back without a field for its reasoning."""
    return "messages" not in given and any(map(_lacks_reasoning, body.get("messages", ())))


def with_reasoning(body: Body, given: Collection[str]) -> Body:
    """Give each message of the model that field, empty where its reasoning is not known."""
    messages = [{**m, "reasoning_content": ""} if _lacks_reasoning(m) else m for m in body["messages"]]
    return {**body, "messages": messages}


def _lacks_reasoning(message: Body) -> bool:
    return message.get("role") == "assistant" and "reasoning_content" not in message


def _holds(message: Body, content: str | None) -> bool:
    return bool(message.get("tool_calls")) and message.get("content", "absent") == content


def has_long_ids(body: Body, given: Collection[str]) -> bool:
    """Whether messages hold ids of calls that some services refuse; another service may have made them."""
    return with_short_ids(body, given) != body


def with_short_ids(body: Body, given: Collection[str]) -> Body:
    """Name calls and their results by ids that every service takes."""
    mine = {key: [_shorten_ids(one) for one in body[key]] for key in ("messages", "input") if key in body}
    return {**body, **{key: value for key, value in mine.items() if key not in given}}


def _shorten_ids(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    shortened: Body = {
        key: short_id(message[key]) for key in ("tool_call_id", "call_id") if isinstance(message.get(key), str)
    }
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        shortened["tool_calls"] = [{**call, "id": short_id(str(call.get("id")))} for call in calls]
    return {**message, **shortened}


def has_calls_without_tools(body: Body, given: Collection[str]) -> bool:
    """Whether messages hold tool calls although the request offers no tools."""
    return not {"messages", "tools"} & {*given} and "tools" not in body and any(map(_is_calling, body["messages"]))


def _is_calling(message: Body) -> bool:
    return bool(message.get("tool_calls"))
