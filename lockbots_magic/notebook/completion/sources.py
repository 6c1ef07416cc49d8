"""Sources of completions: the session, the notebook's variables, and files. None of them contacts a server."""

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
from typing import TYPE_CHECKING, Any, NamedTuple

from traitlets import Bool

from ...conversation.model_names import display_names
from ...errors import UsageError
from ...help.sections import list_titles
from ...language import _
from ...prompt import loaders, personas
from ...providers import names, provider_class
from ...providers.base import Provider
from ...tools.approval import MODES
from ...tools.tool_source import is_tool_source
from ..options import chat_options
from ..session import Session
from .cursor import CursorWord

if TYPE_CHECKING:
    from ..commands.command import Command

MAX_CANDIDATES = 500
"""Candidates at once; IPython shows no more."""
MAX_DESCRIPTION = 72
"""Characters of the description of a candidate."""
MAX_FOLDER_ENTRIES = 20_000
"""Entries of a folder that are considered."""


class Candidate(NamedTuple):
    """One completion."""

    text: str
    kind: str = ""
    """What it is, in a word or a line; front ends show it beside the text."""


class Sources:
    """Completes the values of options, and names of commands.

    An option names its source by its attribute `completer`, see `options.Completer`: the method ``complete_NAME``.

    Args:
        session: The conversations and settings.
        namespace: The notebook's variables, by name.
        hidden: Names among them that the user did not define.
        expressions: Completes Python code at its end; it returns the start index and the candidates.
    """

    def __init__(
        self,
        session: Session,
        *,
        namespace: Mapping[str, Any],
        hidden: Iterable[str],
        expressions: Callable[[str], tuple[int, Iterable[Candidate]]],
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._hidden = hidden
        self.complete_expression = expressions

    def parser(self, command: str | None = None) -> ArgumentParser | None:
        """Return the options of a command, those of `%%chat` by default; None if there is no such command."""
        if command is None:
            return chat_options()
        known = _commands().get(command)
        return known.options(command) if known else None

    def takes_prompt(self, command: str) -> bool:
        """Whether a command takes a prompt behind `--`."""
        known = _commands().get(command)
        return known is not None and bool(known.text)

    def complete_command(self) -> Iterable[Candidate]:
        """Return the commands of `%lockbots`."""
        return [Candidate(name, describe(one.summary)) for name, one in _commands().items()]

    def complete_value(self, word: CursorWord) -> Iterable[Candidate]:
        """Return the values of the option or argument at the cursor: its choices, or what its completer returns."""
        if word.action is None:
            return ()
        if word.action.choices is not None:
            return _candidates("choice", map(str, word.action.choices))
        completer = getattr(word.action, "completer", None)
        if completer is None:
            return ()
        complete: Callable[[CursorWord], Iterable[Candidate]] = getattr(self, f"complete_{completer}")
        return complete(word)

    def complete_address(self, word: CursorWord) -> Iterable[Candidate]:
        """Return base URLs where models of the provider on the line were found."""
        provider = next(iter(word.given.get("model", ())), "").partition(":")[0]
        return _candidates("address", self._session.catalog.base_urls(provider))

    def complete_approval(self, _: CursorWord) -> Iterable[Candidate]:
        """Return the modes of approval, and functions that may decide."""
        functions = (name for name, value in self._variables() if _is_function(value))
        return (*_candidates("approval", MODES), *_candidates("function", functions))

    def complete_conversation(self, _: CursorWord) -> Iterable[Candidate]:
        """Return the conversations."""
        return _candidates("conversation", dict.fromkeys((*self._session.conversations.by_name, "main")))

    def complete_file(self, word: CursorWord) -> Iterable[Candidate]:
        """Return files and folders."""
        return _candidates("path", find_paths(word.typed))

    def complete_source(self, word: CursorWord) -> Iterable[Candidate]:
        """Return files, folders and loaders; behind ``git:``, files and folders again."""
        name, colon, path = word.typed.partition(":")
        if colon and name == "git":
            return _candidates("path", (f"git:{found}" for found in find_paths(path)))
        named = (f"{one}://" if one in ("http", "https") else f"{one}:" for one in self._loaders)
        return (*self.complete_file(word), *_candidates("loader", named))

    def complete_functions(self, word: CursorWord) -> Iterable[Candidate]:
        """Return functions and sources of tools for the last name of a comma-separated list; each stands in it once."""
        before, comma, _rest = word.typed.rpartition(",")
        listed = before.split(",")
        tools = (name for name, value in self._variables() if _is_tool(value) and name not in listed)
        return _candidates("function", (before + comma + name for name in tools))

    def complete_image(self, word: CursorWord) -> Iterable[Candidate]:
        """Return variables and files."""
        return (*self.complete_variable(word), *self.complete_file(word))

    def complete_model(self, word: CursorWord) -> Iterable[Candidate]:
        """Return providers, then behind the colon the models: listed by the server, in the table, in use."""
        provider, colon, _rest = word.typed.partition(":")
        if not colon:
            return _candidates("provider", (f"{name}:" for name in self._providers))
        address = next(iter(word.given.get("base_url", ())), None)
        return _candidates("model", (f"{provider}:{model}" for model in self._models(provider, address)))

    def complete_parameter(self, word: CursorWord) -> Iterable[Candidate]:
        """Return the parameters of the model on the line, by default of the one in use."""
        model = next(iter(word.given.get("model", ())), None) or self._session.settings.model
        provider = self._provider(model.partition(":")[0])
        return _candidates("parameter", (f"{name}=" for name in provider.parameters)) if provider else ()

    def complete_persona(self, _: CursorWord) -> Iterable[Candidate]:
        """Return personas. A name with a space is left out: behind a space, the parameters of a persona start."""
        known = personas.list_personas(self._session.settings.personas, self._session.persona_folders())
        return _candidates("persona", (f"@{name}" for name in known if name.split() == [name]))

    def complete_provider(self, _: CursorWord) -> Iterable[Candidate]:
        """Return the providers."""
        return _candidates("provider", self._providers)

    def complete_setting(self, _: CursorWord) -> Iterable[Candidate]:
        """Return the settings."""
        return [Candidate(name, describe(text)) for name, _value, text in self._session.settings.rows()]

    def complete_setting_value(self, word: CursorWord) -> Iterable[Candidate]:
        """Return the values of the setting on the line, if they can be listed."""
        (name,) = word.given["name"][:1]
        if name == "model":
            return self.complete_model(word)
        trait = self._session.settings.class_traits(config=True).get(name)
        values = getattr(trait, "values", None) or (("on", "off") if isinstance(trait, Bool) else ())
        return _candidates("value", map(str, values))

    def complete_topic(self, _: CursorWord) -> Iterable[Candidate]:
        """Return topics of the help, commands included."""
        return _candidates("topic", (*_commands(), *list_titles()))

    def complete_variable(self, _: CursorWord) -> Iterable[Candidate]:
        """Return the notebook's variables."""
        return _candidates("variable", (name for name, _value in self._variables()))

    def _models(self, provider: str, address: str | None = None) -> Iterable[str]:
        kind = self._provider(provider)
        if kind is None:
            return ()
        with suppress(UsageError):
            address = self._session.address_of(provider, address or None)[0]
        listed = display_names([model.id for model in self._session.catalog.get(provider, address or kind.url)])
        name, _colon, in_use = self._session.settings.model.partition(":")
        known = (*listed, *kind.known_models(), in_use if name == provider else "")
        return [model for model in dict.fromkeys(known) if model]

    @functools.cached_property
    def _providers(self) -> list[str]:
        """Names of the providers. Finding plug-ins is slow; new ones are found when the extension is reloaded."""
        return names()

    @functools.cached_property
    def _loaders(self) -> list[str]:
        """Names of the loaders; new ones are found when the extension is reloaded."""
        return loaders.names()

    def _provider(self, name: str) -> type[Provider] | None:
        if name not in self._providers:
            return None
        with suppress(UsageError):
            return provider_class(name)
        return None

    def _variables(self) -> Iterator[tuple[str, Any]]:
        hidden = set(self._hidden)
        for name, value in list(self._namespace.items()):
            if isinstance(name, str) and _is_public(name) and name not in hidden:
                yield name, value


def describe(text: str | None) -> str:
    """Return the first sentence of a help text, in the user's language, for the place beside a completion.

    Example:
        >>> describe("Sampling temperature, 0-2; lower is more deterministic. None: provider's default.")
        'Sampling temperature, 0-2; lower is more deterministic'
    """
    told = _(text) if text else ""
    line = " ".join(told.replace("%%", "%").split()).partition(". ")[0].rstrip(".")
    return line if len(line) <= MAX_DESCRIPTION else f"{line[: MAX_DESCRIPTION - 1].rstrip()}…"


def find_paths(typed: str) -> Iterator[str]:
    """Yield paths that start with `typed`, sorted; hidden ones only behind a dot. A folder ends with a slash."""
    at = max(typed.rfind("/"), typed.rfind(os.sep)) + 1
    before, begun = typed[:at], typed[at:]
    with suppress(OSError, ValueError, RuntimeError), os.scandir(Path(before or ".").expanduser()) as entries:
        matching = (e for e in islice(entries, MAX_FOLDER_ENTRIES) if e.name.lower().startswith(begun.lower()))
        shown = (e for e in matching if begun.startswith(".") or not e.name.startswith("."))
        for entry in heapq.nsmallest(MAX_CANDIDATES, shown, key=lambda e: e.name):
            yield before + entry.name + ("/" if _is_folder(entry) else "")


def _candidates(kind: str, texts: Iterable[str]) -> Iterable[Candidate]:
    return (Candidate(text, kind) for text in texts)


def _commands() -> Mapping[str, Command]:
    from ..commands import COMMANDS  # noqa: PLC0415  # they load Markdown, and a line of %%chat doesn't need them

    return COMMANDS


def _is_public(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


def _is_function(value: Any) -> bool:
    """Whether `value` is callable and not a class."""
    return callable(value) and not issubclass(type(value), type)


def _is_tool(value: Any) -> bool:
    return _is_function(value) or is_tool_source(value)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
