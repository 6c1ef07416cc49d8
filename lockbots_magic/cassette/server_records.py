"""What servers of tools gave, in a cassette: a line each, so that a replay starts no server. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..conversation.messages import Tool
from ..language import _
from ..security.exits import mask_json

TOOLS_OF = "tools_of"
"""Field of the line of a list of tools; it holds the key of the server."""
RESOURCE_OF = "resource_of"
"""Field of the line of a resource; it holds the key of the server."""

RecordKey = tuple[str, str]
"""Key of a server, and the URI of a resource; empty for the list of tools."""
Served = tuple[Tool, ...] | str
"""A list of tools, or the text of a resource."""


def is_server_record(line: Mapping[str, Any]) -> bool:
    """Tell the line of something that a server gave from that of a recording."""
    return TOOLS_OF in line or RESOURCE_OF in line


def record_to_line(key: RecordKey, value: Served) -> str:
    """Return what a server gave as one line of JSON, without the newline and without credentials.

    Args:
        key: The server's key: its command or URL, and which of its tools are used; and what it gave.
        value: What it gave.
    """
    server, uri = key
    if isinstance(value, str):
        return json.dumps(mask_json({RESOURCE_OF: server, "uri": uri, "text": value}), ensure_ascii=False)
    described = [
        {"name": one.name, "description": one.description, "parameters": dict(one.parameters)} for one in value
    ]
    return json.dumps(mask_json({TOOLS_OF: server, "tools": described}), ensure_ascii=False)


def record_from_line(line: Mapping[str, Any]) -> tuple[RecordKey, Served]:
    """Return the key and what the server gave.

    Args:
        line: JSON object of the line.

    Raises:
        ValueError, TypeError, KeyError: If the line describes nothing of the kind.
    """
    if RESOURCE_OF in line:
        key, text = (line[RESOURCE_OF], line["uri"]), line["text"]
        if not all(isinstance(one, str) for one in (*key, text)):
            raise TypeError(_("a resource is a key, a URI and a text"))
        return key, text
    server, described = line[TOOLS_OF], line["tools"]
    tools = tuple(Tool(one["name"], one["description"], one["parameters"]) for one in described)
    if not isinstance(server, str) or not all(_is_valid(tool) for tool in tools):
        raise TypeError(_("a list of tools is names, descriptions and schemas"))
    return (server, ""), tools


def _is_valid(tool: Tool) -> bool:
    return isinstance(tool.name, str) and isinstance(tool.description, str) and isinstance(tool.parameters, dict)
