"""What servers said they serve, remembered: whoever completes a model's name asks nobody."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from ..conversation.messages import ModelInfo
from .base import Provider

MOST = 10_000
"""Models of one server that are remembered."""


class ModelLists:
    """The latest list of each server, by the provider that asks it and its base URL. Any thread may use it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[ModelInfo, ...]] = {}

    def ask(self, name: str, provider: Provider) -> list[ModelInfo]:
        """Ask `provider` for its models, and remember what its server said.

        Args:
            name: what the registry calls the provider.
            provider: the one to ask.

        Raises:
            ProviderError: the server does not answer; what it said before is still remembered.
        """
        listed = provider.list_models()
        if listed != list(provider.models.values()):  # the table is known without asking
            self.keep(name, provider.base_url, listed)
        return listed

    def keep(self, name: str, address: str, models: Iterable[ModelInfo]) -> None:
        """Remember `models` as what the server at the base URL `address` serves, in place of what it served before."""
        self._kept[name, address] = tuple(models)[:MOST]

    def kept(self, name: str, address: str) -> tuple[ModelInfo, ...]:
        """Return what the server said last; nothing if it was not asked, or serves nothing."""
        return self._kept.get((name, address), ())

    def addresses(self, name: str) -> list[str]:
        """Return the base URLs at which the provider called `name` has found models."""
        return [address for one, address in list(self._kept) if one == name]


_of_sessions: WeakKeyDictionary[object, ModelLists] = WeakKeyDictionary()


def lists_of(session: object) -> ModelLists:
    """Return the lists that all parts of `session` share."""
    return _of_sessions.setdefault(session, ModelLists())
