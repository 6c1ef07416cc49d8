"""Time on one connection: the rate of the pieces, pauses, and the moment the client goes."""

from __future__ import annotations

import selectors
import socket
import time


class ClientGoneError(Exception):
    """The client closed the connection before the answer was over."""


class Pace:
    """Waits between pieces while it watches the client. A context manager.

    Args:
        connection: the socket to watch.
        rate: pieces per second; 0: no wait.

    Raises (every method that waits):
        ClientGoneError: the client has closed the connection.
    """

    def __init__(self, connection: socket.socket, rate: float) -> None:
        self._connection = connection
        self._rate = rate
        self._begun = time.monotonic()
        self._pieces = 0

    def __enter__(self) -> Pace:
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._connection, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    def after_piece(self) -> None:
        """Wait until the next piece is due; one that is late does not delay those after it."""
        if self._rate:
            self._pieces += 1
            self._wait_until(self._begun + self._pieces / self._rate)

    def pause(self, seconds: float) -> None:
        """Wait `seconds`."""
        self._wait_until(time.monotonic() + seconds)

    def hang(self) -> None:
        """Wait until the client goes."""
        self._wait_until(None)

    def _wait_until(self, end: float | None) -> None:
        while self._selector.select(None if end is None else end - time.monotonic()):
            if not self._connection.recv(65536):  # what else may come, a request before its time, is not answered
                raise ClientGoneError
