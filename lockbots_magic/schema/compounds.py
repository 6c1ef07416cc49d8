"""Shapes that are made of shapes: lists, objects, unions. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .shapes import MOST_SAID, NULL, Definitions, Fit, JSONSchema, Misfit, Shape, below, brief, shown


@dataclass(eq=False)
class Array(Shape):
    """A list of values of one shape."""

    items: Shape
    made: Callable[[list[Any]], Any] = list
    unique: bool = False

    def schema(self, definitions: Definitions) -> JSONSchema:
        """An array."""
        unique = {"uniqueItems": True} if self.unique else {}
        return {"type": "array", "items": self.items.schema(definitions), **unique}

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """Whatever holds the items."""
        fit.step()
        if not isinstance(value, list):
            raise Misfit(f"a list is needed, not {shown(value)}", path)
        items = [self.items.fit(item, f"{path}[{n}]", fit) for n, item in enumerate(value)]
        try:
            return self.made(items)
        except TypeError:  # a set of lists
            raise Misfit("the items of a set must be text, numbers or the like", path) from None


@dataclass(eq=False)
class Row(Shape):
    """A list of so many values, each of its own shape."""

    items: Sequence[Shape]

    def schema(self, definitions: Definitions) -> JSONSchema:
        """An array of that length."""
        described = [item.schema(definitions) for item in self.items]
        return {"type": "array", "prefixItems": described, "minItems": len(described), "maxItems": len(described)}

    def fit(self, value: Any, path: str, fit: Fit) -> tuple[Any, ...]:
        """A tuple."""
        fit.step()
        if not isinstance(value, list) or len(value) != len(self.items):
            raise Misfit(f"a list of {len(self.items)} is needed, not {shown(value)}", path)
        pairs = enumerate(zip(self.items, value, strict=True))
        return tuple(shape.fit(item, f"{path}[{n}]", fit) for n, (shape, item) in pairs)


@dataclass(eq=False)
class Table(Shape):
    """An object of any keys, whose values are of one shape."""

    values: Shape

    def schema(self, definitions: Definitions) -> JSONSchema:
        """An object."""
        return {"type": "object", "additionalProperties": self.values.schema(definitions) or True}

    def fit(self, value: Any, path: str, fit: Fit) -> dict[str, Any]:
        """A dict."""
        fit.step()
        if not isinstance(value, dict):
            raise Misfit(f"an object is needed, not {shown(value)}", path)
        return {key: self.values.fit(item, below(path, key), fit) for key, item in value.items()}


@dataclass(eq=False)
class Either(Shape):
    """A value of any of some shapes; the first that fits counts."""

    options: Sequence[Shape]

    def schema(self, definitions: Definitions) -> JSONSchema:
        """A union."""
        return {"anyOf": [option.schema(definitions) for option in self.options]}

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """What the first one that fits makes of it."""
        misfits = []
        for option in self.options:
            fit.step()
            try:
                return option.fit(value, path, fit)
            except Misfit as misfit:
                if option is not NULL:  # who gives something means it
                    misfits.append(misfit)
        farthest = max((misfit.path for misfit in misfits), key=len)
        whys = dict.fromkeys(misfit.why for misfit in misfits if misfit.path == farthest)
        raise Misfit(brief("; or ".join(whys), MOST_SAID), farthest)


@dataclass(eq=False)
class Entry:
    """One key of a record."""

    shape: Shape
    required: bool = True
    default: Any = None
    """As JSON; told, not filled in: that is the type's own business."""


@dataclass(eq=False)
class Record(Shape):
    """An object of certain keys."""

    name: str
    made: Callable[..., Any]
    """Takes the entries by name."""
    entries: dict[str, Entry] = field(default_factory=dict)
    others: Shape | None = None
    """What other keys may hold; None if there may be none."""
    description: str = ""

    def schema(self, definitions: Definitions) -> JSONSchema:
        """An object, told apart if it holds itself."""
        return definitions.of(self, self.name, lambda: self._described(definitions))

    def _described(self, definitions: Definitions) -> JSONSchema:
        properties = {}
        for name, entry in self.entries.items():
            default = {} if entry.default is None else {"default": entry.default}
            properties[name] = {**entry.shape.schema(definitions), **default}
        others = False if self.others is None else self.others.schema(definitions) or True
        return {
            "type": "object",
            **({"description": self.description} if self.description else {}),
            "properties": properties,
            "required": [name for name, entry in self.entries.items() if entry.required],
            "additionalProperties": others,
        }

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """What the type makes of the entries."""
        fit.step()
        if not isinstance(value, dict):
            raise Misfit(f"an object is needed, not {shown(value)}", path)
        made = {}
        for key, item in value.items():
            shape = self.entries[key].shape if key in self.entries else self.others
            if shape is None:
                known = brief(", ".join(self.entries), MOST_SAID) or "none"
                raise Misfit(f"there should be no {shown(key)}; what there may be: {known}", path)
            made[key] = shape.fit(item, below(path, key), fit)
        for key, entry in self.entries.items():
            if entry.required and key not in made:
                raise Misfit("it is missing", below(path, key))
        try:
            return self.made(**made)
        except Exception as error:  # noqa: BLE001  # the type's own check says no as it likes
            raise Misfit(brief(error, MOST_SAID), path) from None


@dataclass(eq=False)
class Model(Shape):
    """A pydantic model, which describes and checks itself."""

    model: Any

    def schema(self, definitions: Definitions) -> JSONSchema:
        """Its own, what it defines put among the other definitions."""
        schema = dict(self.model.model_json_schema())
        for name, defined in schema.pop("$defs", {}).items():
            definitions.add(name, defined)
        return schema

    def fit(self, value: Any, path: str, fit: Fit) -> Any:
        """An instance, made as of JSON."""
        fit.step()
        try:
            return self.model.model_validate_json(json.dumps(value))
        except ValueError as error:  # pydantic's is one, and tells of every misfit
            details: Any = getattr(error, "errors", lambda **_: [])(include_url=False)
            if not details:
                raise Misfit(brief(error, MOST_SAID), path) from None
            for part in details[0]["loc"]:
                path = f"{path}[{part}]" if isinstance(part, int) else below(path, part)
            raise Misfit(brief(details[0]["msg"], MOST_SAID), path) from None
