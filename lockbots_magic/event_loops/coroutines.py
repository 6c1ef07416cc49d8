"""Run what an async function returns: on the loop that awaits the reply, or on one of our own."""

from __future__ import annotations

import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from ..conversation.cancellation import SIGNAL_CHECK, Cancellation
from ..errors import Cancelled
from .host import LoopHost

T = TypeVar("T")

CANCEL_TIMEOUT = 1.0
"""Time (s) that a coroutine has to end once it is cancelled; it is not waited for any longer."""

_caller: contextvars.ContextVar[LoopHost | Literal["nested"] | None] = contextvars.ContextVar("_caller", default=None)


@contextmanager
def coroutines_run_on(host: LoopHost) -> Iterator[None]:
    """Within the block, `run_coroutine` uses the loop of `host`, which runs in another thread."""
    token = _caller.set(host)
    try:
        yield
    finally:
        _caller.reset(token)


def run_coroutine(coroutine: Awaitable[T], cancellation: Cancellation) -> T:
    """Run a coroutine as a task, wait for it in this thread, and return its value.

    It runs on the loop of the task that awaits the reply. If the reply is read synchronously, it runs on a loop in a
    thread of our own, also while a loop runs in this thread. It sees the context variables of this thread.

    Args:
        coroutine: The coroutine, or any other awaitable.
        cancellation: Cancels the task.

    Raises:
        Cancelled: `cancellation` was used, or the loop was closed.
        Exception: As raised by the coroutine.

    Example:
        >>> async def double(n):
        ...     return 2 * n
        >>> run_coroutine(double(21), Cancellation())
        42
    """
    with _host() as host:
        call = _CoroutineCall(coroutine, host)
        with cancellation.calling(call.cancel):
            try:
                call.wait(cancellation)
            except BaseException:  # an interrupt
                call.cancel()
                call.done.wait(CANCEL_TIMEOUT)
                raise
        value: T = call.result()
        return value


@contextmanager
def _host() -> Iterator[LoopHost]:
    """Give the loop to run a coroutine on.

    Within a coroutine that was run here, its loop may be blocked, as may the one that waits for it: a nested call has
    a loop for itself.
    """
    caller = _caller.get()
    if caller is not None and caller != "nested":
        yield caller
        return
    from .own_loop import OwnLoop, shared_loop  # noqa: PLC0415  # loads asyncio: 45 ms

    with OwnLoop(lasting=False) if caller else shared_loop as host:
        yield host


class _CoroutineCall:
    """One coroutine, run as a task on a loop in another thread.

    Args:
        awaitable: The coroutine.
        host: The loop.
    """

    def __init__(self, awaitable: Awaitable[Any], host: LoopHost) -> None:
        self.done = threading.Event()
        self._awaitable = awaitable
        self._host = host
        self._context = contextvars.copy_context()
        self._context.run(_caller.set, "nested")
        self._value: Any = None
        self._error: BaseException | None = None
        self._ended_from_outside = False
        self._cancelled = False
        self._stop: Any = None

    def wait(self, cancellation: Cancellation) -> None:
        """Start the task and wait for its end."""
        is_running = self._host.call(self._begin)
        given_up = float("inf")
        while is_running and not self.done.wait(SIGNAL_CHECK):  # in steps, so that an interrupt ends it
            now = time.monotonic()
            if cancellation.cancelled:
                given_up = min(given_up, now + CANCEL_TIMEOUT)
            is_running = now < given_up and not self._host.closed
        self._cancelled = self._cancelled or cancellation.cancelled  # its loop may have ended the task before `cancel`

    def cancel(self) -> None:
        """Cancel the task, from any thread."""
        self._cancelled = True
        self._host.call(lambda: self._stop and self._stop())

    def result(self) -> Any:
        """Return the value, or raise what ended the task."""
        if not self.done.is_set():
            self._cancelled = True
            if inspect.iscoroutine(self._awaitable) and self._stop is None:
                self._awaitable.close()  # never started: else Python warns
            raise Cancelled
        if self._ended_from_outside and (self._cancelled or self._host.closed):
            raise Cancelled
        if self._ended_from_outside:
            raise RuntimeError("The coroutine was cancelled.")
        if self._error is not None:
            raise self._error
        return self._value

    def _begin(self) -> None:
        if self._cancelled:
            if inspect.iscoroutine(self._awaitable):
                self._awaitable.close()
            self._ended_from_outside = True
            self.done.set()
        else:
            self._stop = self._host.start(self._run, self._context)

    async def _run(self) -> None:
        try:
            self._value = await self._awaitable
        except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001  # raised where it is waited for
            self._error = error
        except BaseException:  # the task is cancelled or collected: its loop wants to know
            self._ended_from_outside = True
            raise
        finally:
            self.done.set()
