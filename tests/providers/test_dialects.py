"""Contract of all dialects: the same conversation gives the same turn, whatever the format of the request."""

import copy
import pickle

import pytest

from lockbots_magic.chat import Chat
from lockbots_magic.errors import AuthenticationError, ConnectionFailed, RateLimitError, ServerError, UsageError
from lockbots_magic.providers.dialects import DIALECTS, find_dialect
from lockbots_magic.providers.openai_compatible import OpenAICompatible
from lockbots_magic.providers.presets import presets


@pytest.fixture(params=DIALECTS)
def dialect(request):
    return find_dialect(request.param)


def test_a_dialect_declares_what_requests_need(dialect):
    assert dialect.path.startswith("/")
    assert {"temperature", "max_tokens", "reasoning_effort", "extra_body"} <= {*dialect.parameters}
    assert not {*dialect.parameters} & {*dialect.lacks}
    assert {*dialect.fields} <= {*dialect.parameters}


def test_the_dialect_is_chosen_by_name(dialect):
    provider = Chat("vllm:m", dialect=dialect.name).provider
    assert isinstance(provider, OpenAICompatible)
    assert provider.dialect.name == dialect.name
    assert provider.chat_endpoint(provider.model_info("m")) == f"http://localhost:8000/v1{dialect.path}"
    for copied in (copy.copy(provider), copy.deepcopy(provider), pickle.loads(pickle.dumps(provider))):
        assert (copied.dialect.name, {*copied.parameters}) == (dialect.name, {*provider.parameters})


def test_an_unknown_dialect_is_told_with_the_known_ones():
    with pytest.raises(UsageError, match=r"Unknown dialect 'chat_completion'. Did you mean 'chat-completions'\? Known"):
        Chat("openai:m", dialect="chat_completion")
    with pytest.raises(UsageError, match="Known dialects: chat-completions"):
        Chat("lockchat:gpt-4", dialect="messages")


def test_a_parameter_that_the_dialect_lacks_is_refused_with_what_it_has(dialect):
    for name in dialect.lacks:
        with pytest.raises(UsageError, match=f"has no parameter '{name}'.* It has: .*max_tokens"):
            presets.vllm(dialect=dialect.name).check_params({name: 1})


THOUGHTS = "Let me think. "


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def chat_at(server, dialect, **settings):
    return Chat(
        "openai:demo", base_url=server.url("openai", **settings), auth="mock", dialect=dialect.name, max_retries=0
    )


@pytest.mark.parametrize("stream", [True, False])
def test_one_prompt_with_tool_image_and_system_prompt_makes_the_same_turn(mock_server, dialect, stream):
    chat = chat_at(mock_server, dialect, auth="required")
    png = "data:image/png;base64,aGk="
    turn = chat.ask('call add {"a": 1, "b": 2}', tools=[add], system="Be brief.", stream=stream, max_tokens=50)
    assert (turn.reply, turn.status, turn.finish_reason) == ("add returned 3.", "complete", "stop")
    assert [(c.name, c.arguments, c.result) for c in turn.calls] == [("add", '{"a": 1, "b": 2}', "3")]
    assert turn.usage is None or turn.usage.completion_tokens is not None
    seen = chat.ask("What is this?", images=[png], stream=stream)
    assert "I see 1 image." in seen.reply
    assert mock_server.requests[-1].path.endswith(dialect.path)


def test_reasoning_is_reasoning(mock_server, dialect):
    turn = chat_at(mock_server, dialect, fault="reasoning").ask("say hi there")
    assert (turn.reply, turn.reasoning) == ("hi there", THOUGHTS)


def test_reasoning_goes_back_over_calls_and_turns(mock_server, dialect):
    chat = chat_at(mock_server, dialect, fault="reasoning")
    turn = chat.ask('call add {"a": 1, "b": 2}', tools=[add])
    assert (turn.reply, turn.reasoning) == ("add returned 3.", THOUGHTS * 2)
    assert chat.ask("say hi there", tools=[add]).reply == "hi there"  # the mock server refuses what is incomplete


def test_errors_are_the_same(mock_server, dialect):
    for fault, kind in (("http-401", AuthenticationError), ("http-429", RateLimitError), ("error-event", ServerError)):
        with pytest.raises(kind, match="mock server was told"):
            chat_at(mock_server, dialect, fault=fault, status=500 if "event" in fault else 0).ask("hi")
    reply = chat_at(mock_server, dialect, fault="close-midway").stream("say one two three four")
    with pytest.raises(ConnectionFailed):
        list(reply)
    assert reply.turn.reply.startswith("one")


def test_unusual_streams_make_the_same_turn(mock_server, dialect):
    for fault in ("cr", "crlf", "no-space", "bom", "comments", "multi-line", "surrogates", "no-final-blank"):
        turn = chat_at(mock_server, dialect, fault=fault).ask("say hi — there 😀")
        assert (turn.reply, turn.status) == ("hi — there 😀", "complete"), fault


def test_models_are_listed(mock_server, dialect):
    assert [m.id for m in chat_at(mock_server, dialect).provider.list_models()] == ["demo", "gpt-4", "gpt-3.5-turbo"]
