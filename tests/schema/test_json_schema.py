"""JSON schemas of types, and descriptions from docstrings."""

import dataclasses
import datetime
import enum
import functools
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar, Union

import jsonschema
import numpy as np
import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.schema import argument_schema, type_schema
from lockbots_magic.schema.json_schema import Docstring

from .sample_types import Colour, Item, Leaf, Left, Level, Node, Order, Person, Point, Tree


def schema_of(hint):
    return type_schema(hint).json_schema


def arguments_of(function):
    return argument_schema(function).json_schema


T = TypeVar("T")
UserId = NewType("UserId", int)

INTEGERS = {"type": "array", "items": {"type": "integer"}}
SCHEMAS = [
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (None, {"type": "null"}),
    (Any, {}),
    (list, {"type": "array", "items": {}}),
    (list[int], INTEGERS),
    (Sequence[int], INTEGERS),
    (Iterable[int], INTEGERS),
    (tuple[int, ...], INTEGERS),
    (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
    (
        tuple[int, str],
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
    ),
    (tuple[()], {"type": "array", "minItems": 0, "maxItems": 0}),
    (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
    (dict[int, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
    (Mapping[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),  # noqa: UP007  # the older spelling
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, None], {"enum": [1, None]}),
    (Colour, {"type": "string", "enum": ["red", "blue"]}),
    (Level, {"type": "integer", "enum": [1, 2]}),
    (datetime.date, {"type": "string", "format": "date"}),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (bytes, {"type": "string", "format": "binary"}),
    (Annotated[int, {"odd": 1}, "how many"], {"type": "integer", "description": "how many"}),
    (Annotated[int, typing_extensions.Doc("how many")], {"type": "integer", "description": "how many"}),
    (Annotated[int, pydantic.Field(description="how many")], {"type": "integer", "description": "how many"}),
    (Annotated[Iterable[int], pydantic.Field(min_length=1)], {**INTEGERS, "minItems": 1}),
    (Annotated[int, {"odd": 1}], {"type": "integer"}),
    (UserId, {"type": "integer"}),
    (T, {}),
]


@pytest.mark.parametrize(("hint", "schema"), SCHEMAS, ids=lambda value: str(value)[:40])
def test_types_have_short_schemas_without_titles(hint, schema):
    assert schema_of(hint) == schema
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("hint", [dict, dict[str, Any], Mapping[str, Any]])
def test_a_dict_of_anything_takes_any_key(hint):
    assert schema_of(hint) in ({"type": "object"}, {"type": "object", "additionalProperties": True})


@pytest.mark.parametrize(("hint", "message"), [
    (np.ndarray, "JSON can't represent numpy.ndarray. Use str, numbers, lists,"),
    (list[np.ndarray], "JSON can't represent numpy.ndarray"),
    (7, "JSON can't represent 7"),
    (object(), "JSON can't represent <object object at"),
    ([], "JSON can't represent"),
    ("int", "'int' is a value, not a type"),
    (Point(1, 2), r"Point\(x=1, y=2\) is a value, not a type"),
    (Leaf(size=1), r"JSON can't represent Leaf\(size=1\)"),
    (type, "JSON can't represent the type"),
    (Callable[[], int], "JSON can't represent the type"),
    (Literal[b"x"], "b'x' is not a JSON value"),
    (Literal[Colour.RED], "Colour.RED: 'red'> is not a JSON value"),
    (enum.Enum("Pair", {"A": (1, 2)}), r"\(1, 2\) is not a JSON value"),
    (dataclasses.make_dataclass("Bad", [("x", "NoSuchType")]), "'NoSuchType' is not defined"),
    (dataclasses.make_dataclass("Raw", [("x", np.ndarray)]), "JSON can't represent numpy.ndarray"),
], ids=range(15))  # fmt: skip
def test_what_json_cannot_represent_is_refused(hint, message):
    with pytest.raises(UsageError, match=message):
        schema_of(hint)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic accepts it from Python 3.12 on")
def test_a_typed_dict_of_the_standard_library_says_what_to_use():
    with pytest.raises(UsageError, match=r"use `typing_extensions.TypedDict`"):
        schema_of(TypedDict("Old", {"x": int}))


def test_function_is_refused_as_a_type_because_validation_would_call_it():
    def explode(x: int):
        raise AssertionError

    for hint in (explode, list[explode], lambda x: x):
        with pytest.raises(UsageError, match=r"is a function, not a type"):
            schema_of(hint)


def test_a_dataclass_is_described_by_its_docstring():
    assert schema_of(Item) == {
        "type": "object",
        "description": "A thing for sale.",
        "properties": {
            "name": {"type": "string", "description": "what it is called, in one word."},
            "price": {"type": "number", "description": "in euros."},
            "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["name", "price"],
        "additionalProperties": False,
    }
    assert "description" not in schema_of(Order)  # its docstring is generated


def test_fields_may_be_described_in_their_annotations():
    size = dataclasses.make_dataclass("Size", [("width", Annotated[int, "in mm"])])
    assert schema_of(size)["properties"]["width"] == {"type": "integer", "description": "in mm"}


def test_a_typed_dict_knows_which_keys_are_optional():
    schema = schema_of(Person)
    assert (list(schema["properties"]), schema["required"]) == (["name", "age"], ["name"])
    assert schema["additionalProperties"] is False


def test_a_named_tuple_is_a_list_that_names_its_fields():
    class Place(NamedTuple):
        lat: float
        at: Point | None = None

    schema = schema_of(Place)
    assert (schema["type"], schema["minItems"], schema["maxItems"]) == ("array", 1, 2)
    assert schema["prefixItems"][0] == {"type": "number", "title": "Lat"}
    assert "title" not in str(schema["prefixItems"][1]["anyOf"])


def test_a_property_may_be_called_title():
    book = dataclasses.make_dataclass("Book", [("title", str), ("default", str)])
    assert schema_of(book)["properties"] == {"title": {"type": "string"}, "default": {"type": "string"}}


def test_a_default_that_json_cannot_represent_is_left_out():
    limit = dataclasses.make_dataclass("Limit", [("most", float, float("inf")), ("some", Any, object())])
    assert schema_of(limit)["properties"] == {"most": {"type": "number"}, "some": {}}


def test_a_recursive_type_has_a_definition():
    schema = schema_of(Node)
    assert schema["$ref"] == "#/$defs/Node"
    assert schema["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    jsonschema.validate({"value": 1, "children": [{"value": 2}]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"value": 1, "children": [{"value": "x"}]}, schema)


def test_recursive_type_may_be_nested_anywhere():
    schema = schema_of(dict[str, Node | None])
    assert list(schema["$defs"]) == ["Node"]
    jsonschema.validate({"a": {"value": 1, "children": []}, "b": None}, schema)
    assert set(schema_of(Left)["$defs"]) == {"Left", "Right"}


def test_recursive_types_of_one_name_are_kept_apart():
    other = dataclasses.make_dataclass("Node", [("next", Optional["Node"])], namespace={"__module__": __name__})
    schema = schema_of(tuple[Node, other])
    assert len(schema["$defs"]) == 1 + (other is not Node)
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type aliases came with Python 3.12")
def test_an_alias_may_be_recursive():
    names = {}
    exec("type Deep = int | list[Deep]", names)
    assert schema_of(names["Deep"])["$defs"]["Deep"]["anyOf"][1]["items"] == {"$ref": "#/$defs/Deep"}
    assert type_schema(names["Deep"]).validate([1, [2]]) == [1, [2]]


def test_a_pydantic_model_describes_itself():
    schema = schema_of(dict[str, Tree])
    jsonschema.validate({"oak": {"leaves": [{"size": 1}]}}, schema)
    leaf = schema["additionalProperties"]["properties"]["leaves"]["items"]
    assert leaf == {
        "type": "object",
        "properties": {"size": {"type": "integer", "exclusiveMinimum": 0}},
        "required": ["size"],
    }


def test_a_tagged_union_leaves_no_dangling_references():
    class Cat(pydantic.BaseModel):
        kind: Literal["cat"]

    class Dog(pydantic.BaseModel):
        kind: Literal["dog"]

    schema = schema_of(Annotated[Cat | Dog, pydantic.Field(discriminator="kind")])
    assert [one["properties"]["kind"]["const"] for one in schema["oneOf"]] == ["cat", "dog"]
    assert "$defs" not in str(schema)


def google(city: str, days: int = 3, *, unit: Literal["C", "F"] = "C", **more: float):
    """Tell the weather.

    It is made up.

    Args:
        city (str): where; a name
            of several words.
        days: how many.

            At most ten.
        **more: whatever.

    Returns:
        str: words
    """


def numpy_style(city, days=3):
    """Tell the weather.

    Parameters
    ----------
    city : str
        Where.
    days : int, optional
        How many.

    Returns
    -------
    str
        Words.
    """


def sphinx(city, days=3):
    """Tell the weather.

    :param str city: where; a name
        of several words.
    :param days: how many.
    :type days: int
    :returns: words
    """


def test_a_function_is_an_object_of_its_parameters():
    assert arguments_of(google) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where; a name of several words."},
            "days": {"type": "integer", "description": "how many. At most ten.", "default": 3},
            "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
        },
        "required": ["city"],
        "additionalProperties": {"type": "number"},
    }
    assert argument_schema(google).description == "Tell the weather.\n\nIt is made up."


@pytest.mark.parametrize(("function", "city", "days"), [
    (numpy_style, "Where.", "How many."),
    (sphinx, "where; a name of several words.", "how many."),
])  # fmt: skip
def test_docstrings_of_other_styles_are_parsed(function, city, days):
    assert arguments_of(function)["properties"] == {
        "city": {"description": city},
        "days": {"description": days, "default": 3},
    }
    assert argument_schema(function).description == "Tell the weather."


def test_one_entry_of_a_docstring_may_describe_several_parameters():
    assert Docstring.parse("Parameters\n----------\nx, y : int\n    Where.").parameters == {
        "x": "Where.",
        "y": "Where.",
    }


@pytest.mark.parametrize(
    "text",
    ["", "Args:", "Args:\n  x", ":param", ":param x:", "Parameters\n---", "x\n---\ny", "\n", ":param a b c d: x"],
)
def test_malformed_docstrings_describe_no_parameter(text):
    assert Docstring.parse(text).parameters in ({}, {"x": "x"})


@given(st.text(alphabet="Args:\n x-=()*,Parmetus", max_size=60))
def test_any_docstring_is_parsed(text):
    Docstring.parse(text)


def test_annotations_win_over_the_docstring():
    def f(x: Annotated[int, "mine"]):
        """F.

        Args:
            x: other.
        """

    assert arguments_of(f)["properties"]["x"] == {"type": "integer", "description": "mine"}


def test_methods_classes_and_wrapped_functions_are_functions():
    class Thing:
        def method(self, x: int):
            pass

        def __call__(self, y: int):
            pass

    @functools.wraps(numpy_style)
    def wrapper(*args, **kwargs):
        pass

    assert list(arguments_of(Thing().method)["properties"]) == ["x"]
    assert list(arguments_of(Thing())["properties"]) == ["y"]
    assert list(arguments_of(Item)["properties"]) == ["name", "price", "colour", "tags"]
    assert list(arguments_of(wrapper)["properties"]) == ["city", "days"]


def test_parameters_may_have_any_name():
    def f(model_config: int, json: str, _x: int, schema: Any, value: int, title: str):
        pass

    assert arguments_of(f)["required"] == ["model_config", "json", "_x", "schema", "value", "title"]


def test_only_short_defaults_are_described():
    def f(rows=(1, 2), colour: Colour = Colour.RED, most=float("nan"), note: str | None = None):
        pass

    defaults = {name: schema.get("default") for name, schema in arguments_of(f)["properties"].items()}
    assert defaults == {"rows": None, "colour": "red", "most": None, "note": None}


def test_recursive_parameters_share_definitions():
    def f(first: Node, other: list[Node]):
        pass

    schema = arguments_of(f)
    assert schema["properties"]["first"] == schema["properties"]["other"]["items"] == {"$ref": "#/$defs/Node"}
    assert list(schema["$defs"]) == ["Node"]


def test_an_undefined_name_in_a_hint_is_reported():
    def f(x: "list[int]", y: "NoSuchType" = None):  # type: ignore[name-defined]  # noqa: F821  # on purpose
        pass

    with pytest.raises(UsageError, match=r"Can't evaluate the type hints of f: .*NoSuchType"):
        arguments_of(f)


@pytest.mark.parametrize(("function", "message"), [
    (lambda *args: None, r"takes \*args, and JSON arguments need names"),
    (min, "min has no signature"),
])  # fmt: skip
def test_functions_that_cannot_be_described_are_refused(function, message):
    with pytest.raises(UsageError, match=message):
        arguments_of(function)


def test_a_parameter_without_a_hint_takes_anything():
    assert arguments_of(lambda x: None)["properties"] == {"x": {}}


def test_a_parameter_that_json_cannot_represent_is_named():
    def f(x: int, frame: np.ndarray):
        pass

    def g(**frames: np.ndarray):
        pass

    with pytest.raises(UsageError, match=r"^f, parameter frame: JSON can't represent numpy.ndarray"):
        arguments_of(f)
    with pytest.raises(UsageError, match=r"^g, parameter frames: JSON can't represent numpy.ndarray"):
        arguments_of(g)


def test_default_of_a_field_that_looks_like_a_secret_is_not_described():
    @dataclasses.dataclass
    class Login:
        user: str = "me"
        password: str = "hunter2-4ever"

    schema = type_schema(Login).json_schema
    assert schema["properties"]["user"]["default"] == "me"
    assert "hunter2" not in repr(schema)
