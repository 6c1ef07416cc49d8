"""Structured output of the chat-completions format: the parameter `response_format`. Pure.

Wire facts: OpenAI API reference, "Create chat completion: response_format", and the guide "Structured Outputs:
supported schemas". llama-server, LM Studio, vLLM and Ollama constrain the reply by a grammar made of the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...late_pattern import late_pattern

MAX_NAME = 64
"""Length (characters) of the name of a schema."""
MAX_DEPTH = 10
"""Levels of nesting that strict schemas may have."""

_NOT_IN_NAME = late_pattern(r"[^A-Za-z0-9_-]+")
_STRICT_KEYWORDS = frozenset({
    *("$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "exclusiveMaximum"),
    *("exclusiveMinimum", "format", "items", "maximum", "maxItems", "minimum", "minItems", "multipleOf", "pattern"),
    *("properties", "required", "title", "type"),
})  # fmt: skip
_FORMATS = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"})


def build_response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `response_format` for a reply that must match `schema`.

    It is strict only if the schema can be: all properties of its objects are required, no others are named, and there
    is no keyword that strict schemas lack.

    Example:
        >>> build_response_format({"title": "Age", "type": "object", "properties": {}})["json_schema"]["strict"]
        False
    """
    name = _NOT_IN_NAME.sub("_", str(schema.get("title") or "")).strip("_")[:MAX_NAME]
    closed = close_schema(schema)
    strict = is_strict(closed)
    described = {"name": name or "reply", "schema": closed if strict else dict(schema), "strict": strict}
    return {"type": "json_schema", "json_schema": described}


def is_object_schema(schema: Mapping[str, Any]) -> bool:
    """Whether the schema is one of an object, the only kind that services accept for a whole reply."""
    return schema.get("type") == "object"


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether a service may enforce the schema to the letter."""
    if not is_object_schema(schema):
        return False
    nodes = list(_walk(schema, 0))
    return all(depth <= MAX_DEPTH and _is_strict_node(node) for node, depth in nodes)


def close_schema(node: Any) -> Any:
    """Return a schema whose objects take no properties but those that they name, where they don't say otherwise."""
    if isinstance(node, list):
        return [close_schema(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    named = {
        key: {name: close_schema(one) for name, one in value.items()}
        if key in ("properties", "$defs")
        else close_schema(value)
        for key, value in node.items()
    }
    return {**named, "additionalProperties": False} if "properties" in node and not _says_more(node) else named


def _says_more(node: Mapping[str, Any]) -> bool:
    return "additionalProperties" in node or "patternProperties" in node


def _is_strict_node(node: Any) -> bool:
    if not isinstance(node, Mapping) or not _STRICT_KEYWORDS.issuperset(node):
        return False
    if node.get("format", "date") not in _FORMATS:
        return False
    if node.get("type") != "object" and "properties" not in node:
        return True
    properties = node.get("properties", {})
    return node.get("additionalProperties") is False and set(properties) == set(node.get("required", ()))


def _walk(node: Any, depth: int) -> Iterator[tuple[Any, int]]:
    """Yield a schema and those inside it, each with its depth."""
    yield node, depth
    if not isinstance(node, Mapping) or depth > MAX_DEPTH:
        return
    for keyword in ("properties", "$defs"):
        inner = node.get(keyword, {})
        for one in inner.values() if isinstance(inner, Mapping) else ():
            yield from _walk(one, depth + 1)
    if "items" in node:
        yield from _walk(node["items"], depth + 1)
    for one in node.get("anyOf", ()):
        yield from _walk(one, depth)
