"""Who is told of each turn when its reply has ended: the log, for one. No I/O.

It is one list for the whole process, so that every chat is seen: those of cells, of panels, and of Python code.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence

from ..language import _
from ..late_dataclass import late_dataclass
from ..security.exits import clean_printed
from .history_entry import HistoryEntry
from .messages import Message
from .turn import Turn


@late_dataclass(frozen=True)
class CommittedTurn:
    """A turn whose reply has ended."""

    turn: Turn
    entry: HistoryEntry
    """State of its conversation after it."""
    messages: Sequence[Message] = ()
    """All messages of its request."""


CommitObserver = Callable[[CommittedTurn], object]

_lock = threading.Lock()
_observers: tuple[CommitObserver, ...] = ()


def observe_commits(observer: CommitObserver) -> Callable[[], None]:
    """Call `observer` with each committed turn from now on, in the thread that read the reply.

    Returns:
        A function that ends this.
    """
    global _observers  # noqa: PLW0603  # one list for the process, see above
    with _lock:
        _observers = (*_observers, observer)

    def remove() -> None:
        global _observers  # noqa: PLW0603  # as above
        with _lock:
            _observers = tuple(one for one in _observers if one is not observer)

    return remove


def tell_commit(committed: CommittedTurn) -> None:
    """Tell every observer. One that fails is only a warning: the turn is committed, and the others are told."""
    for observer in _observers:
        _tell(observer, committed)


def _tell(observer: CommitObserver, committed: CommittedTurn) -> None:
    try:
        observer(committed)
    except Exception as error:  # noqa: BLE001  # whatever an observer raises, the reply is whole
        warnings.warn(
            clean_printed(_("A turn was not logged: {kind}: {error}", kind=type(error).__name__, error=error)),
            stacklevel=3,
        )
