"""JSON schemas of Python types and functions, and values made of JSON: for tools, and for answers as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .functions import Parameters
from .hints import shape_of
from .shapes import fitted_to, whole_schema


def schema_of(hint: Any) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a type.

    Args:
        hint: text, numbers, lists, tuples, sets, dicts with text as keys, unions, literals, enumerations, dates,
            TypedDicts, dataclasses, pydantic models, and all that is made of them; ``Annotated[T, "..."]`` describes.

    Raises:
        UsageError: JSON can't hold such a value.
    """
    return whole_schema(shape_of(hint))


def schema_of_function(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the JSON schema of what a function takes: an object, described as the docstring does.

    Raises:
        UsageError: JSON can't hold one of its arguments, or it takes ``*args``, or has no signature.
    """
    return Parameters(function).schema


def fitted(value: Any, hint: Any) -> Any:
    """Return a JSON value as an instance of the type `hint`.

    Raises:
        ValueError: it does not fit; the message says where, such as ``items[2].price: a number is needed, not "x"``.
        UsageError: JSON can't hold values of such a type.
    """
    return fitted_to(shape_of(hint), value)
