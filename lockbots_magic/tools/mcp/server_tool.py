"""One tool of a server, as the tool loop calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...conversation.cancellation import Cancellation
from ...conversation.messages import Tool
from ...errors import UsageError
from ...language import SOURCE, speaking
from ...schema.json_values import SchemaMismatch, quote_value, read_json
from ..tool_source import ListedTool, ToolOutput


class ToolServer(Protocol):
    """What makes the calls of a tool."""

    name: str

    def call_tool(self, name: str, arguments: Mapping[str, Any], cancellation: Cancellation) -> ToolOutput:
        """Call a tool by the name that the server knows it by; see `MCP.call_tool`."""


@dataclass(frozen=True, repr=False)
class MCPTool(ListedTool):
    """A tool of an MCP server. What it says of itself is the server's word."""

    server: ToolServer
    server_name: str
    """Name that the server knows it by."""
    tool: Tool
    """Name, description and schema, as they are sent to the model."""
    is_parallel: bool = field(default=False)

    @property
    def source(self) -> str:
        """Name of the server."""
        return self.server.name

    def call(self, arguments: str, cancellation: Cancellation) -> ToolOutput:
        """Make one call; see `CallableTool.call`. The model is told what the server says, and why a call failed."""
        given = read_json(arguments.strip() or "{}")
        if not isinstance(given, dict):
            raise SchemaMismatch(f"The arguments must be an object, not {quote_value(given)}")
        try:
            with speaking(SOURCE):
                return self.server.call_tool(self.server_name, given, cancellation)
        except UsageError as error:
            return ToolOutput(f"error: {error}", is_error=True)
