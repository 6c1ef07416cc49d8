"""Session with one server, in the thread of all sessions. Loaded at the first use: it needs `mcp`.

Wire facts: Model Context Protocol 2026-07-28 (`server/discover`, `subscriptions/listen`) and 2025-11-25 (`initialize`,
`notifications/tools/list_changed`); the package `mcp` finds out which of them a server speaks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import anyio
from mcp import MCPError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CONNECTION_CLOSED, CallToolResult, GetPromptResult, Implementation, ReadResourceResult
from mcp_types import Tool as ServerTool

from ...conversation.cancellation import Cancellation
from ...errors import UsageError
from ...language import _
from ...providers.shutdown import at_shutdown
from ...security.log_filter import redact_loggers
from ...security.redaction import redacted
from ...version import __version__
from .child import ChildServer
from .endpoint import EndpointClient
from .failures import LOST, describe_failure, innermost
from .launch import CommandLaunch, Launch
from .limits import CALL_TIMEOUT, END_TIMEOUT, MAX_LISTED, MAX_MESSAGE, MAX_PAGES, START_TIMEOUT
from .worker import Returned, SessionThread, session_thread, stop_session_thread

_LOGGERS = (
    "client",
    "mcp",
    "mcp.client.streamable_http",
    "mcp.client.client",
    "mcp.shared.jsonrpc_dispatcher",
    "httpx2",
)
_MARGIN = 5.0
"""Time (s) beyond that of a call after which it is given up: the package's clock starts once the request is written."""


class ServerSession:
    """One connection to a server, from its start to its end.

    Args:
        launch: What the server is reached by.
        name: Its name, for messages.
        start_timeout: Time (s) that it may take to start.
        timeout: Time (s) that one call may take.
    """

    def __init__(
        self, launch: Launch, name: str, start_timeout: float = START_TIMEOUT, timeout: float = CALL_TIMEOUT
    ) -> None:
        self.name = name
        self._start_timeout = start_timeout
        self._timeout = timeout
        self.child: ChildServer | None = None
        self.endpoint: EndpointClient | None = None
        self._client: Client | None = None
        self._scope: anyio.CancelScope | None = None
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._was_closed = False
        self.is_lost = False
        """Whether the server has forgotten the session; a new one can be begun."""
        self.thread: SessionThread = session_thread()
        if isinstance(launch, CommandLaunch):
            self.child = ChildServer(*launch.resolve())
            self.child.check()
        else:
            self._url, self._headers = launch.resolve()

    @property
    def is_alive(self) -> bool:
        """Whether calls can be made."""
        has_ended = (
            self._task is None or self._task.done() or self._was_closed or self.is_lost or not self.thread.is_usable
        )
        return not has_ended and not (self.child is not None and self.child.has_ended.is_set())

    @property
    def protocol_version(self) -> str:
        """Version of the protocol that was agreed on."""
        return self._client.protocol_version if self._client is not None else ""

    def start(self, cancellation: Cancellation) -> None:
        """Start the server and wait until it answers. Where that fails or is interrupted, it has ended, or does so.

        Raises:
            UsageError: It can't be started, with the reason.
            Cancelled: `cancellation` was used.
        """
        _quiet_loggers()
        _sessions.add(self)
        self._run(self._start, cancellation)

    def list_tools(self, cancellation: Cancellation) -> list[ServerTool]:
        """Return the tools that the server offers; errors as for `start`."""
        return self._run(self._list_tools, cancellation)

    def call_tool(self, name: str, arguments: Mapping[str, Any], cancellation: Cancellation) -> CallToolResult:
        """Call a tool and wait for its result; errors as for `start`."""

        async def call() -> CallToolResult:
            return await self._within_time(self._connected().call_tool(name, dict(arguments), self._timeout))

        return self._run(call, cancellation)

    def read_resource(self, uri: str, cancellation: Cancellation) -> ReadResourceResult:
        """Read a resource; errors as for `start`."""

        async def read() -> ReadResourceResult:
            return await self._within_time(self._connected().read_resource(uri))

        return self._run(read, cancellation)

    def get_prompt(self, name: str, arguments: Mapping[str, str], cancellation: Cancellation) -> GetPromptResult:
        """Return a prompt that the server offers; errors as for `start`."""

        async def get() -> GetPromptResult:
            return await self._within_time(self._connected().get_prompt(name, dict(arguments)))

        return self._run(get, cancellation)

    def close(self) -> None:
        """End the session and the server; wait for it."""
        self._was_closed = True
        if self.thread.is_usable:
            with suppress(Exception):
                self.thread.run(self.end, Cancellation())

    def close_soon(self) -> None:
        """End the session, and don't wait."""
        self._was_closed = True
        self.thread.call_soon(self._closing.set)

    async def end(self) -> None:
        """End the session; in the thread of the sessions."""
        self._was_closed = True
        self._closing.set()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=2 * END_TIMEOUT)
            if self._scope is not None:
                self._scope.cancel()
            await asyncio.wait([self._task], timeout=3 * END_TIMEOUT)

    def _run(self, work: Callable[[], Coroutine[Any, Any, Returned]], cancellation: Cancellation) -> Returned:
        async def translated() -> tuple[Returned | None, str]:
            try:
                return await work(), ""
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001  # told below, without its frames: they hold credentials
                return None, await self._describe(error)

        result, failure = self.thread.run(translated, cancellation)
        if failure:
            raise UsageError(failure)
        return result  # type: ignore[return-value]  # it is one, without a failure

    async def _describe(self, error: BaseException) -> str:
        """Say why the server failed. Its end may be known a moment later than that a call failed of it."""
        if isinstance(error, UsageError):
            return str(error)
        if isinstance(error, MCPError) and error.message == LOST:
            self.is_lost = True
        is_answer = isinstance(error, MCPError) and error.code != CONNECTION_CLOSED
        if self.child is not None:
            await self.child.wait_until_ended(END_TIMEOUT)
        elif self._task is not None and not (is_answer and self.is_alive):
            await asyncio.wait([self._task], timeout=END_TIMEOUT)
        return redacted(describe_failure(self, error))

    @property
    def failure(self) -> BaseException | None:
        """What ended the session, if anything did."""
        return self._failure

    async def _start(self) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(ready))
        try:
            await asyncio.wait({ready, self._task}, timeout=self._start_timeout, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                return
            if self._failure is not None:
                raise innermost(self._failure)
            raise TimeoutError
        finally:
            if not ready.done():
                ready.cancel()
                self._was_closed = True
                if self._scope is not None:
                    self._scope.cancel()

    async def _serve(self, ready: asyncio.Future[None]) -> None:
        """Hold the connection open: it must be entered and left in one task."""
        try:
            with anyio.CancelScope() as self._scope:
                async with self._make_client() as self._client:
                    if not ready.done():
                        ready.set_result(None)
                    await self._closing.wait()
        except BaseException as error:  # noqa: BLE001  # whoever waits for the session is told
            self._failure = error
        finally:
            if self.endpoint is not None:
                with suppress(Exception):
                    await self.endpoint.aclose()

    def _make_client(self) -> Client:
        if self.child is not None:
            transport: Any = self.child.connect()
        else:
            self.endpoint = EndpointClient(self._headers)
            transport = streamable_http_client(self._url, http_client=self.endpoint, max_sse_event_size=MAX_MESSAGE)
        return Client(
            transport,
            read_timeout_seconds=self._timeout,
            client_info=Implementation(name="lockbots-magic", version=__version__),
            cache=None,  # a list that is asked for is to be the one of now
        )

    def _connected(self) -> Client:
        if self._client is None:
            raise UsageError(_("The MCP server {name} is not running.", name=self.name))
        return self._client

    async def _list_tools(self) -> list[ServerTool]:
        client = self._connected()
        tools: list[ServerTool] = []
        cursor: str | None = None
        for _unused in range(MAX_PAGES):
            page = await self._within_time(client.list_tools(cursor=cursor))
            tools += page.tools
            if page.next_cursor is None or len(tools) > MAX_LISTED:
                return tools[:MAX_LISTED]
            cursor = page.next_cursor
        raise UsageError(_("The list of tools of the MCP server {name} does not end.", name=self.name))

    async def _within_time(self, work: Awaitable[Returned]) -> Returned:
        return await asyncio.wait_for(work, self._timeout + _MARGIN)


_sessions: WeakSet[ServerSession] = WeakSet()


async def _end_all() -> None:
    await asyncio.gather(*(one.end() for one in [*_sessions]), return_exceptions=True)


def close_sessions() -> None:
    """End all sessions and their thread; what uses a server next starts it again."""
    stop_session_thread(_end_all)


at_shutdown(close_sessions)


def _quiet_loggers() -> None:
    """Keep what the package logs off the notebook, unless the user has set up logging; then without credentials."""
    redact_loggers(_LOGGERS)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, logging.NullHandler) for one in logger.handlers):
            logger.addHandler(logging.NullHandler())
