"""Chats over the messages API: what goes out, what comes back, and what goes back."""

import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.usage import measure_turn
from lockbots_magic.errors import AuthenticationError, ContextLengthError, HTTPStatusError, UsageError
from lockbots_magic.notebook.session import Session
from lockbots_magic.providers.presets import presets
from lockbots_magic.rendering.notices import notices_of
from lockbots_magic.security.secrets import Secret
from tests.chatserver import chat_server, in_turn
from tests.providers.anthropic_events import REDACTED, SIGNED, block, call, end, start, stream, text, thinking
from tests.rawserver import RawServer

YES = stream(start(), *text(0, "Yes."), *end())
THOUGHT = stream(
    start(), *thinking(0, "Adding is easy."), *block(1, REDACTED), *call(2, '{"a": 1, "b": 2}'), *end("tool_use")
)


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def refuse(message, kind="invalid_request_error", status="400 Bad Request"):
    return status, {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def ask(script, prompt="Hi", model="claude-sonnet-5-5", settings=None, **given):
    with chat_server(script if callable(script) else in_turn(*script)) as (url, bodies):
        chat = Chat(
            f"anthropic:{model}", base_url=url, auth="k-123", backoff=0.01, dialect="messages", **settings or {}
        )
        return chat.ask(prompt, **given), bodies


def test_request_has_the_form_of_the_api(mock_server):
    turn, (body,) = ask([YES], settings={"system": "Be brief."}, tools=[add], temperature=0.5, stop="END", user="7")
    assert turn.reply == "Yes."
    assert body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 16000,
        "system": "Be brief.",
        "tools": body["tools"],
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "7"},
    }
    assert body["tools"][0].keys() == {"name", "description", "input_schema"}


def test_address_and_headers_are_those_of_the_api():
    provider = presets.anthropic(dialect="messages", auth="k-123")
    request = provider.build_request(Chat(provider).prepare("Hi").request, provider.model_info("m"))
    assert request.url == "https://api.anthropic.com/v1/messages"
    assert request.headers == {"anthropic-version": "2023-06-01"}
    assert {*request.secret_headers} == {"x-api-key"}
    assert all(isinstance(value, Secret) for value in request.secret_headers.values())


def test_base_url_of_the_environment_lacks_the_version(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    provider = presets.anthropic(dialect="messages")
    assert provider.chat_endpoint(provider.model_info("m")) == "http://127.0.0.1:9/v1/messages"


def test_thinking_goes_back_with_the_results_and_in_later_turns(tmp_path):
    with chat_server(in_turn(THOUGHT, YES)) as (url, bodies):
        chat = Chat("anthropic:claude-sonnet-5-5", base_url=url, dialect="messages")
        turn = chat.ask("1 + 2?", tools=[add])
        chat.ask("And?", tools=[add])
    assert (turn.reply, turn.reasoning, [c.result for c in turn.calls]) == ("Yes.", "Adding is easy.", ["3"])
    reply, results = bodies[1]["messages"][1:]
    assert reply["content"][:2] == [SIGNED, REDACTED]
    assert [one["type"] for one in reply["content"]] == ["thinking", "redacted_thinking", "tool_use"]
    assert results["content"] == [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "3"}]
    assert bodies[2]["messages"][1:3] == [reply, results]


def test_thinking_goes_back_after_a_cassette_and_after_a_restart(tmp_path):
    tape = tmp_path / "talk.jsonl"
    with chat_server(in_turn(THOUGHT, YES)) as (url, bodies):
        settings = {"base_url": url, "dialect": "messages"}
        recorded = Chat("anthropic:claude-sonnet-5-5", cassette=tape, **settings).ask("1 + 2?", tools=[add])
        again = Chat("anthropic:claude-sonnet-5-5", cassette=tape, mode="replay", **settings).ask("1 + 2?", tools=[add])
        assert again.rounds == recorded.rounds
        assert len(bodies) == 2
        for turn in (again, Turn.from_dict(json.loads(json.dumps(recorded.to_dict())))):
            chat = Chat("anthropic:claude-sonnet-5-5", conversation=Conversation(turns=[turn]), **settings)
            chat.ask("And?", tools=[add])
            assert bodies[-1]["messages"][1:3] == bodies[1]["messages"][1:3]


def test_thinking_goes_back_after_an_interrupt():
    half = stream(start(), *thinking(0, "Hm."), *text(1, "Yes, it is", " so."))
    with chat_server(in_turn(half, YES)) as (url, bodies):
        chat = Chat("anthropic:claude-sonnet-5-5", base_url=url, dialect="messages")
        reply = chat.stream("One?")
        assert next(iter(reply)) == "Yes, it is"
        reply.cancel()
        assert reply.turn.status == "interrupted"
        chat.ask("Two?")
    assert bodies[1]["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"},
        {"type": "text", "text": reply.turn.reply},
    ]


def test_thinking_goes_to_no_other_model():
    with chat_server(in_turn(stream(start(), *thinking(0, "Hm."), *text(1, "Yes."), *end()))) as (url, bodies):
        chat = Chat("anthropic:claude-sonnet-5-5", base_url=url, dialect="messages")
        chat.ask("One?")
        Chat("anthropic:claude-opus-5", base_url=url, dialect="messages", conversation=chat.conversation).ask("Two?")
        chat.ask("Three?")
    assert "signature" not in json.dumps(bodies[1])
    assert json.dumps(bodies[2]).count("signature") == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seed": 1}, "has no parameter 'seed'"),
        ({"max_completion_tokens": 1}, "Use `max_tokens`"),
        ({"temperature": 1.5}, "temperature must be 0-1 in the messages API, got 1.5"),
        ({"temperature": 0.2, "reasoning_effort": "low"}, "takes no temperature together with reasoning"),
        ({"top_k": 5, "thinking": {"type": "adaptive"}}, "takes no top_k together with reasoning"),
        ({"reasoning_effort": "minimal"}, "must be one of none, low"),
        ({"thinking": "on"}, "thinking must be a dict"),
    ],
)
def test_a_parameter_that_means_nothing_here_is_refused_before_anything_is_sent(given, message):
    with chat_server(in_turn(YES)) as (url, bodies):
        with pytest.raises(UsageError, match=message):
            Chat("anthropic:m", base_url=url, dialect="messages").ask("Hi", **given)
        assert bodies == []


def test_temperature_one_goes_with_reasoning():
    _, (body,) = ask([YES], temperature=1, reasoning_effort="low")
    assert body["thinking"]["type"] == "adaptive"


SCHEMA = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}
AGE = stream(start(), *text(0, '{"age": 3}'), *end())
CALLED = stream(start(), *call(0, '{"age"', ": 3}", name="reply"), *end("tool_use"))


def test_a_schema_is_enforced_as_the_model_can():
    turn, (body,) = ask([AGE], schema=SCHEMA)
    assert body["output_config"]["format"]["schema"]["properties"] == {"age": {"type": "integer"}}
    assert json.loads(turn.reply) == {"age": 3}
    turn, (body,) = ask([CALLED], model="claude-3-7-sonnet-20250219", schema=SCHEMA)
    assert body["tool_choice"] == {"type": "tool", "name": "reply"}
    assert (json.loads(turn.reply), turn.status, turn.calls) == ({"age": 3}, "complete", ())
    _, (body,) = ask([AGE], model="claude-3-7-sonnet-20250219", schema=SCHEMA, reasoning_effort="low")
    assert not {"tools", "tool_choice", "output_config"} & body.keys()
    _, (body,) = ask([AGE], schema=SCHEMA, reasoning_effort="low")
    assert body["output_config"].keys() == {"format", "effort"}


ADAPTED = [
    ("output_config: Extra inputs are not permitted", {"schema": SCHEMA}, CALLED, ["output_config"], ["tool_choice"]),
    (
        '"thinking.type.adaptive" is not supported for this model',
        {"reasoning_effort": "low"},
        YES,
        ["output_config"],
        ["thinking"],
    ),
    ("thinking.adaptive.display: Extra inputs are not permitted", {"reasoning_effort": "low"}, YES, [], ["thinking"]),
    ("cache_control: Extra inputs are not permitted", {}, YES, [], []),
    ("stream: streaming is not supported", {}, YES, [], []),
]


@pytest.mark.parametrize(("message", "given", "answer", "gone", "kept"), ADAPTED)
def test_what_a_server_refuses_of_the_toolkits_own_is_sent_otherwise(message, given, answer, gone, kept):
    long = {"system": "word " * 3000}
    turn, bodies = ask([refuse(message), answer], settings=long, **given)
    assert turn.status == "complete"
    assert len(bodies) == 2
    assert bodies[0] != bodies[1]
    assert not [name for name in gone if name in bodies[1]]
    assert not [name for name in kept if name not in bodies[1]]
    assert "cache_control" not in message or bodies[1]["system"] == long["system"].strip()


def test_reasoning_is_asked_for_in_the_other_way_where_one_is_refused():
    message = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "effort"'
    _, bodies = ask([refuse(message), YES], model="kimi-k3", reasoning_effort="medium")
    assert bodies[0]["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert bodies[1]["thinking"]["type"] == "adaptive"
    assert bodies[1]["output_config"] == {"effort": "medium"}


def test_the_default_limit_follows_what_the_model_takes():
    def script(number, body):
        most = 4096
        too_large = body["max_tokens"] > most
        return refuse(f"max_tokens: {body['max_tokens']} > {most}, which is the maximum allowed") if too_large else YES

    turn, bodies = ask(script)
    assert (turn.reply, [body["max_tokens"] for body in bodies]) == ("Yes.", [16000, 8192, 4096])
    with pytest.raises(HTTPStatusError, match="9000 > 4096"):
        ask(script, max_tokens=9000)


def test_a_reply_at_the_default_limit_tells_so():
    half = stream(start(), *text(0, "Half"), *end("max_tokens"))
    turn, _ = ask([half])
    assert (turn.status, "default limit" in " ".join(notices_of(turn))) == ("truncated", True)
    turn, _ = ask([half], max_tokens=5)
    assert "your max_tokens=5" in " ".join(notices_of(turn))


def test_errors_are_in_the_words_of_the_service():
    with pytest.raises(ContextLengthError) as caught:
        ask([refuse("prompt is too long: 205000 tokens > 200000 maximum")])
    assert (caught.value.limit, caught.value.prompt_tokens) == (200_000, 205_000)
    with pytest.raises(AuthenticationError, match="invalid x-api-key"):
        ask([refuse("invalid x-api-key", "authentication_error", "401 Unauthorized")])
    turn, bodies = ask([refuse("Overloaded", "overloaded_error", "529 Overloaded"), YES])
    assert (turn.reply, len(bodies)) == ("Yes.", 2)


def test_calls_of_earlier_turns_become_text_where_they_need_tools():
    with chat_server(
        lambda number, body: (
            THOUGHT
            if number == 1
            else YES
            if "tools" in body or "tool_use" not in json.dumps(body)
            else refuse("Requests which include `tool_use` or `tool_result` blocks must define tools")
        )
    ) as (url, bodies):
        chat = Chat("anthropic:claude-sonnet-5-5", base_url=url, dialect="messages")
        chat.ask("1 + 2?", tools=[add])
        assert chat.ask("And?").reply == "Yes."
    assert "[Called add(a=1, b=2); result: 3]" in json.dumps(bodies[-1])


def test_thinking_that_a_server_refuses_is_left_out():
    thought = stream(start(), *thinking(0, "Hm."), *text(1, "Yes."), *end())
    refused = refuse("messages.1.content.0: Invalid `signature` in `thinking` block")
    with chat_server(in_turn(thought, refused, YES)) as (url, bodies):
        chat = Chat("anthropic:claude-sonnet-5-5", base_url=url, dialect="messages")
        chat.ask("One?")
        assert chat.ask("Two?").reply == "Yes."
    assert bodies[2]["messages"][1] == {"role": "assistant", "content": "Yes."} or "thinking" not in json.dumps(
        bodies[2]
    )


def test_the_stable_head_is_marked_unless_the_setting_is_off():
    for mode, marks in (("auto", {"type": "ephemeral"}), ("1h", {"type": "ephemeral", "ttl": "1h"}), ("off", None)):
        _, (body,) = ask([YES], settings={"system": "word " * 3000, "cache": mode})
        assert isinstance(body["system"], str) if marks is None else body["system"][0]["cache_control"] == marks
    with pytest.raises(UsageError, match="cache must be one of auto, off, 1h, got 'on'"):
        Chat("anthropic:m", cache="on")


def test_all_pages_of_the_list_of_models_are_read():
    asked = []

    def answer(peer):
        while request := peer.request():
            asked.append(request.target)
            number = len(asked)
            rows = [
                {"id": f"claude-{number}", "display_name": "Claude", "max_input_tokens": 200_000},
                {"id": "claude-1"},
            ]
            page = {"data": rows, "has_more": number < 3, "last_id": f"claude/{number}"}
            peer.answer(json.dumps(page).encode())

    with RawServer(answer) as server:
        provider = presets.anthropic(dialect="messages", base_url=f"{server.url}/v1", auth="k-123")
        listed = provider.model_list()
    assert [info.id for info in listed.models] == ["claude-1", "claude-2", "claude-3"]
    assert listed.models[0].token_limit == 200_000
    assert asked == ["/v1/models", "/v1/models?after_id=claude%2F1", "/v1/models?after_id=claude%2F2"]


def test_the_setting_of_the_notebook_reaches_the_request():
    session = Session()
    session.configure("cache", "1h")
    assert vars(session.chat("anthropic:m").provider)["cache"] == "1h"
    assert session.chat("guide")
    with pytest.raises(UsageError, match="cache must be one of auto, off, 1h, got 'on'"):
        session.configure("cache", "on")


def test_the_service_counts_the_tokens_of_a_request_only_if_asked(mock_server, run):
    line = f"-m anthropic:demo --base-url {mock_server.url('openai')} --dry-run"
    assert "Nothing was sent" in run(f"%%chat {line}\nsay hi there").reply
    assert mock_server.requests == []
    shown = run(f"%%chat {line} --count\nsay hi there").reply
    assert "Sent to be counted only. The request:" in shown
    assert "counted by the service: 3 tokens" in shown
    (request,) = mock_server.requests
    assert request.path.endswith("/v1/messages/count_tokens")
    assert not {"stream", "max_tokens"} & request.json.keys()


def test_count_says_where_it_does_not_go(mock_server, run):
    url = mock_server.url("openai")
    assert "--count needs --dry-run" in str(run(f"%%chat -m anthropic:m --base-url {url} --count\nhi").error)
    error = run(f"%%chat -m openai:m --base-url {url} --dry-run --count\nhi").error
    assert "openai has no endpoint that counts tokens" in str(error)
    assert mock_server.requests == []


def test_what_the_cache_holds_is_counted_apart(mock_server):
    chat = Chat("anthropic:claude-sonnet-5-5", base_url=mock_server.url("openai"), system="word " * 1000)
    first, second = chat.ask("say hi"), chat.ask("say hi")
    assert (first.usage.cached_tokens, first.usage.cache_write_tokens) == (0, 1001)
    assert second.usage.cached_tokens > 1000
    assert second.usage.prompt_tokens > second.usage.cached_tokens
    plain, cached = (measure_turn(turn).cost for turn in (first, second))
    assert cached < plain / 10


def test_a_whole_turn_with_tool_reasoning_and_image(mock_server):
    chat = Chat("anthropic:claude-sonnet-5-5", base_url=mock_server.url("openai", auth="required"), auth="mock")
    given = {"tools": [add], "reasoning_effort": "low", "images": ["data:image/png;base64,aGk="]}
    turn = chat.ask('call add {"a": 1, "b": 2}', **given)
    assert (turn.reply, turn.reasoning) == ("add returned 3.", "Let me think. " * 2)
    assert chat.ask("say hi", tools=[add], reasoning_effort="low").reply == "hi"  # the mock server checks signatures
