"""Credentials of a session: from a login, the environment, or the system's keyring."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

from ..conversation.observers import Observers
from ..language import N_
from ..providers import provider_class
from ..providers.address import origin
from ..security.secrets import Secret

SERVICE = "lockbots-magic"
"""Service name in the keyring; the user name is the provider, and the address if it is not the provider's own."""


class Credentials:
    """The credentials of one session. One that is typed goes only to the address that it was typed for."""

    def __init__(self) -> None:
        self._given: dict[str, Secret] = {}
        """Credentials by provider and address, see `_key`."""
        self._keyring: Any = None
        self._looked_up: set[str] = set()
        self.observers = Observers()
        """Notified when a credential is given or forgotten."""

    def get(self, provider: str, base_url: str = "") -> Secret | None:
        """Return the credential for `provider` from a login, the environment or the keyring, in this order.

        Args:
            provider: Name of the provider.
            base_url: Address that it is for; by default the provider's own.
        """
        key = _key(provider, base_url)
        return self._given.get(key) or provider_class(provider).credential_from_environment() or self._recall(key)

    def source(self, provider: str, base_url: str = "") -> str:
        """Describe where the credential for `provider` comes from, in English; arguments as for `get`."""
        if self.get(provider, base_url) is None:
            return N_("missing") if provider_class(provider).needs_auth else N_("none needed")
        return N_("login") if _key(provider, base_url) in self._given else N_("environment")

    def keep(self, provider: str, secret: Secret, base_url: str = "") -> bool:
        """Keep `secret` in this kernel, and in the keyring if there is one; return whether the keyring has it."""
        key = _key(provider, base_url)
        self._given[key] = secret
        self.observers.notify()
        with suppress(Exception):  # keyring backends raise errors of their own
            self._backend().set_password(SERVICE, key, secret.reveal())
            return True
        return False

    def forget(self, provider: str, base_url: str = "") -> bool:
        """Forget the credentials for `provider`, in the keyring too; return whether there was one."""
        self._recall(key := _key(provider, base_url))
        known = [one for one in self._given if one == provider or one.startswith(f"{provider} ")]
        for one in known:
            del self._given[one]
        for one in {provider, key, *known}:
            with suppress(Exception):
                self._backend().delete_password(SERVICE, one)
        self.observers.notify()
        return bool(known)

    def _recall(self, key: str) -> Secret | None:
        """Look up the keyring, once for each key: it may have to contact another process."""
        if key not in self._looked_up:
            self._looked_up.add(key)
            with suppress(Exception):
                if found := Secret.of(self._backend().get_password(SERVICE, key)):
                    self._given.setdefault(key, found)
        return self._given.get(key)

    def _backend(self) -> Any:
        if self._keyring is None:
            self._keyring = importlib.import_module("keyring")
        return self._keyring


def _key(provider: str, base_url: str) -> str:
    """Return the name under which the credential for a provider at an address is kept."""
    url = provider_class(provider).url
    return provider if not base_url or (url and origin(base_url) == origin(url)) else f"{provider} {origin(base_url)}"
