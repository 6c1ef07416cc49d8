"""Types and functions as JSON schemas, and JSON as their values."""

import dataclasses
import datetime
import enum
import functools
import json
import pathlib
import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, TypeVar, Union

import jsonschema
import numpy as np
import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.schema import fitted, schema_of, schema_of_function, shapes
from lockbots_magic.schema.docstrings import Docstring
from lockbots_magic.schema.functions import Parameters
from lockbots_magic.schema.reading import read_json
from lockbots_magic.schema.shapes import Misfit


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Item:
    """A thing for sale.

    Attributes:
        name: what it is called,
            in one word.
        price: in euros.
    """

    name: str
    price: float
    colour: Colour = Colour.RED
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Order:
    items: list[Item]
    due: Optional[datetime.date] = None  # noqa: UP045  # both ways of writing it are read


@dataclasses.dataclass
class Node:
    value: int
    children: "list[Node]" = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Even:
    number: int

    def __post_init__(self):
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")


@dataclasses.dataclass
class Left:
    x: "Left | Right | None"


@dataclasses.dataclass
class Right:
    x: "Left | Right | None"


class Person(TypedDict):
    name: str
    age: typing_extensions.NotRequired[int]


class Leaf(pydantic.BaseModel):
    size: int = pydantic.Field(gt=0)


class Tree(pydantic.BaseModel):
    leaves: list[Leaf]


T = TypeVar("T")
UserId = NewType("UserId", int)

SCHEMAS = [
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (None, {"type": "null"}),
    (Any, {}),
    (list, {"type": "array", "items": {}}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
    (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (
        tuple[int, str],
        {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
    ),
    (dict, {"type": "object", "additionalProperties": True}),
    (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
    (Mapping[str, Any], {"type": "object", "additionalProperties": True}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),  # noqa: UP007  # as above
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, None, Colour.RED], {"enum": [1, None, "red"]}),
    (Colour, {"type": "string", "enum": ["red", "blue"]}),
    (Level, {"enum": [1, 2]}),
    (datetime.date, {"type": "string", "format": "date"}),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (Annotated[int, {"odd": 1}, "how many"], {"type": "integer", "description": "how many"}),
    (Annotated[int, pydantic.Field(description="how many")], {"type": "integer", "description": "how many"}),
    (Annotated[int, {"odd": 1}], {"type": "integer"}),
    (UserId, {"type": "integer"}),
    (T, {}),
]


@pytest.mark.parametrize(("hint", "schema"), SCHEMAS, ids=lambda value: str(value)[:40])
def test_types_have_schemas(hint, schema):
    assert schema_of(hint) == schema
    jsonschema.Draft202012Validator.check_schema(schema)


def test_a_dataclass_is_an_object_with_the_words_of_its_docstring():
    schema = schema_of(Item)
    assert schema["description"] == "A thing for sale."
    assert schema["properties"]["name"] == {"type": "string", "description": "what it is called, in one word."}
    assert schema["properties"]["colour"] == {"type": "string", "enum": ["red", "blue"], "default": "red"}
    assert schema["required"] == ["name", "price"]
    assert schema["additionalProperties"] is False
    assert "description" not in schema_of(Order)  # its docstring is what dataclass itself wrote


def test_a_typed_dict_knows_what_may_be_missing():
    schema = schema_of(Person)
    assert (list(schema["properties"]), schema["required"]) == (["name", "age"], ["name"])
    assert fitted({"name": "Ann"}, Person) == {"name": "Ann"}


def test_a_type_that_holds_itself_is_told_apart():
    schema = schema_of(Node)
    assert schema["$ref"] == "#/$defs/Node"
    assert schema["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    jsonschema.validate({"value": 1, "children": [{"value": 2}]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"value": 1, "children": [{"value": "x"}]}, schema)
    assert fitted({"value": 1, "children": [{"value": 2}]}, Node) == Node(1, [Node(2)])


def test_a_type_that_holds_itself_may_stand_anywhere():
    schema = schema_of(dict[str, Node | None])
    assert list(schema["$defs"]) == ["Node"]
    jsonschema.validate({"a": {"value": 1, "children": []}, "b": None}, schema)


def test_two_types_of_one_name_that_hold_themselves_are_refused():
    other = dataclasses.make_dataclass("Node", [("next", Optional["Node"])], namespace={"__module__": __name__})
    with pytest.raises(UsageError, match="two types are called Node"):
        schema_of(tuple[Node, other])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type aliases came with 3.12")
def test_an_alias_may_hold_itself():
    names = {}
    exec("type Deep = int | list[Deep]", names)
    assert schema_of(names["Deep"])["$defs"]["Deep"]["anyOf"][1]["items"] == {"$ref": "#/$defs/Deep"}
    assert fitted([1, [2]], names["Deep"]) == [1, [2]]


def test_a_pydantic_model_describes_and_checks_itself():
    schema = schema_of(dict[str, Tree])
    jsonschema.validate({"oak": {"leaves": [{"size": 1}]}}, schema)
    assert schema["$defs"]["Leaf"]["properties"]["size"]["exclusiveMinimum"] == 0
    assert fitted({"oak": {"leaves": [{"size": 1}]}}, dict[str, Tree])["oak"] == Tree(leaves=[Leaf(size=1)])
    with pytest.raises(ValueError, match=r"^oak\.leaves\[1\]\.size: Input should be greater than 0$"):
        fitted({"oak": {"leaves": [{"size": 1}, {"size": 0}]}}, dict[str, Tree])


@pytest.mark.parametrize("hint", [
    bytes, complex, dict[int, str], np.ndarray, list[bytes], "int", 7, [], Literal[b"x"], object(), type, json,
    enum.Enum("Pair", {"A": (1, 2)}), dataclasses.make_dataclass("Bad", [("x", "NoSuchType")]),
    dataclasses.make_dataclass("Raw", [("x", bytes)]),
])  # fmt: skip
def test_what_json_cannot_hold_is_refused(hint):
    with pytest.raises(UsageError):
        schema_of(hint)


FITTING = [
    (1, int, 1),
    (3.0, int, 3),
    (1, float, 1.0),
    ("x", str, "x"),
    (None, int | None, None),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, "x"], tuple[int, str], (1, "x")),
    (["a", "b"], set[str], {"a", "b"}),
    ("blue", Colour, Colour.BLUE),
    (2, Level, Level.HIGH),
    (1, Literal[1], 1),
    ("2024-02-29", datetime.date, datetime.date(2024, 2, 29)),
    ("2024-02-29T12:00:00Z", datetime.datetime, datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)),
    ("a/b", pathlib.Path, pathlib.Path("a/b")),
    ("x", int | str, "x"),
    ({"a": [1, None]}, Any, {"a": [1, None]}),
    ({"name": "pen", "price": 1, "colour": "blue"}, Item, Item("pen", 1.0, Colour.BLUE)),
    ({"items": [], "due": "2024-01-01"}, Order, Order([], datetime.date(2024, 1, 1))),
]


@pytest.mark.parametrize(("value", "hint", "made"), FITTING, ids=range(len(FITTING)))
def test_json_becomes_what_the_type_says(value, hint, made):
    assert fitted(value, hint) == made
    assert type(fitted(value, hint)) is type(made)
    jsonschema.validate(value, schema_of(hint))


MISFITS = [
    ("x", float, 'a number is needed, not "x"'),
    (True, int, "an integer is needed, not true"),
    (1.5, int, "an integer is needed, not 1.5"),
    (1, bool, "true or false is needed, not 1"),
    (None, str, "text is needed, not null"),
    ([], str, "text is needed, not a list"),
    ({}, list, "a list is needed, not an object"),
    ([1], tuple[int, int], "a list of 2 is needed, not a list"),
    ([[1]], set[Any], "the items of a set must be text, numbers or the like"),
    (True, Literal[1], "one of 1 is needed, not true"),
    ("green", Colour, 'one of "red", "blue" is needed, not "green"'),
    ("soon", datetime.date, 'a date (ISO 8601) is needed, not "soon"'),
    ("x", Optional[int], 'an integer is needed, not "x"'),  # noqa: UP045  # as above
    ([], int | str, "an integer is needed, not a list; or text is needed, not a list"),
    ({"value": 1, "children": [{"value": "x"}]}, Node, 'children[0].value: an integer is needed, not "x"'),
    ({"items": [{"name": "a", "price": 1}, {"name": "b"}]}, Order, "items[1].price: it is missing"),
    (
        {"items": [{"name": "a", "price": 1, "size": 2}]},
        Order,
        'items[0]: there should be no "size"; what there may be: name, price, colour, tags',
    ),
    ({"a b": "x"}, dict[str, int], '["a b"]: an integer is needed, not "x"'),
    ({"number": 3}, Even, "3 is odd"),
    ([{"number": 3}], list[Even], "[0]: 3 is odd"),
    (10**400, float, f"a number is needed, not 1{'0' * 38}…"),
    ("\u202ex\x1b[2J\n", int, 'an integer is needed, not "x\\u001b[2J\\n"'),
]


@pytest.mark.parametrize(("value", "hint", "why"), MISFITS, ids=range(len(MISFITS)))
def test_a_misfit_says_where_and_why(value, hint, why):
    with pytest.raises(Misfit) as caught:
        fitted(value, hint)
    assert str(caught.value) == why
    assert len(why) < 300


def test_deep_json_does_not_break_it():
    deep = value = {"value": 1, "children": []}
    for _ in range(100_000):
        value["children"].append({"value": 1, "children": []})
        value = value["children"][0]
    with pytest.raises(ValueError, match="nested too deeply"):
        fitted(deep, Node)


def test_alternatives_in_alternatives_come_to_an_end(monkeypatch):
    monkeypatch.setattr(shapes, "MOST_STEPS", 10_000)
    value = {"x": "wrong"}
    for _ in range(60):
        value = {"x": value}
    with pytest.raises(ValueError, match="too large to be checked"):
        fitted(value, Left)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(["name", "price",
        "items", "value", "children"]), inner, max_size=4),
)  # fmt: skip


@given(json_values, st.sampled_from([Item, Order, Node, Person, Tree, list[int | str], dict[str, float], set[int]]))
def test_whatever_fits_fits_the_schema_too(value, hint):
    try:
        fitted(value, hint)
    except Misfit:
        return
    if hint != set[int]:  # there, doubles are taken
        jsonschema.validate(value, schema_of(hint))


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
    assert schema_of_function(google) == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "where; a name of several words."},
            "days": {"type": "integer", "description": "how many. At most ten.", "default": 3},
            "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
        },
        "required": ["city"],
        "additionalProperties": {"type": "number"},
    }


@pytest.mark.parametrize(("function", "city", "days"), [
    (numpy_style, "Where.", "How many."),
    (sphinx, "where; a name of several words.", "how many."),
])  # fmt: skip
def test_docstrings_of_other_styles_are_read(function, city, days):
    properties = schema_of_function(function)["properties"]
    assert properties == {"city": {"description": city}, "days": {"description": days, "default": 3}}
    assert Docstring.of(function).text == "Tell the weather."


def test_several_paragraphs_describe_a_function():
    assert Docstring.of(google).text == "Tell the weather.\n\nIt is made up."


@pytest.mark.parametrize(
    "written", ["", "Args:", "Args:\n  x", ":param", ":param x:", "Parameters\n---", "x\n---\ny", "\n"]
)
def test_odd_docstrings_do_no_harm(written):
    assert Docstring.read(written).parameters == {}


@given(st.text(alphabet="Args:\n x-=()*,Parmetus", max_size=60))
def test_any_docstring_is_read(written):
    Docstring.read(written)


def test_words_in_the_hint_go_before_the_docstring():
    def f(x: Annotated[int, "mine"]):
        """F.

        Args:
            x: other.
        """

    assert schema_of_function(f)["properties"]["x"] == {"type": "integer", "description": "mine"}


def test_methods_classes_and_wrapped_functions_are_functions():
    class Thing:
        def method(self, x: int):
            pass

        def __call__(self, y: int):
            pass

    @functools.wraps(numpy_style)
    def wrapper(*args, **kwargs):
        pass

    assert list(schema_of_function(Thing().method)["properties"]) == ["x"]
    assert list(schema_of_function(Thing())["properties"]) == ["y"]
    assert list(schema_of_function(Item)["properties"]) == ["name", "price", "colour", "tags"]
    assert list(schema_of_function(wrapper)["properties"]) == ["city", "days"]


def test_hints_that_are_text_are_read():
    def f(x: "list[int]", y: "NoSuchType" = None):  # noqa: F821  # on purpose
        pass

    with pytest.raises(UsageError, match=r"the types that f takes can't be read.*NoSuchType"):
        schema_of_function(f)


@pytest.mark.parametrize(("function", "why"), [
    (lambda *args: None, r"takes \*args, which have no names"),
    (lambda x: None, None),
    (min, "does not say what it takes"),
])  # fmt: skip
def test_functions_that_cannot_be_described_say_so(function, why):
    if why is None:
        assert schema_of_function(function)["required"] == ["x"]
        return
    with pytest.raises(UsageError, match=why):
        schema_of_function(function)


def test_a_parameter_that_json_cannot_hold_is_named():
    def f(x: int, frame: np.ndarray):
        pass

    with pytest.raises(UsageError, match="f, parameter frame: JSON can't hold a ndarray"):
        schema_of_function(f)


def call(function, **given):
    bound = Parameters(function).bound(given)
    return function(*bound.args, **bound.kwargs)


def test_arguments_come_as_the_function_takes_them():
    def f(a, b=2, /, c: Colour = Colour.RED, *, d: list[int] = (), **more: float):
        return a, b, c, d, more

    assert call(f, a=1, c="blue", d=[3.0], e=4) == (1, 2, Colour.BLUE, [3], {"e": 4.0})
    assert call(f, a=1) == (1, 2, Colour.RED, (), {})


@pytest.mark.parametrize(("given", "why"), [
    ({}, "city: it is missing"),
    ({"city": 1}, "city: text is needed, not 1"),
    ({"city": "Rome", "hours": "x"}, 'hours: a number is needed, not "x"'),
])  # fmt: skip
def test_arguments_that_do_not_fit_are_named(given, why):
    with pytest.raises(ValueError, match=f"^{why}$"):
        call(google, **given)


def test_an_argument_that_is_not_taken_is_named():
    with pytest.raises(ValueError, match='there should be no "town"; what there may be: city, days'):
        call(numpy_style, city="Rome", town="Rome")


@pytest.mark.parametrize(("text", "why"), [
    ("", "it is no JSON"), ("{", "it is no JSON: .*line 1, column 2"), ("NaN", "JSON has no NaN"),
    ("[-Infinity]", "JSON has no -Infinity"), ('{"a": 1, "a": 2}', 'the key "a" stands twice'), ("1 2", "Extra data"),
    ("1e999", "the number 1e999 is too large"), ("9" * 5000, "more than 1000 digits"), ("'a'", "it is no JSON"),
    ("[" * 1_000_000, "nested too deeply"), ('{"a":' * 1_000_000, "nested too deeply"),
])  # fmt: skip
def test_json_is_read_strictly(text, why):
    with pytest.raises(ValueError, match=why):
        read_json(text)


@given(json_values)
def test_sound_json_is_read(value):
    if not isinstance(value, float | int) or abs(value) < 10**900:
        assert read_json(json.dumps(value)) == value
