"""The whole way to a real model server and back."""

import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import AuthenticationError, ConnectionFailed, ContextLengthError, NotRecordedError
from lockbots_magic.providers.dialects import DIALECTS

from .model_server import MODEL

STEADY = {"temperature": 0, "seed": 1}


def test_reply_streams_with_usage_and_ends_complete(model_server, model):
    reply = Chat(model, base_url=model_server.url).stream("Say hello.", **STEADY, max_tokens=60)
    pieces = list(reply)
    assert len(pieces) > 3
    assert reply.turn.reply == "".join(pieces)
    assert (reply.turn.status, reply.turn.finish_reason) == ("complete", "stop")
    assert reply.turn.usage.completion_tokens >= len(pieces)


def test_every_dialect_gives_the_same_turns(model_server, model):
    for stream in (True, False):
        turns = []
        for dialect in DIALECTS:
            chat = Chat(model, base_url=model_server.url, dialect=dialect, stream=stream, system="Be brief.")
            turns.append([chat.ask("Say hello.", max_tokens=limit, temperature=0) for limit in (5, 100)])
        for cut, whole in turns:
            assert (cut.status, cut.error) == ("truncated", "The reply stopped at your max_tokens=5.")
            assert (whole.status, whole.finish_reason) == ("complete", "stop")
            assert (cut.reply, whole.reply) == (turns[0][0].reply, turns[0][1].reply)
            assert (cut.usage.prompt_tokens, cut.usage.completion_tokens) == (turns[0][0].usage.prompt_tokens, 5)


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


def test_answer_without_streaming_is_the_same_text(model_server, model):
    chat = Chat(model, base_url=model_server.url, stream=False)
    streamed = Chat(model, base_url=model_server.url).ask("Say hello.", **STEADY, max_tokens=8)
    assert chat.ask("Say hello.", **STEADY, max_tokens=8).reply == streamed.reply


def test_reply_that_reaches_the_users_limit_says_so(model_server, model):
    turn = Chat(model, base_url=model_server.url).ask("Tell a long story.", max_tokens=5, **STEADY)
    assert turn.status == "truncated"
    assert "max_tokens=5" in turn.error


def test_schema_constrains_the_reply(model_server, model, run, shell):
    run("from dataclasses import dataclass\n@dataclass\nclass Person:\n    name: str\n    age: int")
    options = f"-m {model} --base-url {model_server.url} --as json --schema Person --to person -p max_tokens=100"
    cell = run(f"%%chat {options}\nAnn is three years old. Who is she?")
    assert cell.error is None
    person = shell.user_ns["person"]
    assert type(person).__name__ == "Person"
    assert isinstance(person.age, int)


def test_tools_are_taken_and_nothing_runs_without_a_call(model_server, model):
    seen = []

    def weather(city: str) -> str:
        """Return the weather of a city."""
        seen.append(city)
        return "sunny"

    turn = Chat(model, base_url=model_server.url).ask("Say hello.", tools=[weather], max_tokens=5, **STEADY)
    assert turn.status in ("complete", "truncated")
    assert [json.loads(call.arguments)["city"] for call in turn.calls] == seen


def test_overflow_leaves_out_the_oldest_turns_and_asks_again(own_model_server, model):
    chat = Chat(model, base_url=own_model_server(512).url)
    for number in range(3):
        chat.ask(f"{number}. " + "Remember the blue house by the sea. " * 24, max_tokens=2, **STEADY)
    last = chat.conversation.turns[-1]
    assert last.status in ("complete", "truncated")
    assert last.left_out >= 1
    assert last.usage.prompt_tokens < 512


def test_one_prompt_that_is_too_long_is_told_with_the_sizes(own_model_server, model):
    chat = Chat(model, base_url=own_model_server(512).url)
    with pytest.raises(ContextLengthError, match="512"):
        chat.ask("Remember the blue house by the sea. " * 100)
