"""Which of several JSON values in a reply is the answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.schema.json_values import SchemaMismatch
from lockbots_magic.schema.structured_output import reply_schema
from tests.effort import examples

FENCE = "```json\n{}\n```"
ANSWER = FENCE.format('{"a": 5}')
CODE = "```python\nx = {'a': 1}\nprint(x)\n```"


ANSWERED = (
    'The format would be {"a": 0, "b": "an example of a text, longer"}. The answer is {"a": 5}',
    '{"a": 1}\n\nWait, that is wrong. Corrected:\n\n{"a": 5}',
    'Given {"name": "Bob", "age": 3, "city": "Rome"} the result is {"a": 5}.',
    "Like this:\n" + FENCE.format('{"a": 0, "b": "placeholder"}') + f"\nSo:\n{ANSWER}",
    f"{ANSWER}\nFor example, {{'a': 1}} would have been wrong.",
    f'{ANSWER}\nThe object {{"b": 1}} has another key.',
    "First attempt:\n" + FENCE.format('{"a": 1}') + '\nThat is off by four. Final answer: {"a": 5}',
    'The answer is {"a": 5} [1], see [2] and [the manual](https://x.example) and {}.',
    '{"a": 5} [1][2]',
    '{"a": 5}\n\n[1][2]',
    '{"a": 5}\n\nAn object such as {"a": 0} is incorrect.',
    '{"a": 5}\n\nHere {"a": 0} would be wrong.',
    f"{CODE}\nIt prints {{'a': 5}}",
    f"It prints\n\n{{'a': 5}}\n\nwith\n\n{CODE}",
    'Template: {"a": <int>}. Answer: {"a": 5}',
    "Например: {'a': 1}. Ответ: {'a': 5}",
    '> {"a": 1}\n\n**{"a": 5}**',
    '```jsonl\n{"a": 1}\n{"a": 5}\n```',
    "```python\n{'a': 5}\n```",
    *(
        f"{ANSWER}\n{heading}\n" + FENCE.format('{"a": 1}')
        for heading in (
            "Previously:",
            "**The old value was:**",
            "Before the change:",
            "Alternatively:",
            "A bad one:",
        )
    ),
    *(
        f"{ANSWER}\n{heading}\n" + FENCE.format('{"a": 1}')
        for heading in ("Раньше было:", "До исправления:", "Другой вариант:")
    ),
    f"The original:\n{FENCE.format('{}')}\nThe previous one, corrected:\n{ANSWER}".replace("{}", '{"a": 1}'),
)


def test_the_answer_is_taken_not_an_example_or_a_first_try():
    for reply in ANSWERED:
        assert reply_schema().parse(reply) == {"a": 5}, reply


def test_with_a_schema_only_what_matches_is_taken():
    schema = reply_schema(dict[str, int])
    assert schema.parse('{"a": 5} where {"note": "x"}') == {"a": 5}
    assert schema.parse(f"{ANSWER}\n\n" + FENCE.format('{"note": "x"}')) == {"a": 5}


def test_a_malformed_or_wrong_answer_is_not_replaced_by_an_example():
    for reply in (
        'For example {"a": 0}. The answer is {"a": "five"}',
        'First: {"a": 1}. Corrected: {"a": 2 "b": 3}',
        'So it is {"a": 1}.\n\n{"a": 2, "b": {"a": 3}, oops',
        '{"b": {"a": 3}, "c": oops}',
        FENCE.format('{"a": 1}') + "\nNo:\n" + '```json\n{"a": 2, "b": {"a": 3}',
        'An example: {"a": 1}. The answer: {"a": ',
    ):
        with pytest.raises(SchemaMismatch):
            reply_schema(dict[str, int]).parse(reply)


WORDS = st.lists(
    st.sampled_from(("the", "a", "[1]", "{x}", "(it),", "`code`", "[x](y)", "3 <", "it's", "— é")), max_size=8
)
PROSE = st.lists(WORDS.map(" ".join), max_size=4).map("\n".join)
OBJECTS = st.dictionaries(st.text("ab'\" ", min_size=1, max_size=4), st.integers() | st.text(max_size=8), min_size=1)


@settings(max_examples=examples(400))
@given(PROSE, PROSE, OBJECTS, OBJECTS, st.sampled_from(("{}", "```json\n{}\n```", "\n{}\n")))
def test_the_answer_is_found_in_any_prose(before: str, after: str, first: object, answer: object, form: str):
    shown = form.replace("{}", json.dumps(answer, ensure_ascii=False))
    reply = f"{before}\n\nFor example: {json.dumps(first)}\n\n{before}\n\nThe answer:\n{shown}\n\n{after}"
    assert reply_schema().parse(reply) == answer
