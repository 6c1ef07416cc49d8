"""The seam of tools: what the tool loop needs of a function, of a server's tool, and of the server. No I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeGuard

from ..conversation.cancellation import Cancellation
from ..conversation.messages import Tool
from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass
from ..security.foreign_text import quote_line

MAX_SHOWN_NAME = 40
"""Length (characters) to which the name of an argument is cut where a tool is shown."""
MAX_SHOWN_DESCRIPTION = 160
"""Length (characters) to which a description is cut there."""
DefaultApproval = Literal["auto", "ask"]
"""What happens to a call that no policy names: it is made, or the user is asked first."""


@late_dataclass(frozen=True)
class ToolOutput:
    """What a call returned, for the model. It is neither redacted nor cut yet: the loop does that."""

    text: str
    images: tuple[str, ...] = ()
    """Images as ``data:image/png;base64,...``."""
    is_error: bool = False
    """True if `text` says why the call failed."""


class CallableTool(Protocol):
    """One tool that the model may call, whoever offers it."""

    @property
    def tool(self) -> Tool:
        """Name, description and schema, as the source gives them: bounded and escaped, but not yet prefixed."""

    @property
    def default_approval(self) -> DefaultApproval:
        """What happens to a call that no policy names."""

    @property
    def fingerprint(self) -> str:
        """Digest of the description and the schema (`fingerprint_of`): an approval holds for a tool as described."""

    @property
    def source(self) -> str:
        """Name of the source that offers it; empty for a function. On a clash the tool is named ``source_name``."""

    @property
    def is_parallel(self) -> bool:
        """Whether it may run beside other calls of the same round."""

    def call(self, arguments: str, cancellation: Cancellation) -> ToolOutput:
        """Make one call and wait for what it returns.

        Args:
            arguments: A JSON object, as the model wrote it; empty if none arrived. It is not checked yet.
            cancellation: Of this call alone. Once cancelled, the call is to end soon, with `Cancelled`.

        Raises:
            Cancelled: If `cancellation` was used.
            Exception: Any other; the model is told its type and message.
        """


class ListedTool:
    """Base of the tools of a source: all that is known of them is the description that the source lists."""

    tool: Tool
    """Name, description and schema, as they are sent to the model."""

    @property
    def name(self) -> str:
        """Name by which the model calls it."""
        return self.tool.name

    @property
    def description(self) -> str:
        """What the source says that it does."""
        return self.tool.description

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON schema of its arguments."""
        return self.tool.parameters

    @property
    def default_approval(self) -> DefaultApproval:
        """What happens to a call that no policy names."""
        return "ask"

    @property
    def fingerprint(self) -> str:
        """Digest of the description and the schema."""
        return fingerprint_of(self.tool)

    def __repr__(self) -> str:
        return describe_tool(self.tool)


class ToolSource(Protocol):
    """What offers tools that are listed at the first use, such as an MCP server."""

    @property
    def name(self) -> str:
        """Short name, of ASCII letters, digits, ``_`` and ``-``."""

    @property
    def recorded_key(self) -> str:
        """What a cassette keeps the list of tools by: no credential, and no path of this machine."""

    def list_tools(self, cancellation: Cancellation) -> Sequence[CallableTool]:
        """Return the tools. A server starts here, and not before; where a cassette replays, this is never called.

        Raises:
            Cancelled: If `cancellation` was used.
            UsageError: If the tools can't be listed, with the reason.
        """


def describe_tool(tool: Tool) -> str:
    """Return one line on a tool; what a server says of it is shown as text.

    Example:
        >>> describe_tool(Tool("add", "Adds.", {"type": "object", "properties": {"a": {}, "b": {}}}))
        'add(a, b): Adds.'
    """
    arguments = ", ".join(quote_line(name, MAX_SHOWN_NAME) for name in tool.parameters.get("properties", {}))
    return f"{tool.name}({arguments}): {quote_line(tool.description, MAX_SHOWN_DESCRIPTION)}"


def is_tool_source(value: Any) -> TypeGuard[ToolSource]:
    """Return whether a value is a source of tools. Only its class is looked at: a property may do anything."""
    return callable(getattr(type(value), "list_tools", None))


def is_offered_tool(value: Any) -> TypeGuard[CallableTool]:
    """Return whether a value is one tool of a source, such as those that a server lists."""
    kind = type(value)
    return callable(getattr(kind, "call", None)) and hasattr(kind, "default_approval") and hasattr(kind, "source")


def fingerprint_of(tool: Tool) -> str:
    """Return a digest of what the model reads of a tool; its name is no part of it.

    Example:
        >>> one, other = Tool("f", "Adds.", {"type": "object"}), Tool("f", "Deletes.", {"type": "object"})
        >>> fingerprint_of(one) == fingerprint_of(other)
        False
    """
    described = json.dumps([tool.description, dict(tool.parameters)], sort_keys=True, default=repr)
    return hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def as_tools(tools: Any) -> tuple[Any, ...]:
    """Return tools as they were given: a single function or source as the only one.

    Raises:
        UsageError: If it is neither a tool nor some of them.
    """
    if is_tool_source(tools) or callable(tools):
        return (tools,)
    if isinstance(tools, str) or not isinstance(tools, Iterable):
        raise UsageError(_("tools takes a list of functions and tool sources, got {tools!r:.40}.", tools=tools))
    return tuple(tools)
