"""Opaque data: what only the service that made it can read. No I/O."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from ..language import _
from ..late_dataclass import late_dataclass

MAX_DEPTH = 20
"""Levels of lists and objects; what is nested deeper is no signature, and could not be saved."""


@late_dataclass(frozen=True)
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

    def to_dict(self) -> dict[str, Any]:
        """Return the data as JSON; an empty origin is left out."""
        return {"data": self.data, **{name: value for name in _ORIGIN if (value := getattr(self, name))}}

    @classmethod
    def from_dict(cls, data: Any) -> OpaqueData:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: If `data` is something else.
        """
        if isinstance(data, dict) and "data" in data:
            origin: list[Any] = [data.get(name, "") for name in _ORIGIN]
            if all(isinstance(one, str) for one in origin) and is_shallow(data["data"]):
                return cls(data["data"], *origin)
        raise ValueError(_("opaque data of a turn is malformed: {data!r:.60}", data=data))


def is_shallow(value: Any) -> bool:
    """Return whether JSON is nested at most `MAX_DEPTH` levels deep."""
    level = [value]
    for _unused in range(MAX_DEPTH):
        containers = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [inner for one in containers for inner in one]
    return not any(isinstance(one, dict | list) for one in level)


_ORIGIN = ("provider", "url", "model")
