"""Frozen values, and the switch that stops a reply."""

import dataclasses
import threading

import pytest

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import CellOrigin, ChatRequest, Message, ToolCall, Usage
from lockbots_magic.conversation.turn import Turn


def test_values_are_frozen():
    for value in (Message("user", "hi"), Turn("hi"), Usage(1, 2), ChatRequest("m", ())):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.prompt = "other"


def test_request_accepts_messages_as_dicts():
    request = ChatRequest("m", [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}])
    assert request.messages == (Message("system", "Be brief."), Message("user", "hi"))
    assert request.system == "Be brief."


def test_request_parameters_are_read_only():
    params = {"temperature": 0.1}
    request = ChatRequest("m", (), params)
    params["temperature"] = 9
    assert request.params["temperature"] == 0.1


def test_failed_and_empty_turns_are_not_in_the_context():
    assert Turn("q", "a").in_context
    assert Turn("q", "a", status="interrupted").in_context
    assert Turn("q", "a", status="truncated").in_context
    assert not Turn("q", "a", status="error").in_context
    assert not Turn("q", "").in_context


def test_turn_survives_a_round_trip_through_a_dict():
    turn = Turn("q", "a", "m", "p", {"t": 1}, "s", "truncated", "cut", usage=Usage(1, None), started=5.0, cell_id="c")
    assert Turn.from_dict(turn.to_dict()) == turn


def test_turn_from_a_later_release_is_read_without_its_new_fields():
    assert Turn.from_dict({"prompt": "q", "reply": "a", "mood": "sunny"}).reply == "a"


@pytest.mark.parametrize("data", [{}, {"prompt": 1}, {"prompt": "q", "reply": 5}, {"prompt": "q", "status": "odd"}])
def test_value_that_is_not_a_turn_is_refused(data):
    with pytest.raises(ValueError, match="a turn"):
        Turn.from_dict(data)


def test_cancellation_calls_back_before_or_after_registration():
    called = []
    early = Cancellation()
    early.on_cancel(lambda: called.append("early"))
    early.cancel()
    late = Cancellation()
    late.cancel()
    late.on_cancel(lambda: called.append("late"))
    assert called == ["early", "late"]


def test_cancellation_ends_a_wait_in_another_thread():
    cancellation = Cancellation()
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(cancellation.wait(60)))
    thread.start()
    cancellation.cancel()
    thread.join(30)
    assert outcome == [True]


@pytest.mark.parametrize(
    ("cell", "run", "asker"), [("c1", "3", ("c1", "3")), ("c1", None, None), (None, "3", None), (None, None, None)]
)
def test_asker_is_a_cell_and_its_execution(cell, run, asker):
    assert ChatRequest("m", (), origin=CellOrigin(cell, run)).asker == asker


@pytest.mark.parametrize(
    ("arguments", "text"),
    [('{"n": 1, "who": "é"}', 'f(n=1, who="é")'), ("", "f()"), ("[1]", "f([1])"), ("{broken", "f({broken)")],
)
def test_tool_call_is_written_about_as_python_writes_it(arguments, text):
    assert str(ToolCall("1", "f", arguments)) == text
