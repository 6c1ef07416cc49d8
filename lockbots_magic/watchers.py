"""Who wants to know when something changes. Pure."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable


class Watchers:
    """Callbacks without arguments, called in the thread that makes the change."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def add(self, callback: Callable[[], None]) -> None:
        """Call `callback` from now on."""
        with self._lock:
            self._callbacks.append(callback)

    def remove(self, callback: Callable[[], None]) -> None:
        """Call it no more."""
        with self._lock:
            self._callbacks = [one for one in self._callbacks if one != callback]

    def tell(self) -> None:
        """Call them all. One that fails is warned of: the change is made, and others want to know too."""
        for callback in tuple(self._callbacks):
            _surely(callback)


def _surely(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001  # whatever a view of somebody's raises
        warnings.warn(f"a view of a conversation failed: {type(error).__name__}: {error}", stacklevel=3)
