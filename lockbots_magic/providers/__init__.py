"""Registry of providers: name -> class, loaded at first use.

A provider is one new file and one line. For a built-in one, the file is ``lockbots_magic/providers/myservice.py``::

    class MyService(HTTPProvider):
        name = "myservice"
        url = "https://api.myservice.example/v1"

        def attempt(self, request, model, deadline):
            http_request = HTTPRequest("POST", self.endpoint("/chat"), json={...})
            with self.open(http_request, deadline, request.cancellation) as exchange:
                for piece in exchange:
                    yield Delta(piece.decode())
                yield Delta(finish_reason="stop")

and the line stands in `_BUILT_IN`::

    "myservice": "lockbots_magic.providers.myservice:MyService",

A plug-in puts the same line in the `pyproject.toml` of its own package::

    [project.entry-points."lockbots_magic.providers"]
    myservice = "my_package.my_module:MyService"

`stream` of a plug-in yields `Delta`s, or plain text for a reply that is nothing else.

An endpoint that speaks chat completions needs no file: it is one row of `presets.PRESETS` and one line.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from ..conversation.messages import ModelInfo
from ..errors import UsageError
from ..importing import late_names
from ..language import _
from .base import Provider
from .model_families import suggest_model

ENTRY_POINT_GROUP = "lockbots_magic.providers"

_BUILT_IN = {
    "guide": "lockbots_magic.help.guide:Guide",
    "lockchat": "lockbots_magic.providers.lockchat:Lockchat",
    "liaobots": "lockbots_magic.providers.liaobots:Liaobots",
    "openai": "lockbots_magic.providers.presets:presets.openai",
    "azure": "lockbots_magic.providers.azure:Azure",
    "anthropic": "lockbots_magic.providers.presets:presets.anthropic",
    "gemini": "lockbots_magic.providers.presets:presets.gemini",
    "openrouter": "lockbots_magic.providers.presets:presets.openrouter",
    "groq": "lockbots_magic.providers.presets:presets.groq",
    "mistral": "lockbots_magic.providers.presets:presets.mistral",
    "deepseek": "lockbots_magic.providers.presets:presets.deepseek",
    "local": "lockbots_magic.providers.local:Local",
    "ollama": "lockbots_magic.providers.presets:presets.ollama",
    "lmstudio": "lockbots_magic.providers.presets:presets.lmstudio",
    "llamacpp": "lockbots_magic.providers.presets:presets.llamacpp",
    "vllm": "lockbots_magic.providers.presets:presets.vllm",
}


_CLASSES = {"Lockchat": "lockchat", "Liaobots": "liaobots", "OpenAICompatible": "openai_compatible"}
"""Classes that can be imported from here -> module, which is loaded then."""

__getattr__ = late_names(__name__, _CLASSES)


@functools.lru_cache(maxsize=1)
def _load_plug_ins(_folders: tuple[tuple[str, int], ...]) -> dict[str, EntryPoint]:
    """Look through all installed packages, once as long as their folders stay as they are: it takes 20 ms.

    A built-in provider doesn't wait for it.
    """
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP) if entry.name not in _BUILT_IN}


def _package_folders() -> tuple[tuple[str, int], ...]:
    """Return the folders of `sys.path` and when each was last changed (ns): installing a package changes one."""
    return tuple((folder, _changed_at(folder)) for folder in sys.path)


def _changed_at(folder: str) -> int:
    with suppress(OSError):
        return Path(folder).stat().st_mtime_ns
    return 0


def _find_entry(name: str) -> EntryPoint | None:
    if name in _BUILT_IN:
        return EntryPoint(name, _BUILT_IN[name], ENTRY_POINT_GROUP)
    if name not in _load_plug_ins(_package_folders()):
        _load_plug_ins.cache_clear()  # one may have been added to an installed package
    return _load_plug_ins(_package_folders()).get(name)


def names() -> list[str]:
    """Return the names of all providers, built-in ones first, without loading any."""
    return [*_BUILT_IN, *sorted(_load_plug_ins(_package_folders()))]


def displaced() -> list[tuple[str, str]]:
    """Return the plug-ins that are not used because another provider has their name: name and package of each."""
    used = {(one.name, one.value, one.dist.name) for one in _load_plug_ins(_package_folders()).values() if one.dist}
    found = [(one.name, one.value, one.dist.name) for one in entry_points(group=ENTRY_POINT_GROUP) if one.dist]
    return [(name, package) for name, value, package in found if (name, value, package) not in used]


def provider_class(name: str) -> type[Provider]:
    """Return the class of the provider called `name`.

    Raises:
        UsageError: The provider is unknown, or a plug-in fails to load: its module raises or exits, or holds no class
            that can reply.
    """
    entry = _find_entry(name)
    if entry is None:
        raise _unknown_provider(name)
    try:
        loaded = entry.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UsageError(
            _("Provider {name!r} failed to load. {kind}: {error}", name=name, kind=type(error).__name__, error=error)
        ) from error
    if fault := _find_fault(loaded):
        raise UsageError(
            _("Provider {name!r} failed to load. {entry} {fault}", name=name, entry=entry.value, fault=fault)
        )
    return cast("type[Provider]", loaded)


def _find_fault(loaded: object) -> str:
    """Return what a plug-in must change before `loaded` can be used; empty for a provider class."""
    if not (isinstance(loaded, type) and issubclass(loaded, Provider) and isinstance(getattr(loaded, "name", 0), str)):
        return _("must be a subclass of Provider with a `name`.")
    if missing := ", ".join(f"`{method}`" for method in sorted(loaded.__abstractmethods__)):
        return _("must implement {missing}.", missing=missing)
    if inspect.isasyncgenfunction(loaded.stream) or inspect.iscoroutinefunction(loaded.stream):
        return _("must implement `stream` as a generator that is not async.")
    models = loaded.models
    if not (isinstance(models, Mapping) and all(isinstance(model, ModelInfo) for model in models.values())):
        return _("must declare `models` as a mapping of ids to `ModelInfo`s, such as `model_table(ModelInfo('m'))`.")
    return ""


def split_model(text: str) -> tuple[str, str]:
    """Split ``provider:model`` at its first colon.

    Returns:
        The provider's name, and the model's id; the id is `""` (default model) for a provider's name alone.

    Raises:
        UsageError: The provider is unknown.
    """
    name, _unused, model = text.strip().partition(":")
    if _find_entry(name) is None:
        raise _unknown_provider(name, model, "" if ":" in text else _(" A model is written `provider:model`."))
    return name, model


def _suggest(name: str, model: str) -> str:
    """Return what an unknown provider may mean: another one, or the provider of a model that was named alone."""
    known, lower = names(), name.lower()
    near = difflib.get_close_matches(lower, known, 1, 0.85)
    if not near and not model and (meant := suggest_model(lower)):
        return meant
    near = near or difflib.get_close_matches(lower, known, 1)
    return ":".join(filter(None, [near[0], model])) if near else ""


def _unknown_provider(name: str, model: str = "", hint: str = "") -> UsageError:
    meant = _suggest(name, model)
    advice = (
        _("Did you mean {meant!r}?", meant=meant) if meant else _("To list the providers, run `%lockbots providers`.")
    )
    return UsageError(_("Unknown provider {name!r}. {advice}{hint}", name=name, advice=advice, hint=hint))
