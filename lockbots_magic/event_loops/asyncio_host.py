"""A loop of asyncio, seen from other threads."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

_DAY = 86_400.0
"""Time (s) of a timer that is there to be dropped; loops of graphical toolkits take no much longer ones."""


class AsyncioHost:
    """A loop of asyncio, as a `LoopHost`.

    Args:
        loop: The loop.
        task: The task that awaits; a weak reference is kept, so that a task nobody needs can be collected.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any] | None = None) -> None:
        self._loop = loop
        self._task = None if task is None else weakref.ref(task)

    @property
    def closed(self) -> bool:
        """True once the loop is closed."""
        return self._loop.is_closed()

    def call(self, callback: Callable[[], object]) -> bool:
        """Call `callback` soon, on the loop's thread; return False if the loop is closed."""
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return False
        return True

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], context: Context) -> Callable[[], object]:
        """Start a task and return the function that cancels it."""
        task = context.run(lambda: self._loop.create_task(work()))
        return task.cancel

    def signal(self) -> asyncio.Event:
        """Return a new event."""
        return asyncio.Event()

    async def wait(self, signal: asyncio.Event, seconds: float | None = None, *, shielded: bool = False) -> None:
        """Wait until `signal` is set or, if given, `seconds` (s) have passed."""
        del shielded  # asyncio cancels by one exception: what the task awaits afterwards is not cancelled
        timer = None if seconds is None else self._loop.call_later(seconds, signal.set)
        try:
            await signal.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def on_close(self, callback: Callable[[], object]) -> Callable[[], object]:
        """Call `callback` if the loop is closed; return the function that takes this back, to be called on the loop.

        A loop tells nobody that it is closed, but it lets go of its timers.
        """
        notice = _CloseNotice(callback)
        timer = self._loop.call_later(_DAY, notice.disarm)
        try:
            known_timer, known_notice = weakref.ref(timer), weakref.ref(notice)  # the loop alone keeps them
        except TypeError:  # its timers are of another kind
            notice.disarm()
            return timer.cancel

        def take_back() -> None:
            if (kept := known_notice()) is not None:
                kept.disarm()
            if (running := known_timer()) is not None:
                running.cancel()

        return take_back

    async def give_way(self) -> None:
        """Let other tasks run."""
        await asyncio.sleep(0)

    def is_here(self) -> bool:
        """True if called on the loop's thread, while it runs."""
        return asyncio._get_running_loop() is self._loop

    def is_current_task(self) -> bool:
        """True if the task that made the host calls this."""
        return self.is_here() and self._task is not None and self._task() is asyncio.current_task()

    def has_left(self) -> bool:
        """True if the task has ended or was collected, or its loop is closed."""
        if self.closed or self._task is None:
            return self.closed
        task = self._task()
        return task is None or task.done()


class _CloseNotice:
    """Calls a function when the timer that keeps it is dropped.

    Args:
        callback: The function.
    """

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def __del__(self) -> None:
        if self.callback is not None:
            self.callback()

    def disarm(self) -> None:
        """Call nothing any more."""
        self.callback = None
