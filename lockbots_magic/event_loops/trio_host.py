"""A run of trio, seen from other threads."""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

import trio


class TrioHost:
    """The run of trio that goes on in this thread, and its current task, as a `LoopHost`."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._coroutine: weakref.ref[Any] = weakref.ref(trio.lowlevel.current_task().coro)

    @property
    def closed(self) -> bool:
        """True once the run has ended."""
        return not self.call(lambda: None)

    def call(self, callback: Callable[[], object]) -> bool:
        """Call `callback` soon, on the run's thread; return False if the run has ended."""
        try:
            self._token.run_sync_soon(callback)
        except trio.RunFinishedError:
            return False
        return True

    def start(self, work: Callable[[], Coroutine[Any, Any, None]], context: Context) -> Callable[[], object]:
        """Start a task and return the function that cancels it."""
        scope = trio.CancelScope()

        async def run() -> None:
            with scope:
                await work()

        trio.lowlevel.spawn_system_task(run, context=context)
        return scope.cancel

    def signal(self) -> trio.Event:
        """Return a new event."""
        return trio.Event()

    async def wait(self, signal: trio.Event, seconds: float | None = None, *, shielded: bool = False) -> None:
        """Wait until `signal` is set or, if given, `seconds` (s) have passed."""
        deadline = math.inf if seconds is None else trio.current_time() + seconds
        with trio.CancelScope(deadline=deadline, shield=shielded):
            await signal.wait()

    def on_close(self, callback: Callable[[], object]) -> Callable[[], object]:
        """Do nothing: trio ends its tasks, and so what they await, before a run ends."""
        del callback
        return lambda: None

    async def give_way(self) -> None:
        """Let other tasks run."""
        await trio.lowlevel.checkpoint()

    def is_here(self) -> bool:
        """True if called in a task of this run."""
        return trio.lowlevel.in_trio_run() and trio.lowlevel.current_trio_token() is self._token

    def is_current_task(self) -> bool:
        """True if the task that made the host calls this."""
        return trio.lowlevel.in_trio_task() and self._coroutine() is trio.lowlevel.current_task().coro

    def has_left(self) -> bool:
        """True if the task has ended, or the run has."""
        coroutine = self._coroutine()
        return coroutine is None or inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
