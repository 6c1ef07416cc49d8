"""Structured output: type hints and functions as JSON schemas, JSON and code out of replies.

Importing this package is cheap. pydantic, which takes a tenth of a second, loads at the first call of `type_schema` or
`argument_schema`, and only here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .type_hints import ArgumentSchema, TypeSchema


def type_schema(hint: Any) -> TypeSchema:
    """Return the JSON schema of a type, which also validates values.

    Args:
        hint: Any type that JSON can represent: scalars, dates, enums, literals, unions, lists, tuples, sets, dicts,
            dataclasses, TypedDicts (`typing_extensions.TypedDict` below Python 3.12), NamedTuples, pydantic models.

    Raises:
        UsageError: JSON can't represent the type.

    Example:
        >>> type_schema(list[int]).validate([1, 2])
        [1, 2]
    """
    schema, _ = _classes()
    return schema(hint)


def argument_schema(function: Callable[..., Any]) -> ArgumentSchema:
    """Return the JSON schema of a function's arguments, which also validates and binds them.

    The function is never called.

    Args:
        function: Any callable with a signature and without ``*args``.

    Raises:
        UsageError: JSON can't represent an argument, or the signature is unusable.
    """
    _, schema = _classes()
    return schema(function)


def _classes() -> tuple[type[TypeSchema], type[ArgumentSchema]]:
    from . import type_hints  # noqa: PLC0415  # pydantic takes 100 ms, and few prompts have a schema or tools

    return type_hints.TypeSchema, type_hints.ArgumentSchema
