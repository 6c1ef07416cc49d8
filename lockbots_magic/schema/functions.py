"""What a function takes, as a JSON schema, and its arguments made of JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from ..errors import UsageError
from .compounds import Entry, Record
from .docstrings import Docstring
from .hints import as_default, shape_of, with_description
from .shapes import Anything, Shape, fitted_to, whole_schema

_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Parameters:
    """What a function takes.

    Args:
        function: any callable with a signature.

    Raises:
        UsageError: JSON can't hold one of its arguments, or it takes ``*args``, which have no names.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self._signature = _signature(function, self.name)
        self._told = Docstring.of(function)
        self.description = self._told.text
        """What its docstring says, but for the parameters."""
        given = self._signature.parameters.values()
        starred = next((p for p in given if p.kind is p.VAR_POSITIONAL), None)
        if starred:
            raise UsageError(f"{self.name} takes *{starred.name}, which have no names; write it with named parameters")
        entries = {p.name: self._entry(p) for p in given if p.kind not in _STARRED}
        others = next((self._shape(p) for p in given if p.kind is p.VAR_KEYWORD), None)
        self._record = Record(self.name, dict, entries, others)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the arguments, an object."""
        return whole_schema(self._record)

    def bound(self, arguments: Mapping[str, Any]) -> inspect.BoundArguments:
        """Return the arguments as the function is to be called with them.

        Raises:
            ValueError: they do not fit; the message says which, such as ``items[2].price: a number is needed``.
        """
        fitted = fitted_to(self._record, dict(arguments))
        bound = self._signature.bind_partial()
        for parameter in self._signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                bound.arguments[parameter.name] = fitted
            elif parameter.name in fitted:
                bound.arguments[parameter.name] = fitted.pop(parameter.name)
            elif parameter.kind is parameter.POSITIONAL_ONLY:  # the next one would take its place
                bound.arguments[parameter.name] = parameter.default
        return bound

    def _entry(self, parameter: inspect.Parameter) -> Entry:
        shape = with_description(self._shape(parameter), self._told.parameters.get(parameter.name))
        return Entry(shape, parameter.default is parameter.empty, as_default(parameter.default))

    def _shape(self, parameter: inspect.Parameter) -> Shape:
        if parameter.annotation is parameter.empty:
            return Anything()
        try:
            return shape_of(parameter.annotation)
        except UsageError as error:
            raise UsageError(f"{self.name}, parameter {parameter.name}: {error}") from None


def _signature(function: Callable[..., Any], name: str) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except (TypeError, ValueError):
        raise UsageError(f"{name} does not say what it takes; write a function around it") from None
    except Exception as error:
        raise UsageError(f"the types that {name} takes can't be read: {error}") from error
