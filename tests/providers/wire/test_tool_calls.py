"""Tool calls in chat completions: as in the API reference, and as observed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import Delta, ToolCall
from lockbots_magic.errors import ProtocolError
from lockbots_magic.providers.wire import tool_calls
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.tool_calls import MAX_CALLS, ToolCallAssembler
from tests.providers.wire.test_chat_completions import DONE, HUGE, chunk, event, read


def piece(index=None, id=None, name=None, arguments=None):  # noqa: A002  # as the wire calls it
    given = {"index": index, "id": id}
    function = {k: v for k, v in {"name": name, "arguments": arguments}.items() if v is not None}
    return {**{k: v for k, v in given.items() if v is not None}, "function": function}


def gathered(*chunks):
    assembler = ToolCallAssembler()
    for asked in chunks:
        assembler.feed(asked)
    return assembler.assemble()


def called(*chunks):
    """Return (name, arguments) of the calls in `chunks`."""
    return [(call.name, call.arguments) for call in gathered(*chunks)]


def test_arguments_come_in_pieces_and_the_call_comes_last():
    deltas = read(
        chunk(tool_calls=[piece(0, "call_1", "f", "")]),
        chunk(tool_calls=[piece(0, arguments='{"x"')]),
        chunk(tool_calls=[piece(0, arguments=": 1}")]),
        chunk(finish_reason="tool_calls"),
        DONE,
    )
    assert deltas == [Delta(finish_reason="tool_calls", calls=(ToolCall("call_1", "f", '{"x": 1}'),))]


def test_text_may_precede_calls():
    deltas = read(chunk("Let me see."), chunk(tool_calls=[piece(0, "a", "f", "{}")]), DONE)
    assert [d.text for d in deltas] == ["Let me see.", ""]
    assert deltas[-1].calls == (ToolCall("a", "f", "{}"),)


def test_interleaved_calls_are_separated_by_index():
    chunks = [
        [piece(0, "a", "f", ""), piece(1, "b", "g", "")],
        [piece(1, arguments="[2")],
        [piece(0, arguments="[1")],
        [piece(0, arguments="]"), piece(1, arguments="]")],
    ]
    assert called(*chunks) == [("f", "[1]"), ("g", "[2]")]


@pytest.mark.parametrize("index", [None, 0])
@pytest.mark.parametrize("ids", [("a", "b"), (None, None), ("", ""), ("a", None), (None, "b"), ("a", "a")])
def test_whole_calls_of_one_chunk_are_not_merged(index, ids):
    asked = [piece(index, ids[0], "f", '{"x": 1}'), piece(index, ids[1], "f", '{"x": 2}')]
    calls = gathered(asked)
    assert [call.arguments for call in calls] == ['{"x": 1}', '{"x": 2}']
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize("index", [None, 0])
@pytest.mark.parametrize("ids", [("a", "b"), (None, None), ("", ""), ("a", None)])
def test_whole_calls_of_several_chunks_are_not_merged(index, ids):
    chunks = [[piece(index, one, "f", arguments)] for one, arguments in zip(ids, ("{}", '{"x": 2}'), strict=True)]
    assert called(*chunks) == [("f", "{}"), ("f", '{"x": 2}')]


@pytest.mark.parametrize("index", [None, 0])
def test_call_that_repeats_its_id_and_name_in_each_chunk_is_one(index):
    assert called([piece(index, "a", "f", '{"x"')], [piece(index, "a", "f", ": 1}")]) == [("f", '{"x": 1}')]


def test_pieces_without_index_continue_the_last_call():
    chunks = [[piece(None, "a", "f", "")], [piece(arguments="{")], [piece(None, "b", "g", "[")], [piece(arguments="]")]]
    assert called(*chunks) == [("f", "{"), ("g", "[]")]


def test_pieces_without_index_are_matched_by_id():
    chunks = [[piece(None, "a", "f", "1"), piece(None, "b", "g", "2")], [piece(None, "a", None, "3")]]
    assert called(*chunks) == [("f", "13"), ("g", "2")]


def test_name_may_follow_the_id():
    assert called([piece(0, "a")], [piece(0, None, "f")], [piece(0, None, None, "{}")]) == [("f", "{}")]


def test_arguments_as_an_object_become_json():
    assert called([piece(0, "a", "f", {"имя": "x"})]) == [("f", '{"имя": "x"}')]


def test_character_cut_into_halves_is_joined():
    chunks = [[piece(0, "a", "f", '{"x": "\ud83d')], [piece(0, arguments='\ude00"}')]]
    assert called(*chunks) == [("f", '{"x": "😀"}')]


def test_calls_without_ids_get_generated_ones():
    calls = gathered([piece(0, None, "f", ""), piece(1, "call-1", "g", ""), piece(2, "call-1", "h", "")])
    assert [call.id for call in calls] == ["call-1", "call-1-2", "call-1-3"]


def test_whole_response_has_whole_calls():
    message = {"content": None, "tool_calls": [piece(None, "a", "f", "{}"), piece(None, "b", "g", "")]}
    answer = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    (delta,) = read(json.dumps(answer).encode())
    assert delta == Delta(finish_reason="tool_calls", calls=(ToolCall("a", "f", "{}"), ToolCall("b", "g", "")))


@pytest.mark.parametrize("empty", [None, [], [{}], [piece(0, "", "", "")], [{"index": 0, "function": None}]])
def test_empty_tool_call_is_dropped(empty):
    assert read(chunk("a", tool_calls=empty), DONE) == [Delta("a"), Delta(finish_reason="stop")]


def test_truncated_response_has_no_tool_calls():
    deltas = read(chunk(tool_calls=[piece(0, "a", "f", '{"x"')]))
    assert deltas == [Delta(finish_reason="truncated")]


@pytest.mark.parametrize("asked", [
    {"index": 0}, "f", 7, [7], ["f"], [None], [[]], [{"function": "f"}], [{"function": [1]}],
    [piece(n, str(n), "f") for n in range(MAX_CALLS + 1)],
])  # fmt: skip
def test_malformed_calls_are_a_protocol_error(asked):
    with pytest.raises(ProtocolError):
        read(chunk(tool_calls=asked), DONE)


def test_tool_call_without_a_name_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="does not name a function"):
        read(chunk(tool_calls=[piece(0, "a", None, "{}")]), DONE)


def test_arguments_over_the_bound_are_a_protocol_error(monkeypatch):
    monkeypatch.setattr(tool_calls, "MAX_EVENT", 1000)
    with pytest.raises(ProtocolError, match="too long"):
        read(*[chunk(tool_calls=[piece(0, "a", "f", "x" * 100)])] * 11)


@pytest.mark.parametrize("huge", HUGE, ids=range(len(HUGE)))
def test_arguments_are_not_parsed(huge):
    assert called([piece(0, "a", "f", huge)]) == [("f", huge)]


arguments = st.text(max_size=12)
calls_asked = st.lists(st.tuples(st.sampled_from(["f", "g"]), arguments), min_size=1, max_size=4)


@given(calls_asked, st.data())
def test_calls_are_the_same_wherever_the_stream_is_cut(wanted, data):
    chunks = []
    for index, (name, text) in enumerate(wanted):
        chunks.append([piece(index, f"id{index}", name, "")])
        cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=3).map(sorted))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        chunks += [[piece(index, arguments=one)] for one in pieces]
    body = b"".join(chunk(tool_calls=asked) for asked in chunks) + DONE
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=5).map(sorted))
    deltas = read(*(body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    assert deltas[-1].calls == tuple(ToolCall(f"id{n}", *one) for n, one in enumerate(wanted))


@given(calls_asked, st.sampled_from([None, 0]), st.booleans(), st.booleans())
def test_whole_calls_keep_their_number(wanted, index, with_ids, at_once):
    asked = [piece(index, f"id{n}" if with_ids else None, *one) for n, one in enumerate(wanted)]
    assert called(*([asked] if at_once else [[one] for one in asked])) == wanted


keys = st.sampled_from(["index", "id", "function", "name", "arguments", "type"])
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
)


@given(st.lists(odd, max_size=3))
def test_any_tool_calls_are_assembled_or_a_protocol_error(chunks):
    reader = ChatCompletionsDecoder()
    try:
        for asked in chunks:
            list(reader.feed(event({"choices": [{"delta": {"tool_calls": asked}}]})))
        (last,) = reader.feed(DONE)
    except ProtocolError:
        return
    assert all(isinstance(text, str) for call in last.calls for text in call[:3])
    assert len({call.id for call in last.calls}) == len(last.calls)
