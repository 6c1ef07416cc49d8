"""Validation of provider settings. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from ..errors import AuthenticationError, UsageError
from ..language import _
from ..security.secrets import MalformedCredential, Secret
from .headers import is_credential_name

C = TypeVar("C", bound=str)

_SHARED_ACCESS = ("code", "sig")
"""Names under which Azure's functions and stores take a credential in a query."""


def parse_base_url(url: str) -> str:
    """Return `url` without slashes at the end of its path. It may have a query, such as ``?api-version=2024-10-21``.

    Raises:
        UsageError: It is not an http(s) URL, or it holds a credential.
    """
    path, mark, query = url.strip(" \t\r\n'\"<>").partition("?")  # of files of variables, and of Markdown
    url = f"{path.rstrip('/')}{mark if query.strip('/') else ''}{query.rstrip('/')}"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _unused = parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(c.isspace() for c in url):
        raise UsageError(_("Invalid base URL. It must look like https://host or http://localhost:8000/v1."))
    secret = any(is_credential_name(name) or name in _SHARED_ACCESS for name, _unused in parse_qsl(parts.query))
    if "@" in parts.netloc or secret or parts.fragment:
        raise UsageError(
            _(
                "A base URL must not hold a user, password, key or fragment. Pass the credential as "
                "`auth` or in a header of `headers`, or run `%lockbots login`."
            )
        )
    return url


def parse_timeout(timeout: Any) -> tuple[float, float | None]:
    """Return `timeout` as the pair (connect, silence), in s; the silence None if it was not set.

    Raises:
        UsageError: It is not such a pair.
    """
    try:
        connect, silence = timeout
    except (TypeError, ValueError):
        raise UsageError(
            _("timeout must be a pair (connect, silence) in s, such as (10, 600), got {timeout!r}.", timeout=timeout)
        ) from None
    return parse_limit("timeout", connect), None if silence is None else parse_seconds("timeout", silence)


def parse_limit(name: str, value: Any) -> float:
    """Return `value` as a time in s, infinite for None; see `parse_seconds`."""
    return math.inf if value is None else parse_seconds(name, value)


def parse_seconds(name: str, value: Any, *, allow_zero: bool = False) -> float:
    """Return `value` as a time in s, which may be infinite.

    Args:
        name: Name of the setting, for the message.
        value: A number, or its text.
        allow_zero: Whether 0 is valid.

    Raises:
        UsageError: It is not a number, or too small.
    """
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if seconds > 0 or (allow_zero and seconds == 0):
        return seconds
    least = ">=" if allow_zero else ">"
    raise UsageError(_("{name} must be {least} 0 s, got {value!r}.", name=name, least=least, value=value))


def parse_count(name: str, value: Any) -> int:
    """Return `value` as a non-negative integer.

    Args:
        name: Name of the setting, for the message.
        value: A number.

    Raises:
        UsageError: It is not an integer, or negative.
    """
    try:
        if value >= 0 and int(value) == value:
            return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    if isinstance(value, int):
        raise UsageError(_("{name} must be >= 0, got {value!r}.", name=name, value=value))
    raise UsageError(_("{name} must be an integer >= 0, got {value!r}.", name=name, value=value))


def parse_switch(name: str, value: Any) -> bool:
    """Return `value`, which must be a bool.

    Raises:
        UsageError: It is something else.
    """
    if isinstance(value, bool):
        return value
    raise UsageError(_("{name} must be True or False, got {value!r:.60}.", name=name, value=value))


def parse_choice(name: str, value: Any, choices: Sequence[C]) -> C:
    """Return `value`, which must be one of `choices`.

    Raises:
        UsageError: It is something else.
    """
    for choice in choices:
        if value == choice:
            return choice
    raise UsageError(
        _("{name} must be one of {names}, got {value!r:.60}.", name=name, names=", ".join(choices), value=value)
    )


def wrap_credential(value: str | Secret | None) -> Secret | None:
    """Wrap a credential so that its repr hides it; None and blank text become None.

    Raises:
        AuthenticationError: It can't be sent in a header.
    """
    try:
        return Secret.of(value)
    except MalformedCredential as error:
        value = None  # tracebacks that show this frame show no credential
        raise AuthenticationError(str(error)) from None
