"""The JSON of a reply."""

import dataclasses
import json
import sys
from typing import TypedDict

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.schema.structured_output import MOST_PIECES, NotFitting, wanted

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "sizes": {"type": "array", "items": {"type": "integer"}}},
    "required": ["name"],
}


@dataclasses.dataclass
class Pet:
    name: str
    legs: int = 4


class Row(TypedDict):
    name: str


class Model(pydantic.BaseModel):
    name: str
    legs: int = pydantic.Field(4, ge=0)


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
def test_json_is_found_wherever_it_stands(form, value):
    made = wanted(value).read(FORMS[form])
    assert made in ({"name": "Rex"}, Pet("Rex"), Model(name="Rex"))


@pytest.mark.parametrize(("reply", "value"), [
    ("42", 42), ('"x"', "x"), ("null", None), ("[1, 2]", [1, 2]), (fence("true"), True), ("{}", {}),
    ("either [1, 2, 3] or {}", [1, 2, 3]), (f"{fence('[1]')} or {fence('[1, 2]')}", [1, 2]),
    ("[[1], [2]] is it", [[1], [2]]), ('{"a": "}{"}!', {"a": "}{"}),
])  # fmt: skip
def test_any_json_will_do(reply, value):
    assert wanted().read(reply) == value


@pytest.mark.parametrize(("reply", "why"), [
    ("", "there is no JSON in it"),
    ("The answer is 42.", "there is no JSON in it"),
    ('{"a": 1,}', "it is no JSON: .*line 1, column"),
    (fence("{'a': 1}"), "it is no JSON: .*column 2"),
    ('{"a": NaN}', "JSON has no NaN"),
    ('{"a": 1, "a": 2}', 'the key "a" stands twice in one object'),
    ("[" * 1_000_000, "nested too deeply"),
    ("so: " + "[" * 1_000_000, "nested too deeply"),
    ('{"a":' * 1_000_000, "nested too deeply"),
    ("[1" + "0" * 100_000 + "]", "more than 1000 digits"),
    ('{"a": "' + "x" * 3_000_000, "it is no JSON"),
    ("x {" * 300_000, "there is no JSON in it"),
    (('{"a": "b' * 200) + "x" * 1_000_000, "it is no JSON"),
    ("see [" + "1, " * 1_000_000, "there is no JSON in it"),
], ids=range(14))  # fmt: skip
def test_a_reply_without_sound_json_says_why(reply, why):
    with pytest.raises(NotFitting, match=why) as caught:
        wanted().read(reply)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(("value", "reply", "why"), [
    (Pet, '{"name": 1}', "^name: text is needed, not 1$"),
    (list[Pet], '[{"name": "a"}, {"legs": 3}]', r"^\[1\]\.name: it is missing$"),
    (Model, '{"name": "a", "legs": -1}', "^legs: Input should be greater than or equal to 0$"),
    (Model, "[]", "^Input should be an object$"),
    (SCHEMA, '{"name": "a", "sizes": [1, "x"]}', r"^sizes\[1\]: 'x' is not of type 'integer'$"),
    (SCHEMA, "[]", r"^\[\] is not of type 'object'$"),
    (False, "{}", None),
    (int, f'"{"x" * 100_000}"', "^an integer is needed"),
    ({"type": "integer"}, f'"{"x" * 100_000}"', "…$"),
    ({"type": "integer"}, '"\\u202e\\u001b[2J"', r"is not of type 'integer'$"),
], ids=range(10))  # fmt: skip
def test_what_does_not_fit_says_where(value, reply, why):
    if why is None:
        with pytest.raises(UsageError):
            wanted(value)
        return
    with pytest.raises(NotFitting, match=why) as caught:
        wanted(value).read(reply)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_the_piece_that_fits_is_taken():
    reply = f'First {{"wrong": [1, 2, 3, 4, 5, 6]}}, then {PET}.'
    assert wanted(Pet).read(reply) == Pet("Rex")
    assert wanted(SCHEMA).read(reply) == {"name": "Rex"}
    assert wanted(Pet).read(f"{fence('{')} or {fence(PET)}") == Pet("Rex")


def test_json_that_looks_whole_and_is_not_may_still_hold_what_is_wanted():
    assert wanted(Pet).read(f"{PET}\n{PET}") == Pet("Rex")
    assert wanted(Pet).read(f"[draft] {PET}") == Pet("Rex")


@pytest.mark.parametrize("footnote", ["[{}]", "[{}: a book]", "[{}–9]", "{{{}}}", "[see {}]"])
def test_footnotes_do_not_hide_it(footnote):
    notes = " ".join(f"as said {footnote.format(number)}" for number in range(400))
    for value in (None, dict[str, int]):
        assert wanted(value).read(f'{notes} {{"x": 7}} {notes}') == {"x": 7}


def test_of_endless_pieces_only_so_many_are_read():
    pieces = "[0] " * MOST_PIECES
    assert wanted(dict[str, int]).read(f'{{"x": 7}} {pieces}') == {"x": 7}
    with pytest.raises(NotFitting):
        wanted(dict[str, int]).read(f'{pieces} {{"x": 7}}')


def test_deep_json_does_not_break_a_check():
    deep = "[" * 900 + "]" * 900
    assert json.dumps(wanted().read(deep)) == deep
    nested = {"$ref": "#/$defs/l", "$defs": {"l": {"type": "array", "items": {"$ref": "#/$defs/l"}}}}
    with pytest.raises(NotFitting, match="nested too deeply"):
        wanted(nested).read(deep)


def test_much_that_is_wrong_is_told_briefly():
    reply = json.dumps({"name": "a", "sizes": ["x"] * 100_000})
    with pytest.raises(NotFitting, match=r"^sizes\[0\]"):
        wanted(SCHEMA).read(reply)


@pytest.mark.parametrize("value", [
    {"type": "objekt"}, {"properties": 7}, {"type": {1, 2}}, "Pet", 7, bytes, Pet("Rex"), {"minimum": "x"},
])  # fmt: skip
def test_what_cannot_be_wanted_is_refused_before_anything_is_sent(value):
    with pytest.raises(UsageError):
        wanted(value)


def test_a_schema_is_never_fetched(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", None)
    monkeypatch.setattr("requests.get", None)
    with pytest.raises(UsageError, match="refers to what is not in it"):
        wanted({"$ref": "http://127.0.0.1:9/schema.json"}).read("{}")


def test_drafts_are_told_by_their_name():
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    with pytest.raises(NotFitting, match="less than or equal to the minimum"):
        wanted(old).read("1")


def test_without_jsonschema_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(UsageError, match=r"pip install 'lockbots-magic\[schema\]'"):
        wanted(SCHEMA)
    assert wanted(Pet).read(PET) == Pet("Rex")


def test_the_instruction_holds_the_schema():
    assert wanted().instruction() == "Answer with JSON alone, without any other text."
    assert json.loads(wanted(SCHEMA).instruction().partition("\n\n")[2]) == SCHEMA
    told = json.loads(wanted(Pet).instruction().partition("\n\n")[2])
    assert told["required"] == ["name"]
    assert "legs" in wanted(Model).instruction()


def test_the_complaint_says_what_was_wrong():
    with pytest.raises(NotFitting) as caught:
        wanted(Pet).read("{}")
    complaint = wanted(Pet).complaint(caught.value)
    assert (
        complaint == "Your answer could not be used: name: it is missing. Answer again, with the corrected JSON alone."
    )


@given(st.text(alphabet='{}[]",:1a `\n\\', max_size=80))
def test_whatever_comes_is_json_or_none(reply):
    try:
        value = wanted().read(reply)
    except NotFitting:
        return
    json.dumps(value, allow_nan=False)


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), min_size=1),
    st.text(alphabet="ab .,\n", max_size=10),
)
def test_json_is_found_in_prose(value, around):
    reply = f"{around}{json.dumps(value)}{around}"
    assert wanted().read(reply) == value
