"""JSON values validated against types and signatures."""

import datetime
import pathlib
import subprocess
import sys
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Optional

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType

from lockbots_magic.schema import argument_schema, type_schema
from lockbots_magic.schema.json_values import SchemaMismatch
from lockbots_magic.security.control_characters import printable

from .json_strategies import json_values
from .sample_types import Colour, Even, Item, Left, Level, Node, Order, Person, Point, Right, Tree

JSON = TypeAliasType("JSON", "dict[str, JSON] | list[JSON] | str | float | None")
NESTED = TypeAliasType("NESTED", "list[NESTED]")


def validate(value, hint):
    return type_schema(hint).validate(value)


class Place(NamedTuple):
    name: str
    height: float = 0.0


VALID = [
    (1, int, 1),
    (3.0, int, 3),
    ([1.0, {"a": 2.0}], list[int | dict[str, int]], [1, {"a": 2}]),
    (3.0, Any, 3.0),
    (1, float, 1.0),
    ("x", str, "x"),
    (None, int | None, None),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, "x"], tuple[int, str], (1, "x")),
    ([], tuple[()], ()),
    (["a", "b"], set[str], {"a", "b"}),
    ([1, 2], Iterable[int], [1, 2]),
    ({"1": "a"}, dict[int, str], {1: "a"}),
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
    ({"name": "Ann"}, Person, {"name": "Ann"}),
    (["K2"], Place, Place("K2")),
    ({"value": 1, "children": [{"value": 2}]}, Node, Node(1, [Node(2)])),
    ({"x": {"x": None}}, Left | None, Left(Left(None))),
]


@pytest.mark.parametrize(("value", "hint", "instance"), VALID, ids=range(len(VALID)))
def test_valid_json_becomes_an_instance_of_the_type(value, hint, instance):
    assert validate(value, hint) == instance
    assert type(validate(value, hint)) is (type(instance))
    if hint != dict[int, str]:
        jsonschema.validate(value, type_schema(hint).json_schema)


MISMATCHES = [
    ("x", float, 'Input should be a valid number, got "x"'),
    ("1", int, 'Input should be a valid integer, got "1"'),
    (True, int, "Input should be a valid integer, got true"),
    (1.5, int, "Input should be a valid integer, got 1.5"),
    (1e300, int, "Input should be a valid integer, got 1e+300"),  # not known exactly
    (1, bool, "Input should be a valid boolean, got 1"),
    (None, str, "Input should be a valid string, got null"),
    ([], str, "Input should be a valid string, got a list"),
    ({}, list, "Input should be a valid array, got an object"),
    ([1], tuple[int, int], "[1]: Field required"),
    ([1], tuple[()], "Tuple should have at most 0 items after validation, not 1"),
    ([1, "x"], Iterable[int], '[1]: Input should be a valid integer, got "x"'),
    ("green", Colour, "Input should be 'red' or 'blue', got \"green\""),
    (5, datetime.date, "Input should be a valid date, got 5"),
    ("x", Optional[int], 'Input should be a valid integer, got "x"'),  # noqa: UP045  # both spellings are read
    ([], int | str, "Input should be a valid integer or a valid string, got a list"),
    (
        {"a": "x"},
        list[int] | dict[str, int],
        'Input should be a valid array, got an object; a: Input should be a valid integer, got "x"',
    ),
    (5, Left | Right, "Input should be an object, got 5"),  # told once
    ([1], list[None], "[0]: Input should be null, got 1"),
    ([1, 2], list[None], "[0]: Input should be null, got 1; [1]: Input should be null, got 2"),
    ({"value": 1, "children": [{"value": "x"}]}, Node, 'children[0].value: Input should be a valid integer, got "x"'),
    ({"items": [{"name": "a", "price": 1}, {"name": "b"}]}, Order, "items[1].price: Field required"),
    ({"items": [{"name": "a", "price": 1, "size": 2}]}, Order, "items[0].size: Unknown field"),
    ({"nme": "Ann"}, Person, "name: Field required; nme: Unknown field"),
    ({"a b": "x"}, dict[str, int], '["a b"]: Input should be a valid integer, got "x"'),
    ({"a": "x"}, dict[int, str], 'a: Input should be a valid integer, unable to parse string as an integer, got "a"'),
    ({"number": 3}, Even, "3 is odd"),
    ([{"number": 3}], list[Even], "[0]: 3 is odd"),
    ({"number": -2}, Even, "'negative'"),
    (
        {"x": "a", "y": "b"},
        Point,
        'x: Input should be a valid integer, got "a"; y: Input should be a valid integer, got "b"',
    ),
    ({"leaves": [{"size": 1}, {"size": 0}]}, Tree, "leaves[1].size: Input should be greater than 0, got 0"),
    ("\u202ex\x1b[2J\n", int, 'Input should be a valid integer, got "x\\u001b[2J\\n"'),
]


@pytest.mark.parametrize(("value", "hint", "message"), MISMATCHES, ids=range(len(MISMATCHES)))
def test_mismatch_names_path_and_reason(value, hint, message):
    with pytest.raises(SchemaMismatch) as caught:
        validate(value, hint)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", ["soon", "2024-02-30", ""])
def test_text_that_is_not_a_date_is_refused(value):
    with pytest.raises(SchemaMismatch, match=f'Input should be a valid date.*, got "{value}"$'):
        validate(value, datetime.date)


def test_a_number_too_large_for_a_float_is_refused():
    with pytest.raises(SchemaMismatch, match=r"Input should be a (finite|valid) number, got 10000000000000000"):
        validate(10**400, float)


def test_a_set_of_lists_is_refused():
    with pytest.raises(SchemaMismatch, match=r"hashable"):
        validate([[1]], set[Any])


def test_a_few_of_many_mismatches_are_reported():
    with pytest.raises(SchemaMismatch) as caught:
        validate(["x" * 1000] * 10_000, list[int])
    assert str(caught.value).startswith('[0]: Input should be a valid integer, got "xxx')
    assert len(str(caught.value)) <= 200
    with pytest.raises(SchemaMismatch) as caught:
        validate([{}] * 10, list[Person])
    assert str(caught.value) == "[0].name: Field required; [1].name: Field required; [2].name: Field required"


def test_a_lone_surrogate_is_refused():
    with pytest.raises(SchemaMismatch, match=r"^Invalid JSON"):
        validate("\ud83d", str)


def test_deep_nesting_is_refused():
    for levels in (300, 100_000):
        deep: Any = {"value": 1, "children": []}
        value = deep
        for _ in range(levels):
            value["children"].append({"value": 1, "children": []})
            value = value["children"][0]
        with pytest.raises(SchemaMismatch, match=r"^Nested too deeply$"):
            validate(deep, Node)


def nested_left(levels, value=None):
    for _ in range(levels):
        value = {"x": value}
    return value


@pytest.mark.parametrize("hint", [Left, list[Left | Right], dict[str, Left] | None])
def test_recursive_unions_are_bounded_because_their_validation_is_exponential(hint):
    with pytest.raises(SchemaMismatch, match=r"^Too deep or too large for a union of recursive types$"):
        validate(nested_left(60, "wrong"), hint)


def test_the_bound_of_recursive_unions_counts_breadth_too():
    assert len(validate([nested_left(8)] * 100, list[Left])) == 100
    with pytest.raises(SchemaMismatch, match=r"^Too deep or too large"):
        validate([nested_left(8)] * 10_000, list[Left])


def test_the_bound_of_recursive_unions_leaves_room():
    expected = None
    for _ in range(15):
        expected = Left(expected)
    assert validate(nested_left(15), Left) == expected
    with pytest.raises(SchemaMismatch, match=r"Input should be"):
        validate(nested_left(15, "wrong"), Left)


def test_recursion_without_alternatives_has_no_depth_limit():
    value = {"value": 1}
    for _ in range(40):
        value = {"value": 1, "children": [value]}
    assert validate(value, Node).value == 1


@given(json_values, st.sampled_from([Item, Order, Node, Person, Tree, list[int | str], dict[str, float], set[int]]))
def test_every_valid_value_matches_the_json_schema(value, hint):
    schema = type_schema(hint)
    try:
        schema.validate(value)
    except SchemaMismatch as mismatch:
        message = str(mismatch)
    else:
        message = ""
    assert len(message) <= 200
    assert printable(message) == message
    assert "\n" not in message
    if not message and hint != set[int]:  # duplicates are accepted
        jsonschema.validate(value, schema.json_schema)


def call(function, **given):
    bound = argument_schema(function).bind(given)
    return function(*bound.args, **bound.kwargs)


def weather(city: str, days: int = 3, **more: float):
    return city, days, more


def test_arguments_are_bound_as_the_function_takes_them():
    def f(a, b=2, /, c: Colour = Colour.RED, *, d: list[int] = (), **more: float):
        return a, b, c, d, more

    assert call(f, a=1, c="blue", d=[3.0], e=4) == (1, 2, Colour.BLUE, [3], {"e": 4.0})
    assert call(f, a=1) == (1, 2, Colour.RED, (), {})


def test_default_that_looks_like_a_secret_is_used_and_not_described():
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"

    def f(q: str, key: str = token, password: str = "hunter2-4ever", page: str = "first"):
        return key, password, page

    described = repr(argument_schema(f).json_schema)
    assert "first" in described
    assert "ghp_" not in described
    assert "hunter2" not in described
    assert call(f, q="x") == (token, "hunter2-4ever", "first")


def test_a_missing_positional_only_argument_keeps_its_default():
    def f(a=1, b=2, /):
        return a, b

    assert call(f, b=5) == (1, 5)


def test_null_leaves_out_a_parameter_that_takes_none_but_has_a_default():
    def f(a: int, b: str = "x", c: int | None = 5, d=6, e: Literal["u", None] = "u", **more: float):
        return a, b, c, d, e, more

    assert call(f, a=1, b=None, c=None, d=None, e=None) == (1, "x", None, None, None, {})
    for wrong in ({"a": None}, {"a": 1, "other": None}):
        with pytest.raises(SchemaMismatch):
            call(f, **wrong)


def test_null_is_kept_by_a_parameter_whose_named_type_takes_it():
    def f(a: JSON = "x", b: NESTED = ()):
        return a, b

    assert call(f, a=None, b=None) == (None, ())
    assert call(f, b=[[]]) == ("x", [[]])


def test_other_keywords_may_have_any_name():
    assert call(weather, city="Rome", **{"**more": 1, "more": 2}) == ("Rome", 3, {"**more": 1.0, "more": 2.0})


def test_positional_only_name_may_be_repeated_as_a_keyword():
    def f(value, /, **rest):
        return value, rest

    assert call(f, value=1, other=2) == (1, {"other": 2})


@pytest.mark.parametrize(("given", "message"), [
    ({}, "city: Field required"),
    ({"city": 1}, "city: Input should be a valid string, got 1"),
    ({"city": "Rome", "hours": "x"}, 'hours: Input should be a valid number, got "x"'),
    ({"city": "Rome", "more": "x"}, 'more: Input should be a valid number, got "x"'),
])  # fmt: skip
def test_invalid_arguments_are_named(given, message):
    with pytest.raises(SchemaMismatch) as caught:
        call(weather, **given)
    assert str(caught.value) == message


def test_unknown_arguments_are_named():
    def f(city):
        pass

    with pytest.raises(SchemaMismatch, match=r"^city: Field required; town: Unknown field$"):
        call(f, town="Rome")


def test_describing_and_binding_never_calls_the_function():
    def explode(x: int):
        raise AssertionError

    assert argument_schema(explode).bind({"x": 1}).args == (1,)


def test_pydantic_loads_only_when_a_type_is_described():
    heavy = "{'pydantic', 'docstring_parser', 'jsonschema'} & set(sys.modules)"
    code = f"""
import sys
import lockbots_magic.notebook.extension, lockbots_magic.notebook.magics, lockbots_magic.tools.toolbox
import lockbots_magic.schema.structured_output as structured_output, lockbots_magic.schema as schema
structured_output.reply_schema()
before = {heavy}
schema.type_schema(int)
print(sorted(before), 'pydantic' in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\n"
