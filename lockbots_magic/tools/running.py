"""The calls of one round while they run: those that may at once in threads, the others in order.

In the main thread, calls that have an order are made right there, where an interrupt ends a function and where objects
that belong to that thread, such as a connection to SQLite, can be used. Elsewhere each has a thread, which is left
alone when the reply is stopped: Python can't end it.
"""

from __future__ import annotations

import contextvars
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ..conversation.cancellation import SIGNAL_CHECK, Cancellation
from ..errors import Cancelled
from ..schema.json_values import SchemaMismatch
from .tool_source import ToolOutput

MAX_AT_ONCE = 16
"""Calls of one round that run at the same time."""
GRACE = 0.3
"""Time (s) that calls which can be cancelled get to end, once the reply is stopped."""

STOPPED = "interrupted"
STILL_RUNNING = "interrupted; it can't be stopped and is still running"


@dataclass
class Job:
    """One call to make."""

    number: int
    """Place in its round."""
    run: Callable[[Cancellation], ToolOutput]
    is_parallel: bool = False
    output: ToolOutput | None = None
    """What it returned, or went wrong, once it has ended."""
    elapsed: float = 0.0
    """Duration (s), once it has ended."""
    cancellation: Cancellation = field(default_factory=Cancellation)
    started: float | None = None
    was_interrupted: bool = False
    """Whether it ended without an output, as the reply was stopped."""

    def make(self, reply: Cancellation) -> None:
        """Make the call.

        Args:
            reply: Cancellation of the reply that it is for.

        Raises:
            KeyboardInterrupt: If it was interrupted.
            Cancelled: If it or its reply was cancelled.
        """
        self.started = time.monotonic()
        try:
            self.output = _run(self.run, self.cancellation, reply)
        except (KeyboardInterrupt, Cancelled):
            self.was_interrupted = True
            raise
        finally:
            self.elapsed = time.monotonic() - self.started

    @property
    def is_running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.started is not None and self.output is None and not self.was_interrupted

    def told(self) -> ToolOutput | None:
        """Return what is told of the call once the reply was stopped; None if it was not begun."""
        if self.output is not None or self.started is None:
            return self.output
        return ToolOutput(STOPPED if self.was_interrupted else STILL_RUNNING, is_error=True)


def _run(call: Callable[[Cancellation], ToolOutput], cancellation: Cancellation, reply: Cancellation) -> ToolOutput:
    """Make a call and return its output, or what went wrong for the model."""
    try:
        return call(cancellation)
    except Cancelled:
        if cancellation.cancelled or reply.cancelled:  # a closing event loop cancels the call first
            raise
        return ToolOutput("error: The call was cancelled.", is_error=True)
    except SchemaMismatch as mismatch:
        return ToolOutput(f"error: Invalid arguments: {mismatch.english}", is_error=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a function may raise anything
        return ToolOutput(f"error: {type(error).__name__}: {error}", is_error=True)


class CallsStoppedError(Exception):
    """The reply was stopped, or the time is over, while calls ran."""


class RunningCalls:
    """Makes the calls of one round.

    Args:
        jobs: The calls, in order.
        cancellation: Of the reply.
        seconds_left: Returns the time (s) that is left.
    """

    def __init__(self, jobs: Sequence[Job], cancellation: Cancellation, seconds_left: Callable[[], float]) -> None:
        self.jobs = jobs
        self._cancellation = cancellation
        self._seconds_left = seconds_left
        self._ended: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._waiting = 0

    def __iter__(self) -> Iterator[Job]:
        """Yield each call when it has ended.

        Raises:
            CallsStoppedError: If the reply was cancelled or its time is over. Those without `output` have not ended.
            KeyboardInterrupt: If it was interrupted.
        """
        at_once = [job for job in self.jobs if job.is_parallel]
        in_order = [job for job in self.jobs if not job.is_parallel]
        shared = deque(at_once)
        self._waiting = len(at_once)
        for _ in range(min(len(at_once), MAX_AT_ONCE)):
            self._start(shared)
        if in_order and threading.current_thread() is not threading.main_thread():
            self._waiting += len(in_order)
            self._start(deque(in_order))
            in_order = []
        try:
            for job in in_order:
                yield from self._take(0.0)
                self._check()
                with self._interruptible():
                    job.make(self._cancellation)
                yield job
            while self._waiting:
                self._check()
                yield from self._take(min(SIGNAL_CHECK, max(self._seconds_left(), 0.0)))
        except (Cancelled, KeyboardInterrupt, GeneratorExit, CallsStoppedError) as error:
            self._stop()
            if isinstance(error, Cancelled):
                raise CallsStoppedError from None
            raise

    def _start(self, lane: deque[Job]) -> None:
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._work, lane), name="lockbots tool", daemon=True).start()

    def _work(self, lane: deque[Job]) -> None:
        """Make the calls of a lane, one after the other; the threads of calls that run at once share one."""
        while not self._cancellation.cancelled:
            try:
                job = lane.popleft()
            except IndexError:
                return
            try:
                job.make(self._cancellation)
            except Cancelled:
                continue  # nobody waits for it any more
            except KeyboardInterrupt:  # the function raised it: only the main thread is interrupted
                job.output = ToolOutput("error: KeyboardInterrupt", is_error=True)
            self._ended.put(job)

    def _take(self, seconds: float) -> Iterator[Job]:
        """Yield the calls of threads that have ended, waiting up to `seconds` (s) for one."""
        try:
            yield self._taken(self._ended.get(timeout=seconds) if seconds else self._ended.get_nowait())
            while True:
                yield self._taken(self._ended.get_nowait())
        except queue.Empty:
            return

    def _taken(self, job: Job) -> Job:
        self._waiting -= 1
        return job

    def _check(self) -> None:
        if self._cancellation.cancelled or self._seconds_left() <= 0:
            raise CallsStoppedError

    def _stop(self) -> None:
        """Cancel the calls that run, and give those that can end a moment to do so."""
        for job in self.jobs:
            job.cancellation.cancel()
        end = time.monotonic() + GRACE
        while any(job.is_running for job in self.jobs) and time.monotonic() < end:
            time.sleep(0.01)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Within the block, in the main thread, a cancellation or the end of the time acts as an interrupt does."""
        interrupt = _MainThreadInterrupt()
        left = self._seconds_left()
        timer = threading.Timer(left, interrupt.send) if left < threading.TIMEOUT_MAX else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            with self._cancellation.calling(interrupt.send):
                self._check()
                yield
        except KeyboardInterrupt:
            if not interrupt.sent:
                raise
        finally:
            if timer is not None:
                timer.cancel()
            interrupt.end()
        if interrupt.sent:
            raise CallsStoppedError


class _MainThreadInterrupt:
    """Interrupts the main thread from another one, as the key for it does, until `end`."""

    def __init__(self) -> None:
        self.sent = False
        self._ended = False
        self._lock = threading.Lock()

    def send(self) -> None:
        """Interrupt, once. Called in the main thread, it does nothing: the function itself stopped the reply."""
        if threading.current_thread() is threading.main_thread():
            return
        with self._lock:
            if self._ended or self.sent or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
                return
            self.sent = True
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            else:
                signal.raise_signal(signal.SIGINT)

    def end(self) -> None:
        """Send none from now on, and wait for one that is on its way."""
        with self._lock:
            self._ended = True
        if self.sent:
            with suppress(KeyboardInterrupt):
                time.sleep(0.05)
