"""Messages of the request that a server sends back before its reply: left out. Pure.

Observed: a first chunk of the role `user` with the prompt. A server may also call its own reply that, so that only what
was sent is taken for an echo.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MAX_HELD = 65_536
"""Characters that are held, and more than what was sent: beyond it, text is no echo."""
_OTHERS = ("user", "system", "developer")
"""Roles of a request."""


class EchoFilter:
    """Returns the text of a reply without the echo of its request.

    Args:
        sent: Texts of the messages that were sent.
    """

    def __init__(self, sent: Iterable[str] = ()) -> None:
        self.is_open = False
        """True as long as text is held that may be an echo."""
        self._sent = sent
        self._role = ""
        self._held: list[str] = []
        self._size = 0
        self._most = MAX_HELD
        self._is_measured = False

    def feed(self, role: Any, text: str) -> str:
        """Return the text of the reply that a delta adds.

        Args:
            role: Role that the delta names; nearly all name none, or `assistant`.
            text: Text of the delta.
        """
        before = self.close() if role and role != self._role else ""
        if role in _OTHERS:
            self.is_open, self._role = True, role
        if not self.is_open:
            return before + text
        self._held.append(text)
        self._size += len(text)
        return before + (self._give_up() if self._size > self._most else "")

    def _give_up(self) -> str:
        """Return what is held if it is too long to be an echo."""
        if not self._is_measured:
            self._sent, self._is_measured = tuple(self._sent), True
            self._most = MAX_HELD + max(map(len, self._sent), default=0)
        if self._size <= self._most:
            return ""
        text, self.is_open = "".join(self._held), False
        self._held.clear()
        return text

    def close(self) -> str:
        """Return the text that is held, unless it is an echo."""
        text, self.is_open, self._size = "".join(self._held), False, 0
        self._held.clear()
        if not text:
            return ""
        self._sent = tuple(self._sent)  # not before: it may be a generator, and few servers send an echo
        return "" if text.strip() in map(str.strip, self._sent) else text
