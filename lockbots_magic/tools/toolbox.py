"""Toolbox: what a model may call in one reply. The loop of requests and calls is in `loop`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..conversation.cancellation import Cancellation
from ..conversation.messages import Tool
from ..errors import UsageError
from ..language import _
from ..providers.wire.tool_names import sendable_name
from .approval import ApprovedTool
from .function_tool import FunctionTool
from .recorded_tools import ToolListProvider, list_tools
from .results import Describe, describe_by_repr
from .tool_source import CallableTool, DefaultApproval, ToolSource, as_tools, is_offered_tool, is_tool_source

MAX_DEPTH = 20
"""Depth of groups in groups."""


@dataclass(frozen=True)
class ToolEntry:
    """One tool of a toolbox."""

    offered: CallableTool
    declaration: Tool
    """What the model is told, with the name that is unique in the toolbox."""
    default: DefaultApproval
    """What happens to a call that no policy names."""
    fingerprint: str
    """Digest of the description when the tool was listed."""
    source_key: str = ""
    """Key of the source that offers it; empty for a function."""

    def as_described(self) -> ApprovedTool:
        """Return what an approval holds for: the tool as it is described now."""
        return ApprovedTool(self.source_key, self.offered.tool.name, self.offered.fingerprint)


class Toolbox:
    """What a model may call. Nothing else runs.

    Args:
        tools: Functions, sources of tools such as MCP servers, single tools of these, and lists, nested as you like.
        describe: Formats a result that JSON can't represent, such as a data frame.
        provider: Provider that answers; its cassette may hold the tools of a source, which is not started then.
        cancellation: Ends the wait for a source.

    Raises:
        UsageError: If two functions have the same name, something can't be described or is no tool, or a source can't
            list its tools.
        NotRecordedError: If a cassette replays and lacks the tools of a source.
    """

    def __init__(
        self,
        tools: Iterable[Any] | Any,
        *,
        describe: Describe = describe_by_repr,
        provider: ToolListProvider | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self.entries: dict[str, ToolEntry] = {}
        """The tools by the names that the model knows."""
        self.given = as_tools(tools)
        """The tools, as they were given."""
        listed = list(_list_all(self.given, describe, provider, cancellation or Cancellation()))
        self.entries = {
            name: replace(entry, declaration=replace(entry.declaration, name=name))
            for name, entry in zip(_unique_names(listed), listed, strict=True)
        }
        self.tools: tuple[Tool, ...] = tuple(entry.declaration for entry in self.entries.values())
        """Descriptions, as sent to the model."""

    def __repr__(self) -> str:
        return f"Toolbox({', '.join(self.entries)})"

    def lists_by_source(self) -> dict[str, tuple[Tool, ...]]:
        """Return the list of tools of each source, by the key under which a cassette keeps it."""
        entries = self.entries.values()
        return {
            source.recorded_key: tuple(e.offered.tool for e in entries if e.source_key == source.recorded_key)
            for source in _sources(self.given)
        }


def _list_all(
    given: Iterable[Any],
    describe: Describe,
    provider: ToolListProvider | None,
    cancellation: Cancellation,
    depth: int = 0,
) -> Iterator[ToolEntry]:
    for one in given:
        if is_tool_source(one):
            yield from _list_source(one, provider, cancellation)
        elif is_offered_tool(one) and one.source:
            yield ToolEntry(one, one.tool, one.default_approval, one.fingerprint, one.source)
        elif isinstance(one, list | tuple | set | frozenset) and not hasattr(one, "_fields"):
            if depth >= MAX_DEPTH:
                raise UsageError(_("Groups of tools are nested too deeply."))
            yield from _list_all(one, describe, provider, cancellation, depth + 1)
        else:
            function = one if isinstance(one, FunctionTool) else FunctionTool(one)
            default: DefaultApproval = function.approve or ("ask" if depth else "auto")
            yield ToolEntry(function.describing(describe), function.tool, default, function.fingerprint)


def _sources(given: Iterable[Any]) -> Iterator[ToolSource]:
    """Yield the sources among tools, also those in groups of them."""
    for one in given:
        if is_tool_source(one):
            yield one
        elif isinstance(one, list | tuple | set | frozenset) and not hasattr(one, "_fields"):
            yield from _sources(one)


def _list_source(
    source: ToolSource, provider: ToolListProvider | None, cancellation: Cancellation
) -> Iterator[ToolEntry]:
    listed = list_tools(source, provider, cancellation) if provider else source.list_tools(cancellation)
    for one in listed:
        yield ToolEntry(one, one.tool, one.default_approval, one.fingerprint, source.recorded_key)


def _unique_names(entries: Sequence[ToolEntry]) -> list[str]:
    """Return a name for each tool: its own, with that of its source before it where two are named alike.

    Raises:
        UsageError: If two are named alike nevertheless.
    """
    own = [sendable_name(entry.declaration.name) for entry in entries]
    names = [
        name if own.count(name) == 1 or not entry.offered.source else sendable_name(f"{entry.offered.source}_{name}")
        for name, entry in zip(own, entries, strict=True)
    ]
    for name, entry in zip(names, entries, strict=True):
        if names.count(name) > 1:
            what = _("tools") if entry.offered.source else _("functions")
            raise UsageError(_("Two {what} are named {name}. Give each its own name.", what=what, name=name))
    return names
