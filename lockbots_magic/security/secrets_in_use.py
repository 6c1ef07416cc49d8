"""Credentials in use: those of this process and those of the environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import ref

from ..late_pattern import late_pattern
from .secrets import LIVE, MalformedCredential, Secret, without_frames

_VARIABLE = late_pattern(r"LOCKBOTS_\w+_AUTH|\w+_API_KEY")
"""Names of environment variables that hold credentials, in upper case."""
_VARIABLE_ENDS = ("_API_KEY", "_AUTH")


class SecretSearch(NamedTuple):
    """The credentials to search for, as last listed."""

    environment: list[Secret]
    made: int
    """`LiveSecrets.made` at that time."""
    found: list[ref[Secret]]


_last_search: SecretSearch | None = None


def secrets_in_use() -> list[Secret]:
    """Return the credentials to search for: every live `Secret` and those of the environment, longest first.

    The order matters: one credential may begin as another does. Text of many parts is cheaper to clean as a whole.
    """
    global _last_search  # noqa: PLW0603  # one value, replaced whole
    environment = _environment_secrets()
    with LIVE.lock:
        last, made = _last_search, LIVE.made
        if last is not None and last.environment is environment and last.made == made:
            return [secret for one in last.found if (secret := one()) is not None]
        found = _by_size({*LIVE.all(), *environment})
        _last_search = SecretSearch(environment, made, list(map(ref, found)))
    return found


def _by_size(secrets: Iterable[Secret]) -> list[Secret]:
    """Return those of `secrets` that are searched for, longest first."""
    return sorted((one for one in secrets if one.is_searched), key=Secret.size, reverse=True)


_known_environment: tuple[Mapping[Any, Any], list[Secret]] = ({}, [])
"""The environment as last searched, and its credentials."""


@without_frames
def _environment_secrets() -> list[Secret]:
    """Return the credentials of the environment, which is searched again only if it has changed."""
    global _known_environment  # noqa: PLW0603  # one value, replaced whole
    data = getattr(os.environ, "_data", None)  # CPython: the encoded variables, compared in a few microseconds
    seen, known = _known_environment
    if data is not None and data == seen:
        return known
    searched = dict(data or {})  # first: a variable that another thread sets meanwhile is found by the next search
    names = [name for name in os.environ if name.upper().endswith(_VARIABLE_ENDS)]  # most names fail here, fast
    found = _secrets_of(tuple(os.environ.get(name, "") for name in names if _VARIABLE.fullmatch(name.upper())))
    _known_environment = (searched, found)
    return found


@without_frames
@functools.lru_cache(maxsize=1)
def _secrets_of(values: tuple[str, ...]) -> list[Secret]:
    secrets = []
    for value in values:
        with suppress(MalformedCredential):
            secrets.append(Secret.of(value))
    return [secret for secret in secrets if secret is not None]
