"""The tool loop in every dialect: one contract, over HTTP."""

import asyncio
import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.providers.dialects import DIALECTS
from lockbots_magic.tools.tool_source import ToolOutput

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def add(x: int, y: int = 1) -> int:
    """Add two numbers."""
    return x + y


async def double(n: int) -> int:
    """Double a number."""
    await asyncio.sleep(0)
    return 2 * n


def plot() -> ToolOutput:
    """Plot."""
    return ToolOutput("the plot", (PIXEL,))


@pytest.fixture(params=DIALECTS)
def chat(request, mock_server):
    settings = {"base_url": mock_server.url("openai"), "auth": "mock"}
    return Chat("openai:m", dialect=request.param, **settings)


def test_calls_of_functions_sync_and_async(chat):
    turn = chat.ask('call add {"x": 2} and double {"n": 21}', tools=[add, double])
    assert turn.reply == "add returned 3. double returned 42."
    assert [(call.name, call.result, call.approved_by) for call in turn.calls] == [
        ("add", "3", "default"), ("double", "42", "default")
    ]  # fmt: skip
    assert chat.ask("hi").status == "complete"  # later turns know them


def test_a_call_that_is_not_approved(chat):
    turn = chat.ask('call add {"x": 2}', tools=[add], approve=lambda call: f"not {call.arguments['x']}")
    assert turn.reply == "add returned refused: The user did not approve this call. not 2."
    assert chat.ask('call add {"x": 2}', tools=[add], approve="never").calls[0].result.startswith("refused: ")


def test_limits_and_saved_turns(chat):
    turn = chat.ask('call add {"x": 2}', tools=[add], limits={"rounds": 0})
    assert (turn.status, turn.calls) == ("truncated", ())
    kept = type(turn).from_dict(json.loads(json.dumps(chat.ask('call add {"x": 2}', tools=[add]).to_dict())))
    assert (kept.calls[0].approved_by, kept.calls[0].elapsed is not None) == ("default", True)


def test_an_image_of_a_result_reaches_the_model_as_its_service_takes_it(chat, mock_server):
    turn = chat.ask("call plot {}", tools=[plot])
    assert turn.calls[0].images == (PIXEL,)
    sent = json.dumps(mock_server.requests[-1].json)
    assert sent.count(PIXEL.partition(",")[2]) == 1
    results = {
        "chat-completions": lambda body: body["messages"][-2:],
        "responses": lambda body: body["input"][-1]["output"],
        "messages": lambda body: body["messages"][-1]["content"][0]["content"],
    }[chat.provider.dialect.name](mock_server.requests[-1].json)
    assert [one.get("role", one.get("type")) for one in results] == {
        "chat-completions": ["tool", "user"], "responses": ["input_text", "input_image"], "messages": ["text", "image"]
    }[chat.provider.dialect.name]  # fmt: skip


def test_a_model_that_takes_no_images_is_told(chat, mock_server, monkeypatch):
    monkeypatch.setattr(type(chat.provider), "takes_images", False)
    chat.ask("call plot {}", tools=[plot])
    sent = json.dumps(mock_server.requests[-1].json)
    assert PIXEL.partition(",")[2] not in sent
    assert "an image that you can't see" in sent


def test_a_cassette_replays_images_of_results(chat, mock_server, tmp_path):
    path = tmp_path / "talk.jsonl"
    settings = {"dialect": chat.provider.dialect.name, "base_url": mock_server.url("openai"), "auth": "mock"}

    def talk(mode):
        played = Chat("openai:m", cassette=path, mode=mode, **settings)
        return [played.ask(prompt, tools=[plot]).reply for prompt in ("call plot {}", "And now?")], played

    said, _ = talk("record")
    count = len(mock_server.requests)
    again, played = talk("replay")
    assert again == said
    assert len(mock_server.requests) == count
    Chat("openai:m", conversation=played.conversation, **settings).ask("And now?")
    assert "sha256" not in json.dumps(mock_server.requests[-1].json)
