"""The whole way to a real model server and back."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import AuthenticationError, ConnectionFailed, NotRecordedError

from .model_server import MODEL

STEADY = {"temperature": 0, "seed": 1}


def test_reply_streams_with_usage_and_ends_complete(model_server, model):
    reply = Chat(model, base_url=model_server.url).stream("Say hello.", **STEADY, max_tokens=200)
    pieces = list(reply)
    assert len(pieces) > 3
    assert reply.turn.reply == "".join(pieces)
    assert (reply.turn.status, reply.turn.finish_reason) == ("complete", "stop")
    assert reply.turn.usage.completion_tokens >= len(pieces)


def test_models_are_listed_and_the_first_is_the_default(model_server, model):
    chat = Chat("llamacpp", base_url=model_server.url, auth="mock")
    assert [info.id for info in chat.provider.list_models()] == [MODEL]
    assert chat.ask("Say hello.", max_tokens=3).model == MODEL


def test_interrupt_frees_the_slot_of_the_server(model_server, model):
    reply = Chat(model, base_url=model_server.url).stream("Count to ten thousand.", max_tokens=1900, **STEADY)
    next(reply)
    assert model_server.slot()["is_processing"]
    reply.cancel()
    assert reply.turn.status == "interrupted"
    assert reply.turn.reply
    model_server.wait_until_idle()


def test_conversation_goes_on(model_server, model):
    chat = Chat(model, base_url=model_server.url)
    chat.ask("My name is Ann.", max_tokens=10, **STEADY)
    second = chat.ask("What is my name?", max_tokens=10, **STEADY)
    assert second.usage.prompt_tokens > chat.conversation.turns[0].usage.prompt_tokens


def test_wrong_credential_is_told(model_server):
    with pytest.raises(AuthenticationError, match=r"lockbots login"):
        Chat(f"openai:{MODEL}", base_url=model_server.url, auth="wrong-key-123").ask("Say hello.")


def test_server_that_is_killed_midway_leaves_the_text(own_model_server, model):
    server = own_model_server()
    chat = Chat(model, base_url=server.url, max_retries=0)
    reply = chat.stream("Count to ten thousand.", max_tokens=1900, **STEADY)
    text = next(reply)
    server.kill()
    with pytest.raises(ConnectionFailed) as caught:
        for _ in reply:
            pass
    assert caught.value.partial.startswith(text)
    assert (reply.turn.status, reply.turn.reply) == ("error", caught.value.partial)


def test_recording_replays_after_the_server_is_gone(own_model_server, model, tmp_path):
    server = own_model_server()
    tape = tmp_path / "talk.jsonl"
    recorded = Chat(model, base_url=server.url, cassette=tape).ask("Say hello.", max_tokens=20, **STEADY)
    server.kill()
    again = Chat(model, base_url=server.url, cassette=tape, mode="replay")
    replayed = again.ask("Say hello.", max_tokens=20, **STEADY)
    assert (replayed.reply, replayed.usage) == (recorded.reply, recorded.usage)
    with pytest.raises(NotRecordedError):
        again.ask("Say goodbye.", max_tokens=20, **STEADY)
