"""Lists of tools in a cassette: one line each, so that a replay starts no server. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..conversation.messages import Tool
from ..security.exits import mask_json

TOOLS_OF = "tools_of"
"""Field that tells the line of a list from that of a recording; it holds the key of the server."""


def tool_list_to_line(key: str, tools: tuple[Tool, ...]) -> str:
    """Return a list of tools as one line of JSON, without the newline and without credentials.

    Args:
        key: Key of the server: its command or URL, and which of its tools are used.
        tools: The list.
    """
    described = [
        {"name": one.name, "description": one.description, "parameters": dict(one.parameters)} for one in tools
    ]
    return json.dumps(mask_json({TOOLS_OF: key, "tools": described}), ensure_ascii=False)


def tool_list_from_line(line: Mapping[str, Any]) -> tuple[str, tuple[Tool, ...]]:
    """Return the key and the list that a line describes.

    Args:
        line: JSON object of the line.

    Raises:
        ValueError, TypeError, KeyError: If the line describes no list of tools.
    """
    key, described = line[TOOLS_OF], line["tools"]
    tools = tuple(Tool(one["name"], one["description"], one["parameters"]) for one in described)
    if not isinstance(key, str) or not all(_is_valid(tool) for tool in tools):
        raise TypeError("a list of tools is names, descriptions and schemas")
    return key, tools


def _is_valid(tool: Tool) -> bool:
    return isinstance(tool.name, str) and isinstance(tool.description, str) and isinstance(tool.parameters, dict)
