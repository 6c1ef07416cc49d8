"""Credentials of a session: from a login, the environment, or the system's keyring."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

from ..conversation.observers import Observers
from ..providers import provider_class
from ..security.secrets import Secret

SERVICE = "lockbots-magic"
"""Service name in the keyring; the user name is the provider."""


class Credentials:
    """The credentials of one session."""

    def __init__(self) -> None:
        self._given: dict[str, Secret] = {}
        self._keyring: Any = None
        self._looked_up: set[str] = set()
        self.observers = Observers()
        """Notified when a credential is given or forgotten."""

    def get(self, provider: str) -> Secret | None:
        """Return the credential for `provider` from a login, the environment or the keyring, in this order."""
        return (
            self._given.get(provider)
            or provider_class(provider).credential_from_environment()
            or self._recall(provider)
        )

    def source(self, provider: str) -> str:
        """Describe where the credential for `provider` comes from."""
        kind = provider_class(provider)
        if self.get(provider) is None:
            return "missing" if kind.needs_auth else "none needed"
        return "login" if provider in self._given else "environment"

    def keep(self, provider: str, secret: Secret) -> bool:
        """Keep `secret` in this kernel, and in the keyring if there is one; return whether the keyring has it."""
        self._given[provider] = secret
        self.observers.notify()
        with suppress(Exception):  # keyring backends raise errors of their own
            self._backend().set_password(SERVICE, provider, secret.reveal())
            return True
        return False

    def forget(self, provider: str) -> bool:
        """Forget the credential for `provider`, in the keyring too; return whether there was one."""
        known = self._recall(provider) or self._given.get(provider)
        self._given.pop(provider, None)
        with suppress(Exception):
            self._backend().delete_password(SERVICE, provider)
        self.observers.notify()
        return known is not None

    def _recall(self, provider: str) -> Secret | None:
        """Look up the keyring, once for each provider: it may have to contact another process."""
        if provider not in self._looked_up:
            self._looked_up.add(provider)
            with suppress(Exception):
                if found := Secret.of(self._backend().get_password(SERVICE, provider)):
                    self._given.setdefault(provider, found)
        return self._given.get(provider)

    def _backend(self) -> Any:
        if self._keyring is None:
            self._keyring = importlib.import_module("keyring")
        return self._keyring
