"""The reply in progress of a conversation, and those that wait for their turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ..errors import UsageError
from ..language import _


class ActiveReply(Protocol):
    """The part of a reply in progress that its conversation uses."""

    @property
    def abandoned(self) -> bool:
        """True if the caller stopped iterating before the end."""

    def close(self) -> None:
        """End the reply and keep the text so far."""


class ReplyQueue:
    """Lets one reply at a time into a conversation: the next that waits, in order, as soon as one has ended."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._active: ActiveReply | None = None
        self._waiting: list[tuple[ActiveReply, Callable[[], object]]] = []

    @property
    def active(self) -> ActiveReply | None:
        """The reply in progress, if any."""
        reply = self._active
        return None if reply is None or reply.abandoned else reply

    def close_abandoned(self, name: str) -> None:
        """Close an active reply whose caller stopped iterating before the end.

        Args:
            name: Name of the conversation, for the error.

        Raises:
            UsageError: If a reply is in progress.
        """
        reply = self._active
        if reply is None:
            return
        if reply.abandoned:
            reply.close()
        if self._active is reply:
            raise UsageError(
                _("Conversation {name!r} already has a reply in progress. Wait, or run `%lockbots stop`.", name=name)
            )

    def begin(self, reply: ActiveReply, name: str) -> None:
        """Make `reply` the active one, unless it is already.

        Raises:
            UsageError: If another reply is in progress.
        """
        with self._lock:
            if self._active is not reply:
                self.close_abandoned(name)
                self._active = reply

    def enter(self, reply: ActiveReply, admit: Callable[[], object]) -> None:
        """Make `reply` the active one as soon as those before it have ended; `admit` is called then, in any thread."""
        with self._lock:
            if self._active is reply:
                admit()
                return
            self._waiting.append((reply, admit))
        self.refresh(reply)

    def refresh(self, reply: ActiveReply) -> None:
        """Let the next reply in if the active one, before `reply`, was abandoned."""
        with self._lock:
            active = self._active
            if active is not None and active is not reply and active.abandoned:
                active.close()
            self._admit_next()

    def leave(self, reply: ActiveReply) -> None:
        """Release the conversation, or give up waiting for it; does nothing if `reply` does neither."""
        with self._lock:
            self._waiting = [entry for entry in self._waiting if entry[0] is not reply]
            if self._active is reply:
                self._active = None
            self._admit_next()

    def _admit_next(self) -> None:
        if self._active is None and self._waiting:
            self._active, admit = self._waiting.pop(0)
            admit()
