"""The session of one `MCP`, begun when it is needed and again when it has ended. Imports `mcp` at the first use."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...conversation.cancellation import SIGNAL_CHECK, Cancellation
from ...errors import Cancelled, UsageError
from ...language import N_, _
from .launch import Launch

if TYPE_CHECKING:
    from .session import ServerSession

EXTRA = N_('MCP servers need the package `mcp`:  pip install "lockbots-magic[mcp]"')


class SessionHolder:
    """Holds at most one session. When nothing refers to the holder any more, its session ends.

    Args:
        launch: What the server is reached by.
        name: Its name, for messages.
        start_timeout: Time (s) that it may take to start.
        timeout: Time (s) that one call may take.
    """

    def __init__(self, launch: Launch, name: str, start_timeout: float, timeout: float) -> None:
        self._launch = launch
        self._name = name
        self._timeouts = (start_timeout, timeout)
        self._lock = threading.Lock()
        self._held: list[ServerSession] = []
        """The session, if there is one: a list, so that a finalizer can end it without holding this object."""
        weakref.finalize(self, _end_soon, self._held).atexit = False  # all sessions end at exit

    @property
    def current(self) -> ServerSession | None:
        """The session, if there is one; it may have ended."""
        return next(iter(self._held), None)

    @property
    def is_running(self) -> bool:
        """Whether there is a session that can be used."""
        session = self.current
        return session is not None and session.is_alive

    def get(self, cancellation: Cancellation) -> ServerSession:
        """Return the session, begun if there is none or it has ended.

        Args:
            cancellation: Ends waiting for the server.

        Raises:
            UsageError: It can't be started, or the package `mcp` is missing.
            Cancelled: `cancellation` was used.
        """
        with self._locked(cancellation):
            session = self.current
            if session is None or not session.is_alive:
                self.close()
                session = _session_class()(self._launch, self._name, *self._timeouts)
                session.start(cancellation)
                self._held[:] = [session]
            return session

    def close(self) -> None:
        """End the session, if there is one, and wait for it."""
        ended, self._held[:] = [*self._held], []
        for session in ended:
            session.close()

    @contextmanager
    def _locked(self, cancellation: Cancellation) -> Iterator[None]:
        """Hold the lock, and stay open for interrupts while another thread starts the server."""
        while not self._lock.acquire(timeout=SIGNAL_CHECK):
            if cancellation.cancelled:
                raise Cancelled
        try:
            yield
        finally:
            self._lock.release()


def _session_class() -> type[ServerSession]:
    try:
        from .session import ServerSession  # noqa: PLC0415  # the package `mcp` takes a second to import
    except ImportError:  # missing, or older than version 2
        raise UsageError(_(EXTRA)) from None
    return ServerSession


def _end_soon(held: list[ServerSession]) -> None:
    while held:
        held.pop().close_soon()
