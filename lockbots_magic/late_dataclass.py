"""Dataclasses that cost little to declare.

`dataclasses.dataclass` writes up to six methods as source and compiles each, 0.7 ms for a class: a third of what
`%load_ext` takes. Here the methods of all classes are the same few functions, and `__init__` alone is compiled, when
the first object is made.
"""

from __future__ import annotations

import builtins
import functools
import reprlib
import sys
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from typing import TYPE_CHECKING, Any

__all__ = ["late_dataclass"]


class _Unset:
    """Default value of a parameter whose value is made at each call."""

    def __repr__(self) -> str:
        return "<factory>"


_UNSET = _Unset()


class _LateInit:
    """Stands in for `__init__`: the first look at it compiles it. Two threads that look at once compile the same."""

    def __init__(self, cls: type, *, frozen: bool) -> None:
        self._cls = cls
        self._frozen = frozen

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        made = _make_init(self._cls, frozen=self._frozen)
        self._cls.__init__ = made  # type: ignore[misc]  # this is what a dataclass does
        return made if instance is None else made.__get__(instance, owner)


def _make_init(cls: Any, *, frozen: bool) -> Any:
    """Compile the `__init__` of a dataclass from its fields."""
    given: dict[str, Any] = {"_set": object.__setattr__, "_UNSET": _UNSET}
    positional: list[str] = []
    by_name: list[str] = []
    body = []
    for one in fields(cls):
        name = value = parameter = one.name
        if one.default_factory is not MISSING:
            given[f"_make_{name}"] = one.default_factory
            parameter += "=_UNSET"
            value = f"_make_{name}() if {name} is _UNSET else {name}"
        elif one.default is not MISSING:
            given[f"_default_{name}"] = one.default
            parameter += f"=_default_{name}"
        (by_name if one.kw_only else positional).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*", *by_name] if by_name else [])])
    source = (
        f"def make({', '.join(given)}):\n def __init__({parameters}):\n  " + "\n  ".join(body) + "\n return __init__"
    )
    # names of fields, as dataclasses do; in the module of the class, where its annotations are looked up
    names: dict[str, Any] = {}
    exec(source, vars(sys.modules.get(cls.__module__, builtins)), names)  # noqa: S102
    made = names["make"](**given)
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    made.__annotations__ = {**{one.name: one.type for one in fields(cls)}, "return": None}
    return made


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _comparison(cls: Any) -> dict[str, Any]:
    """Return `__eq__` and `__hash__` of a class."""
    compared = [one.name for one in fields(cls) if one.compare]
    hashed = [one.name for one in fields(cls) if (one.compare if one.hash is None else one.hash)]

    def equal(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return [getattr(self, name) for name in compared] == [getattr(other, name) for name in compared]

    def hash_of(self: Any) -> int:
        return hash(tuple([getattr(self, name) for name in hashed]))

    return {"__eq__": equal, "__hash__": hash_of}


def _freezing(cls: Any) -> dict[str, Any]:
    """Return `__setattr__` and `__delattr__` of a frozen class; a subclass may have attributes of its own."""

    def refuse_to(do: str, of_base: Callable[..., None]) -> Callable[..., None]:
        def refuse(self: Any, name: str, *value: Any) -> None:
            if type(self) is cls or name in cls.__dataclass_fields__:
                raise FrozenInstanceError(f"cannot {do} field {name!r}")
            of_base(self, name, *value)

        return refuse

    return {
        "__setattr__": refuse_to("assign to", object.__setattr__),
        "__delattr__": refuse_to("delete", object.__delattr__),
    }


def _declare(
    cls: Any,
    *,
    frozen: bool = False,
    init: bool = True,
    repr: bool = True,  # noqa: A002  # the name that `dataclass` has for it
    eq: bool = True,
    kw_only: bool = False,
) -> Any:
    inherits = any(
        base.__dataclass_params__.frozen for base in cls.__mro__[1:] if hasattr(base, "__dataclass_params__")
    )
    own = {name for name, value in vars(cls).items() if value is not None or name != "__hash__"}
    # Collects the fields, and compiles nothing, unless the class inherits from a frozen one, which asks for the same.
    dataclass(init=False, repr=False, eq=False, kw_only=kw_only, frozen=inherits)(cls)
    methods: dict[str, Any] = {}
    if init:
        methods["__init__"] = _LateInit(cls, frozen=frozen)
    if repr:
        methods["__repr__"] = _repr
    if eq:
        methods |= _comparison(cls)
        if not frozen:
            methods["__hash__"] = None
    if frozen:
        methods |= _freezing(cls)
        cls.__dataclass_params__.frozen = True  # for a dataclass that inherits from it
    for name, method in methods.items():
        if name not in own:
            setattr(cls, name, method)
    return cls


if TYPE_CHECKING:
    from dataclasses import dataclass as late_dataclass  # checkers know what that one does
else:

    def late_dataclass(cls: Any = None, /, **options: bool) -> Any:
        """Declare a dataclass; use it as `dataclasses.dataclass`, with objects that behave the same.

        Fields are neither `InitVar` nor ``init=False``.

        Args:
            cls: The class.
            options: `frozen`, `init`, `repr`, `eq` and `kw_only`, as for `dataclasses.dataclass`.

        Example:
            >>> @late_dataclass(frozen=True)
            ... class Point:
            ...     '''A point.'''
            ...
            ...     x: int
            ...     y: int = 0
            >>> Point(1)
            Point(x=1, y=0)
        """
        return functools.partial(_declare, **options) if cls is None else _declare(cls, **options)
