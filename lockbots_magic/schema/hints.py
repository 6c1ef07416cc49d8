"""Type hints -> the shapes that they give to JSON."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import math
import pathlib
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from ..errors import UsageError
from .compounds import Array, Either, Entry, Model, Record, Row, Table
from .docstrings import Docstring
from .shapes import NULL, Anything, Choice, Described, Named, Scalar, Shape

_ARRAYS: Mapping[Any, Callable[[list[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Iterable: list,
    collections.abc.Collection: list,
    collections.abc.Set: set,
}
_TABLES = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != math.floor(value):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _moment(value: Any) -> datetime.datetime:
    text = _text(value)
    return datetime.datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in ("Z", "z") else text)


_SCALARS: Mapping[Any, Shape] = {
    str: Scalar({"type": "string"}, "text", _text),
    int: Scalar({"type": "integer"}, "an integer", _integer),
    float: Scalar({"type": "number"}, "a number", _number),
    bool: Scalar({"type": "boolean"}, "true or false", _truth),
    None: NULL,
    type(None): NULL,
    datetime.datetime: Scalar({"type": "string", "format": "date-time"}, "a date and time (ISO 8601)", _moment),
    datetime.date: Scalar(
        {"type": "string", "format": "date"}, "a date (ISO 8601)", lambda v: datetime.date.fromisoformat(_text(v))
    ),
    datetime.time: Scalar(
        {"type": "string", "format": "time"}, "a time (ISO 8601)", lambda v: datetime.time.fromisoformat(_text(v))
    ),
    uuid.UUID: Scalar({"type": "string", "format": "uuid"}, "a UUID", lambda v: uuid.UUID(_text(v))),
    pathlib.Path: Scalar({"type": "string"}, "a path", lambda v: pathlib.Path(_text(v))),
    Any: Anything(),
    object: Anything(),
}


def shape_of(hint: Any) -> Shape:
    """Return the shape that a type hint gives to JSON.

    Raises:
        UsageError: JSON can't hold such a value, or the hint can't be read.
    """
    try:
        return _Reading().shape(hint)
    except RecursionError:
        raise UsageError("the type is nested too deeply") from None


class _Reading:
    """The reading of one hint; it knows the types that it has met, for a type may hold itself."""

    def __init__(self) -> None:
        self._met: dict[Any, Shape] = {}

    def shape(self, hint: Any) -> Shape:
        if get_origin(hint) is Annotated:
            return self._annotated(hint)
        try:
            if known := _SCALARS.get(hint) or self._met.get(hint):
                return known
        except TypeError:  # it can't be hashed: no type at all
            raise _unknown(hint) from None
        kind, arguments = get_origin(hint) or hint, get_args(hint)
        if kind is typing.Literal:
            return Choice([(_told(one), one) for one in arguments])
        if kind in (Union, types.UnionType):
            return Either([self.shape(one) for one in arguments])
        if kind in _ARRAYS:
            return self._array(kind, arguments)
        return self._table(arguments) if kind in _TABLES else self._named(hint)

    def _annotated(self, hint: Any) -> Shape:
        inner, *notes = get_args(hint)
        told = (note if isinstance(note, str) else getattr(note, "description", None) for note in notes)
        description = next((one for one in told if isinstance(one, str)), "")
        return Described(self.shape(inner), description) if description else self.shape(inner)

    def _array(self, kind: Any, items: tuple[Any, ...]) -> Shape:
        made = _ARRAYS[kind]
        if kind is tuple and items and items[-1:] != (...,):
            return Row([self.shape(item) for item in items])
        return Array(self.shape(items[0] if items else Any), made, unique=made in (set, frozenset))

    def _table(self, items: tuple[Any, ...]) -> Shape:
        keys, values = items or (str, Any)
        if keys not in (str, Any):
            raise UsageError(
                f"the keys of JSON are text, so dict[{_name(keys)}, ...] can't be told; take dict[str, ...]"
            )
        return Table(self.shape(values))

    def _named(self, hint: Any) -> Shape:
        if isinstance(hint, type):
            return self._class(hint)
        if isinstance(hint, typing.TypeVar):
            return self.shape(hint.__bound__ or Any)
        if hasattr(hint, "__supertype__"):  # NewType
            return self.shape(hint.__supertype__)
        if hasattr(hint, "__value__"):  # type X = ...
            named = self._met[hint] = Named(hint.__name__, Anything())
            named.shape = self.shape(hint.__value__)
            return named
        raise _unknown(hint)

    def _class(self, hint: type) -> Shape:
        if callable(getattr(hint, "model_validate_json", None)) and callable(getattr(hint, "model_json_schema", None)):
            return Model(hint)
        if issubclass(hint, enum.Enum):
            return Choice([(_told(one), one) for one in hint])
        if typing.is_typeddict(hint) or hasattr(hint, "__required_keys__"):
            return self._typed_dict(hint)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(hint)
        raise _unknown(hint)

    def _typed_dict(self, hint: Any) -> Shape:
        record = self._met[hint] = Record(hint.__name__, dict, description=Docstring.of(hint).text)
        for name, one in _hints_of(hint).items():
            required, kind = name in hint.__required_keys__, one
            while (qualifier := getattr(get_origin(kind), "_name", None)) in _QUALIFIERS:
                required = {"Required": True, "NotRequired": False}.get(str(qualifier), required)
                (kind,) = get_args(kind)
            record.entries[name] = Entry(self.shape(kind), required)
        return record

    def _dataclass(self, hint: Any) -> Shape:
        told = Docstring.of(hint)
        text = "" if told.text.startswith(f"{hint.__name__}(") else told.text  # made by dataclass itself
        record = self._met[hint] = Record(hint.__name__, hint, description=text)
        hints = _hints_of(hint)
        for one in dataclasses.fields(hint):
            if one.init:
                shape = self.shape(hints[one.name])
                described = told.parameters.get(one.name)
                optional = one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING
                default = as_default(one.default)
                record.entries[one.name] = Entry(with_description(shape, described), not optional, default)
        return record


def with_description(shape: Shape, description: str | None) -> Shape:
    """Return `shape` with a description, if there is one and it has none of its own."""
    return Described(shape, description) if description and not isinstance(shape, Described) else shape


def as_default(value: Any) -> Any:
    """Return a default value as JSON, None if it is not to be told."""
    value = value.value if isinstance(value, enum.Enum) else value
    return value if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)) else None


def _told(value: Any) -> Any:
    """A value of an enumeration as JSON."""
    value = value.value if isinstance(value, enum.Enum) else value
    if value is None or type(value) in (str, bool, int) or (type(value) is float and math.isfinite(value)):
        return value
    raise UsageError(f"JSON has no {_name(type(value))}, so {value!r:.40} can't be one of the values to choose from")


def _hints_of(hint: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(hint, localns={hint.__name__: hint}, include_extras=True)
    except Exception as error:
        raise UsageError(f"the types in {hint.__name__} can't be read: {error}") from error


def _unknown(hint: Any) -> UsageError:
    return UsageError(f"JSON can't hold a {_name(hint)}; take text, numbers, lists, dicts, dataclasses or the like")


def _name(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) else f"{hint!r:.60}"
