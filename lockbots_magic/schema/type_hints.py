"""Type hints and function signatures as JSON schemas, and JSON validated against them, by pydantic.

The rest of the package imports this module late, see `lockbots_magic.schema`.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import NotRequired, Required, TypedDict

from ..errors import UsageError
from ..language import N_, _
from .json_schema import (
    Docstring,
    SchemaGenerator,
    annotated_text,
    count_branches,
    default_of,
    tidy_schema,
    without_secret,
)
from .json_values import MAX_MESSAGE, NESTED_TOO_DEEPLY, SchemaMismatch, quote_value, shorten

MAX_ERRORS = 3
"""Errors reported of one value."""
MAX_TRIES = 300_000
"""Values that pydantic may try against recursive unions: two or three seconds."""

_LAZY = (collections.abc.Iterable, collections.abc.Collection)
"""Types whose items pydantic validates during iteration, or not at all; validated as lists."""
_UNKNOWN_TYPE = re.compile(
    r"Unable to generate pydantic-core schema for (?:<class '(.*?)'>|(.*?))\. Set|Required accepts .* Got (.*)\.$",
    re.DOTALL,
)
"""Messages of pydantic, and of `typing` before Python 3.11, about what is not a type or not a known one."""
_EXACT_FLOATS = 2.0**53
_typed_dict: Any = TypedDict  # called with fields that are known at run time only


class TypeSchema:
    """JSON schema of a type. Made by `lockbots_magic.schema.type_schema`.

    Args:
        hint: The type.

    Raises:
        UsageError: JSON can't represent the type.
    """

    def __init__(self, hint: Any) -> None:
        if isinstance(hint, str) or (dataclasses.is_dataclass(hint) and not isinstance(hint, type)):
            raise UsageError(_("{hint!r:.60} is a value, not a type", hint=hint))
        self._record = _Record("Value", {"value": hint}, unnamed="value")
        self.json_schema: dict[str, Any] = self._record.properties["value"]
        """Draft 2020-12; definitions are inlined unless they are recursive."""
        if text := annotated_text(hint):
            self.json_schema.setdefault("description", text)
        self.json_schema |= self._record.definitions

    def validate(self, value: Any) -> Any:
        """Return a JSON value as an instance of the type.

        Raises:
            SchemaMismatch: The value doesn't match.
        """
        return self._record.validate({"value": value})["value"]


class ArgumentSchema:
    """JSON schema of a function's arguments. Made by `lockbots_magic.schema.argument_schema`.

    Args:
        function: Any callable with a signature and without ``*args``; it is never called.

    Raises:
        UsageError: JSON can't represent an argument, or the signature is unusable.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self._signature = _read_signature(function, self.name)
        docstring = Docstring.of(function)
        self.description = docstring.description
        """The docstring without its sections."""
        hints: dict[str, Any] = {}
        self._others = ""
        for parameter in self._signature.parameters.values():
            hint = Any if parameter.annotation is parameter.empty else parameter.annotation
            if parameter.kind is parameter.VAR_POSITIONAL:
                raise UsageError(
                    _(
                        "{name} takes *{parameter}, and JSON arguments need names. Give it named parameters.",
                        name=self.name,
                        parameter=parameter.name,
                    )
                )
            if parameter.kind is parameter.VAR_KEYWORD:
                self._others = f"**{parameter.name}"  # no JSON name can collide with it, see `bind`
                hints[self._others] = dict[str, hint]  # type: ignore[valid-type]  # known at run time only
            else:
                hints[parameter.name] = hint
        self._names = [name for name in hints if name != self._others]
        self._required = [name for name in self._names if self._signature.parameters[name].default is inspect._empty]
        self._record = self._compile(hints)
        self.json_schema: dict[str, Any] = self._build_schema(hints, docstring.parameters)
        """An object, draft 2020-12; descriptions come from the docstring or from ``Annotated[T, "text"]``."""

    def bind(self, arguments: Mapping[str, Any]) -> inspect.BoundArguments:
        """Validate JSON arguments and return them as the function takes them.

        Null for a parameter that has a default and takes no null leaves it out: models write it so.

        Raises:
            SchemaMismatch: The arguments don't match.
        """
        arguments = {n: value for n, value in arguments.items() if value is not None or not self._may_leave_out(n)}
        given = {name: value for name, value in arguments.items() if name in self._names or not self._others}
        if self._others:
            given[self._others] = {name: value for name, value in arguments.items() if name not in given}
        valid = self._record.validate(given)
        bound = self._signature.bind_partial()
        for parameter in self._signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                bound.arguments[parameter.name] = valid[self._others]
            elif parameter.name in valid:
                bound.arguments[parameter.name] = valid[parameter.name]
            elif parameter.kind is parameter.POSITIONAL_ONLY:  # a later argument would take its place
                bound.arguments[parameter.name] = parameter.default
        return bound

    def _may_leave_out(self, name: str) -> bool:
        has_default = name in self._names and name not in self._required
        return has_default and not _takes_null(self._record.properties[name], self._record.definitions.get("$defs", {}))

    def _compile(self, hints: dict[str, Any]) -> _Record:
        optional = set(hints) - set(self._required)
        try:
            return _Record(self.name, hints, optional, self._others)
        except UsageError:
            for name, hint in hints.items():  # find the parameter to blame
                if why := _find_type_error(hint):
                    raise UsageError(
                        _("{name}, parameter {text}: {why}", name=self.name, text=name.lstrip("*"), why=why)
                    ) from None
            raise

    def _build_schema(self, hints: Mapping[str, Any], documented: Mapping[str, str]) -> dict[str, Any]:
        properties = {name: self._record.properties[name] for name in self._names}
        for name, schema in properties.items():
            if text := annotated_text(hints[name]) or documented.get(name):
                schema.setdefault("description", text)
            schema.update(without_secret(name, default_of(self._signature.parameters[name].default)))
        others = self._record.properties[self._others].get("additionalProperties", True) if self._others else False
        return {
            "type": "object",
            "properties": properties,
            "required": self._required,
            "additionalProperties": others,
            **self._record.definitions,
        }


def _takes_null(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> bool:
    """Whether null may match a JSON schema of `_Record`.

    Args:
        schema: The schema.
        definitions: What it may refer to; a definition is looked into once.
    """
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        others = {key: value for key, value in definitions.items() if key != name}
        return name in definitions and _takes_null(definitions[name], others)
    if any(_takes_null(one, definitions) for one in schema.get("anyOf", ())):
        return True
    return not {"type", "anyOf", "enum", "const"} & schema.keys() or (
        "null" in schema.get("type", ()) or None in schema.get("enum", ()) or schema.get("const", 0) is None
    )


class _Record:
    """Named JSON values, validated by pydantic as one TypedDict.

    A TypedDict passes its strict configuration on to plain dataclasses, TypedDicts and unions inside it; pydantic
    models keep their own.

    Args:
        name: Name of the TypedDict.
        hints: Name -> type.
        optional: Names that may be missing.
        unnamed: A name that error messages leave out.

    Raises:
        UsageError: JSON can't represent a type.
    """

    def __init__(
        self, name: str, hints: Mapping[str, Any], optional: AbstractSet[str] = frozenset(), unnamed: str = ""
    ) -> None:
        self._unnamed = unnamed
        try:
            fields: Any = {
                field: (NotRequired if field in optional else Required)[_as_lists(hint)]
                for field, hint in hints.items()
            }
            record = _typed_dict(name, fields)
            record.__pydantic_config__ = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
            self._adapter: TypeAdapter[Any] = TypeAdapter(record)
            self._adapter.rebuild(raise_errors=True)  # names that pydantic can't resolve, it defers
            schema = self._adapter.json_schema(schema_generator=SchemaGenerator)
            self._branches = count_branches(schema)
            tidied = tidy_schema(schema)
        except Exception as error:  # annotations may raise anything
            raise UsageError(_explain_type_error(error)) from error
        self.properties: dict[str, Any] = tidied["properties"]
        """Name -> JSON schema."""
        self.definitions: dict[str, Any] = {"$defs": tidied["$defs"]} if "$defs" in tidied else {}
        """The ``$defs`` that the schemas refer to, if any."""

    def validate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON values as instances of the types.

        Raises:
            SchemaMismatch: A value doesn't match.
        """
        try:
            text = json.dumps(values)
            if self._branches > 1 and _count_tries(list(values.values()), self._branches) > MAX_TRIES:
                raise SchemaMismatch(N_("Too deep or too large for a union of recursive types"))
            return self._validate_text(text)
        except SchemaMismatch:
            raise
        except ValidationError as error:
            raise SchemaMismatch(_format_errors(error.errors(include_url=False), values, self._unnamed)) from None
        except RecursionError:
            raise SchemaMismatch(NESTED_TOO_DEEPLY) from None
        except Exception as error:  # noqa: BLE001  # a type's own check, such as `__post_init__`, may raise anything
            raise SchemaMismatch(shorten(error, MAX_MESSAGE)) from None

    def _validate_text(self, text: str) -> dict[str, Any]:
        try:
            valid: dict[str, Any] = self._adapter.validate_json(text)
        except ValidationError as error:
            if not any(one["type"] == "int_type" and isinstance(one["input"], float) for one in error.errors()):
                raise
            # To JSON, 3.0 is an integer, and some servers send all numbers that way.
            valid = self._adapter.validate_json(json.dumps(json.loads(text, parse_float=_parse_integral)))
        return valid


def _as_lists(hint: Any) -> Any:
    """Replace iterables by lists."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        parts: Any = (_as_lists(arguments[0]), *hint.__metadata__)
        return Annotated[parts]
    if origin in (typing.Union, types.UnionType):
        parts = tuple(map(_as_lists, arguments))
        return typing.Union[parts]  # noqa: UP007  # any number of them
    if (origin or hint) in _LAZY:
        return list[arguments[0]] if arguments else list  # type: ignore[valid-type]  # known at run time only
    return hint


def _find_type_error(hint: Any) -> str:
    try:
        _Record("Value", {"value": hint})
    except UsageError as error:
        return str(error)
    return ""


def _read_signature(function: Callable[..., Any], name: str) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except (TypeError, ValueError):
        raise UsageError(_("{name} has no signature. Wrap it in a function that has one.", name=name)) from None
    except Exception as error:
        raise UsageError(_("Can't evaluate the type hints of {name}: {error}", name=name, error=error)) from error


def _explain_type_error(error: Exception) -> str:
    text = str(error)
    if isinstance(error, RecursionError):
        return _("The type is nested too deeply")
    if match := _UNKNOWN_TYPE.match(text):
        unknown = shorten(next(filter(None, match.groups())), 60)
        return _(
            "JSON can't represent {unknown}. Use str, numbers, lists, dicts, dataclasses or pydantic models.",
            unknown=unknown,
        )
    return _("JSON can't represent the type: {text}", text=shorten(text.partition(chr(10))[0], MAX_MESSAGE))


def _format_errors(errors: list[ErrorDetails], values: Any, unnamed: str) -> str:
    """Return ``path: message`` of the first few errors. Errors of a union's members share a path."""
    problems: dict[str, list[ErrorDetails]] = {}
    for error in errors:
        problems.setdefault(_format_path(error, values, unnamed), []).append(error)
    lines = [f"{path}: {_format_messages(same)}" if path else _format_messages(same) for path, same in problems.items()]
    return shorten("; ".join(lines[:MAX_ERRORS]), MAX_MESSAGE)


def _format_messages(errors: list[ErrorDetails]) -> str:
    first, *others = dict.fromkeys(map(_format_message, errors))
    message = " or ".join([first, *(other.removeprefix("Input should be ") for other in others)])
    return f"{message}, got {quote_value(errors[0]['input'])}" if message.startswith("Input should") else message


def _format_message(error: ErrorDetails) -> str:
    message = error["msg"]
    if error["type"] == "json_invalid":  # of JSON that was written here
        return NESTED_TOO_DEEPLY if "recursion" in message else message.partition(" at line")[0]
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return N_("Unknown field")
    if error["type"] in ("value_error", "assertion_error"):  # raised by the type's own check
        return str(error["ctx"]["error"])
    return message


def _format_path(error: ErrorDetails, value: Any, unnamed: str) -> str:
    """Return a path such as ``items[2].price``; names of union members, which pydantic puts between, are left out."""
    path = ""
    missing = len(error["loc"]) - 1 if "missing" in error["type"] else None
    for position, part in enumerate(error["loc"]):
        keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        if part in keys or position == missing:
            path = path if position == 0 and part == unnamed else _join_path(path, part)
            value = value[part] if part in keys else None
    return path


def _join_path(path: str, part: int | str) -> str:
    if isinstance(part, int):
        return f"{path}[{part}]"
    if not part.isidentifier():
        return f"{path}[{quote_value(part)}]"
    return f"{path}.{part}" if path else part


def _count_tries(value: Any, branches: int) -> int:
    """Return how many values pydantic validates if every level is tried `branches` times."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + branches * sum(_count_tries(item, branches) for item in inside)


def _parse_integral(digits: str) -> float:
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) <= _EXACT_FLOATS else number
