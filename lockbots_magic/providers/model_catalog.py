"""Cache of the models that servers have listed, so that completion needs no request."""

from __future__ import annotations

from collections.abc import Iterable

from ..conversation.messages import ModelInfo
from .base import Provider
from .streaming import translated_errors

MAX_MODELS = 10_000
"""Models of one server that are kept."""


class ModelCatalog:
    """The latest list of each server, by provider name and base URL. Thread-safe."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], tuple[ModelInfo, ...]] = {}

    def fetch(self, name: str, provider: Provider) -> list[ModelInfo]:
        """Return the models that `provider` lists, and keep them.

        Args:
            name: Name of the provider in the registry.
            provider: The provider to ask.

        Raises:
            ProviderError: The server failed to reply; its previous list is still kept.
        """
        with translated_errors(provider):
            listed = provider.list_models()
        if listed != list(provider.models.values()):  # the declared table needs no cache
            self.keep(name, provider.base_url, listed)
        return listed

    def keep(self, name: str, base_url: str, models: Iterable[ModelInfo]) -> None:
        """Keep `models` as the list of the server at `base_url`, in place of its previous list."""
        self._lists[name, base_url] = tuple(models)[:MAX_MODELS]

    def get(self, name: str, base_url: str) -> tuple[ModelInfo, ...]:
        """Return the list of a server; empty if it is unknown."""
        return self._lists.get((name, base_url), ())

    def base_urls(self, name: str) -> list[str]:
        """Return the base URLs of which the provider called `name` has a list."""
        return [base_url for provider, base_url in list(self._lists) if provider == name]
