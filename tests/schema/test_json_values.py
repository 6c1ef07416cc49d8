"""Strict parsing of JSON."""

import json

import pytest
from hypothesis import given

from lockbots_magic.schema.json_values import InvalidJSON, SchemaMismatch, quote_value, read_json

from .json_strategies import json_values


@pytest.mark.parametrize(("text", "message"), [
    ("", "Invalid JSON"), ("{", r"Invalid JSON: .*\(line 1, column 2\)"), ("1 2", "Extra data"),
    ("'a'", "Invalid JSON"),
    ("NaN", "NaN is not valid JSON"), ("[-Infinity]", "-Infinity is not valid JSON"),
    ('{"a": 1, "a": 2}', 'Duplicate key "a"'), ("1e999", "Number 1e999 is out of range"),
    ("9" * 5000, "Integer with more than 1000 digits"),
    ("[" * 1_000_000, "Nested too deeply"), ('{"a":' * 1_000_000, "Nested too deeply"),
])  # fmt: skip
def test_malformed_json_is_refused_with_the_reason(text, message):
    with pytest.raises(SchemaMismatch, match=message):
        read_json(text)


def test_grammar_errors_tell_the_position():
    with pytest.raises(InvalidJSON) as caught:
        read_json('{"a": x}')
    assert caught.value.position == 6


def test_a_value_can_be_read_from_the_middle_of_a_text():
    assert read_json('see {"a": 1} there', 4) == ({"a": 1}, 12)


@given(json_values)
def test_valid_json_is_read(value):
    if not isinstance(value, float | int) or abs(value) < 10**900:
        assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(("value", "quoted"), [
    ({"a": 1}, "an object"), ([1], "a list"), (None, "null"), ("x", '"x"'), (True, "true"),
    ("\u202ex\x1b[2J\n", '"x\\u001b[2J\\n"'), ("y" * 100, '"' + "y" * 38 + "…"),
])  # fmt: skip
def test_values_are_quoted_on_one_short_printable_line(value, quoted):
    assert quote_value(value) == quoted
