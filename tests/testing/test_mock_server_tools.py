"""Tests of tool calls and images in the mock server."""

import json

import pytest

from lockbots_magic.testing.mock_server.replies import parse_calls, reply_to
from tests.testing.test_mock_server import ask, events

TOOLS = [{"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def user(content):
    return {"role": "user", "content": content}


def tool_calls_of(body):
    """Return the tool calls of a stream, each assembled from its pieces."""
    calls = {}
    for sent in events(body):
        for delta in (choice["delta"] for choice in sent["choices"]):
            for piece in delta.get("tool_calls", ()):
                call = calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
                call["id"] += piece.get("id", "")
                call["name"] += piece["function"].get("name", "")
                call["arguments"] += piece["function"]["arguments"]
    return list(calls.values())


def test_tool_call_is_streamed_in_pieces(mock_server):
    _, body = ask(mock_server.url("openai"), prompt='call f {"x": 1, "y": "а"}', tools=TOOLS)
    assert tool_calls_of(body) == [{"id": "call_1_1", "name": "f", "arguments": '{"x": 1, "y": "а"}'}]
    assert len(events(body)) > 6
    assert events(body)[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert '"content":"You said' not in body.decode()


def test_two_tool_calls_are_in_one_reply(mock_server):
    _, body = ask(mock_server.url("openai"), prompt='call f {"x": "a and b"} and g {"y": 2}', tools=TOOLS)
    assert [(c["name"], c["arguments"]) for c in tool_calls_of(body)] == [("f", '{"x": "a and b"}'), ("g", '{"y": 2}')]


def test_whole_response_holds_the_tool_call(mock_server):
    _, body = ask(mock_server.url("openai"), prompt="call f {}", tools=TOOLS, stream=False)
    (choice,) = json.loads(body)["choices"]
    function = {"name": "f", "arguments": "{}"}
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [{"id": "call_1_1", "type": "function", "function": function}]


def test_without_tools_there_is_no_tool_call(mock_server):
    _, body = ask(mock_server.url("openai"), prompt="call f {}")
    assert tool_calls_of(body) == []
    assert events(body)[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("service", ["lockchat", "liaobots", "liaobots-events"])
def test_other_services_have_no_tool_calls(service, mock_server):
    assert b"tool_calls" not in ask(mock_server.url(service), prompt="call f {}", tools=TOOLS)[1]


def test_results_are_part_of_the_reply():
    calls = [{"id": n, "type": "function", "function": {"name": name, "arguments": "{}"}} for n, name in ("1f", "2g")]
    results = [{"role": "tool", "tool_call_id": n, "content": text} for n, text in (("1", "3"), ("2", "four"))]
    said = [user("call f {} and g {}"), {"role": "assistant", "content": "", "tool_calls": calls}, *results]
    assert reply_to(said) == "f returned 3. g returned four."
    assert parse_calls(said) == []


@pytest.mark.parametrize(("content", "reply"), [
    ([{"type": "text", "text": "hi"}, IMAGE], 'You said: "hi". I have heard 1 message. I see 1 image.'),
    ([IMAGE, IMAGE], 'You said: "". I have heard 1 message. I see 2 images.'),
    ([{"type": "text", "text": "hi"}], 'You said: "hi". I have heard 1 message.'),
    ([{"type": "text", "text": "да"}, IMAGE], "Вы сказали: «да». Сообщений до этого: 0. Изображений: 1."),
    ([{"type": "text", "text": "say hi"}, IMAGE], "hi"),
])  # fmt: skip
def test_images_are_counted(content, reply):
    assert reply_to([user(content)]) == reply
