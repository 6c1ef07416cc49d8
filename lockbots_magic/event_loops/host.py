"""What a reply needs of the event loop that awaits it, whichever loop it is.

asyncio and trio are known. Neither is imported before a program that uses it has done so: asyncio takes 45 ms.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol

from ..errors import UsageError
from ..language import _

Work = Callable[[], Coroutine[Any, Any, None]]
"""Makes the coroutine of a task. It raises nothing but what ends it from outside."""


class Signal(Protocol):
    """An event of a loop: tasks wait for it, and the loop's thread sets it."""

    def set(self) -> object:
        """Wake the tasks that wait."""


class LoopHost(Protocol):
    """A loop, and the task that made the host."""

    @property
    def closed(self) -> bool:
        """True once nothing will run on the loop any more."""

    def call(self, callback: Callable[[], object]) -> bool:
        """Call `callback` soon, on the loop's thread; return False if the loop is closed. Any thread may call it."""

    def start(self, work: Work, context: Context) -> Callable[[], object]:
        """Start a task, on the loop's thread; return the function that cancels it, to be called there too."""

    def signal(self) -> Any:
        """Return a new `Signal`."""

    async def wait(self, signal: Any, seconds: float | None = None, *, shielded: bool = False) -> None:
        """Wait until `signal` is set or, if given, `seconds` (s) have passed.

        A shielded wait also waits in a task that has been cancelled.
        """

    def on_close(self, callback: Callable[[], object]) -> Callable[[], object]:
        """Call `callback` if the loop is closed with tasks on it; return the function that takes this back."""

    async def give_way(self) -> None:
        """Let other tasks run."""

    def is_here(self) -> bool:
        """True if called on the loop's thread, while it runs."""

    def is_current_task(self) -> bool:
        """True if the task that made the host calls this."""

    def has_left(self) -> bool:
        """True if the task that made the host has ended, or will never run again."""


def running_host() -> LoopHost | None:
    """Return the loop that runs in this thread, with its current task; None if none runs."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        from .trio_host import TrioHost  # noqa: PLC0415  # only where the program uses trio

        return TrioHost()
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        from .asyncio_host import AsyncioHost  # noqa: PLC0415  # only where the program uses asyncio

        return AsyncioHost(asyncio.get_running_loop(), asyncio.current_task())
    return None


def awaiting_host() -> LoopHost:
    """Return the loop whose task awaits something.

    Raises:
        UsageError: If it is neither asyncio's nor trio's.
    """
    host = running_host()
    if host is None:
        raise UsageError(_("A reply can be awaited in asyncio and in trio; no loop of either runs in this thread."))
    return host


class Waiters:
    """Tasks that wait for something that a thread does. They are held weakly: one that nobody needs is collected."""

    def __init__(self) -> None:
        self._signals: deque[tuple[LoopHost, weakref.ref[Any]]] = deque()

    async def wait(self, is_true: Callable[[], bool], seconds: float | None = None, *, shielded: bool = False) -> None:
        """Wait for the next `wake`, unless `is_true` already; up to `seconds` (s), if given."""
        host = awaiting_host()
        signal = host.signal()
        entry = (host, weakref.ref(signal))
        self._signals.append(entry)
        try:
            if not is_true():  # once more: a thread may have done it before there was a signal
                await host.wait(signal, seconds, shielded=shielded)
        finally:
            with suppress(ValueError):  # it was woken
                self._signals.remove(entry)

    def wake(self) -> None:
        """Wake the tasks, from any thread."""
        while self._signals:
            try:
                host, known = self._signals.popleft()
            except IndexError:  # another thread was faster
                return
            signal = known()
            if signal is not None:
                host.call(signal.set)
            del signal


class Reader:
    """Who takes the steps of a reply: a thread, and the task in it if a loop runs there."""

    def __init__(self) -> None:
        self._thread = threading.current_thread()
        self._host = running_host()

    def is_here(self) -> bool:
        """True if called in the reader's thread."""
        return self._thread is threading.current_thread()

    def is_current(self) -> bool:
        """True if called by the reader itself, which therefore takes no step."""
        return self.is_here() and (self._host is None or self._host.is_current_task())

    def has_left(self) -> bool:
        """True if the reader has ended, and will never take another step."""
        return not self._thread.is_alive() or (self._host is not None and self._host.has_left())
