"""Loaders: what `--file` takes besides paths. ``NAME:ARGUMENT`` is loaded by the loader called NAME.

A loader is one function. It takes the argument, as text, and returns text and its title::

    def load(argument: str) -> tuple[str, str]:
        \"\"\"Page of the company's wiki, by its name.\"\"\"
        return read_wiki(argument), f"Wiki page {argument}"

The built-in ones stand in `_BUILT_IN`. A plug-in puts its line into the `pyproject.toml` of its own package::

    [project.entry-points."lockbots_magic.loaders"]
    wiki = "my_package.my_module:load"

The first line of the function's docstring is shown by `%lockbots loaders`.
"""

from __future__ import annotations

import difflib
import inspect
import os
import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ...errors import LockbotsError, UsageError
from ...language import _
from ...security.control_characters import replace_surrogates
from ..part import PromptPart
from ..text import to_one_line, truncate

ENTRY_POINT_GROUP = "lockbots_magic.loaders"
MAX_LENGTH = 100_000
"""Characters of what is loaded."""
MAX_TITLE = 200
"""Characters of a title."""

Loader = Callable[[str], tuple[str, str]]

_BUILT_IN = {
    "https": "lockbots_magic.prompt.loaders.web:load_https",
    "http": "lockbots_magic.prompt.loaders.web:load_http",
    "git": "lockbots_magic.prompt.loaders.git:load",
    "log": "lockbots_magic.storage.log.loader:load",
}
_NAME = re.compile(r"([A-Za-z][A-Za-z0-9_+-]+):(.*)", re.DOTALL)  # two letters: C: is a drive


def names() -> list[str]:
    """Return the names of all loaders, built-in ones first, without loading any."""
    plug_ins = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return [*_BUILT_IN, *sorted(plug_ins - _BUILT_IN.keys())]


def split_name(text: str) -> tuple[str, str] | None:
    """Return the name of a loader and its argument; None for a path.

    Example:
        >>> split_name("git:notes/plan.md@HEAD"), split_name("plan.md")
        (('git', 'notes/plan.md@HEAD'), None)
    """
    match = _NAME.fullmatch(text)
    if match is None or os.path.lexists(text):
        return None
    return match[1].lower(), match[2]


def describe_loader(name: str) -> str:
    """Return the first line of a loader's docstring, or why it fails to load."""
    try:
        return (inspect.getdoc(_find_loader(name)) or "").partition("\n")[0]
    except UsageError as error:
        return str(error)


def load_part(name: str, argument: str) -> PromptPart:
    """Load something for a prompt: its title, and its text up to `MAX_LENGTH`.

    Args:
        name: Name of the loader.
        argument: What it is to load.

    Raises:
        UsageError: There is no such loader, or it failed; the message says what to do.
    """
    loader = _find_loader(name)
    shown = to_one_line(f"{name}:{argument}", MAX_TITLE)
    if not argument.strip():
        raise UsageError(_("{name}: needs something to load. {hint}", name=name, hint=describe_loader(name)))
    try:
        loaded: Any = loader(argument)
    except (LockbotsError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise UsageError(
            _("{shown} can't be loaded: {kind}: {error}", shown=shown, kind=type(error).__name__, error=error)
        ) from error
    is_pair = isinstance(loaded, tuple) and len(loaded) == 2
    if not is_pair or not all(isinstance(one, str) for one in loaded):
        raise UsageError(_("{shown} can't be loaded: the loader must return text and a title.", shown=shown))
    text, title = (replace_surrogates(one) for one in loaded)
    title = to_one_line(title, MAX_TITLE) or shown
    notes: tuple[str, ...] = (_("{title}: {n:,} characters loaded", title=title, n=len(text)),)
    if len(text) > MAX_LENGTH:
        notes = (
            _(
                "{title}: only the first {max_length:,} of {n:,} characters were sent",
                title=title,
                max_length=MAX_LENGTH,
                n=len(text),
            ),
        )
        text = f"{truncate(text, MAX_LENGTH)}\n[… it goes on]"
    return PromptPart(f"{title}:\n\n{text}", notes=notes).without_hidden_text(title).redact()


def _find_loader(name: str) -> Loader:
    """Return a loader.

    Raises:
        UsageError: It is unknown, or a plug-in that fails to load.
    """
    if name in _BUILT_IN:
        entry = EntryPoint(name, _BUILT_IN[name], ENTRY_POINT_GROUP)
    else:
        found = [one for one in entry_points(group=ENTRY_POINT_GROUP) if one.name == name]
        if not found:
            raise UsageError(
                _(
                    "File not found: {name}:… There is no loader {name!r} either. {suggest}",
                    name=name,
                    suggest=_suggest(name),
                )
            )
        entry = found[0]
    try:
        loaded = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UsageError(
            _("Loader {name!r} failed to load. {kind}: {error}", name=name, kind=type(error).__name__, error=error)
        ) from error
    if not callable(loaded):
        raise UsageError(_("Loader {name!r} failed to load. {entry} must be a function.", name=name, entry=entry.value))
    loader: Loader = loaded
    return loader


def _suggest(name: str) -> str:
    near = difflib.get_close_matches(name, names(), 1)
    return (
        _("Did you mean {near}:?", near=near[0])
        if near
        else _("Loaders: {names}.", names=", ".join(f"{one}:" for one in names()))
    )
