"""What completion knows: the session, the notebook's namespace, and files. Nothing here waits for a network."""

from __future__ import annotations

import functools
import heapq
import keyword
import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...help import search as helptext
from ...providers import names, provider_class
from ...providers.base import Provider
from ...providers.model_catalog import get_catalog
from ...providers.validation import parse_base_url
from ..chat_command import chat_options
from ..session import LIVE, Lockbots
from .offers import MOST, Offer

if TYPE_CHECKING:
    from ..commands.command import Command

LARGEST_FOLDER = 20_000
"""Entries of a folder that are looked at."""


class Known:
    """See `offers.Knowledge`.

    Args:
        session: the conversations and settings.
        namespace: the notebook's variables, by name.
        hidden: the names among them that nobody made.
        expressions: completes Python code.
    """

    def __init__(
        self,
        session: Lockbots,
        *,
        namespace: Mapping[str, Any],
        hidden: Iterable[str],
        expressions: Callable[[str], tuple[int, Iterable[Offer]]],
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._hidden = hidden
        self.expressions = expressions
        self._sources: dict[str, Callable[[], Iterable[str]]] = {
            "command": _commands,
            "provider": lambda: self._providers,
            "conversation": lambda: dict.fromkeys((*session.conversations, "main")),
            "variable": lambda: [name for name, _ in self._variables()],
            "function": lambda: [name for name, value in self._variables() if _is_function(value)],
            "persona": self._personas,
            "setting": lambda: sorted(session.class_traits(config=True)),
            "topic": lambda: [*_commands(), *helptext.list_titles()],
        }

    def parser(self, command: str | None = None) -> ArgumentParser | None:
        """The options of a command, of `%%chat` without one; None if there is no such command."""
        if command is None:
            return chat_options()
        known = _commands().get(command)
        return known.options(command) if known else None

    def takes_prompt(self, command: str) -> bool:
        """Whether a command takes a prompt, behind a `--`."""
        known = _commands().get(command)
        return known is not None and bool(known.text)

    def names(self, kind: str) -> Iterable[str]:
        """All names of a kind."""
        return self._sources[kind]()

    def models(self, provider: str, address: str | None = None) -> Iterable[str]:
        """The models of `provider`: what its server listed last, its table, the one in use."""
        kind = self._provider(provider)
        if kind is None:
            return ()
        with suppress(UsageError):
            address = parse_base_url(address) if address else None
        address = address or self._session.settings_of(provider).get("base_url") or kind.url
        listed = [model.id for model in get_catalog(self._session).get(provider, address)]
        name, _, in_use = self._session.model.partition(":")
        known = (*listed, *kind.models, kind.default_model, in_use if name == provider else "")
        return [model for model in dict.fromkeys(known) if model]

    def addresses(self, provider: str) -> Iterable[str]:
        """Base URLs where models of `provider` were found."""
        return get_catalog(self._session).base_urls(provider)

    def parameters(self, model: str | None = None) -> Iterable[str]:
        """What `-p` sets for `model`, the one in use by default."""
        kind = self._provider((model or self._session.model).partition(":")[0])
        return kind.parameters if kind else ()

    def values(self, setting: str) -> Iterable[str]:
        """The values of a setting that has a few."""
        return LIVE if setting == "live" else ()

    def paths(self, typed: str) -> Iterator[str]:
        """Paths that begin as typed, see `paths`."""
        return paths(typed)

    @functools.cached_property
    def _providers(self) -> list[str]:
        """Looking for plug-ins takes a while; those installed meanwhile are seen when the extension is loaded anew."""
        return names()

    def _provider(self, name: str) -> type[Provider] | None:
        if name not in self._providers:
            return None
        with suppress(UsageError):
            return provider_class(name)
        return None

    def _personas(self) -> list[str]:
        from ...prompt import personas  # noqa: PLC0415  # few prompts have one

        return personas.names(self._session.personas, self._session.persona_folders())

    def _variables(self) -> Iterator[tuple[str, Any]]:
        hidden = set(self._hidden)
        for name, value in list(self._namespace.items()):
            if isinstance(name, str) and _is_public(name) and name not in hidden:
                yield name, value


def paths(typed: str) -> Iterator[str]:
    """Yield paths that begin as typed, in order; hidden ones once a dot is typed."""
    at = max(typed.rfind("/"), typed.rfind(os.sep)) + 1
    before, begun = typed[:at], typed[at:]
    with suppress(OSError, ValueError, RuntimeError), os.scandir(Path(before or ".").expanduser()) as entries:
        fitting = (e for e in islice(entries, LARGEST_FOLDER) if e.name.lower().startswith(begun.lower()))
        shown = (e for e in fitting if begun.startswith(".") or not e.name.startswith("."))
        for entry in heapq.nsmallest(MOST, shown, key=lambda e: e.name):
            yield before + entry.name + ("/" if _is_folder(entry) else "")


def _commands() -> Mapping[str, Command]:
    from ..commands import COMMANDS  # noqa: PLC0415  # a TAB on %%chat need not wait for them

    return COMMANDS


def _is_public(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


def _is_function(value: Any) -> bool:
    """Whether `value` can be called, and is no class."""
    return callable(value) and not issubclass(type(value), type)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
