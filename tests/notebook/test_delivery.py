from dataclasses import dataclass

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.delivery import deliver, describe_value
from lockbots_magic.schema.structured_output import reply_schema


@dataclass
class Flower:
    name: str


def test_a_value_is_described_by_its_type_and_size():
    described = {describe_value(v) for v in ({"a": 1, "b": 2}, [1], "text" * 300, 3, True, None, Flower("rose"))}
    assert described == {"dict, 2 keys", "list, 1 item", "str, 1,200 characters", "int", "True", "None", "Flower"}


def test_text_and_code_are_named():
    turn = Turn("q", "See:\n```python\nx = 1\n```")
    assert deliver(turn, "answer", None).notices == ("answer: str, 24 characters",)
    assert deliver(turn, "answer", None, as_code=True).notices == ("answer: str, 5 characters",)
    assert deliver(turn, None, None).notices == ()


def test_json_is_shown_indented():
    for reply in ('{"name":"rose"}', '```json\n{"name":"rose"}\n```'):
        for schema in (reply_schema(), reply_schema(Flower)):
            assert deliver(Turn("q", reply), "flower", schema).shown == '```json\n{\n  "name": "rose"\n}\n```'
    several = deliver(Turn("q", '[{"name": "rose"}]'), "flowers", reply_schema(list[Flower]))
    assert several.value == [Flower("rose")]
    assert several.shown == '```json\n[\n  {\n    "name": "rose"\n  }\n]\n```'
    made = deliver(Turn("q", 'Here: {"name": "rose"}'), None, reply_schema())
    assert made.shown.startswith('Here: {"name": "rose"}\n\n```json\n')
    assert made.value == {"name": "rose"}


def test_a_reply_that_does_not_conform_stays_text_and_says_why():
    made = deliver(Turn("q", '{"nom": 1}'), "flower", reply_schema(Flower))
    assert made.value == '{"nom": 1}'
    assert made.notices[0].startswith("rejected: ")
    assert made.shown is None
    assert made.rejected
    assert not deliver(Turn("q", '{"name": "rose"}'), None, reply_schema(Flower)).rejected
