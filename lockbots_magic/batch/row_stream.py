"""Rows as they are answered, for a loop and for a loop that awaits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import closing
from typing import Protocol

from ..event_loops.host import Waiters
from .row import BatchRow

AHEAD = 32
"""Rows that a thread hands on before they are taken."""


class RowEngine(Protocol):
    """A batch that yields its rows."""

    stopped: str

    def __iter__(self) -> Iterator[BatchRow]:
        """Yield each row once it is answered."""

    def interrupt(self) -> None:
        """End the batch soon, from any thread."""

    def close(self) -> None:
        """Give back threads and files."""


class RowStream:
    """Rows as they are answered, in any order: ``for row in chat.rows(...)``, or ``async for``. Made by `Chat.rows`.

    Leaving the loop stops the batch.

    Args:
        start: Returns a new engine.
    """

    def __init__(self, start: Callable[[], RowEngine]) -> None:
        self._start = start
        self.stopped = ""
        """Why the batch ended before its last row; empty if it did not."""

    def __iter__(self) -> Generator[BatchRow, None, None]:
        engine = self._start()
        try:
            yield from engine
        finally:
            self.stopped = engine.stopped
            engine.close()

    async def __aiter__(self) -> AsyncGenerator[BatchRow, None]:
        engine = self._start()
        feed = _Feed(engine)
        try:
            while True:
                await feed.waiters.wait(lambda: feed.ready)
                row = feed.take()
                if row is None:
                    return
                yield row
        finally:
            self.stopped = engine.stopped
            feed.stop()


class _Feed:
    """Runs an engine in a thread, and hands its rows to tasks of an event loop."""

    def __init__(self, engine: RowEngine) -> None:
        self.waiters = Waiters()
        self._engine = engine
        self._rows: deque[BatchRow] = deque()
        self._room = threading.Semaphore(AHEAD)
        self._ended = False
        self._stopped = False
        self._error: BaseException | None = None
        threading.Thread(target=self._read, name="lockbots rows", daemon=True).start()

    @property
    def ready(self) -> bool:
        """True if `take` has something to return."""
        return bool(self._rows) or self._ended

    def take(self) -> BatchRow | None:
        """Return the next row; None at the end. Raise what ended the batch."""
        if self._rows:
            self._room.release()
            return self._rows.popleft()
        if self._error is not None:
            raise self._error
        return None

    def stop(self) -> None:
        """End the batch, if it has not ended."""
        self._stopped = True
        self._room.release()
        if not self._ended:
            self._engine.interrupt()

    def _read(self) -> None:
        try:
            with closing(self._engine):
                for row in self._engine:
                    self._room.acquire()
                    if self._stopped:
                        return
                    self._rows.append(row)
                    self.waiters.wake()
        except BaseException as error:  # noqa: BLE001  # raised where the rows are taken
            self._error = error
        finally:
            self._ended = True
            self.waiters.wake()
