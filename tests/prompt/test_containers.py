"""Containers in prompts."""

import dataclasses
import re
from collections import Counter, OrderedDict, deque, namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.prompt.containers import MAX_LENGTH, WIDTH, format_briefly
from lockbots_magic.prompt.values import value_part

Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        [],
        (),
        {},
        set(),
        frozenset(),
        [1],
        (1,),
        (1, 2),
        {"a": None},
        {1},
        [[], ()],
        {"a": {"b": [1.5, "x'"]}},
        Point(1, "a"),
    ],
)
def test_small_container_is_its_repr(value):
    assert value_part(value).text == repr(value)
    assert not value_part(value).notes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (OrderedDict(a=1), "{'a': 1}"),
        (Counter("aa"), "{'a': 2}"),
        (deque([1, 2]), "[1, 2]"),
        (frozenset([1]), "frozenset({1})"),
        ({"a": 1}.keys(), "['a']"),
        ({"a": 1}.values(), "[1]"),
        ({"a": 1}.items(), "[('a', 1)]"),
    ],
)
def test_subclasses_are_written_like_their_base(value, text):
    assert value_part(value).text == text


def test_long_container_takes_several_lines():
    rows = [{"name": "a" * 30, "value": number, "more": [number] * 3} for number in range(2)]
    assert value_part({"rows": rows, "total": 2}).text == (
        "{\n"
        "  'rows': [\n"
        "    {'name': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'value': 0, 'more': [0, 0, 0]},\n"
        "    {'name': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'value': 1, 'more': [1, 1, 1]}\n"
        "  ],\n"
        "  'total': 2\n"
        "}"
    )


def test_short_items_share_a_line():
    lines = value_part([*range(100)]).text.splitlines()
    assert len(lines) < 10
    assert max(map(len, lines)) <= WIDTH + 3


def test_a_long_list_shows_its_ends():
    part = value_part([*range(1_000_000)])
    text = " ".join(part.text.split())
    assert text.startswith("[ 0, 1, 2,")
    assert "79, … 999,900 more, 999980," in text
    assert text.endswith("999999 ]")
    assert part.notes == ("only 100 of 1,000,000 items were sent",)


@pytest.mark.parametrize("make", [set, deque, lambda r: dict.fromkeys(r, 0), lambda r: dict.fromkeys(r).keys()])
def test_long_container_without_order_shows_its_beginning(make):
    part = value_part(make(range(1000)))
    assert "… 900 more" in part.text
    assert part.notes == ("only 100 of 1,000 items were sent",)


def test_recursive_container_ends():
    ring: list = [1]
    ring.append({"ring": ring})
    assert value_part(ring).text == "[1, {'ring': [...]}]"


def test_same_container_twice_is_not_recursive():
    one = [1]
    assert value_part([one, one]).text == "[[1], [1]]"


def test_deep_container_is_truncated():
    deep: list = []
    for _ in range(10_000):
        deep = [deep]
    part = value_part(deep)
    assert part.text == "[[[[[[[[[…]]]]]]]]]"
    assert part.notes == ("long or deeply nested parts were shortened",)


def test_wide_and_deep_container_is_bounded():
    tree: list = ["leaf"] * 100
    for _ in range(6):
        tree = [tree] * 100
    part = value_part(tree)
    assert len(part.text) < 3 * MAX_LENGTH
    assert part.notes == ("long or deeply nested parts were shortened",)


def test_long_strings_in_a_container_are_truncated():
    part = value_part(["x" * 5000])
    assert len(part.text) < 2100
    assert part.text.endswith("'…]") or part.text.endswith("'…\n]")
    assert part.notes == ("long or deeply nested parts were shortened",)


def test_brief_format_is_one_short_line():
    assert format_briefly({"a": [1, 2], "b": "x\ny"}, 80) == r"{'a': [1, 2], 'b': 'x\ny'}"
    assert len(format_briefly([*range(10_000)], 80)) < 300


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_container_is_bounded(value):
    assert len(value_part([value]).text) < 10 * MAX_LENGTH


def test_frame_in_a_container_is_a_table_with_all_digits():
    for library in ("pandas", "polars"):
        frame = pytest.importorskip(library).DataFrame({"amount": [1234567890.55]})
        text = value_part({"a": [frame], "b": frame["amount"]}).text
        assert text.count("| 1234567890.55 |") == 2


def test_number_of_any_size_is_written():
    assert value_part([10**5000]).text.startswith("[\n  1000")
    assert value_part(-(10**700)).text == "-1" + "0" * 700


def test_sets_are_written_in_order():
    words = {f"word{n}" for n in range(50)}
    assert re.findall(r"word\d+", value_part(words).text) == sorted(words)
    text = value_part([{"b", "a", 1}, frozenset("ba"), {"k": {"y", "x"}}]).text
    assert text == "[{1, 'a', 'b'}, frozenset({'a', 'b'}), {'k': {'x', 'y'}}]"


def test_set_within_a_repr_is_written_in_order():
    @dataclasses.dataclass
    class Model:
        tags: set

    for words in (["c", "a", "b"], ["a", "b", "c"]):
        assert value_part(Model(set(words))).text.endswith("Model(tags={'a', 'b', 'c'})")
