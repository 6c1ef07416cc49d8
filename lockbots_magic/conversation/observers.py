"""Thread-safe observer list. No I/O."""

from __future__ import annotations

import inspect
import threading
import warnings
import weakref
from collections.abc import Callable

from ..language import _
from ..security.exits import clean_printed

Callback = Callable[[], object]


class Observers:
    """Callbacks without arguments, called in the thread that makes a change.

    Bound methods are held weakly: they are called as long as their object lives.
    """

    def __init__(self) -> None:
        self._references: list[Callable[[], Callback | None]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(reference() is not None for reference in tuple(self._references))

    def add(self, callback: Callback) -> None:
        """Call `callback` on every change from now on."""
        reference = weakref.WeakMethod(callback) if inspect.ismethod(callback) else lambda: callback
        with self._lock:
            self._references = [*(one for one in self._references if one() is not None), reference]

    def remove(self, callback: Callback) -> None:
        """Stop calling `callback`."""
        with self._lock:
            self._references = [one for one in self._references if one() not in (callback, None)]

    def notify(self) -> None:
        """Call all callbacks. One that fails is only a warning: the change is made, and the others are called."""
        for reference in tuple(self._references):
            if callback := reference():
                _call(callback)


def _call(callback: Callback) -> None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001  # a view may raise anything
        warnings.warn(
            clean_printed(_("Updating a view failed: {kind}: {error}", kind=type(error).__name__, error=error)),
            stacklevel=3,
        )
