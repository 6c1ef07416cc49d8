"""Active cassette: the one of the whole process, or of a single chat."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..language import _
from ..providers.base import Provider
from . import MODES

if TYPE_CHECKING:
    from .cassette import Cassette
    from .provider import CassetteProvider

FILE_VARIABLE = "LOCKBOTS_CASSETTE"
MODE_VARIABLE = "LOCKBOTS_CASSETTE_MODE"

_inserted: list[Cassette] = []
"""Cassettes inserted by code; the last one is in use."""
_of_notebook: list[Callable[[], Cassette | None]] = []
"""Tells the cassette of the notebook's session, while the extension is loaded."""
_named: dict[tuple[str, str], Cassette] = {}
"""Cassettes named by the environment, by file and mode. Each is opened once, so that it continues where it was."""


def open_cassette(path: str | Path, mode: str | None = None, speed: float | None = None, hint: str = "") -> Cassette:
    """Open a cassette. A mode named by the environment takes precedence over `mode`.

    Args:
        path: As for `Cassette`.
        mode: As for `Cassette`.
        speed: As for `Cassette`.
        hint: As for `Cassette`.

    Raises:
        UsageError: As for `Cassette`.
    """
    cassette_class, _unused = _classes()
    return cassette_class(path, environment_mode() or mode or "auto", speed, hint)


def environment_mode() -> str:
    """Return the mode that the environment names; ``""`` if none.

    Raises:
        UsageError: If it names an unknown mode.
    """
    mode = os.environ.get(MODE_VARIABLE, "").strip().lower()
    if mode and mode not in MODES:
        raise UsageError(
            _(
                "{mode_variable} must be one of {names}, got {mode!r}.",
                mode_variable=MODE_VARIABLE,
                names=", ".join(MODES),
                mode=mode,
            )
        )
    return mode


def insert_cassette(cassette: Cassette) -> None:
    """Make every chat of this process use a cassette, until it is ejected."""
    _inserted.append(cassette)


def eject_cassette(cassette: Cassette | None = None) -> Cassette | None:
    """Undo `insert_cassette` and return the cassette; the last one by default, None if there is none."""
    found = next((one for one in reversed(_inserted) if cassette in (None, one)), None)
    if found is not None:
        _inserted.remove(found)
    return found


def is_inserted(cassette: Cassette) -> bool:
    """Return whether code inserted a cassette with `insert_cassette`, and has not ejected it since."""
    return any(one is cassette for one in _inserted)


def active_cassette() -> Cassette | None:
    """Return the cassette that every chat of this process uses, if any.

    Raises:
        UsageError: If the environment names one that can't be used.
    """
    if _inserted:
        return _inserted[-1]
    name = os.environ.get(FILE_VARIABLE, "").strip()
    if not name:
        return None
    key = (name, environment_mode())
    if key not in _named:
        _named[key] = open_cassette(name, hint=f"set {MODE_VARIABLE}=auto")
    return _named[key]


def follow_notebook_cassette(current: Callable[[], Cassette | None] | None) -> None:
    """Have `cassette_in_use` look at the cassette of a notebook's session first; None ends that."""
    _of_notebook[:] = [] if current is None else [current]


def cassette_in_use() -> Cassette | None:
    """Return the notebook's cassette, else that of the process. Not for chats: code has those of its own.

    Raises:
        UsageError: As for `active_cassette`.
    """
    return next((found for current in _of_notebook if (found := current()) is not None), None) or active_cassette()


def with_active_cassette(provider: Provider) -> Provider:
    """Return `provider` behind the active cassette, unless there is none or it has a cassette of its own."""
    cassette = active_cassette()
    return provider if cassette is None or cassette_of(provider) else _wrap(provider, cassette)


def with_cassette(
    provider: Provider, cassette: str | Path | Cassette | None, mode: str | None = None, speed: float | None = None
) -> Provider:
    """Return `provider` behind a cassette of its own, or unchanged if `cassette` is None.

    Args:
        provider: The provider.
        cassette: A cassette, or the file to open as one.
        mode: As for `Cassette`; only with a file.
        speed: As for `Cassette`; only with a file.

    Raises:
        UsageError: As for `Cassette`, or if mode or speed is given without a file.
    """
    if isinstance(cassette, str | Path):
        cassette = open_cassette(cassette, mode, speed)
    elif mode is not None or speed is not None:
        raise UsageError(
            _("`mode` and `speed` need the file of a cassette: Chat(..., cassette='talk.jsonl', mode='replay')")
        )
    return provider if cassette is None else _wrap(provider, cassette)


def cassette_of(provider: Provider) -> Cassette | None:
    """Return the cassette that a provider is behind, if any.

    A plug-in may have an attribute `cassette` of its own, so the type decides.
    """
    module = sys.modules.get(f"{__package__}.cassette")  # not loaded yet: no provider is behind a cassette
    found = getattr(provider, "cassette", None)
    return found if module is not None and isinstance(found, module.Cassette) else None


def _wrap(provider: Provider, cassette: Cassette) -> Provider:
    _unused, provider_class = _classes()
    return provider_class(provider, cassette)


def _classes() -> tuple[type[Cassette], type[CassetteProvider]]:
    from . import cassette, provider  # noqa: PLC0415  # filelock and difflib take 15 ms; most chats have no cassette

    return cassette.Cassette, provider.CassetteProvider
