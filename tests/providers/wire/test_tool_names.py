"""Names of functions: as servers write them, and as they take them back."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import Message, ToolCall
from lockbots_magic.providers.wire.anthropic_request import encode_conversation
from lockbots_magic.providers.wire.chat_messages import encode_messages
from lockbots_magic.providers.wire.responses_input import encode_input
from lockbots_magic.providers.wire.tool_names import meant_name, sendable_name
from tests.effort import examples
from tests.providers.wire.test_chat_completions import DONE, chunk
from tests.rawserver import RawServer

KNOWN = {"weather", "my_tool"}
MEANT = {
    "weather": "weather", " weather\n": "weather", "weather<|channel|>commentary": "weather",
    "functions.weather": "weather", "default_api:weather": "weather", "functions.weather<|channel|>json": "weather",
    "my.tool": "my_tool", "functions.weather:0": "weather", "weather:12": "weather", "weather()": "weather",
    "default_api.weather": "weather", "tools/weather": "weather", "tool.weather": "weather",
    "functions::weather": "weather",
    "functions.my.tool:1": "my_tool", "default_api.weather( )": "weather",
}  # fmt: skip
OTHER = (
    "Weather",
    "weather:",
    "weather:x",
    "weather(1)",
    "tools/",
    "myfunctions.weather",
    "functions:0",
    "weather2",
    "other.weather",
    "functions.",
    "<|channel|>weather",
    "",
    "weathe",
)


def test_a_name_is_read_where_only_one_function_can_be_meant():
    assert {name: meant_name(name, KNOWN) for name in MEANT} == MEANT
    assert [meant_name(name, KNOWN) for name in OTHER] == list(OTHER)
    assert meant_name("functions.weather", {"weather", "functions.weather"}) == "functions.weather"


@settings(max_examples=examples(100))
@given(st.text(st.characters()))
def test_any_name_goes_back_as_one_that_services_take(name):
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", sendable_name(name))
    assert sendable_name(sendable_name(name)) == sendable_name(name)


def test_a_wrong_name_does_not_go_back_in_any_dialect():
    wrong = "no such tool\x1b<|channel|>"
    messages = [Message("assistant", "", calls=(ToolCall("a", wrong, "{}"),)), Message("tool", "no", call_id="a")]
    target = ("p", "u", "m")
    in_chat = encode_messages(messages, *target)
    for encoded in (in_chat, encode_input(messages, target), encode_conversation(messages, target)):
        assert '"no_such_tool' in json.dumps(encoded)
        assert "channel|" not in json.dumps(encoded)


def test_a_call_with_a_marker_behind_its_name_runs_under_the_name_of_the_function():
    def weather(city: str) -> str:
        """Say the weather."""
        return f"sunny in {city}"

    call = {
        "index": 0,
        "id": "a",
        "function": {"name": "weather<|channel|>commentary", "arguments": '{"city": "Rome"}'},
    }
    bodies = [chunk(tool_calls=[call]) + DONE, chunk("Sunny.", "stop") + DONE]

    def script(peer):
        peer.request()
        peer.answer(bodies.pop(0), Content_Type="text/event-stream", Connection="close")

    with RawServer(script) as server:
        turn = Chat("openai:m", base_url=server.url, auth="k").ask("?", tools=[weather])
    assert [(call.name, call.result) for call in turn.calls] == [("weather", "sunny in Rome")]
    assert b"channel|" not in server.requests[1].body
