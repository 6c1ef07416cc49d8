"""Who wants to know when something changes. Pure."""

from __future__ import annotations

import inspect
import threading
import warnings
import weakref
from collections.abc import Callable

Callback = Callable[[], object]


class Observers:
    """Callbacks without arguments, called in the thread that makes the change.

    A method is held weakly: it is called as long as somebody else holds its object.
    """

    def __init__(self) -> None:
        self._held: list[Callable[[], Callback | None]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(held() is not None for held in tuple(self._held))

    def add(self, callback: Callback) -> None:
        """Call `callback` from now on."""
        held = weakref.WeakMethod(callback) if inspect.ismethod(callback) else lambda: callback
        with self._lock:
            self._held = [*(one for one in self._held if one() is not None), held]

    def remove(self, callback: Callback) -> None:
        """Call it no more."""
        with self._lock:
            self._held = [one for one in self._held if one() not in (callback, None)]

    def tell(self) -> None:
        """Call them all. One that fails is warned of: the change is made, and others want to know too."""
        for held in tuple(self._held):
            if callback := held():
                _surely(callback)


def _surely(callback: Callback) -> None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001  # whatever a view of somebody's raises
        warnings.warn(f"a view of a conversation failed: {type(error).__name__}: {error}", stacklevel=3)
