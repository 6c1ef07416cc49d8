"""The settings of a provider, as a caller gives them -> as they can be meant. Pure."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlsplit

from ..errors import AuthenticationError, UsageError
from ..security.secrets import MalformedCredential, Secret


def checked_url(url: str) -> str:
    """Return `url` without its last slash.

    Raises:
        UsageError: it is no http(s) URL, or it holds a credential.
    """
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(c.isspace() for c in url):
        raise UsageError("the base URL must look like https://host or http://localhost:8000/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError("a base URL holds no user, password or query; give the credential as auth or with login")
    return url


def checked_timeout(timeout: Any) -> tuple[float, float]:
    """Return `timeout` as the pair (connect, silence), in s.

    Raises:
        UsageError: it is no such pair.
    """
    try:
        connect, silence = timeout
    except (TypeError, ValueError):
        raise UsageError(f"timeout must be a pair (connect, silence) in s, such as (10, 60), not {timeout!r}") from None
    return checked_seconds("timeout", connect), checked_seconds("timeout", silence)


def checked_seconds(name: str, value: Any, *, zero: bool = False) -> float:
    """Return `value` as a time in s; infinity is one.

    Raises:
        UsageError: it is no number, or not above zero (`zero` allows that too); the message calls it `name`.
    """
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if seconds > 0 or (zero and seconds == 0):
        return seconds
    raise UsageError(f"{name} must be a number of seconds above zero, not {value!r}")


def checked_count(name: str, value: Any) -> int:
    """Return `value` as a number of times.

    Raises:
        UsageError: it is no whole number, or below zero; the message calls it `name`.
    """
    try:
        if value >= 0 and int(value) == value:
            return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise UsageError(f"{name} must be a whole number, 0 or more, not {value!r}")


def checked_credential(value: str | Secret | None) -> Secret | None:
    """Wrap a credential so that it doesn't show; None and blank text stay None.

    Raises:
        AuthenticationError: If it can't be sent in a header.
    """
    try:
        return Secret.of(value)
    except MalformedCredential as error:
        value = None  # a traceback that shows this frame shows no credential
        raise AuthenticationError(str(error)) from None
