"""MCP: the tools of a server, for a model to call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...cassette.active import cassette_in_use
from ...conversation.cancellation import Cancellation
from ...errors import UsageError
from ...language import _
from ...providers.validation import parse_seconds
from ...security.foreign_text import quote_line
from ...security.secrets import Secret
from ..recorded_tools import RecordedTool
from ..tool_source import ToolOutput
from .descriptions import read_tool_list
from .launch import Launch, make_name, read_launch
from .limits import CALL_TIMEOUT, START_TIMEOUT
from .pins import PinnedTools
from .results import read_resource, read_result
from .server_tool import MCPTool
from .session_holder import SessionHolder
from .settings_file import read_server_entry

if TYPE_CHECKING:
    from .session import ServerSession

_CHANGED = (
    "error: The MCP server {} has changed this tool since it was first used, so it was not called."
    " The user must look at `changes` and `accept_changes()` first."
)


class MCP:
    """The tools of an MCP server (Model Context Protocol), for a model to call.

    The server starts when its tools are first needed: by a request, or by `tools`. It ends with `close`, with the
    process, or when nothing refers to it any more. There is one session, not one a call. A server that has ended
    starts again when it is next needed.

    Calls are asked for before they are made, unless an approval policy says otherwise. The tools are pinned as they
    were first listed: one that the server describes otherwise later is not called until `accept_changes`.

    The server gets a minimal environment (`PATH`, `HOME` and the like) and what `env` holds. A program runs with your
    rights: name only servers that you trust. Servers that log in by OAuth, sampling and elicitation are not supported.

    Args:
        server: A command, such as ``"npx -y @scope/server"``, its words, or the URL of a server that speaks streamable
            HTTP.
        only: Patterns of the tools to use, such as ``["search_*"]``; all by default.
        name: Name of the server: the names of its tools begin with it where another has the same. By default it is
            taken from the command or URL.
        env: Environment variables for a command. ``$NAME`` stands for a variable of this process.
        cwd: Working directory of a command.
        auth: Credential for a URL, sent as a bearer token; ``$NAME`` stands for a variable of this process.
        headers: Headers for a URL, such as ``{"X-Api-Key": "$DOCS_KEY"}``.
        start_timeout: Time (s) that the server may take to start; some are downloaded first.
        timeout: Time (s) that one call may take.
        parallel: True if calls of one round may run at once.

    Raises:
        UsageError: An argument is invalid. Nothing is started or imported yet.

    Example:
        >>> docs = MCP("npx -y @scope/server-docs", only=["search_*"])
        >>> docs
        MCP(docs: npx -y @scope/server-docs; not started)
    """

    def __init__(
        self,
        server: str | Sequence[str],
        *,
        only: Sequence[str] | str | None = None,
        name: str | None = None,
        env: Mapping[str, str | Secret] | None = None,
        cwd: str | Path | None = None,
        auth: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        start_timeout: float = START_TIMEOUT,
        timeout: float = CALL_TIMEOUT,
        parallel: bool = False,
    ) -> None:
        self._launch: Launch = read_launch(server, env, cwd, auth, headers)
        server, env, auth, headers = "", None, None, None  # a traceback that shows this frame shows no credential
        self.only = _read_patterns(only)
        """Patterns of the tools to use; None: all."""
        self.name = make_name(name or self._launch.guess_name())
        """Name of the server."""
        seconds = (parse_seconds("start_timeout", start_timeout), parse_seconds("timeout", timeout))
        self._sessions = SessionHolder(self._launch, self.name, *seconds)
        self._parallel = bool(parallel)
        self._pins = PinnedTools()
        self._left_out: Mapping[str, str] = {}
        self._described: list[tuple[Any, ...]] | None = None
        """What the server said of its tools when it was last asked."""

    @classmethod
    def from_file(cls, path: str | Path, name: str | None = None, **options: Any) -> MCP:
        """Return a server that a file of another client describes.

        Args:
            path: The file, such as ``claude_desktop_config.json``, ``.mcp.json`` or ``.vscode/mcp.json``.
            name: Name of the server in the file; may be left out if there is one alone.
            **options: As for `MCP`, such as ``only``; they take precedence over the file.

        Raises:
            UsageError: The file can't be read, or describes no such server.

        Example:
            >>> docs = MCP.from_file(".mcp.json", "docs", only=["search_*"])  # doctest: +SKIP
        """
        found, entry = read_server_entry(path, name)
        return cls(**{"name": found, **entry, **options})

    def __repr__(self) -> str:
        count = len(self._pins.tools)
        state = f"{count} tool{'s' * (count != 1)}" if count else "no tools" if self.is_running else "not started"
        changes = "; tools have changed" if self._pins.changes() else ""
        left_out = f"; {len(self._left_out)} left out" if self._left_out else ""
        return f"MCP({self.name}: {self._launch.shown()}; {state}{left_out}{changes})"

    def __copy__(self) -> MCP:
        return self

    def __deepcopy__(self, memo: object) -> MCP:
        return self

    def __reduce__(self) -> str:
        raise TypeError(_("An MCP server can't be pickled; name it again in the other process."))

    def __enter__(self) -> MCP:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def recorded_key(self) -> str:
        """What a cassette keeps the list by: the command or URL, without folders and credentials, and `only`."""
        return " ".join([self._launch.key(), *([f"only {', '.join(self.only)}"] if self.only is not None else [])])

    @property
    def is_running(self) -> bool:
        """Whether there is a session that can be used."""
        return self._sessions.is_running

    @property
    def protocol_version(self) -> str:
        """Version of the protocol that was agreed on; empty before the server has started."""
        session = self._sessions.current
        return session.protocol_version if session is not None else ""

    @property
    def tools(self) -> tuple[MCPTool | RecordedTool, ...]:
        """The tools that a model may call. This starts the server, unless the cassette in use holds the list.

        Raises:
            UsageError: The server can't be started, or the cassette in use may only replay and lacks the list.
        """
        cassette = cassette_in_use()
        recorded = cassette.tools(self.recorded_key) if cassette is not None else None
        if recorded is not None:
            return tuple(RecordedTool(self, tool) for tool in recorded)
        listed = self.list_tools(Cancellation())
        if cassette is not None:
            cassette.keep_tools(self.recorded_key, tuple(one.tool for one in listed))
        return tuple(listed)

    @property
    def left_out(self) -> Mapping[str, str]:
        """Tools that can't be used, such as those with an invalid schema, each with the reason."""
        return dict(self._left_out)

    @property
    def changes(self) -> str:
        """How the tools differ from those that were first listed, a line each; empty if they don't."""
        return "\n".join(f"{quote_line(name, 64)} {how}" for name, how in self._pins.changes())

    def accept_changes(self) -> None:
        """Use the tools as the server describes them now; read `changes` first."""
        self._pins.accept()

    def close(self) -> None:
        """End the session and the server. It starts again when it is next needed."""
        self._sessions.close()

    def list_tools(self, cancellation: Cancellation) -> Sequence[MCPTool]:
        """Return the tools as they were first listed, and look whether the server still describes them so.

        Args:
            cancellation: Ends waiting for the server.

        Raises:
            UsageError: The server can't be started, or does not answer.
            Cancelled: `cancellation` was used.
        """
        self._update(self._sessions.get(cancellation), cancellation)
        return [MCPTool(self, name, tool, self._parallel) for name, tool in self._pins.tools.items()]

    def call_tool(self, name: str, arguments: Mapping[str, Any], cancellation: Cancellation) -> ToolOutput:
        """Call a tool, unless the server has changed it.

        Args:
            name: Name that the server knows it by.
            arguments: Its arguments.
            cancellation: Ends the call.

        Raises:
            UsageError: The server has failed, or there is no such tool.
            Cancelled: `cancellation` was used.
        """
        for is_again in (False, True):
            session = self._sessions.get(cancellation)
            try:
                self._update(session, cancellation)
                if name not in self._pins.tools:
                    raise UsageError(
                        _("The MCP server {name} has no tool {tool}.", name=self.name, tool=quote_line(name, 64))
                    )
                if not self._pins.is_same(name):
                    return ToolOutput(_CHANGED.format(self.name), is_error=True)
                result = session.call_tool(name, arguments, cancellation)
            except UsageError:
                if is_again or not session.is_lost:
                    raise
            else:
                return read_result(result.content, result.structured_content, is_error=result.is_error)
        raise AssertionError(_("a call is made at most twice"))

    def __getitem__(self, uri: str) -> str:
        """Return the text of a resource, as for ``{{ docs["resource://guide"] }}``.

        Raises:
            UsageError: The server does not have it, it is no text, or the cassette in use may only replay and lacks it.
        """

        def read() -> ToolOutput:
            return read_resource(self._sessions.get(Cancellation()).read_resource(uri, Cancellation()).contents)

        return self._read_text(uri, read)

    def prompt(self, name: str, **arguments: str) -> str:
        """Return the text of a prompt that the server offers, for a prompt or a system prompt of yours.

        Args:
            name: Name of the prompt.
            **arguments: Texts that it takes.

        Raises:
            UsageError: As for a resource.

        Example:
            >>> Chat().ask("...", system=docs.prompt("reviewer", language="Python"))  # doctest: +SKIP
        """

        def read() -> ToolOutput:
            got = self._sessions.get(Cancellation()).get_prompt(name, arguments, Cancellation())
            return read_result((message.content for message in got.messages), None, is_error=False)

        return self._read_text(f"prompt:{name}?{json.dumps(arguments, sort_keys=True, ensure_ascii=False)}", read)

    def _read_text(self, uri: str, read: Callable[[], ToolOutput]) -> str:
        """Return a text out of the cassette in use, else the one that the server gives, which is recorded."""
        cassette = cassette_in_use()
        recorded = cassette.resource(self.recorded_key, uri) if cassette is not None else None
        if recorded is not None:
            return recorded
        output = read()
        if output.images:
            raise UsageError(_("{uri} is an image; only texts can be read.", uri=quote_line(uri, 100)))
        if cassette is not None:
            cassette.keep_resource(self.recorded_key, uri, output.text)
        return output.text

    def _update(self, session: ServerSession, cancellation: Cancellation) -> None:
        """Look what the server offers now; a list that is as before needs no reading."""
        listed = session.list_tools(cancellation)
        described = [(one.name, one.title, one.description, one.input_schema) for one in listed]
        if described != self._described:
            found = read_tool_list(self.name, listed, self.only)
            self._left_out = found.left_out
            self._pins.compare(found.tools)
            self._described = described


def _read_patterns(only: Sequence[str] | str | None) -> tuple[str, ...] | None:
    if only is None:
        return None
    patterns = (only,) if isinstance(only, str) else tuple(only)
    if not patterns or not all(isinstance(one, str) and one for one in patterns):
        raise UsageError(_("only must be patterns of names of tools, such as ['search_*']."))
    return patterns
