"""Tool calls of earlier turns as messages."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.call_messages import (
    NO_REPLY,
    flatten_calls,
    messages_of_rounds,
    rename_calls,
    with_portable_ids,
    with_unique_ids,
)
from lockbots_magic.conversation.context_turns import adapt_turns
from lockbots_magic.conversation.context_window import fit_messages
from lockbots_magic.conversation.messages import Delta, Message, ModelInfo, ToolCall
from lockbots_magic.conversation.opaque_data import OpaqueData
from lockbots_magic.conversation.parts import ReasoningPart, Round, TextPart, ToolCallPart, ToolResultPart
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator

OPAQUE = OpaqueData({"extra_content": {}}, "gemini", "https://g.example", "m")


def called(identity, result="1", name="f", arguments="{}"):
    return ToolCallPart(identity, name, arguments), ToolResultPart(identity, result)


def turn(*rounds, prompt="hi", **more):
    return Turn(prompt, rounds=tuple(Round(tuple(parts)) for parts in rounds), **more)


def is_paired(messages):
    """Whether each call has its result right after it, each result a call, and no prompt follows a result."""
    waiting = []
    for before, message in zip([None, *messages], [*messages, Message("user", "")], strict=True):
        if message.role == "tool":
            if not waiting or waiting.pop(0) != message.call_id:
                return False
        elif waiting or (before and before.role == "tool" and message.role != "assistant"):
            return False
        waiting += [call.id for call in message.calls]
    return not waiting


def test_a_turn_keeps_its_messages():
    turn = Turn("Hi", "Hello")
    assert turn.messages is turn.messages
    assert replace(turn, prompt="Bye").messages[0].content == "Bye"


def test_rounds_become_messages_in_order():
    done = turn(
        [ReasoningPart("hm"), TextPart("Let me see."), *called("a"), *called("b", "2")],
        [*called("c", "3")],
        [TextPart("Done.")],
    )
    assert done.messages == (
        Message("user", "hi"),
        Message("assistant", "Let me see.", calls=(ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))),
        Message("tool", "1", call_id="a"),
        Message("tool", "2", call_id="b"),
        Message("assistant", "", calls=(ToolCall("c", "f", "{}"),)),
        Message("tool", "3", call_id="c"),
        Message("assistant", "Done."),
    )


def test_turn_without_calls_has_two_messages():
    assert turn([TextPart("a")], [TextPart("b")]).messages == (Message("user", "hi"), Message("assistant", "a\n\nb"))


def test_call_without_a_result_is_left_out():
    open_call = ToolCallPart("b", "f", "{}")
    assert messages_of_rounds(turn([*called("a"), open_call]).rounds)[0].calls == (ToolCall("a", "f", "{}"),)
    assert messages_of_rounds(turn([TextPart("x"), open_call]).rounds) == (Message("assistant", "x"),)


def test_turn_that_ended_after_a_result_has_a_last_message():
    interrupted = turn(called("a", "interrupted"), status="interrupted")
    assert interrupted.in_context
    assert interrupted.messages[-1] == Message("assistant", NO_REPLY)
    assert not turn(called("a"), status="error").in_context


def test_opaque_data_stay_with_their_call():
    (message, *_) = messages_of_rounds((Round((ToolCallPart("a", "f", "{}", OPAQUE), ToolResultPart("a", "1"))),))
    assert message.calls == (ToolCall("a", "f", "{}", None, OPAQUE),)


PARTS = st.one_of(
    st.builds(TextPart, st.sampled_from(["", "x"])),
    st.builds(ReasoningPart, st.just("r")),
    st.builds(ToolCallPart, st.sampled_from("ab"), st.just("f"), st.just("{}")),
    st.builds(ToolResultPart, st.sampled_from("abc"), st.just("1")),
)
TURNS = st.lists(
    st.builds(lambda rounds: turn(*rounds, provider="p", model="m"), st.lists(st.lists(PARTS, max_size=5), max_size=3)),
    max_size=4,
)


@given(TURNS, st.sampled_from(["p", "q"]), st.booleans(), st.integers(10, 200))
def test_messages_of_a_context_are_paired_whatever_the_turns(turns, provider, takes_tools, limit):
    adapted = adapt_turns(turns, provider, "m", takes_images=True, takes_tools=takes_tools)
    messages, _ = fit_messages("", adapted, "now", ModelInfo("m", token_limit=limit))
    messages = with_unique_ids(messages)
    assert is_paired(messages[:-1])
    identities = [call.id for message in messages for call in message.calls]
    assert len(set(identities)) == len(identities)
    assert takes_tools or not identities
    assert messages == with_unique_ids(messages)


def test_ids_of_another_service_become_portable():
    far = turn([*called("functions.f:0"), *called("x" * 90)], [TextPart("a")], provider="p", model="m")
    for provider, model, kept in (("p", "m", True), ("p", "", True), ("p", "n", False), ("q", "m", False)):
        (near,) = adapt_turns([far], provider, model, takes_images=True, takes_tools=True)
        identities = [call.id for call in near.calls]
        assert (identities == [call.id for call in far.calls]) == kept
        assert kept or all(re.fullmatch("[A-Za-z0-9]{9}", one) for one in identities)
        assert is_paired(near.messages)
    assert with_portable_ids(far.rounds) == with_portable_ids(far.rounds)


def test_ids_of_a_model_that_is_a_path_stay():
    """The turn keeps the last part of the path."""
    own = turn([*called("functions.f:0")], [TextPart("a")], provider="p", model="m.gguf")
    assert adapt_turns([own], "p", "/models/m.gguf", takes_images=True, takes_tools=True) == [own]


def test_ids_are_unique_in_a_request():
    messages = with_unique_ids([*turn(called("a")).messages, *turn([*called("a"), *called("b")]).messages])
    identities = [call.id for message in messages for call in message.calls]
    assert identities[0] == "a"
    assert identities[2] == "b"
    assert len(set(identities)) == 3
    assert is_paired(messages)
    assert is_paired(with_unique_ids(turn([*called("a"), *called("a", "2")], [TextPart("x")]).messages))
    assert [call.id for call in rename_calls([ToolCall("c", "f", "")], ["a"])] == ["c"]


def test_calls_become_text_for_a_service_without_tools():
    done = turn([TextPart("Look."), *called("a", "20", "weather", '{"city": "Rome"}')], [TextPart("Warm.")])
    flat = (Message("user", "hi"), Message("assistant", 'Look.\n\n[Called weather(city="Rome"); result: 20]\n\nWarm.'))
    assert flatten_calls(done.messages) == flat
    (adapted,) = adapt_turns([done], "p", "m", takes_images=True, takes_tools=False)
    assert adapted.messages == flat


def test_estimates_count_calls():
    plain = Message("assistant", "")
    calling = Message("assistant", "", calls=(ToolCall("a", "f", "x" * 400),))
    assert calling.estimated_tokens - plain.estimated_tokens >= 100
    assert calling.characters == 401


@pytest.mark.parametrize("begins", [True, False])
def test_rounds_of_calls_alone_are_told_apart(begins):
    reply = TurnAccumulator()
    for identity in "ab":
        reply.add(Delta(notice="calling f()", begins_round=begins and identity == "b"))
        reply.add(Delta(calls=(ToolCall(identity, "f", "{}", "1"),)))
    assert len(reply.rounds) == 1 + begins
