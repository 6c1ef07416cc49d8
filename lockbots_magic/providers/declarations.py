"""Helpers for what a provider class declares: read-only class properties and tables of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from ..conversation.messages import ModelInfo

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
