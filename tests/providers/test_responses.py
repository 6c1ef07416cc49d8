"""Chats over the Responses API: what goes out, what comes back, and what goes back."""

import json
from typing import Any

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.errors import ContextLengthError, HTTPStatusError, ProtocolError, ProviderError, UsageError
from lockbots_magic.providers.presets import presets
from tests.chatserver import chat_server, in_turn, say
from tests.providers.refusing_server import refusing
from tests.providers.responses_events import (
    REASONING,
    RETURNED,
    call,
    end,
    event,
    function_call,
    message,
    response,
    start,
    stream,
    text,
    thinking,
)

YES = stream(*start(), *text(0, "Yes."), *end(message("Yes.")))
THOUGHT = stream(
    *start(), *thinking(0, "Adding is easy."), *call(1, '{"a": 1, "b": 2}'), *end(REASONING, function_call())
)
SUMMARY = {"summary": "auto"}
ENCRYPTED = ["reasoning.encrypted_content"]


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def refuse(message, param=None, code=None, status="400 Bad Request"):
    return status, {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def chat_at(url, model="gpt-6-luna", **settings):
    return Chat(f"openai:{model}", base_url=url, auth="k-123", backoff=0.01, dialect="responses", **settings)


def ask(script, prompt="Hi", model="gpt-6-luna", settings=None, **given):
    with chat_server(script if callable(script) else in_turn(*script)) as (url, bodies):
        return chat_at(url, model, **settings or {}).ask(prompt, **given), bodies


# The request.


def test_request_has_the_form_of_the_api():
    turn, (body,) = ask([YES], settings={"system": "Be brief."}, tools=[add], temperature=0.5, max_tokens=99)
    assert (turn.reply, turn.status, turn.finish_reason) == ("Yes.", "complete", "stop")
    assert body == {
        "model": "gpt-6-luna",
        "instructions": "Be brief.",
        "input": [{"type": "message", "role": "user", "content": "Hi"}],
        "tools": body["tools"],
        "stream": True,
        "store": False,
        "include": ENCRYPTED,
        "reasoning": SUMMARY,
        "temperature": 0.5,
        "max_output_tokens": 99,
    }
    (tool,) = body["tools"]
    assert (tool["type"], tool["name"], tool["strict"]) == ("function", "add", True)
    assert tool["parameters"]["additionalProperties"] is False


def test_openai_speaks_it_at_its_own_address_alone():
    for url, path in (
        (None, "https://api.openai.com/v1/responses"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/responses"),
        ("https://eu.api.openai.com/v1", "https://eu.api.openai.com/v1/responses"),
        ("https://gateway.example/v1", "https://gateway.example/v1/chat/completions"),
        ("https://api.openai.com.example/v1", "https://api.openai.com.example/v1/chat/completions"),
        ("http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1/chat/completions"),
    ):
        provider = presets.openai(base_url=url)
        assert provider.chat_endpoint(provider.model_info("m")) == path
    provider = presets.openai(dialect="chat-completions")
    assert provider.chat_endpoint(provider.model_info("m")).endswith("/chat/completions")


def test_a_tool_whose_schema_can_not_be_strict_says_so():
    def search(words: str, limit: int = 3) -> str:
        """Search."""
        return words * limit

    _, (body,) = ask([YES], tools=[search])
    assert body["tools"][0]["strict"] is False


def test_parameters_mean_the_same_under_the_names_of_the_api():
    _, (body,) = ask([YES], max_completion_tokens=7, reasoning_effort="low", response_format={"type": "json_object"})
    assert (body["max_output_tokens"], body["reasoning"]) == (7, {"effort": "low", **SUMMARY})
    assert body["text"] == {"format": {"type": "json_object"}}
    assert not {"max_completion_tokens", "reasoning_effort", "response_format"} & {*body}


def test_its_own_parameters_pass_by_name():
    own: dict[str, Any] = {"store": True, "truncation": "auto", "text": {"verbosity": "low"}, "include": ["x"]}
    _, (body,) = ask([YES], reasoning={"summary": "detailed"}, extra_body={"background": False}, **own)
    assert {name: body[name] for name in own} == own
    assert (body["reasoning"], body["background"]) == ({"summary": "detailed"}, False)


def test_what_it_lacks_is_refused_before_anything_is_sent():
    with chat_server(in_turn(YES)) as (url, bodies):
        for name, value in (("stop", "x"), ("seed", 1), ("logit_bias", {})):
            with pytest.raises(UsageError, match=f"Responses API has no parameter '{name}'.*max_output_tokens"):
                chat_at(url).ask("Hi", **{name: value})
        for wrong in ({"reasoning_effort": 3}, {"reasoning": "low"}, {"text": "x"}):
            with pytest.raises(UsageError):
                chat_at(url).ask("Hi", **wrong)
        assert bodies == []


def test_schema_is_a_format_of_the_text():
    turn, (body,) = ask([YES], schema=dict[str, int])
    assert turn.reply == "Yes."
    assert body["text"]["format"]["type"] == "json_schema"
    assert {"name", "schema", "strict"} <= {*body["text"]["format"]}


def test_images_are_parts_of_the_input():
    image = "data:image/png;base64,iVBORw0KGgo="
    _, (body,) = ask([YES], images=[image])
    assert body["input"][0]["content"] == [
        {"type": "input_text", "text": "Hi"},
        {"type": "input_image", "image_url": image, "detail": "auto"},
    ]


def test_a_model_that_does_not_reason_is_not_asked_to():
    for model in ("gpt-4o", "gpt-4.1-mini", "ft:gpt-4o:me", "chatgpt-4o-latest", "gpt-5-chat-latest"):
        _, (body,) = ask([YES], model=model)
        assert not {"include", "reasoning"} & {*body}


# Reasoning goes back.


def inputs(body):
    return [{k: v for k, v in item.items() if k not in ("content", "output")} for item in body["input"]]


CALL = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 1, "b": 2}'}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "3"}


def test_reasoning_goes_back_in_the_tool_loop_without_ids():
    turn, bodies = ask([THOUGHT, YES], "1+2?", tools=[add])
    assert (turn.reply, turn.reasoning, turn.calls[0].result) == ("Yes.", "Adding is easy.", "3")
    assert bodies[1]["input"] == [{"type": "message", "role": "user", "content": "1+2?"}, RETURNED, CALL, RESULT]
    assert '"id"' not in json.dumps(bodies)


def test_reasoning_goes_back_after_the_turn_was_saved_and_restored():
    with chat_server(in_turn(THOUGHT, YES)) as (url, bodies):
        chat = chat_at(url)
        chat.ask("1+2?", tools=[add])
        restored = Conversation.from_dict(json.loads(json.dumps(chat.conversation.to_dict())))
        chat_at(url, conversation=restored).ask("Sure?")
        assert bodies[2]["input"][:4] == [*bodies[1]["input"]]
        assert bodies[2]["input"][4:] == [
            {"type": "message", "role": "assistant", "content": "Yes."},
            {"type": "message", "role": "user", "content": "Sure?"},
        ]


def test_reasoning_goes_back_from_a_cassette(tmp_path):
    with chat_server(in_turn(THOUGHT, YES)) as (url, bodies):
        chat_at(url, cassette=tmp_path / "talk.jsonl").ask("1+2?", tools=[add])
        chat = chat_at(url, cassette=tmp_path / "talk.jsonl")
        chat.ask("1+2?", tools=[add])
        assert len(bodies) == 2
        chat.ask("Sure?")
        assert bodies[2]["input"][:4] == bodies[1]["input"]


def test_reasoning_goes_back_to_no_other_model_address_or_dialect():
    answer = in_turn(YES, say("Yes."))
    with chat_server(in_turn(THOUGHT, YES)) as (url, bodies), chat_server(answer) as (other, others):
        chat = chat_at(url)
        chat.ask("1+2?", tools=[add])
        chat_at(url, "gpt-6-sol", conversation=chat.conversation).ask("Sure?")
        chat_at(other, conversation=chat.conversation).ask("Sure?")
        Chat("openai:gpt-6-luna", base_url=other, conversation=chat.conversation).ask("Sure?")
        assert len(others) == 2
        assert not any("ZW5jcnlwdGVk" in json.dumps(body) for body in (bodies[2], *others))


def test_an_interrupted_reply_leaves_no_reasoning_without_what_followed():
    half = stream(*start(), *thinking(0, "Adding is easy."), *list(text(1, "Half", " more"))[:3])
    with chat_server(in_turn(half, YES)) as (url, bodies):
        chat = chat_at(url, max_retries=0)
        turn = chat.ask("1+2?")
        assert (turn.status, turn.reply) == ("truncated", "Half")
        chat.ask("Go on.")
        assert [item["type"] for item in bodies[1]["input"]] == ["message"] * 3
        assert bodies[1]["input"][1]["content"] == "Half"


def test_each_reasoning_item_stays_in_front_of_what_followed_it():
    second = {**REASONING, "id": "rs_2", "encrypted_content": "c2Vjb25k"}
    commentary = message("Let me add.", "msg_1", phase="commentary")
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    body = stream(*end(REASONING, commentary, second, function_call(), REASONING, search))
    turn, bodies = ask([body, YES], "1+2?", tools=[add])
    assert turn.calls[0].result == "3"
    assert bodies[1]["input"][1:] == [
        RETURNED,
        {"type": "message", "role": "assistant", "content": "Let me add.", "phase": "commentary"},
        {**RETURNED, "encrypted_content": "c2Vjb25k"},
        CALL,
        RESULT,
    ]


# What a server refuses.


def adapted(refusal, holds, **given):
    """Ask a server that refuses a body as long as `holds` says so of it; return the turn and the last body."""
    turn, bodies = ask(lambda n, body: refusal if holds(body) else YES, **given)
    assert len(bodies) == 2
    assert turn.reply == "Yes."
    return turn, bodies[1]


def test_encrypted_reasoning_is_left_out_for_a_model_that_does_not_reason():
    refusal = refuse("Encrypted content is not supported with this model.", "include")
    _, body = adapted(refusal, lambda body: "include" in body)
    assert "include" not in body
    _, body = adapted(refuse("Encrypted content is not supported with this model."), lambda body: "include" in body)
    assert body["reasoning"] == SUMMARY


def test_summaries_are_left_out_where_they_are_refused():
    for refusal in (
        refuse("Your organization must be verified to generate reasoning summaries.", "reasoning.summary"),
        refuse("Your organization must be verified to generate reasoning summaries."),
        refuse("Unsupported parameter: 'reasoning.summary' is not supported with this model.", "reasoning.summary"),
    ):
        _, body = adapted(refusal, lambda body: "summary" in (body.get("reasoning") or {}))
        assert "reasoning" not in body
        _, body = adapted(refusal, lambda body: "summary" in (body.get("reasoning") or {}), reasoning_effort="low")
        assert body["reasoning"] == {"effort": "low"}


def test_the_system_prompt_is_never_dropped():
    refusal = refuse("Unknown parameter: 'instructions'.", "instructions")
    _, body = adapted(refusal, lambda body: "instructions" in body, settings={"system": "Be brief."})
    assert body["input"][0] == {"type": "message", "role": "system", "content": "Be brief."}


def test_refused_format_is_left_to_the_prompt():
    refusal = refuse("Invalid schema for response_format 'reply': structured outputs are not supported.", "text.format")
    _, body = adapted(refusal, lambda body: "text" in body, schema=dict[str, int])
    assert "text" not in body


def test_reasoning_that_can_not_be_decrypted_is_left_out_and_told():
    refusal = refuse("The encrypted content could not be verified.", code="invalid_encrypted_content")

    def script(number, body):
        if number == 1:
            return THOUGHT
        return refusal if any(item["type"] == "reasoning" for item in body["input"]) else YES

    with chat_server(script) as (url, bodies):
        reply = chat_at(url).stream("1+2?", tools=[add])
        notices = [delta.notice for delta in reply.deltas if delta.notice]
    assert len(bodies) == 3
    assert [item["type"] for item in bodies[2]["input"]] == ["message", "function_call", "function_call_output"]
    assert any("goes on without it" in notice for notice in notices)


def test_a_parameter_of_the_user_is_told_under_its_own_name():
    with pytest.raises(HTTPStatusError, match="You set `max_tokens`"):
        ask([refuse("Invalid 'max_output_tokens': integer below minimum value.", "max_output_tokens")], max_tokens=1)


def test_context_overflow_is_told_as_one():
    words = "Your input exceeds the context window of this model. Please adjust your input and try again."
    with pytest.raises(ContextLengthError):
        ask([refuse(words, "input", "context_length_exceeded")])
    failed = response("failed", error={"code": "context_length_exceeded", "message": words})
    with pytest.raises(ContextLengthError):
        ask([stream(event("failed", response=failed))])


# The other dialect.


def test_a_server_without_the_endpoint_is_told_with_the_line_that_mends_it():
    for status in (404, 405):
        missing = {"detail": "Not Found" if status == 404 else "Method Not Allowed"}, status
        with refusing(lambda body, missing=missing: missing, models={"data": [{"id": "gpt-6-luna"}]}) as server:
            with pytest.raises(HTTPStatusError, match=r"has no `/responses`.*--dialect chat-completions`"):
                chat_at(server.url).ask("Hi")
            with pytest.raises(HTTPStatusError, match="lists this model, but no chat endpoint"):
                Chat("openai:gpt-6-luna", base_url=server.url).ask("Hi")


def test_a_model_of_the_responses_api_alone_is_told_with_the_line_that_mends_it():
    words = "This model is only supported in v1/responses and not in v1/chat/completions."
    with chat_server(in_turn(refuse(words, "model", status="404 Not Found"))) as (url, bodies):
        with pytest.raises(ProviderError, match="use openai:gpt-6-sol --dialect responses`"):
            Chat("openai:gpt-6-sol", base_url=url).ask("Hi")
        assert len(bodies) == 1


def test_chat_completions_in_place_of_it_are_told_with_the_line_that_mends_it():
    body = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\n'
    with pytest.raises(ProtocolError, match="--dialect chat-completions"):
        ask([body])
