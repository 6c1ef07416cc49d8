"""Cancellation of one reply from any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, RLock

SIGNAL_CHECK = 0.1
"""Time (s) after which a wait is begun anew, as a signal that arrives just before a wait does not end it."""


class Cancellation:
    """A switch that stops one reply from any thread, at once, even inside a blocked read."""

    def __init__(self) -> None:
        self._cancelled = False
        self._event: Event | None = None  # made for the first wait: most replies have none
        self._lock = RLock()  # the collector may cancel a reply that was dropped, anywhere
        self._callback: Callable[[], object] | None = None
        self._others: list[Callable[[], object]] = []

    @property
    def cancelled(self) -> bool:
        """Whether it was used."""
        return self._cancelled

    def cancel(self) -> None:
        """Stop the reply. Any thread may call it, any number of times."""
        with self._lock:
            self._cancelled = True
            if self._event is not None:
                self._event.set()
            callbacks = [*([] if self._callback is None else [self._callback]), *self._others]
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], object] | None) -> None:
        """Call `callback` when cancelled, at once if that has happened; it replaces the one before."""
        with self._lock:
            self._callback = callback
            late = self._cancelled
        if late and callback is not None:
            callback()

    @contextmanager
    def calling(self, callback: Callable[[], object]) -> Iterator[None]:
        """Within the block, call `callback` when cancelled, at once if that has happened. Such blocks may overlap."""
        with self._lock:
            self._others.append(callback)
            late = self._cancelled
        try:
            if late:
                callback()
            yield
        finally:
            with self._lock:
                self._others.remove(callback)

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` (s); return True once cancelled."""
        event = self._waited_event()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > SIGNAL_CHECK:
            if event.wait(SIGNAL_CHECK):
                return True
        return event.wait(max(left, 0.0))

    def _waited_event(self) -> Event:
        with self._lock:
            if self._event is None:
                self._event = Event()
            if self._cancelled:
                self._event.set()
            return self._event
