"""Where credentials come from: this kernel's memory, the environment, the system's keyring."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

from ..conversation.observers import Observers
from ..providers import provider_class
from ..security.secrets import Secret

SERVICE = "lockbots-magic"
"""Under this name the keyring holds them, one a provider."""


class Credentials:
    """The credentials of one session."""

    def __init__(self) -> None:
        self._kept: dict[str, Secret] = {}
        self._keyring: Any = None
        self._looked_up: set[str] = set()
        self.observers = Observers()
        """Told when one is given or forgotten."""

    def get(self, provider: str) -> Secret | None:
        """Return the credential for `provider`: from a login, else the environment, else the keyring."""
        return (
            self._kept.get(provider) or provider_class(provider).credential_from_environment() or self._recall(provider)
        )

    def source(self, provider: str) -> str:
        """Say in words where the credential for `provider` comes from."""
        kind = provider_class(provider)
        if self.get(provider) is None:
            return "missing" if kind.needs_auth else "none needed"
        return "login" if provider in self._kept else "environment"

    def keep(self, provider: str, secret: Secret) -> bool:
        """Remember `secret` in this kernel, and in the keyring if there is one; return whether there is."""
        self._kept[provider] = secret
        self.observers.notify()
        with suppress(Exception):  # a keyring without a backend fails in ways of its own
            self._backend().set_password(SERVICE, provider, secret.reveal())
            return True
        return False

    def forget(self, provider: str) -> bool:
        """Forget the credential of `provider`, in the keyring too; return whether there was one."""
        known = self._recall(provider) or self._kept.get(provider)
        self._kept.pop(provider, None)
        with suppress(Exception):
            self._backend().delete_password(SERVICE, provider)
        self.observers.notify()
        return known is not None

    def _recall(self, provider: str) -> Secret | None:
        """Ask the keyring, once a provider: it may talk to another process."""
        if provider not in self._looked_up:
            self._looked_up.add(provider)
            with suppress(Exception):
                if found := Secret.of(self._backend().get_password(SERVICE, provider)):
                    self._kept.setdefault(provider, found)
        return self._kept.get(provider)

    def _backend(self) -> Any:
        if self._keyring is None:
            self._keyring = importlib.import_module("keyring")
        return self._keyring
