"""Timing of one connection: rate, pauses, and detection of a disconnect."""

from __future__ import annotations

import selectors
import socket
import time


class ClientGoneError(Exception):
    """The client closed the connection before the end of the response."""


class Pacer:
    """Context manager that waits between pieces while it watches the client.

    Args:
        connection: Socket to watch.
        rate: Pieces per second; 0 for no wait.

    Raises:
        ClientGoneError: The client has closed the connection (every method that waits).
    """

    def __init__(self, connection: socket.socket, rate: float) -> None:
        self._connection = connection
        self._rate = rate
        self._started = time.monotonic()
        self._pieces = 0

    def __enter__(self) -> Pacer:
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._connection, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    def after_piece(self) -> None:
        """Wait until the next piece is due; a late piece does not delay the following ones."""
        if self._rate:
            self._pieces += 1
            self._wait_until(self._started + self._pieces / self._rate)

    def pause(self, seconds: float) -> None:
        """Wait for `seconds` (s)."""
        self._wait_until(time.monotonic() + seconds)

    def hang(self) -> None:
        """Wait until the client disconnects."""
        self._wait_until(None)

    def _wait_until(self, end: float | None) -> None:
        while self._selector.select(None if end is None else end - time.monotonic()):
            if not self._connection.recv(65536):  # other data, such as a pipelined request, is ignored
                raise ClientGoneError
