"""Indented JSON is that of the standard library."""

from __future__ import annotations

import json
import math
from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.storage.indented_json import indented_json

from ..effort import examples


class Word(str):
    __slots__ = ()


class Number(IntEnum):
    ONE = 1


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
) | st.sampled_from((Word("a\n"), Number.ONE, (), (1, ["x"]), {}, [], "\u2028\ud800\x7f", 10**30, -0.0))
NAMES = st.text(max_size=3) | st.sampled_from((Word("b"), 1, 2.5, None, True))


@settings(max_examples=examples(400))
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner) | st.tuples(inner, inner)))
def test_any_value_is_written_as_json_writes_it(value):
    assert indented_json(value) == json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def test_what_is_no_json_is_refused():
    circle: list[object] = []
    circle.append(circle)
    for value in (math.nan, [math.inf], {"a": {1, 2}}, {(1, 2): "b"}, [object()], circle):
        with pytest.raises((TypeError, ValueError, RecursionError)):
            indented_json(value)
