"""Arguments of a call that stand one level too deep, told by the schema of the function."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.providers.wire.nested_arguments import unnest_arguments
from tests.chatserver import chat_server, delta, events, say

MEANT = {"city": "Rome"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

FORMS: tuple[Any, ...] = (
    {"arguments": MEANT},
    {"parameters": MEANT},
    {"name": "weather", "arguments": MEANT},
    {"name": "weather", "parameters": json.dumps(MEANT)},
    {"arguments": json.dumps(MEANT)},
    [MEANT],
)


@pytest.mark.parametrize("form", FORMS, ids=json.dumps)
def test_the_function_is_called_with_what_is_meant(form: Any):
    called = []

    def weather(city: str) -> str:
        """Return the weather in a city."""
        called.append(city)
        return "Sunny."

    def script(number: int, body: dict[str, Any]) -> bytes:
        function = {"name": "weather", "arguments": json.dumps(form)}
        call = {"index": 0, "id": "c1", "type": "function", "function": function}
        return events(delta(tool_calls=[call]), delta("tool_calls")) if number == 1 else say("Sunny.")

    with chat_server(script) as (url, _):
        turn = Chat("ollama:m", base_url=url).ask("Weather in Rome?", tools=[weather])
    assert called == ["Rome"]
    assert json.loads(turn.calls[0].arguments) == MEANT


@pytest.mark.parametrize(
    "text",
    [
        '{"arguments": {"town": "Rome"}}',
        '{"arguments": {}}',
        '{"arguments": {"city": "Rome"}, "parameters": {"city": "Oslo"}}',
        '{"name": "other", "arguments": {"city": "Rome"}}',
        '{"arguments": {"city": "Rome"}, "city": "Oslo"}',
        '{"arguments": {"city": "Rome", "city": "Oslo"}}',
        '{"arguments": "Rome"}',
        '{"note": {"city": "Rome"}}',
        '[{"city": "Rome"}, {"city": "Oslo"}]',
        "{",
        "",
    ],
)
def test_what_is_not_sure_stays_as_it_is(text: str):
    assert unnest_arguments(text, "weather", SCHEMA) == text


def test_a_function_may_have_an_argument_of_such_a_name():
    text = '{"arguments": {"city": "Rome"}}'
    takes_it = {"properties": {"arguments": {}, "city": {}}}
    takes_any = {"properties": {"city": {}}, "additionalProperties": True}
    for schema in (takes_it, takes_any, {}, {"properties": None}):
        assert unnest_arguments(text, "weather", schema) == text


@given(st.text(), st.dictionaries(st.text(), st.recursive(st.none() | st.text(), st.lists)))
def test_any_text_and_schema_are_read(text: str, schema: dict[str, Any]):
    assert unnest_arguments(text, "weather", schema) == text
    assert unnest_arguments(text, "weather", {"properties": schema, "required": [*schema]}) is not None


def test_half_of_a_surrogate_pair_stays_an_escape():
    for text in ('{"arguments": {"city": "Rome \\ud83d"}}', '[{"city": "Rome \\ud83d"}]'):
        unnested = unnest_arguments(text, "weather", SCHEMA)
        assert unnested.encode() == b'{"city": "Rome \\ud83d"}', "what is stored and sent is UTF-8"
    assert unnest_arguments('[{"city": "\\ud83d\\ude00 Рим"}]', "weather", SCHEMA) == '{"city": "😀 Рим"}'
