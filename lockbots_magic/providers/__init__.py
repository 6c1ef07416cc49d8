"""The registry. A provider is one file and one line here; plug-ins come the same way, as entry points.

A plug-in declares, in its own `pyproject.toml`::

    [project.entry-points."lockbots_magic.providers"]
    myservice = "my_package.my_module:MyProvider"
"""

from __future__ import annotations

import difflib
import functools
from importlib.metadata import EntryPoint, entry_points

from ..errors import UsageError
from .base import Provider

GROUP = "lockbots_magic.providers"

_BUILT_IN = {
    "guide": "lockbots_magic.help.guide:Guide",
    "lockchat": "lockbots_magic.providers.lockchat:Lockchat",
    "liaobots": "lockbots_magic.providers.liaobots:Liaobots",
    "openai": "lockbots_magic.providers.openai_compatible:presets.openai",
    "anthropic": "lockbots_magic.providers.openai_compatible:presets.anthropic",
    "gemini": "lockbots_magic.providers.openai_compatible:presets.gemini",
    "openrouter": "lockbots_magic.providers.openai_compatible:presets.openrouter",
    "groq": "lockbots_magic.providers.openai_compatible:presets.groq",
    "mistral": "lockbots_magic.providers.openai_compatible:presets.mistral",
    "deepseek": "lockbots_magic.providers.openai_compatible:presets.deepseek",
    "ollama": "lockbots_magic.providers.openai_compatible:presets.ollama",
    "lmstudio": "lockbots_magic.providers.openai_compatible:presets.lmstudio",
    "llamacpp": "lockbots_magic.providers.openai_compatible:presets.llamacpp",
    "vllm": "lockbots_magic.providers.openai_compatible:presets.vllm",
}


@functools.cache
def _entries() -> dict[str, EntryPoint]:
    plug_ins = {entry.name: entry for entry in entry_points(group=GROUP)}
    built_in = {name: EntryPoint(name, value, GROUP) for name, value in _BUILT_IN.items()}
    return {**plug_ins, **built_in}


def _entry(name: str) -> EntryPoint | None:
    if name not in _entries():
        _entries.cache_clear()  # it may have been installed since
    return _entries().get(name)


def names() -> list[str]:
    """The names of all providers, built-in ones first, without loading any."""
    _entries.cache_clear()
    known = _entries()
    return [*_BUILT_IN, *sorted(name for name in known if name not in _BUILT_IN)]


def provider_class(name: str) -> type[Provider]:
    """Return the provider called `name`.

    Raises:
        UsageError: there is none, or a plug-in does not load.
    """
    entry = _entry(name)
    if entry is None:
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {near[0]!r}?" if near else "%lockbots providers  lists them"
        raise UsageError(f"there is no provider {name!r}; {hint}")
    try:
        loaded = entry.load()
    except Exception as error:
        raise UsageError(f"the provider {name!r} does not load: {type(error).__name__}: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Provider) and hasattr(loaded, "name")):
        raise UsageError(f"the provider {name!r} is no Provider with a name: {entry.value}")
    return loaded


def split_model(text: str) -> tuple[str, str]:
    """Split ``provider:model`` at its first colon; a provider's name alone means its default model.

    Raises:
        UsageError: there is no such provider.
    """
    name, _, model = text.strip().partition(":")
    if _entry(name) is None:
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {near[0]!r}?" if near else "%lockbots providers  lists them"
        form = "" if ":" in text else ". A model is written provider:model, such as ollama:llama3.2"
        raise UsageError(f"there is no provider {name!r}; {hint}{form}")
    return name, model
