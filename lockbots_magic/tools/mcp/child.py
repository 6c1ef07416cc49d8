"""Transport to a server that runs as a child of this process. Loaded at the first use: it needs `mcp`.

Wire facts: Model Context Protocol 2025-11-25, "Transports: stdio" (a message a line, UTF-8) and "Lifecycle: Shutdown"
(close its standard input, wait, SIGTERM, SIGKILL). Differs from the transport of `mcp` in that a message is bounded,
what is not a message is neither logged nor an error, the log of the server is kept for errors, and that the server ends
with this process, also if that is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage
from mcp_types import PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCMessage, jsonrpc_message_adapter

from ...errors import UsageError
from ...language import _
from .lifelines import hold_lifeline, let_go
from .limits import END_TIMEOUT, MAX_MESSAGE

KEPT_VARIABLES = (
    *("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"),
    *("LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE"),  # without them some programs don't start, or trust no server
)
"""Environment variables that a server gets besides its own: none that holds a credential."""
MAX_LOG_LINES = 40
"""Last lines of a server's log that are kept to tell why it ended."""
MAX_LOG_LINE = 500
"""Length (bytes) to which such a line is cut."""
MAX_NOISE = 16_000_000
"""Bytes that a server may write to its standard output that are no messages."""

_CHUNK = 1 << 16
_GUARD = Path(__file__).with_name("guard.py")


class ChildServer:
    """A server's process, and what is known of it for errors.

    Args:
        words: The command.
        env: Environment variables beyond `KEPT_VARIABLES`.
        cwd: Working directory; None: that of this process.
    """

    def __init__(self, words: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
        self._words = list(words)
        self._env = {**{name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}, **env}
        self._cwd = cwd
        self._process: asyncio.subprocess.Process | None = None
        self._log: deque[bytes] = deque(maxlen=MAX_LOG_LINES)
        self.noise: bytes = b""
        """First line on its standard output that is no message."""
        self.has_ended = asyncio.Event()
        """Set once the connection is gone: the process has ended, or broke a limit."""
        self.broken_limit = ""
        """Sentence that says why the connection was closed here."""
        self._log_has_ended = asyncio.Event()

    async def wait_until_ended(self, seconds: float) -> None:
        """Wait up to `seconds` until the exit status and the whole log are known, if the connection is gone."""
        if self._process is None or not self.has_ended.is_set():
            return
        with suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(self._log_has_ended.wait(), seconds)
            while self._process.returncode is None:
                await asyncio.wait_for(self._process.wait(), seconds)

    @property
    def log(self) -> list[str]:
        """Last lines that the server wrote to its standard error."""
        return [line.decode("utf-8", "replace") for line in self._log]

    @property
    def status(self) -> int | None:
        """Exit status; negative for a signal; None while it runs."""
        return None if self._process is None else self._process.returncode

    def check(self) -> None:
        """Raise `UsageError` if the program or the working directory does not exist."""
        if self._cwd is not None and not Path(self._cwd).is_dir():
            raise UsageError(_("There is no folder {cwd} to run the MCP server in.", cwd=self._cwd))
        program = self._words[0]
        where = os.path.join(self._cwd or "", program) if os.path.dirname(program) else program  # noqa: PTH118, PTH120  # as execvp takes it
        if shutil.which(where, path=self._env.get("PATH", os.defpath)) is None:
            raise UsageError(
                _("There is no program {program} that can be run. Install it, or write its path.", program=program)
                + (_(" For this Python, write sys.executable.") if program.startswith("python") else "")
            )

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Any, None]:
        """Run the server, and yield the streams of messages from it and to it. It ends with the context."""
        if sys.platform == "win32":  # jobs of Windows end what they hold
            words, settings = self._words, {"env": self._env, "cwd": self._cwd, "encoding_error_handler": "replace"}
            parameters = StdioServerParameters(command=words[0], args=words[1:], **settings)
            with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
                async with stdio_client(parameters, errlog=nowhere) as streams:
                    yield streams
            return
        process, lifeline = await self._start()
        to_session, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        to_server, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read, process, to_session)
                tasks.start_soon(self._write, process, from_session)
                tasks.start_soon(self._read_log, process)
                try:
                    yield from_server, to_server
                finally:
                    from_server.close()
                    to_server.close()
                    with anyio.CancelScope(shield=True):
                        await self._end(process)
                    tasks.cancel_scope.cancel()
        finally:  # also where a cancelled task got here past the shield
            self.has_ended.set()
            _signal_group(process, signal.SIGKILL)
            let_go(lifeline)
            for stream in (to_session, from_server, to_server, from_session):
                stream.close()
            process._transport.close()  # type: ignore[attr-defined]  # else it warns when it is collected

    async def _start(self) -> tuple[asyncio.subprocess.Process, int]:
        watched, held = hold_lifeline()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_GUARD), str(watched)),
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._env,
                cwd=self._cwd,
                pass_fds=(watched,),
                start_new_session=True,  # an interrupt goes to the whole group of the kernel
            )
        except OSError as error:
            let_go(held)
            raise UsageError(_("The MCP server can't be started: {strerror}.", strerror=error.strerror)) from None
        except BaseException:
            let_go(held)
            raise
        finally:
            os.close(watched)
        return self._process, held

    async def _read(self, process: asyncio.subprocess.Process, to_session: Any) -> None:
        """Hand on messages until the server closes its standard output."""
        noise = 0
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with to_session:
                async for line in self._lines(process):
                    message: JSONRPCMessage | None
                    try:
                        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError:
                        self.noise = self.noise or line[:MAX_LOG_LINE]
                        noise += len(line)
                        if noise > MAX_NOISE:
                            self.broken_limit = _(
                                "It writes to its standard output what is no message of the protocol."
                            )
                            break
                        message = _failed_answer(line)
                    if message is not None:
                        await to_session.send(SessionMessage(message))
                self.has_ended.set()
        self.has_ended.set()
        while await self._read_chunk(process):  # it may wait for a reader before it ends
            pass

    async def _lines(self, process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
        buffer = bytearray()
        while chunk := await self._read_chunk(process):
            start = 0
            while (end := chunk.find(b"\n", start)) >= 0:
                buffer += chunk[start:end]
                start = end + 1
                if buffer.strip():
                    yield bytes(buffer)
                buffer.clear()
            buffer += chunk[start:]
            if len(buffer) > MAX_MESSAGE:
                self.broken_limit = _(
                    "It sent a message of more than {megabytes} MB.", megabytes=MAX_MESSAGE // 1000000
                )
                return

    async def _read_chunk(self, process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        return await process.stdout.read(_CHUNK)

    async def _write(self, process: asyncio.subprocess.Process, from_session: Any) -> None:
        """Send messages until the session ends."""
        assert process.stdin is not None
        with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with from_session:
                async for one in from_session:
                    text = one.message.model_dump_json(by_alias=True, exclude_unset=True)
                    process.stdin.write(text.encode("utf-8", "replace") + b"\n")
                    await process.stdin.drain()

    async def _read_log(self, process: asyncio.subprocess.Process) -> None:
        """Keep the end of what the server writes to its standard error."""
        assert process.stderr is not None
        last = b""
        while chunk := await process.stderr.read(_CHUNK):
            *lines, last = (last + chunk).split(b"\n")
            last = last[-MAX_LOG_LINE:]
            self._log.extend(line[:MAX_LOG_LINE] for line in lines[-MAX_LOG_LINES:] if line.strip())
        if last.strip():
            self._log.append(last)
        self._log_has_ended.set()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(process.wait(), END_TIMEOUT)
                return
            _signal_group(process, number)
        with suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(process.wait(), END_TIMEOUT)


def _failed_answer(line: bytes) -> JSONRPCError | None:
    """Return an error for an answer that does not follow the protocol, so that nobody waits for it; else None."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("id"), int | str) or "method" in value:
        return None
    error = ErrorData(code=PARSE_ERROR, message=_("The answer does not follow the protocol."))
    return JSONRPCError(jsonrpc="2.0", id=value["id"], error=error)


def _signal_group(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to the guard, the server and all that it started in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
