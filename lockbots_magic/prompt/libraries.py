"""Values of libraries, recognised without importing these: what nobody has imported has no values."""

from __future__ import annotations

import sys
from typing import Any


def is_a(value: Any, *kinds: str) -> bool:
    """Whether `value` is an instance of one of `kinds`, each written as "package.module.Class"."""
    return any(isinstance(value, kind) for kind in map(_kind, kinds) if kind is not None)


def _kind(name: str) -> type | None:
    module, _, attribute = name.rpartition(".")
    kind = getattr(sys.modules.get(module), attribute, None)
    return kind if isinstance(kind, type) else None


def method(value: Any, name: str) -> Any:
    """Return the method `name` of `value`, None if its class has none: some values claim to have any attribute."""
    return getattr(value, name) if callable(getattr(type(value), name, None)) else None
