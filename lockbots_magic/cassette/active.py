"""The cassette that every chat of this kernel uses, if there is one: put in by hand, or named by the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..providers.base import Provider

if TYPE_CHECKING:
    from .provider import Cassette

FILE_VARIABLE = "LOCKBOTS_CASSETTE"
MODE_VARIABLE = "LOCKBOTS_CASSETTE_MODE"

_inserted: list[Cassette] = []
"""Put in by hand; the last one counts."""
_named: dict[tuple[str, str], Cassette] = {}
"""Named by the environment: its values -> the cassette, opened once: it goes on where it was."""


def opened(path: str | Path, mode: str | None = None, speed: float | None = None, hint: str = "") -> Cassette:
    """Open a cassette. The mode that the environment names, if any, goes before the one given.

    Args:
        path, speed, hint: as for `Cassette`.
        mode: as for `Cassette`; ``"auto"`` by default.

    Raises:
        UsageError: as `Cassette`.
    """
    from .provider import Cassette  # noqa: PLC0415  # few record; %load_ext does not wait for it

    return Cassette(path, mode_of_environment() or mode or "auto", speed, hint)


def mode_of_environment() -> str:
    """The mode that the environment names, ``""`` if it names none.

    Raises:
        UsageError: there is no such mode.
    """
    mode = os.environ.get(MODE_VARIABLE, "").strip().lower()
    if mode:
        from .provider import MODES  # noqa: PLC0415  # as above

        if mode not in MODES:
            raise UsageError(f"{MODE_VARIABLE} is one of {', '.join(MODES)}, not {mode!r}")
    return mode


def insert(cassette: Cassette) -> None:
    """Use a cassette from now on, until it is ejected."""
    _inserted.append(cassette)


def eject(cassette: Cassette | None = None) -> Cassette | None:
    """Take out a cassette, the one inserted last by default, and return it; None if it is not there."""
    found = next((one for one in reversed(_inserted) if cassette in (None, one)), None)
    if found is not None:
        _inserted.remove(found)
    return found


def inserted() -> Cassette | None:
    """Return the cassette in use.

    Raises:
        UsageError: the environment names one that can't be used.
    """
    if _inserted:
        return _inserted[-1]
    name = os.environ.get(FILE_VARIABLE, "").strip()
    if not name:
        return None
    key = (name, mode_of_environment())
    if key not in _named:
        _named[key] = opened(name, hint=f"set {MODE_VARIABLE}=auto")
    return _named[key]


def through(provider: Provider) -> Provider:
    """Return `provider` behind the cassette in use, if there is one and it is behind none of its own."""
    cassette = inserted()
    if cassette is None:
        return provider
    from .provider import CassetteProvider  # noqa: PLC0415  # as above

    return provider if isinstance(provider, CassetteProvider) else CassetteProvider(provider, cassette)


def behind(
    provider: Provider, cassette: str | Path | Cassette | None, mode: str | None = None, speed: float | None = None
) -> Provider:
    """Return `provider` behind a cassette of its own, if one is given: opened, or as a file.

    Raises:
        UsageError: as `opened`, or there is a mode or a speed without a file.
    """
    if isinstance(cassette, str | Path):
        cassette = opened(cassette, mode, speed)
    elif mode is not None or speed is not None:
        raise UsageError("mode and speed go with a cassette's file: Chat(..., cassette='talk.jsonl', mode='replay')")
    if cassette is None:
        return provider
    from .provider import CassetteProvider  # noqa: PLC0415  # as above

    return CassetteProvider(provider, cassette)
