"""Reasoning in fields of its own: read in any form, and sent back where the service wants it, nowhere else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.providers.wire.reasoning_fields import ReasoningReader
from tests.chatserver import chat_server, delta, events, in_turn, say
from tests.effort import examples

FORMS: tuple[dict[str, Any], ...] = (
    {"reasoning_content": "Hmm."},
    {"reasoning": "Hmm."},
    {"reasoning": {"content": "Hmm."}},
    {"reasoning": {"summary": "Hmm.", "effort": None}},
    {"reasoning": [{"type": "summary_text", "text": "Hmm."}]},
    {"thinking": "Hmm."},
    {"reasoning_content": "Hmm.", "reasoning": "Hmm."},
    {"reasoning": "Hmm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hmm."}]},
    {"reasoning_details": [{"type": "reasoning.summary", "summary": "Hmm."}]},
    {"thinking_blocks": [{"type": "thinking", "thinking": "Hmm.", "signature": None}]},
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hmm."}]}]},
    {"content": [{"type": "thinking", "thinking": "Hmm."}, {"type": "text", "text": ""}]},
    {"content": [{"type": "reasoning", "text": "Hmm."}]},
    {"content": [{"type": "text", "text": "Hmm.", "thought": True}]},
    {"reasoning": {"summary": [{"type": "summary_text", "text": "Hmm."}]}},
    {"reasoning_text": "Hmm."},
    {"thinking_content": "Hmm."},
    {"thought": "Hmm."},
    {"thoughts": "Hmm."},
    {"reasoningContent": "Hmm."},
)


def test_reasoning_is_read_in_every_form():
    for form in FORMS:
        stream = events(delta(**form), delta(content="Four."), delta("stop"))
        whole = {"choices": [{"message": {"role": "assistant", "content": "Four.", **form}, "finish_reason": "stop"}]}
        if "content" in form:
            whole["choices"][0]["message"]["content"] = [*form["content"], {"type": "text", "text": "Four."}]
        with chat_server(in_turn(stream, ("200 OK", whole))) as (url, _):
            for _ in range(2):
                turn = Chat("vllm:m", base_url=url).ask("2 + 2?")
                assert (turn.reply, turn.reasoning) == ("Four.", "Hmm."), form


def test_forms_without_text_are_no_reasoning():
    for odd in (None, 7, "", [], {}, {"content": 7}, [None, 7, {"text": None}], True):
        for name in ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"):
            assert ReasoningReader().feed({name: odd}) == ""


CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "double", "arguments": '{"n": 2}'}}


def double(n: int) -> int:
    """Return twice the number."""
    return 2 * n


def ask_with_tool(model: str, **fields: Any) -> tuple[list[dict[str, Any]], Turn, str]:
    """Let a model reason in `fields`, call a function and answer, then ask it something else."""

    def script(number: int, body: dict[str, Any]) -> bytes:
        if number == 1:
            return events(delta(**fields), delta(tool_calls=[CALL]), delta("tool_calls"))
        return events(delta(**fields), delta(content="Four."), delta("stop"))

    with chat_server(script) as (url, bodies):
        chat = Chat(model, base_url=url, auth="test")
        turn = chat.ask("2 + 2?", tools=[double])
        chat.ask("And more?", tools=[double])
        other = Chat(model.partition(":")[0] + ":other", base_url=url, auth="test", conversation=chat.conversation)
        other.ask("And yet more?", tools=[double])
    return bodies, turn, url


def assistants(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in body["messages"] if message["role"] == "assistant"]


def test_reasoning_content_goes_back_with_calls_in_the_loop_and_later():
    for model in ("deepseek:m", "vllm:m"):
        bodies, turn, _ = ask_with_tool(model, reasoning_content="Double it.")
        assert turn.reasoning.startswith("Double it.")
        for body in bodies[1:3]:
            asked, *answers = assistants(body)
            assert asked["reasoning_content"] == "Double it."
            assert [*{"reasoning_content" in answer for answer in answers}] in ([], [model == "deepseek:m"])
        assert all(not m.get("reasoning_content") for m in assistants(bodies[3])), "another model made it"
        assert Turn.from_dict(json.loads(json.dumps(turn.to_dict()))) == turn


def test_deepseek_gets_the_field_beside_calls_of_other_models_too():
    bodies, _, _ = ask_with_tool("deepseek:m", reasoning_content="Double it.")
    assert assistants(bodies[3])[0]["reasoning_content"] == ""
    bodies, _, _ = ask_with_tool("openai:m", content="")
    assert "reasoning_content" not in assistants(bodies[1])[0]


def test_plain_reasoning_is_not_sent_back():
    for fields in ({"reasoning": "Double it."}, {"content": "<think>Double it.</think>"}, {"thinking": "Double it."}):
        bodies, turn, _ = ask_with_tool("groq:m", **fields)
        assert "Double it." in turn.reasoning
        assert "Double it." not in json.dumps(bodies)


DETAILS = [
    {"type": "reasoning.text", "text": "Double it.", "signature": "c2ln", "index": 0, "format": "a", "id": None},
    {"type": "reasoning.encrypted", "data": "gAAA", "index": 1, "id": "rs_1"},
]


def test_details_go_back_as_they_came():
    bodies, turn, _ = ask_with_tool("openrouter:m", reasoning="Double it.", reasoning_details=DETAILS)
    assert turn.reasoning.startswith("Double it.")
    for body in bodies[1:3]:
        assert all(message["reasoning_details"] == DETAILS for message in assistants(body))
    assert "reasoning_details" not in json.dumps(bodies[3])


def test_blocks_go_back_with_calls():
    blocks = [{"type": "thinking", "thinking": "Double it.", "signature": "c2ln"}]
    bodies, _, _ = ask_with_tool("openai:m", thinking_blocks=blocks)
    asked, *answers = assistants(bodies[2])
    assert asked["thinking_blocks"] == blocks
    assert not any("thinking_blocks" in answer for answer in answers)


@settings(max_examples=examples(200))
@given(st.lists(st.tuples(st.text("ab \n", min_size=1, max_size=30), st.booleans()), min_size=1, max_size=4), st.data())
def test_pieces_of_details_become_the_whole_again(blocks: list[tuple[str, bool]], data: st.DataObject):
    whole = [
        {"type": "reasoning.text", "index": n, "text": text, **({"signature": f"s{n}"} if signed else {})}
        for n, (text, signed) in enumerate(blocks)
    ]
    reader = ReasoningReader()
    read = ""
    for item in whole:
        size = data.draw(st.integers(1, 7))
        for at in range(0, len(item["text"]), size):
            piece = {"type": "reasoning.text", "index": item["index"], "text": item["text"][at : at + size]}
            read += reader.feed({"reasoning_details": [piece]})
        if "signature" in item:
            reader.feed({"reasoning_details": [{**item, "text": ""}]})
    assert reader.returned(has_calls=False) == {"reasoning_details": whole}
    assert read == "".join(text for text, _ in blocks)
    reader.feed({"reasoning_details": whole}, is_whole=True)
    assert reader.returned(has_calls=True) == {"reasoning_details": whole}


def test_a_server_that_refuses_reasoning_in_messages_is_spared_it():
    def script(number: int, body: dict[str, Any]) -> Any:
        if "reasoning_content" in json.dumps(body["messages"]):
            words = "'messages.1' : property 'reasoning_content' is unsupported"
            return "400 Bad Request", {"error": {"message": words}}
        if number == 1:
            return events(delta(reasoning_content="Double it."), delta(tool_calls=[CALL]), delta("tool_calls"))
        return say("Four.")

    with chat_server(script) as (url, bodies):
        chat = Chat("openai:m", base_url=url, auth="test")
        assert chat.ask("2 + 2?", tools=[double]).reply == "Four."
        assert chat.ask("And more?", tools=[double]).reply == "Four."
    assert len(bodies) == 4


def test_deepseek_gets_the_reasoning_of_every_message_back_anywhere():
    """In a turn with calls the answer's is demanded, too, and gateways demand that of every turn."""

    def script(number: int, body: dict[str, Any]) -> Any:
        thought = delta(reasoning_content=f"Thought {number}.")
        if number == 1:
            return events(thought, delta(tool_calls=[CALL]), delta("tool_calls"))
        return events(thought, delta(content="Four."), delta("stop"))

    for model, wants in (("deepseek:m", True), ("openai:deepseek/deepseek-v4-pro", True), ("vllm:m", False)):
        with chat_server(script) as (url, bodies):
            chat = Chat(model, base_url=url, auth="test")
            chat.ask("2 + 2?", tools=[double])
            chat.ask("And more?")
            chat.ask("And yet more?")
        sent = [message.get("reasoning_content") for message in assistants(bodies[-1])]
        assert sent == ["Thought 1.", *(["Thought 2.", "Thought 3."] if wants else [None, None])], model


def test_a_service_that_demands_the_field_everywhere_gets_it_empty_where_no_reasoning_is_known():
    def script(number: int, body: dict[str, Any]) -> Any:
        if all("reasoning_content" in message for message in assistants(body)):
            return say("Four.")
        words = "The `reasoning_content` in the thinking mode must be passed back to the API."
        return "400 Bad Request", {"error": {"message": words}}

    with chat_server(script) as (url, bodies):
        chat = Chat("openai:house-model", base_url=url, auth="test")
        replies = [chat.ask(prompt).reply for prompt in ("2 + 2?", "And more?", "And yet more?")]
    assert replies == ["Four."] * 3
    assert len(bodies) == 4, "the refusal was not remembered"
