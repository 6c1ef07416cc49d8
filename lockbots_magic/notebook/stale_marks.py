"""Marks in cells: a reply that an earlier turn has outdated says so in its own output, while somebody watches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock, current_thread, main_thread
from weakref import WeakSet

from ..conversation.conversation import Conversation
from ..language import N_, _

STALE_NOTICE = N_("outdated: an earlier turn has changed since this reply")
MAX_OUTPUTS = 50
"""Outputs that are remembered, the latest ones."""
MAX_MARKS = 12
"""Outputs that are marked at once, the latest ones: each is sent again, whole."""
MAX_LENGTH = 30_000
"""Length (characters) of a reply that is sent again for its mark."""

Redraw = Callable[[str], object]
"""Shows an output again, with a notice."""


class StaleMarks:
    """Marks outputs of this kernel whose turns have become stale. A page that was reloaded no longer knows them.

    Thread-safe: replies end in any thread.
    """

    def __init__(self) -> None:
        self._outputs: OrderedDict[str, Redraw] = OrderedDict()
        self._watched: WeakSet[Conversation] = WeakSet()
        self._lock = Lock()

    def keep(self, turn_id: str, length: int, redraw: Redraw) -> None:
        """Remember the output of a turn.

        Args:
            turn_id: Id of the turn.
            length: Characters of its reply.
            redraw: Shows the output again, with a notice.
        """
        if length > MAX_LENGTH:
            return
        with self._lock:
            self._outputs[turn_id] = redraw
            while len(self._outputs) > MAX_OUTPUTS:
                self._outputs.popitem(last=False)

    def update(self, conversations: Iterable[Conversation]) -> None:
        """Mark the outputs whose turns are stale, once each; forget those whose turns are gone.

        Args:
            conversations: All that have outputs. They are watched from now on: a panel may change them.
        """
        conversations = tuple(conversations)
        with self._lock:
            for new in set(conversations).difference(self._watched):
                self._watched.add(new)
                new.observers.add(self._on_change)
        stale = {turn.id: turn.stale for one in conversations for turn in one.turns}
        with self._lock:
            ended = [turn_id for turn_id in self._outputs if stale.get(turn_id, True)]
            outputs = [(turn_id, self._outputs.pop(turn_id)) for turn_id in ended]
        for redraw in [redraw for turn_id, redraw in outputs if turn_id in stale][-MAX_MARKS:]:
            redraw(_(STALE_NOTICE))

    def _on_change(self) -> None:
        """Mark at once what a panel or a background reply has outdated; a cell does it when its reply has ended."""
        if current_thread() is not main_thread():
            with self._lock:
                watched = tuple(self._watched)
            self.update(watched)
