"""A loop of our own, for coroutines whose caller has none that is free."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from contextlib import suppress

from .asyncio_host import AsyncioHost

STOP_TIMEOUT = 1.0
"""Time (s) to wait for the thread of a loop to end; a coroutine that blocks it is left to itself."""


def _make_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop. On Windows one that can start programs: ipykernel's policy there makes loops that can't."""
    proactor = getattr(asyncio, "ProactorEventLoop", None)  # only Windows has it
    loop: asyncio.AbstractEventLoop = proactor() if proactor else asyncio.new_event_loop()
    return loop


class OwnLoop:
    """A loop of asyncio in a thread that lives only while the loop is in use: a context manager that returns the host.

    Threads may use it at the same time.

    Args:
        lasting: True if the loop outlasts its threads, so that what one coroutine has opened, such as a client with its
            connections, serves the next.
    """

    def __init__(self, *, lasting: bool) -> None:
        self._lasting = lasting
        self.forget()

    def forget(self) -> None:
        """Start afresh, as a child process must: its parent uses the loop."""
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> AsyncioHost:
        with self._lock:
            if self._loop is None:
                self._loop = _make_loop()
            if not self._users:
                self._thread = threading.Thread(target=self._run, args=(self._loop,), name="lockbots loop", daemon=True)
                self._thread.start()
            self._users += 1
            return AsyncioHost(self._loop)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users and self._loop is not None and self._thread is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join(STOP_TIMEOUT)
                if self._thread.is_alive() or not self._lasting:  # or blocked by what it runs
                    self._loop = None

    def close(self) -> None:
        """Cancel what is left of the coroutines' tasks, and close the loop."""
        with self._lock:
            loop, self._loop = self._loop, None
            if loop is None or self._users:
                return
            _close(loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        if not self._lasting:
            _close(loop)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    with suppress(Exception):
        loop.run_until_complete(_cancel_tasks())
        loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def _cancel_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_TIMEOUT) if tasks else None


shared_loop = OwnLoop(lasting=True)
"""The loop that serves a process."""

atexit.register(shared_loop.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared_loop.forget)
