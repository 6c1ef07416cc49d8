"""The thread in which the sessions of all servers live, with one event loop. It starts at the first use."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from ...conversation.cancellation import SIGNAL_CHECK, Cancellation
from ...errors import Cancelled

Returned = TypeVar("Returned")

STOP_TIMEOUT = 5.0
"""Time (s) that the sessions have to end when the process does."""


class SessionThread:
    """A daemon thread that runs an event loop."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        # Not the policy's: ipykernel sets one on Windows that can't run children, uvloop one without a child watcher.
        self._loop: asyncio.AbstractEventLoop
        if sys.platform == "win32":
            self._loop = asyncio.ProactorEventLoop()
        else:
            self._loop = asyncio.SelectorEventLoop()
        self._loop.set_exception_handler(_pass_over)
        self._thread = threading.Thread(target=self._run, name="lockbots-mcp", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    @property
    def is_usable(self) -> bool:
        """False in a process that was forked from the one that made it, and once it has stopped."""
        return self.pid == os.getpid() and self._thread.is_alive()

    def run(self, work: Callable[[], Coroutine[Any, Any, Returned]], cancellation: Cancellation) -> Returned:
        """Run a coroutine in the thread and wait for it. An interrupt of the caller, or `cancellation`, cancels it.

        Args:
            work: Makes the coroutine.
            cancellation: Ends it.

        Raises:
            Cancelled: `cancellation` was used.
            Exception: Any that the coroutine raises.
        """
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            while not concurrent.futures.wait([future], SIGNAL_CHECK).done:
                if cancellation.cancelled:
                    raise Cancelled
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call_soon(self, action: Callable[[], object]) -> None:
        """Have the thread call `action`, and don't wait; any thread may ask for it, a finalizer too."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(action)

    def stop(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a last coroutine, wait for a bounded time, and end the thread."""
        if not self.is_usable:
            return
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        with suppress(Exception, concurrent.futures.CancelledError):
            future.result(STOP_TIMEOUT)
        self.call_soon(self._loop.stop)
        self._thread.join(STOP_TIMEOUT)
        if not self._thread.is_alive():
            self._loop.close()


def _pass_over(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """Print nothing of a failure that nobody waits for: whoever waits for a call is told, and it may hold anything."""


_lock = threading.Lock()
_current: SessionThread | None = None


def session_thread() -> SessionThread:
    """Return the thread, started if there is none."""
    global _current  # noqa: PLW0603  # one for the process
    with _lock:
        if _current is None or not _current.is_usable:
            _current = SessionThread()
        return _current


def stop_session_thread(work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Run a last coroutine in the thread and end it; does nothing if there is none."""
    global _current
    with _lock:
        ended, _current = _current, None
    if ended is not None:
        ended.stop(work)
