"""Messages in the form of the wire."""

import pytest

from lockbots_magic.conversation.messages import Message, ToolCall
from lockbots_magic.conversation.opaque_data import OpaqueData
from lockbots_magic.providers.wire.chat_messages import encode_messages

TARGET = ("gemini", "https://g.example/v1", "m")
SIGNED = {"extra_content": {"google": {"thought_signature": "c2ln"}}}


def encoded(call=None, text=""):
    call = call or ToolCall("a", "f", '{"x": 1}')
    (message,) = encode_messages([Message("assistant", text, calls=(call,))], *TARGET)
    return message


def test_content_beside_calls_is_a_text_unless_the_server_refuses_an_empty_one():
    assert encoded()["content"] == ""
    assert encoded(text="Look.")["content"] == "Look."
    (plain,) = encode_messages([Message("user", "")], *TARGET)
    assert plain == {"role": "user", "content": ""}


def test_an_empty_result_is_no_empty_text():
    (message,) = encode_messages([Message("tool", "", call_id="a")], *TARGET)
    assert message == {"role": "tool", "content": "(no output)", "tool_call_id": "a"}


@pytest.mark.parametrize("arguments", ["", "{", "[1]", "null", '{}{"x": 1}'])
def test_arguments_that_are_no_object_go_back_as_an_empty_one(arguments):
    (call,) = encoded(ToolCall("a", "f", arguments))["tool_calls"]
    assert call["function"] == {"name": "f", "arguments": "{}"}


def test_opaque_data_go_back_to_where_they_are_from_and_nowhere_else():
    (call,) = encoded(ToolCall("a", "f", "{}", None, OpaqueData(SIGNED, *TARGET)))["tool_calls"]
    assert call == {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}, **SIGNED}
    for origin in (("openai", *TARGET[1:]), ("gemini", "https://h.example/v1", "m"), (*TARGET[:2], "n"), ("", "", "")):
        (call,) = encoded(ToolCall("a", "f", "{}", None, OpaqueData(SIGNED, *origin)))["tool_calls"]
        assert "extra_content" not in call


@pytest.mark.parametrize("data", [{"id": "b", "function": {}, "x": 1}, "text", None, [1]])
def test_opaque_data_of_a_file_cannot_change_the_call(data):
    (call,) = encoded(ToolCall("a", "f", "{}", None, OpaqueData(data, *TARGET)))["tool_calls"]
    assert call == {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
