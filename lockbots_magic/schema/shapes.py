"""The shapes that a Python type gives to JSON. Each can describe itself, and make a value of JSON. Pure."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..security.control_characters import printable

JSONSchema = dict[str, Any]
MOST_STEPS = 200_000
"""Values that are looked at for one answer: alternatives within alternatives multiply."""
MOST_SHOWN = 40
"""Characters of a value that a message quotes."""
MOST_SAID = 200
"""Characters of what a type's own check says."""


class Misfit(ValueError):  # noqa: N818  # says what it is; becomes a sentence for people
    """A value is not of the shape; `path` is where, such as ``items[2].price``.

    Args:
        why: what is wrong with the value, one short sentence.
        path: where it is.
    """

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(f"{path}: {why}" if path else why)
        self.why = why
        self.path = path


class Fit:
    """One fitting of one value: it counts the steps."""

    def __init__(self) -> None:
        self._steps = 0

    def step(self) -> None:
        """Take one more step."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise Misfit("the value is too large to be checked")


class Definitions:
    """The shapes that are told apart from the rest of a schema, as they hold themselves."""

    def __init__(self) -> None:
        self.told: dict[str, JSONSchema] = {}
        """Name -> schema."""
        self._under_way: list[Shape] = []
        self._called: dict[str, Shape] = {}

    def add(self, name: str, schema: JSONSchema) -> None:
        """Note what `name` stands for.

        Raises:
            UsageError: it stands for something else already.
        """
        if self.told.setdefault(name, schema) != schema:
            raise UsageError(f"two types are called {name}; rename one of them")

    def of(self, shape: Shape, name: str, described: Callable[[], JSONSchema]) -> JSONSchema:
        """The schema of a shape that may hold itself: in place, if it does not."""
        if shape in self._under_way:
            if self._called.setdefault(name, shape) is not shape:
                raise UsageError(f"two types are called {name}; rename one of them")
            return reference(name)
        self._under_way.append(shape)
        schema = described()
        self._under_way.pop()
        if self._called.get(name) is not shape:
            return schema
        self.add(name, schema)
        return reference(name)


def reference(name: str) -> JSONSchema:
    """A schema that is told elsewhere."""
    return {"$ref": f"#/$defs/{name}"}


class Shape(ABC):
    """What a JSON value may be."""

    @abstractmethod
    def schema(self, definitions: Definitions) -> JSONSchema:
        """The JSON schema of it (draft 2020-12)."""

    @abstractmethod
    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """Make of a JSON value what the type says.

        Raises:
            Misfit: the value is of another shape.
        """


class Anything(Shape):
    """Any JSON."""

    def schema(self, definitions: Definitions) -> JSONSchema:
        """No demand."""
        return {}

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """The value as it is."""
        return value


@dataclass(eq=False)
class Scalar(Shape):
    """Text, a number, a truth value or null."""

    described: JSONSchema
    wanted: str
    """What is needed, for a message."""
    made: Callable[[Any], Any]
    """Raises ValueError for what does not fit."""

    def schema(self, definitions: Definitions) -> JSONSchema:
        """Its type."""
        return dict(self.described)

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """The value, made what it should be."""
        fit.step()
        try:
            return self.made(value)
        except (ValueError, OverflowError):
            raise Misfit(f"{self.wanted} is needed, not {shown(value)}", path) from None


def _null(value: Any) -> None:
    if value is not None:
        raise ValueError


NULL = Scalar({"type": "null"}, "null", _null)


@dataclass(eq=False)
class Choice(Shape):
    """One of some values."""

    values: Sequence[tuple[Any, Any]]
    """Pairs: as JSON, in Python."""

    def schema(self, definitions: Definitions) -> JSONSchema:
        """An enumeration."""
        told = [told for told, _ in self.values]
        kind = {"type": "string"} if all(isinstance(one, str) for one in told) else {}
        return {**kind, "enum": told}

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """The one."""
        fit.step()
        for told, meant in self.values:
            if type(told) is type(value) and told == value:
                return meant
        told = ", ".join(shown(told) for told, _ in self.values)
        raise Misfit(f"one of {brief(told, MOST_SAID)} is needed, not {shown(value)}", path)


@dataclass(eq=False)
class Named(Shape):
    """A shape with a name of its own, by which it may hold itself."""

    name: str
    shape: Shape

    def schema(self, definitions: Definitions) -> JSONSchema:
        """That of the shape, told apart if it holds itself."""
        return definitions.of(self, self.name, lambda: self.shape.schema(definitions))

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """As the shape does."""
        return self.shape.fit(value, path, fit)


@dataclass(eq=False)
class Described(Shape):
    """A shape, and what it is for."""

    shape: Shape
    description: str

    def schema(self, definitions: Definitions) -> JSONSchema:
        """That of the shape, with the description."""
        return {**self.shape.schema(definitions), "description": self.description}

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """As the shape does."""
        return self.shape.fit(value, path, fit)


def whole_schema(shape: Shape) -> JSONSchema:
    """Return the JSON schema of `shape`, with all that it refers to.

    Raises:
        UsageError: two types of one name refer to themselves.
    """
    definitions = Definitions()
    schema = shape.schema(definitions)
    return {**schema, "$defs": definitions.told} if definitions.told else schema


def fitted_to(shape: Shape, value: Any) -> Any:
    """Return what `shape` makes of a JSON value.

    Raises:
        Misfit: the value is of another shape.
    """
    try:
        return shape.fit(value, "", Fit())
    except RecursionError:
        raise Misfit("it is nested too deeply") from None


def below(path: str, key: str) -> str:
    """The path of a key."""
    if not key.isidentifier():
        return f"{path}[{shown(key)}]"
    return f"{path}.{key}" if path else key


def shown(value: Any) -> str:
    """A value as a message quotes it."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else brief(json.dumps(value, ensure_ascii=False))


def brief(text: object, most: int = MOST_SHOWN) -> str:
    """The first `most` characters of what somebody else says, on one line."""
    words = " ".join(printable(str(text)).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"
