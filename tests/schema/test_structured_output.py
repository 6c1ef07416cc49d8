"""JSON out of replies."""

import dataclasses
import json
import sys

import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.schema.find_json import MAX_PIECES
from lockbots_magic.schema.json_values import SchemaMismatch
from lockbots_magic.schema.structured_output import reply_schema

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "sizes": {"type": "array", "items": {"type": "integer"}}},
    "required": ["name"],
}


@dataclasses.dataclass
class Pet:
    name: str
    legs: int = 4


class Row(typing_extensions.TypedDict):
    name: str


class Model(pydantic.BaseModel):
    name: str
    legs: int = pydantic.Field(default=4, ge=0)


def fence(text, language="json"):
    return f"```{language}\n{text}\n```"


PET = '{"name": "Rex"}'
FORMS = {
    "alone": PET,
    "with white space": f"\ufeff\n {PET}\n\n",
    "fenced": fence(PET),
    "fenced without language": f"Sure!\n\n{fence(PET, '')}\n\nAnything else?",
    "fenced in a list": f"1. Here:\n\n   ```json\n   {PET}\n   ```",
    "unfinished fence": f"```json\n{PET}",
    "in prose": f"The answer is {PET}, I think.",
    "after brackets": f"As [the manual] says (see [1], {{sic}}): {PET}",
    "after another fence": f"{fence('print(1)', 'python')}\n{fence(PET)}",
    "after thoughts": f"<think>Perhaps {{}}?</think>\n{PET}",
}


@pytest.mark.parametrize("value", [None, SCHEMA, Pet, Row, Model, dict[str, str]], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_json_is_found_wherever_it_is_in_a_reply(form, value):
    made = reply_schema(value).parse(FORMS[form])
    assert made in ({"name": "Rex"}, Pet("Rex"), Model(name="Rex"))


@pytest.mark.parametrize(("reply", "value"), [
    ("42", 42), ('"x"', "x"), ("null", None), ("[1, 2]", [1, 2]), (fence("true"), True), ("{}", {}),
    ("either [1, 2, 3] or {}", [1, 2, 3]), (f"{fence('[1]')} or {fence('[1, 2]')}", [1, 2]),
    ("[[1], [2]] is it", [[1], [2]]), ('{"a": "}{"}!', {"a": "}{"}),
])  # fmt: skip
def test_without_a_schema_any_json_is_accepted(reply, value):
    assert reply_schema().parse(reply) == value


@pytest.mark.parametrize(("reply", "why"), [
    ("", "The reply holds no JSON"),
    ("The answer is 42.", "The reply holds no JSON"),
    ('{"a": 1 "b": 2}', "Invalid JSON: .*line 1, column"),
    (fence("{a 1}"), "Invalid JSON: .*column 4"),
    ('{"a": NaN}', "NaN is not valid JSON"),
    ('{"a": 1, "a": 2}', 'Duplicate key "a"'),
    ("[" * 1_000_000, "Nested too deeply"),
    ("so: " + "[" * 1_000_000, "Nested too deeply"),
    ('{"a":' * 1_000_000, "Nested too deeply"),
    ("[1" + "0" * 100_000 + "]", "Integer with more than 1000 digits"),
    ('{"a": "' + "x" * 3_000_000, "Invalid JSON"),
    ("x {" * 300_000, "The reply holds no JSON"),
    (('{"a": "b' * 200) + "x" * 1_000_000, "Invalid JSON"),
    ("see [" + "1, " * 1_000_000, "The reply holds no JSON"),
], ids=range(14))  # fmt: skip
def test_a_reply_without_valid_json_is_refused_with_the_reason(reply, why):
    with pytest.raises(SchemaMismatch, match=why) as caught:
        reply_schema().parse(reply)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("value", "reply", "why"), [
    (Pet, '{"name": 1}', "^name: Input should be a valid string, got 1$"),
    (list[Pet], '[{"name": "a"}, {"legs": 3}]', r"^\[1\]\.name: Field required$"),
    (Model, '{"name": "a", "legs": -1}', "^legs: Input should be greater than or equal to 0, got -1$"),
    (Model, "[]", "^Input should be an object, got a list$"),
    (SCHEMA, '{"name": "a", "sizes": [1, "x"]}', r"^sizes\[1\]: 'x' is not of type 'integer'$"),
    (SCHEMA, "[]", r"^\[\] is not of type 'object'$"),
    (False, "{}", None),
    (int, f'"{"x" * 100_000}"', "^Input should be a valid integer"),
    ({"type": "integer"}, f'"{"x" * 100_000}"', "…$"),
    ({"type": "integer"}, '"\\u202e\\u001b[2J"', r"is not of type 'integer'$"),
], ids=range(10))  # fmt: skip
def test_mismatch_names_path_and_reason(value, reply, why):
    if why is None:
        with pytest.raises(UsageError):
            reply_schema(value)
        return
    with pytest.raises(SchemaMismatch, match=why) as caught:
        reply_schema(value).parse(reply)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_of_several_values_the_one_that_matches_is_taken():
    reply = f'First {{"wrong": [1, 2, 3, 4, 5, 6]}}, then {PET}.'
    assert reply_schema(Pet).parse(reply) == Pet("Rex")
    assert reply_schema(SCHEMA).parse(reply) == {"name": "Rex"}
    assert reply_schema(Pet).parse(f"{fence('{')} or {fence(PET)}") == Pet("Rex")


def test_a_reply_that_only_begins_as_json_is_searched_too():
    assert reply_schema(Pet).parse(f"{PET}\n{PET}") == Pet("Rex")
    assert reply_schema(Pet).parse(f"[draft] {PET}") == Pet("Rex")


@pytest.mark.parametrize("footnote", ["[{}]", "[{}: a book]", "[{}–9]", "{{{}}}", "[see {}]"])
def test_footnotes_do_not_hide_it(footnote):
    notes = " ".join(f"as said {footnote.format(number)}" for number in range(400))
    for value in (None, dict[str, int]):
        assert reply_schema(value).parse(f'{notes} {{"x": 7}} {notes}') == {"x": 7}


def test_marks_in_sentences_are_no_json():
    for text in ("As shown in [1], it works.", "See [2].", "Use {} for a dict.", "See [1](http://x).", "Done [1]\n"):
        with pytest.raises(SchemaMismatch):
            reply_schema().parse(text)
    for text, value in {"The result is [1].": 1, "Answer: [4]": 4, "[1]": 1, "Here:\n[1]\nThat is it.": 1}.items():
        assert reply_schema().parse(text) == [value]


def test_only_so_many_values_in_prose_are_read():
    pieces = "[0] " * MAX_PIECES
    assert reply_schema(dict[str, int]).parse(f'{{"x": 7}} {pieces}') == {"x": 7}
    with pytest.raises(SchemaMismatch):
        reply_schema(dict[str, int]).parse(f'{pieces} {{"x": 7}}')


def test_deep_json_does_not_break_a_check():
    deep = "[" * 900 + "]" * 900
    assert json.dumps(reply_schema().parse(deep)) == deep
    nested = {"$ref": "#/$defs/l", "$defs": {"l": {"type": "array", "items": {"$ref": "#/$defs/l"}}}}
    with pytest.raises(SchemaMismatch, match=r"Nested too deeply"):
        reply_schema(nested).parse(deep)


def test_only_one_of_many_mismatches_is_reported():
    reply = json.dumps({"name": "a", "sizes": ["x"] * 100_000})
    with pytest.raises(SchemaMismatch, match=r"^sizes\[0\]"):
        reply_schema(SCHEMA).parse(reply)


@pytest.mark.parametrize("value", [
    {"type": "objekt"}, {"properties": 7}, {"type": {1, 2}}, "Pet", 7, type, Pet("Rex"), {"minimum": "x"},
])  # fmt: skip
def test_an_unusable_schema_is_refused(value):
    with pytest.raises(UsageError):
        reply_schema(value)


def test_a_reference_in_a_schema_is_never_fetched(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", None)
    monkeypatch.setattr("requests.get", None)
    with pytest.raises(UsageError, match=r"Unknown reference in the JSON schema"):
        reply_schema({"$ref": "http://127.0.0.1:9/schema.json"}).parse("{}")


def test_the_draft_of_a_schema_is_respected():
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    with pytest.raises(SchemaMismatch, match=r"less than or equal to the minimum"):
        reply_schema(old).parse("1")


def test_without_jsonschema_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(UsageError, match=r"pip install 'lockbots-magic\[schema\]'"):
        reply_schema(SCHEMA)
    assert reply_schema(Pet).parse(PET) == Pet("Rex")


def test_the_instruction_contains_the_schema():
    assert reply_schema().format_instruction() == "Answer with JSON alone, without any other text."
    assert json.loads(reply_schema(SCHEMA).format_instruction().partition("\n\n")[2]) == SCHEMA
    told = json.loads(reply_schema(Pet).format_instruction().partition("\n\n")[2])
    assert told["required"] == ["name"]
    assert "legs" in reply_schema(Model).format_instruction()


def test_the_correction_says_what_was_wrong():
    with pytest.raises(SchemaMismatch) as caught:
        reply_schema(Pet).parse("{}")
    correction = reply_schema(Pet).format_correction(caught.value)
    assert (
        correction
        == "Your answer could not be used: name: Field required. Answer again, with the corrected JSON alone."
    )


@given(st.text(alphabet='{}[]",:1a `\n\\', max_size=80))
def test_any_text_is_json_or_a_mismatch(reply):
    try:
        value = reply_schema().parse(reply)
    except SchemaMismatch:
        return
    json.dumps(value, allow_nan=False)


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), min_size=1),
    st.text(alphabet="ab .,\n", max_size=10),
)
def test_json_is_found_in_prose(value, around):
    reply = f"{around}{json.dumps(value)}{around}"
    assert reply_schema().parse(reply) == value


def test_the_last_of_several_blocks_is_taken():
    assert reply_schema().parse(f"{fence('[1]')}\nor\n\n{fence('[1, 2]')}\nor\n\n{fence('[3]')}") == [3]


def test_mismatch_is_reported_rather_than_invalid_json():
    blocks = f"{fence(json.dumps({'name': 'x' * 50})[:-1])}\nor\n\n{fence(json.dumps({'name': 1}))}"
    with pytest.raises(SchemaMismatch, match=r"^name: Input should be a valid string"):
        reply_schema(Pet).parse(blocks)


def test_a_value_inside_the_only_list_key_or_string_is_read_if_it_matches():
    schema = reply_schema({"type": "object", "required": ["name"]})
    value = {"name": "Rome"}
    for reply in ([value], {"City": value}, {"properties": value}, json.dumps(value)):
        assert schema.parse(json.dumps(reply)) == value
    for reply in ([value, value], {"City": value, "other": 1}, {"City": {"other": 1}}, [[value]], "name"):
        with pytest.raises(SchemaMismatch):
            schema.parse(json.dumps(reply))
