"""What is nearly JSON is read, or named exactly."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.schema.json_values import SchemaMismatch
from lockbots_magic.schema.near_json import MAX_DEPTH, read_near_json
from lockbots_magic.schema.structured_output import reply_schema
from tests.effort import examples

READ = {
    '{"a": [1, 2,],}': {"a": [1, 2]},
    '{\n  // the answer\n  "a": 1 /* so */, # yes\n}': {"a": 1},
    '{"a": "one\ntwo\tthree"}': {"a": "one\ntwo\tthree"},
    "{'a': 'it\\'s \"x\" \\xe9', 'b': [True, False, None]}": {"a": 'it\'s "x" é', "b": [True, False, None]},
    "{a: 1, $b: .5, c: 1., d: +2, e: -3e2}": {"a": 1, "$b": 0.5, "c": 1.0, "d": 2, "e": -300.0},
    '{"a": undefined}': {"a": None},
    "{“a”: “it's \\n”, „b“: [“x”,]}": {"a": "it's \n", "b": ["x"]},
    r'{"re": "\d+\s\.", "tex": "\alpha \(x\)", "path": "C:\Users\u0041"}': {
        "re": r"\d+\s\.",
        "tex": r"\alpha \(x\)",
        "path": r"C:\UsersA",
    },
    "[]": [],
    "{ }": {},
}


def test_common_slips_are_read():
    for text, value in READ.items():
        assert read_near_json(text) == (value, len(text), None), text
        for reply in (text, f"Here it is:\n\n{text}", f"So:\n```json\n{text}\n```"):
            assert reply_schema().parse(reply) == value, reply


NAMED = {
    '{"a": NaN}': "NaN is not valid JSON",
    "{'a': -Infinity}": "-Infinity is not valid JSON",
    '{"a": 1, "a": 2,}': 'Duplicate key "a" in an object',
    '{"a": 1e999,}': "Number 1e999 is out of range",
    '{"a": 1 "b": 2}': r"Expecting ',' delimiter \(line 1, column 9\)",
    '{"a": 1,\n "b" 2}': r"Expecting ':' delimiter \(line 2, column 6\)",
    '{"a": oops}': r"Expecting value \(line 1, column 7\)",
    '{"a": ...}': r"Expecting value \(line 1, column 7\)",
    '{"a": 01}': r"Expecting value \(line 1, column 7\)",
    '{"a": "x}': r"Unterminated string \(line 1, column 7\)",
    '{"a": {"b": 1}': r"Expecting ',' delimiter \(line 1, column 15\)",
    "{'a': [1, 2": r"Expecting ',' delimiter \(line 1, column 12\)",
    '{"a": 1, 5: 2}': r"Expecting a property name in double quotes \(line 1, column 10\)",
}


def test_what_can_not_be_read_is_named():
    for text, why in NAMED.items():
        for reply in (text, f"```json\n{text}\n```", f"So:\n\n{text}"):
            with pytest.raises(SchemaMismatch, match=why if reply == text else why.partition(r" \(")[0]):
                reply_schema().parse(reply)


def test_depth_is_limited():
    assert read_near_json("[" * MAX_DEPTH + "]" * MAX_DEPTH).end == 2 * MAX_DEPTH
    with pytest.raises(SchemaMismatch, match="Nested too deeply"):
        read_near_json("['a'," * 10_000)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.floats(-9, 9) | st.text("ab '\"\\\n\té😀", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab'\"_ ", max_size=4), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, list | dict))


@settings(max_examples=examples(400))
@given(VALUES)
def test_json_and_the_repr_of_python_are_read(value: object):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1), repr(value)):
        near = read_near_json(text + " and more")
        assert near == (value, len(text), None)


@settings(max_examples=examples(400))
@given(st.text("{}[]\"':,/*# \n\\x1eTrueNaN.-", max_size=60))
def test_any_text_is_read_or_named(text: str):
    try:
        near = read_near_json(text)
    except SchemaMismatch:
        return
    assert 0 < near.end <= len(text)
    if near.problem is None:
        assert not math.isnan(len(json.dumps(near.value, allow_nan=False)))
