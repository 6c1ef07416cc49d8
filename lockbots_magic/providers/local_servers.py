"""Kinds of model servers that people run on their machine: their usual ports, and how they name themselves.

Sources: the documentation of each server, and the field `owned_by` of its list of models as observed. llama-server
announces the move of its port from 8080 to 9931: https://github.com/ggml-org/llama.cpp/pull/26508
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..conversation.messages import ModelInfo


@dataclass(frozen=True)
class ServerKind:
    """A kind of model server."""

    title: str
    provider: str = ""
    """Name of the provider made for it, if there is one."""
    ports: tuple[int, ...] = ()
    """Usual ports; where several kinds share one, that of the most common."""
    owners: tuple[str, ...] = ()
    """What its lists of models hold as `owned_by`, lower case."""


KINDS = (
    ServerKind("Ollama", "ollama", (11434,), ("library", "ollama")),
    ServerKind("LM Studio", "lmstudio", (1234,), ("organization_owner", "lmstudio")),
    ServerKind("llama.cpp", "llamacpp", (8080, 9931), ("llamacpp",)),
    ServerKind("vLLM", "vllm", (8000,), ("vllm",)),
    ServerKind("LiteLLM", "", (4000,), ("litellm",)),
    ServerKind("SGLang", "", (30000,), ("sglang",)),
    ServerKind("KoboldCpp", "", (5001,), ("koboldcpp",)),
    ServerKind("Jan", "", (1337,), ("jan",)),
    ServerKind("GPT4All", "", (4891,), ("humanity",)),
    ServerKind("TabbyAPI", "", (), ("tabbyapi",)),
    ServerKind("LocalAI", "", (), ("localai",)),
    ServerKind("llama-swap", "", (), ("llama-swap",)),
)
SHARED_PORTS = (5000,)
"""Ports that several kinds use and none owns: TabbyAPI, text-generation-webui. Only a list of models tells there."""

_BY_OWNER = {owner: kind for kind in KINDS for owner in kind.owners}


def kind_of_owner(models: Iterable[ModelInfo]) -> ServerKind | None:
    """Return the kind of server that a list of models names, None if it names none that is known."""
    owners = (model.owned_by.lower() for model in models)
    return next((kind for owner in owners if (kind := _BY_OWNER.get(owner))), None)
