"""Contract of all dialects: the same conversation gives the same turn, whatever the format of the request."""

import copy
import json
import pickle
from contextlib import contextmanager

import pytest

from lockbots_magic.chat import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    ContextLengthError,
    HTTPStatusError,
    ProtocolError,
    RateLimitError,
    ServerError,
    UsageError,
)
from lockbots_magic.providers.dialects import DIALECTS, find_dialect
from lockbots_magic.providers.openai_compatible import OpenAICompatible
from lockbots_magic.providers.presets import presets
from tests.chatserver import chat_server, in_turn
from tests.providers.speakers import SPEAKERS, THOUGHT
from tests.rawserver import RawServer


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
    whole = chat.ask(
        'call add {"a": 1, "b": 2}', tools=[add], schema=dict, images=[png], reasoning_effort="low", stream=stream
    )
    assert [(c.name, c.result) for c in whole.calls] == [("add", "3")]
    assert (whole.status, whole.images) == ("complete", (png,))
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


# The same replies, the same turns.


@pytest.fixture
def speaker(dialect):
    return SPEAKERS[dialect.name]


@pytest.fixture
def talk(dialect):
    """Return a context manager: a server of these answers gives a function that makes chats, and its requests."""

    @contextmanager
    def serve(*answers):
        with chat_server(answers[0] if callable(answers[0]) else in_turn(*answers)) as (url, bodies):
            settings = {"base_url": url, "auth": "k-1", "backoff": 0.01, "dialect": dialect.name}
            yield lambda **given: Chat("openai:m-1", **{**settings, **given}), bodies

    return serve


def test_a_reply_is_complete_and_counted_streamed_or_whole(talk, speaker):
    for answer in (speaker.say("Hel", "lo 🙂"), ("200 OK", speaker.whole("Hello 🙂"))):
        with talk(answer) as (chat, _):
            turn = chat().ask("Hi")
        assert (turn.reply, turn.status, turn.error) == ("Hello 🙂", "complete", "")
        assert (turn.usage.prompt_tokens, turn.usage.completion_tokens) == (9, 5)


def test_words_arrive_as_they_are_sent(talk, speaker):
    with talk(speaker.say("Hel", "lo")) as (chat, _):
        assert [text for text in chat().stream("Hi") if text] == ["Hel", "lo"]


def test_a_reply_that_breaks_off_is_truncated_and_kept(talk, speaker):
    with talk(speaker.half("Half")) as (chat, _):
        turn = chat(max_retries=0).ask("Hi")
    assert (turn.reply, turn.status) == ("Half", "truncated")
    assert "closed early" in turn.error


def test_a_limit_of_length_is_told_as_the_users(talk, speaker):
    with talk(speaker.at_limit("Half")) as (chat, _):
        turn = chat().ask("Hi", max_tokens=7)
    assert (turn.reply, turn.status, turn.error) == ("Half", "truncated", "The reply stopped at your max_tokens=7.")


def test_a_refusal_is_told_as_one(talk, speaker):
    with talk(speaker.refuse("I ", "won't.")) as (chat, _):
        turn = chat().ask("Hi")
    assert (turn.reply, turn.status, turn.error) == ("I won't.", "truncated", "The model refused to answer.")


def test_an_error_midway_keeps_the_text_and_the_servers_words(talk, speaker):
    with talk(speaker.fail("Half", "It is too much")) as (chat, _):
        with pytest.raises(ServerError, match="It is too much") as raised:
            chat(max_retries=0).ask("Hi")
        assert raised.value.partial == "Half"


def test_an_error_status_is_told_in_the_servers_words(talk, speaker):
    with talk(("400 Bad Request", speaker.refusal("The colour is wrong"))) as (chat, bodies):
        with pytest.raises(HTTPStatusError, match="The colour is wrong"):
            chat().ask("Hi")
        assert len(bodies) == 1
    words = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
    with talk(("400 Bad Request", speaker.refusal(words))) as (chat, _), pytest.raises(ContextLengthError) as raised:
        chat().ask("Hi")
    assert (raised.value.limit, raised.value.prompt_tokens) == (8192, 9000)


def test_a_tool_loop_gives_the_thought_back_and_the_next_prompt_too(talk, speaker):
    with talk(speaker.call('{"a": 1, "b": 2}'), speaker.say("3."), speaker.say("Yes.")) as (chat, bodies):
        first = chat()
        turn = first.ask("1+2?", tools=[add])
        assert (turn.reply, turn.reasoning, turn.status) == ("3.", THOUGHT, "complete")
        assert [(call.name, call.arguments, call.result) for call in turn.calls] == [("add", '{"a": 1, "b": 2}', "3")]
        restored = Conversation.from_dict(json.loads(json.dumps(first.conversation.to_dict())))
        chat(conversation=restored).ask("Sure?", tools=[add])
    assert [speaker.returned in json.dumps(body) for body in bodies] == [False, True, True]


def test_a_thought_goes_to_no_other_address(talk, speaker):
    with (
        talk(speaker.call('{"a": 1, "b": 2}'), speaker.say("3.")) as (chat, _),
        talk(speaker.say("Yes.")) as (other, bodies),
    ):
        first = chat()
        first.ask("1+2?", tools=[add])
        other(conversation=first.conversation).ask("Sure?", tools=[add])
    assert speaker.returned not in json.dumps(bodies)


def test_arguments_that_are_no_json_are_refused_and_the_model_is_told(talk, speaker):
    with talk(speaker.call('{"a": 1, "b"'), speaker.say("Sorry.")) as (chat, bodies):
        turn = chat().ask("1+2?", tools=[add])
    assert turn.reply == "Sorry."
    assert "JSON" in turn.calls[0].result
    assert len(bodies) == 2


def test_a_refused_stream_is_asked_for_as_a_whole(talk, speaker):
    def script(number, body):
        if body["stream"]:
            refusal = speaker.refusal("Your organization must be verified to stream this model.")
            refusal["error"]["param"] = "stream"
            return "400 Bad Request", refusal
        return "200 OK", speaker.whole("Hello")

    with talk(script) as (chat, bodies):
        first = chat()
        assert [first.ask(prompt).reply for prompt in ("Hi", "Again")] == ["Hello", "Hello"]
        assert [body["stream"] for body in bodies] == [True, False, False]


def test_parameters_mean_the_same(talk, speaker, dialect):
    with talk(speaker.say("Hello")) as (chat, (bodies)):
        chat().ask("Hi", max_tokens=7, temperature=0.5)
    (body,) = bodies
    assert body["temperature"] == 0.5
    assert body[dialect.fields.get("max_tokens", "max_tokens")] == 7
    for name in ("stop", "seed"):
        assert (name in dialect.parameters) != (name in dialect.lacks)


ANSWERS = {
    "chat-completions": {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]},
    "messages": {"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"},
    "responses": {
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}],
    },
}


@pytest.mark.parametrize("answered", ANSWERS)
def test_answer_in_another_dialect_is_told_with_the_line_that_chooses_it(answered):
    def script(peer):
        peer.request()
        peer.answer(json.dumps(ANSWERS[answered]).encode(), Content_Type="application/json")

    for dialect in set(ANSWERS) - {answered}:
        with RawServer(script) as server, pytest.raises(ProtocolError, match=f"--dialect {answered}`"):
            Chat("openai:m", base_url=server.url, dialect=dialect).ask("hi")
        with RawServer(script) as server:
            assert Chat("openai:m", base_url=server.url, dialect=answered).ask("hi").reply == "Hi"


def test_a_turn_keeps_its_dialect():
    for name in DIALECTS:
        with chat_server(in_turn(("200 OK", ANSWERS[name]))) as (url, _):
            turn = Chat("openai:m", base_url=url, dialect=name).ask("hi")
        assert turn.dialect == ("" if name == "chat-completions" else name)
        assert Turn.from_dict(turn.to_dict()).dialect == turn.dialect
    assert Chat("openai:m", dialect="chat-completions").provider.spoken_dialect == "chat-completions"
    assert Chat("anthropic:m").provider.spoken_dialect == "messages"
    assert Chat(lambda prompt: "x").ask("hi").dialect == ""


def test_nothing_is_kept_at_the_service_unless_asked_for(mock_server):
    for name in ("chat-completions", "responses"):
        chat = chat_at(mock_server, find_dialect(name))
        chat.ask("say hi")
        assert not mock_server.requests[-1].json.get("store")
        chat.ask("say hi", store=True)
        assert mock_server.requests[-1].json["store"] is True
    with pytest.raises(UsageError, match="has no parameter 'store'"):
        chat_at(mock_server, find_dialect("messages")).ask("say hi", store=True)
