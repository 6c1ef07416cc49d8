"""Does in a thread what takes a while and is wanted often: soon after it was wanted, and once for all who wanted it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

PAUSE = 0.25
"""How long (s) it waits for more to happen."""


class Debouncer:
    """Calls `action` when it is wanted, in one thread that lives no longer than there is something to do.

    Args:
        action: what to do; it is never called twice at once.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._lock = threading.Lock()
        self._requested = False
        self._hurried = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Have it done soon; once it is closed, never."""
        with self._lock:
            if self._closed:
                return
            self._requested = True
            if self._thread is None:
                self._hurried.clear()
                self._thread = threading.Thread(target=self._run, name="lockbots panel transcript", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Have it done now if it is still wanted."""
        with self._lock:
            thread = self._thread
            self._hurried.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def close(self) -> None:
        """Have it done now if it is still wanted, and never again."""
        self._closed = True
        self.flush()

    def _run(self) -> None:
        while self._is_requested_after_a_pause():
            self._surely_action()

    def _surely_action(self) -> None:
        try:
            self._action()
        except Exception as error:  # noqa: BLE001  # nothing dies silently, and the next time may go well
            warnings.warn(f"the transcript of a panel failed: {type(error).__name__}: {error}", stacklevel=1)

    def _is_requested_after_a_pause(self) -> bool:
        self._hurried.wait(PAUSE)
        with self._lock:
            wanted, self._requested = self._requested, False
            if not wanted:
                self._thread = None
            return wanted
