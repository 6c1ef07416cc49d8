"""Tools of a source behind a cassette: what is recorded starts no server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..conversation.cancellation import Cancellation
from ..conversation.messages import Tool
from ..language import SOURCE, speaking
from .tool_source import CallableTool, ListedTool, ToolOutput, ToolSource

_CHANGED = (
    "error: {} is no longer what the cassette describes, so it was not called."
    " Record the reply again: mode 'record', or `%lockbots record`."
)


class ToolListProvider(Protocol):
    """The part of a `Provider` that keeps lists of tools."""

    def recorded_tools(self, key: str) -> tuple[Tool, ...] | None:
        """Return the recorded list; see `Provider.recorded_tools`."""

    def record_tools(self, key: str, tools: tuple[Tool, ...]) -> None:
        """Record a list; see `Provider.record_tools`."""


def list_tools(source: ToolSource, provider: ToolListProvider, cancellation: Cancellation) -> Sequence[CallableTool]:
    """Return the tools of `source`: those that the provider's cassette holds, else those that the source lists.

    Where the list is recorded, the source is not asked before one of its tools is called.

    Args:
        source: Offers the tools.
        provider: Provider that answers, perhaps behind a cassette.
        cancellation: Ends waiting for the source.

    Raises:
        NotRecordedError: A cassette that may only replay lacks the list.
        UsageError: The source can't list its tools.
        Cancelled: `cancellation` was used.
    """
    recorded = provider.recorded_tools(source.recorded_key)
    if recorded is not None:
        return [RecordedTool(source, tool) for tool in recorded]
    listed = source.list_tools(cancellation)
    provider.record_tools(source.recorded_key, tuple(one.tool for one in listed))
    return listed


@dataclass(frozen=True, repr=False)
class RecordedTool(ListedTool):
    """A tool as a cassette describes it. Calling it asks the source, and is refused if the tool has changed."""

    offered_by: ToolSource
    tool: Tool
    is_parallel: bool = False

    @property
    def source(self) -> str:
        """Name of the source."""
        return self.offered_by.name

    def call(self, arguments: str, cancellation: Cancellation) -> ToolOutput:
        """Call the tool of the source, if it is described as here; see `CallableTool.call`."""
        with speaking(SOURCE):  # the model reads what is wrong
            offered = self.offered_by.list_tools(cancellation)
        for live in offered:
            if live.tool.name == self.tool.name and live.fingerprint == self.fingerprint:
                return live.call(arguments, cancellation)
        return ToolOutput(_CHANGED.format(self.tool.name), is_error=True)
