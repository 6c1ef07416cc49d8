"""Helpers for what a provider class declares: read-only class properties and tables of models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from ..conversation.messages import ModelInfo
from ..errors import ProtocolError
from ..language import _

T = TypeVar("T")


class class_property(Generic[T]):  # noqa: N801  # used as a decorator, like property
    """Read-only property of a class and of its instances."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, _instance: object, owner: type) -> T:
        return self._compute(owner)


def model_table(*models: ModelInfo) -> Mapping[str, ModelInfo]:
    """Return the read-only mapping id -> model that a provider declares as `models`."""
    return MappingProxyType({m.id: m for m in models})


def read_models(listed: Any, provider: str) -> tuple[ModelInfo, ...]:
    """Return the models that a provider's `list_models` returned; a text is the id of a model.

    Raises:
        ProtocolError: It returned something else.
    """
    items = listed.values() if isinstance(listed, Mapping) else listed
    items = items if isinstance(items, Iterable) and not isinstance(items, str | bytes) else [items]
    models = tuple(ModelInfo(item) if isinstance(item, str) else item for item in items)
    if wrong := next((type(model).__name__ for model in models if not isinstance(model, ModelInfo)), ""):
        message = _("`list_models` of {name} must return `ModelInfo`s or ids, got {kind}.", name=provider, kind=wrong)
        raise ProtocolError(message, provider=provider)
    return models
