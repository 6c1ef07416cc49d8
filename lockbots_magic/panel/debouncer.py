"""Debounced background worker: coalesces requests for a slow action."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

from ..language import _
from ..security.exits import clean_printed

DELAY = 0.25
"""Time (s) from the first request to the action; requests in between are coalesced."""


class Debouncer:
    """Run an action soon after it is requested, once for all requests made meanwhile.

    The action runs in a thread that exists only while there are requests.

    Args:
        action: The action; never run twice at once. An exception in it becomes a warning.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._lock = threading.Lock()
        self._requested = False
        self._flushed = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Run the action after `DELAY`. Without effect once the debouncer is closed."""
        with self._lock:
            if self._closed:
                return
            self._requested = True
            if self._thread is None:
                self._flushed.clear()
                self._thread = threading.Thread(target=self._run, name="lockbots panel transcript", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Run a requested action now, and wait for it."""
        with self._lock:
            thread = self._thread
            self._flushed.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def close(self) -> None:
        """Run a requested action now, and accept no more requests."""
        self._closed = True
        self.flush()

    def _run(self) -> None:
        while self._take_request():
            self._run_action()

    def _run_action(self) -> None:
        try:
            self._action()
        except Exception as error:  # noqa: BLE001  # reported; the next run may succeed
            message = _("The panel's transcript failed: {kind}: {error}", kind=type(error).__name__, error=error)
            warnings.warn(clean_printed(message), stacklevel=1)

    def _take_request(self) -> bool:
        """Wait for `DELAY` or a flush; return whether there is a request."""
        self._flushed.wait(DELAY)
        with self._lock:
            requested, self._requested = self._requested, False
            if not requested:
                self._thread = None
            return requested
