"""Cache of the models that servers have listed, so that completion needs no request."""

from __future__ import annotations

from collections.abc import Iterable

from ..conversation.messages import ModelInfo
from ..conversation.model_names import display_names
from .base import Provider
from .streaming import translated_errors
from .wire.model_list import MAX_MODELS, ModelList


class ModelCatalog:
    """The latest list of each server, by provider name and base URL. Thread-safe."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], tuple[ModelInfo, ...]] = {}

    def fetch(self, name: str, provider: Provider) -> ModelList:
        """Return the models that `provider` lists, and keep them.

        Args:
            name: Name of the provider in the registry.
            provider: The provider to ask.

        Raises:
            ProviderError: The server failed to reply; its previous list is still kept.
        """
        with translated_errors(provider):
            listed = provider.model_list()
        if listed.models != tuple(provider.models.values()):  # the declared table needs no cache
            self.keep(name, provider.base_url, listed.models)
        return listed

    def keep(self, name: str, base_url: str, models: Iterable[ModelInfo]) -> None:
        """Keep `models` as the list of the server at `base_url`, in place of its previous list."""
        self._lists[name, base_url] = tuple(models)[:MAX_MODELS]

    def get(self, name: str, base_url: str) -> tuple[ModelInfo, ...]:
        """Return the list of a server; empty if it is unknown."""
        return self._lists.get((name, base_url), ())

    def whole_id(self, name: str, base_url: str, model: str) -> str:
        """Return the id that the server lists for `model`, the last part of a path; `model` itself if there is none.

        Args:
            name: Name of the provider.
            base_url: Base URL of the server.
            model: Id of a model, or the name under which it is shown.
        """
        listed = [one.id for one in self.get(name, base_url)]
        named = {shown: whole for whole, shown in zip(listed, display_names(listed), strict=True) if shown != whole}
        return model if model in listed else named.get(model, model)

    def base_urls(self, name: str) -> list[str]:
        """Return the base URLs of which the provider called `name` has a list."""
        return [base_url for provider, base_url in list(self._lists) if provider == name]
