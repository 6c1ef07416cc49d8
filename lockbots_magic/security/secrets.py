"""Credentials, held so that they do not show."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock
from urllib.parse import quote, quote_plus
from weakref import WeakSet

SHORTEST_SEARCHED = 8
"""Characters from which on a credential is looked for in text not its own, lest a word be taken for one."""


class MalformedCredential(ValueError):  # noqa: N818  # named for what it is about
    """The credential can't be sent in a header."""


class Secret:
    """A credential. Its repr and str hide it; `reveal` is for the line that sends it.

    Args:
        value: the credential itself.
        scheme: what is sent in front of it, such as ``"Bearer "``.

    Raises:
        MalformedCredential: it can't be sent in a header: it is empty, or holds a line break or a character
            beyond ASCII.
    """

    __slots__ = ("__weakref__", "_scheme", "_value")

    def __init__(self, value: str, scheme: str = "") -> None:
        value = value.strip() if isinstance(value, str) else ""
        if not (value and value.isascii() and value.isprintable()):
            value = ""  # what shows this frame shows no credential
            raise MalformedCredential(
                "the credential is empty, or holds a line break or a character that can't be sent; copy it again"
            )
        self._value = value
        self._scheme = scheme
        with _lock:
            _alive.add(self)

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap `value`; nothing stays nothing, and so does blank text.

        Raises:
            MalformedCredential: as the constructor.
        """
        if value is None or isinstance(value, Secret):
            return value
        return cls(value) if value and not (isinstance(value, str) and value.isspace()) else None

    def bearer(self) -> Secret:
        """The credential as the header `Authorization` carries it (RFC 6750, 2.1)."""
        return Secret(self._value, "Bearer ")

    def reveal(self) -> str:
        """The credential as it is sent."""
        return self._scheme + self._value

    def size(self) -> int:
        """How many characters the credential has."""
        return len(self._value)

    def redact(self, text: str) -> str:
        """Return `text` without the credential, as it is or as an address or JSON writes it."""
        for form in self._forms():
            text = text.replace(form, "***")
        return text

    def shows_in(self, text: str) -> bool:
        """Whether `text` holds the credential (of 8 characters or more)."""
        return self.size() >= SHORTEST_SEARCHED and any(form in text for form in self._forms())

    def begun_at_end_of(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of the credential."""
        ends = range(min(self.size() * 3, len(text)), 0, -1)  # an address may write a character as three
        forms = [form for form in self._forms() if form[0] in text]
        return next((n for n in ends if any(f.startswith(text[-n:]) for f in forms)), 0) if forms else 0

    def _forms(self) -> Iterable[str]:
        in_json = json.dumps(self._value, ensure_ascii=False)[1:-1]
        return dict.fromkeys((self._value, quote(self._value, safe=""), quote_plus(self._value), in_json))

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a credential is not saved")


class Redactor:
    """Takes a credential (of 8 characters or more) out of text that arrives in pieces.

    Args:
        secret: the credential; None lets everything pass.
    """

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret if secret is not None and secret.size() >= SHORTEST_SEARCHED else None
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what can be shown by now; an end that may be the beginning of the credential waits."""
        if self._secret is None:
            return text
        text = self._secret.redact(self._held + text)
        begun = self._secret.begun_at_end_of(text)
        self._held = text[len(text) - begun :]
        return text[: len(text) - begun]

    def close(self) -> str:
        """Return what was waiting."""
        held, self._held = self._held, ""
        return held


_alive: WeakSet[Secret] = WeakSet()
_lock = Lock()


_VARIABLE = re.compile(r"LOCKBOTS_\w+_AUTH|\w+_API_KEY", re.IGNORECASE)
"""Names under which an environment holds credentials."""


def _in_use() -> list[Secret]:
    """Those that somebody holds, and those of the environment, of whichever service."""
    found = _held(tuple(value for name, value in os.environ.items() if _VARIABLE.fullmatch(name)))
    with _lock:
        return [*{*_alive, *found}]


@functools.lru_cache(maxsize=1)
def _held(values: tuple[str, ...]) -> list[Secret]:
    secrets = []
    for value in values:
        with suppress(MalformedCredential):  # empty, or nothing that could be sent
            secrets.append(Secret(value))
    return secrets


def secrets_in(text: str) -> bool:
    """Whether `text` holds a credential that is in use."""
    return any(secret.shows_in(text) for secret in _in_use())


def redacted(text: str) -> str:
    """Return `text` without any credential that is in use (of 8 characters or more)."""
    for secret in sorted(_in_use(), key=Secret.size, reverse=True):  # one may begin as another does
        if secret.shows_in(text):
            text = secret.redact(text)
    return text
