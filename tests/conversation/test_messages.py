"""Frozen values, and the switch that stops a reply."""

import dataclasses
import threading

import pytest

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.documents import SentDocument
from lockbots_magic.conversation.messages import CellOrigin, ChatRequest, Message, Tool, ToolCall, Usage
from lockbots_magic.conversation.recorded_reply import CassetteReport, RecordedReply
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError


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


PICTURE = "data:image/png;base64,AAAA"


def test_messages_have_the_form_of_chat_apis_and_are_read_from_it():
    pdf = SentDocument("a.pdf", "application/pdf", url="data:application/pdf;base64,AAAA")
    for message in (
        Message("user", "Look.", (PICTURE,), documents=(pdf,)),
        Message("user", "", (PICTURE,)),
        Message("assistant", "", calls=(ToolCall("1", "add", '{"a": 1}'),)),
        Message("tool", "3", call_id="1"),
    ):
        assert Message.of(message.to_dict()) == message
    told = Message("user", "Look.", documents=(SentDocument("a.txt", "text/plain", "x"),)).to_dict()
    assert told["content"][0] == {"type": "text", "text": "Document a.txt:\n\nx"}
    calls = [{"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]
    assert Message.of({"role": "assistant", "content": None, "tool_calls": calls}).content == ""
    assert (message := Message("user", "hi")) is Message.of(message)


@pytest.mark.parametrize(
    "value",
    [
        7,
        {},
        {"role": "user"},
        {"role": 7, "content": "x"},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": 7}}]},
        {"role": "user", "content": [{"type": "file", "file": {"filename": 7, "file_data": "data:,"}}]},
        {"role": "assistant", "tool_calls": [{"id": 7, "function": {"name": "add", "arguments": "{}"}}]},
        {"role": "assistant", "tool_calls": [{"id": "1"}]},
    ],
)
def test_value_that_is_no_message_is_a_usage_error(value):
    with pytest.raises(UsageError, match="Invalid message"):
        Message.of(value)


def test_a_tool_has_the_form_of_chat_apis():
    function = {"name": "add", "description": "Add.", "parameters": {"type": "object"}}
    assert Tool("add", "Add.", {"type": "object"}).to_dict() == {"type": "function", "function": function}


def test_usage_of_several_requests_adds_up_and_unknown_counts_stay_unknown():
    assert Usage(1, None, cached_tokens=2) + Usage(3, 4) == Usage(4, 4, cached_tokens=2)
    assert Usage(1, None).to_dict() == {"prompt_tokens": 1}


def test_a_turn_keeps_documents_and_results_of_calls():
    pdf = SentDocument("a.pdf", "application/pdf", url="data:application/pdf;base64,AAAA")
    call = ToolCall("1", "plot", "{}", "done", elapsed=0.5, approved_by="user", images=(PICTURE,))
    turn = Turn("q", "a", images=(PICTURE,), documents=(pdf,), calls=[call])
    read = Turn.from_dict(turn.to_dict())
    assert (read, read.documents, read.calls) == (turn, (pdf,), (call,))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("images", "x"),
        ("images", [7]),
        ("elapsed", True),
        ("elapsed", -1),
        ("elapsed", "1"),
        ("approved_by", 7),
    ],
)
def test_malformed_results_of_calls_are_refused(field, value):
    call = {"id": "1", "name": "plot", "arguments": "{}", "result": "done", field: value}
    with pytest.raises(ValueError, match=f"a turn|{field} of a result"):
        Turn.from_dict({"prompt": "q", "calls": [call]})


def test_a_file_brings_no_address_as_the_image_of_a_result():
    call = {"id": "1", "name": "plot", "arguments": "{}", "result": "x", "images": ["https://a.example", PICTURE]}
    assert Turn.from_dict({"prompt": "q", "calls": [call]}).calls[0].images == (PICTURE,)


def test_recorded_time_of_the_first_text_counts_the_requests_before_it():
    report = CassetteReport([RecordedReply("1", "c", 0, 2.0), RecordedReply("2", "c", 0, 3.0, 1.0)])
    assert (report.first_text, report.elapsed) == (3.0, 5.0)
    assert CassetteReport([RecordedReply("1", "c", 0, 2.0)]).first_text is None
