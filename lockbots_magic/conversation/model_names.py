"""Names of models: how an id is shown, and whether two ids mean the same model. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

GUIDE = "guide"
"""Provider that answers questions about this package."""

_PATH = re.compile(r"(?:[/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\])|.*\\")
_FILE = re.compile(r".*[/\\][^/\\]+\.(?:gguf|ggml|bin|safetensors|llamafile|pt|onnx)\Z", re.IGNORECASE)
_VARIANT = re.compile(r":(?:latest|free|nitro|floor|online|extended|exacto|beta)\Z")
_ENDING = re.compile(r"\.(?:gguf|llamafile)\Z")
_SNAPSHOT = re.compile(r"[-@](?:latest|\d{4}-\d\d-\d\d|\d\d-\d{4}|\d\d-\d\d|\d{8}|\d{6}|\d{4}|00\d)\Z")
"""Suffix that names a snapshot: ``-2024-08-06``, ``-20241022``, ``@20241022``, ``-08-2024``, ``-0613``, ``-002``."""


def display_name(model: str) -> str:
    """Return the name under which `model` is shown and kept: the last part of a path, any other id unchanged.

    Local servers use the path of a file as the id, which tells of the machine and is hard to read.

    Example:
        >>> display_name("/home/me/models/qwen3.gguf"), display_name("meta-llama/Llama-3-8B")
        ('qwen3.gguf', 'meta-llama/Llama-3-8B')
    """
    if not (_PATH.match(model) or _FILE.match(model)):
        return model
    parts = [part for part in re.split(r"[/\\]+", model) if part not in ("", ".", "..", "~")]
    return parts[-1] if parts else model


def display_names(models: Sequence[str]) -> list[str]:
    """Return the name of each model: that of `display_name`, but the whole id where two would have the same."""
    names = [display_name(model) for model in models]
    count = Counter(names)
    return [name if count[name] == 1 else model for name, model in zip(names, models, strict=True)]


def is_same_model(asked: str, answered: str) -> bool:
    """Return whether a server that was asked for `asked` and says `answered` means the same model.

    A snapshot of a model is the same model, unless another snapshot was asked for. Prefixes of providers and folders,
    file endings and the case of letters don't matter.

    Example:
        >>> is_same_model("gpt-4o", "gpt-4o-2024-08-06"), is_same_model("gpt-4o-2024-05-13", "gpt-4o-2024-08-06")
        (True, False)
    """
    one, other = _bare(asked), _bare(answered)
    if one == other:
        return True
    base, other_base = _SNAPSHOT.sub("", one), _SNAPSHOT.sub("", other)
    dated = [name != bare and not name.endswith("-latest") for name, bare in ((one, base), (other, other_base))]
    return base == other_base and not all(dated)


def _bare(model: str) -> str:
    parts = re.split(r"[/\\]+", model.strip().strip("/\\").lower())
    return _ENDING.sub("", _VARIANT.sub("", parts[-1]))
