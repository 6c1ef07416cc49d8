"""Messages of the request that a server sends back before its reply: left out. Pure.

Observed: a first chunk of the role `user` with the prompt. A server may also call its own reply that, so that only what
was sent is taken for an echo.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
        return before

    def close(self) -> str:
        """Return the text that is held, unless it is an echo."""
        text, self.is_open = "".join(self._held), False
        self._held.clear()
        if not text:
            return ""
        self._sent = tuple(self._sent)  # not before: it may be a generator, and few servers send an echo
        return "" if text.strip() in map(str.strip, self._sent) else text
