"""Opaque data: what only the service that made it can read. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OpaqueData:
    """Data that only the model's service can read, such as a signature or encrypted reasoning.

    It goes back unchanged, and only to the provider, address and model that made it.
    """

    data: Any = field(hash=False)
    """JSON, as received."""
    provider: str = ""
    url: str = ""
    model: str = ""

    def is_from(self, provider: str, url: str, model: str) -> bool:
        """Return whether this provider, at this address, made the data with this model."""
        return (self.provider, self.url, self.model) == (provider, url, model)
