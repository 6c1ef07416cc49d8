"""A thread that reads a reply ahead of the tasks that await it."""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Generator

from ..conversation.cancellation import Cancellation
from ..conversation.messages import Delta
from ..errors import Cancelled
from ..event_loops.coroutines import coroutines_run_on
from ..event_loops.host import LoopHost, Waiters

MAX_STEPS = 256
"""Steps that are read ahead; a reader with more waits for the tasks, and the server for the reader."""
LOOP_CHECK = 1.0
"""Time (s) after which a reader that waits for room looks whether the loop is closed."""


class ReadAhead:
    """Reads the steps of one reply in a thread; tasks take them without blocking their loop.

    Args:
        host: The loop whose task awaits the reply: coroutines of tools run there.
        cancellation: Ends the reply.
    """

    def __init__(self, host: LoopHost, cancellation: Cancellation) -> None:
        self.host = host
        self.waiters = Waiters()
        """The tasks that wait for the next step, or for the end."""
        self._cancellation = cancellation
        self._settles = False
        self._lock = threading.Lock()
        self._steps: deque[Delta] = deque()
        self._room = threading.Event()
        self._endings: list[Callable[[], object]] = []
        self._error: BaseException | None = None
        self.ended = False
        """True once nothing more will be read."""
        self.started = False
        """True once the thread has been started."""

    @property
    def ready(self) -> bool:
        """True if `take` has a step, or knows that there will be none."""
        if self._cancellation.cancelled and self.started:
            return self.ended or not self._settles
        return self.ended or bool(self._steps)

    @property
    def is_reading(self) -> bool:
        """True while the thread runs."""
        return self.started and not self.ended

    @property
    def is_settling(self) -> bool:
        """True while a reply that must be read to its end has not been."""
        return self._settles and self.is_reading

    def start(self, stream: Generator[Delta, None, None], *, settles: bool) -> None:
        """Start to read, with the context variables of the caller.

        Args:
            stream: The steps. Only the thread touches it from now on.
            settles: True if a cancelled reply must be read to its end, as a function that is running has effects.
        """
        self._settles = settles
        take_back = self.host.on_close(self._cancellation.cancel)
        self.on_end(lambda: self.host.call(take_back))
        work = contextvars.copy_context().run
        threading.Thread(target=work, args=(self._read, stream), name="lockbots await", daemon=True).start()
        self.started = True

    def fail(self, error: BaseException) -> None:
        """End with an error, before anything was read."""
        self._error = error
        self._end()

    def take(self) -> Delta:
        """Return the next step; `ready` must be true.

        Raises:
            StopIteration: There is none.
            Cancelled: The reply was cancelled.
            Exception: What ended the reading.
        """
        ended = self.ended  # first: what is read meanwhile comes before the end
        if self._cancellation.cancelled:
            raise Cancelled
        if self._steps:
            step = self._steps.popleft()
            if len(self._steps) <= MAX_STEPS // 2:
                self._room.set()
            return step
        assert ended, "nothing is ready"
        if self._error is not None:
            raise self._error
        raise StopIteration

    def untaken_calls(self) -> list[Delta]:
        """Return the steps up to the last finished tool call that nobody has taken: what it did is not forgotten."""
        steps = list(self._steps) if self.ended else []
        last = max((n for n, step in enumerate(steps, 1) if step.calls), default=0)
        return steps[:last]

    def on_end(self, callback: Callable[[], object]) -> None:
        """Call `callback` when all is read, in the thread; at once if that is so already."""
        with self._lock:
            if not self.ended:
                self._endings.append(callback)
                return
        callback()

    def stop(self) -> None:
        """Stop to read: the rest is not wanted."""
        if not self.ended:
            self._cancellation.cancel()
            self._room.set()

    def _read(self, stream: Generator[Delta, None, None]) -> None:
        try:
            with coroutines_run_on(self.host):
                try:
                    for step in stream:
                        self._steps.append(step)
                        self.waiters.wake()
                        if len(self._steps) >= MAX_STEPS:
                            self._wait_for_room()
                        if self._cancellation.cancelled:
                            break
                finally:
                    stream.close()
        except BaseException as error:  # noqa: BLE001  # raised by `take`, to whoever awaits
            self._error = error
        self._end()

    def _wait_for_room(self) -> None:
        self._room.clear()
        while len(self._steps) > MAX_STEPS // 2 and not self._cancellation.cancelled:
            if not self._room.wait(LOOP_CHECK) and self.host.closed:
                self._cancellation.cancel()

    def _end(self) -> None:
        with self._lock:
            self.ended = True
            endings, self._endings = self._endings, []
        self.waiters.wake()
        for callback in endings:
            callback()
