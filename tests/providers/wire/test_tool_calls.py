"""Tool calls in chat completions: as in the API reference, and as observed."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import Delta, ToolCall
from lockbots_magic.conversation.opaque_data import OpaqueData
from lockbots_magic.errors import ProtocolError
from lockbots_magic.providers.wire import call_pieces
from lockbots_magic.providers.wire.call_pieces import MAX_CALLS
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.tool_calls import ToolCallAssembler
from tests.effort import examples
from tests.providers.wire import call_forms
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


def test_calls_without_the_level_of_the_function_are_read():
    assert called([{"index": 0, "id": "a", "name": "f", "arguments": {"x": 1}}]) == [("f", '{"x": 1}')]
    pieces = [{"index": 0, "id": "a", "name": "f"}], [{"index": 0, "arguments": '{"x"'}], [{"arguments": ": 1}"}]
    assert called(*pieces) == [("f", '{"x": 1}')]


def test_one_call_under_several_indices_is_one_call():
    whole = [("f", '{"x": 1}')]
    begun, args, again = piece(0, "a", "f", ""), piece(0, "a", None, '{"x":'), piece(1, "a", "f", '{"x": 1}')
    assert called([begun], [args], [again]) == whole, "as far as it had come"
    assert called([begun], [again]) == whole, "announced"
    assert called([piece(0, "a", "f", '{"x":1}')], [again]) in (whole, [("f", '{"x":1}')]), "repeated"
    two = [("f", '{"x": 2}'), *whole]
    assert called([piece(0, "a", "f", '{"x": 2}')], [again]) == two, "other arguments are another call"
    assert called([piece(0, "a", "f", '{"x": 1}'), again]) == whole * 2, "of one chunk"
    assert called([piece(0, "b", "f", '{"x": 1}')], [again]) == whole * 2, "of two ids"


def test_arguments_that_are_nearly_json_are_read_where_their_meaning_is_certain():
    for written, meant in {
        '{"code": "a\n\tb"}': '{"code": "a\\n\\tb"}',
        '{"x": "\\"\n\\""}': '{"x": "\\"\\n\\""}',
        '\ufeff{"x": 1}': '{"x": 1}',
        '{"x": 1}</tool_call>': '{"x": 1}',
        '{"x": 1} <|call|>\n': '{"x": 1}',
        '{"x": "</tool_call>"}': '{"x": "</tool_call>"}',
        '```json\n{"x": 1}\n```': '{"x": 1}',
        '{"x": {"y": 1}}}': '{"x": {"y": 1}}',
        "{'x': 'a', 'y': [True, None]}": '{"x": "a", "y": [true, null]}',
        "None": "",
        "[]": "",
    }.items():
        assert called([piece(0, "a", "f", written)]) == [("f", meant)], written
    assert called([piece(0, "a", "f", '""' * 500_000)]) == [("f", '""' * 500_000)], "in a moment"
    for unclear in (
        '{"x": "a\\\nb"}',
        '{"x": 1',
        "{'x': f()}",
        "{'x': 'a\\n'}",
        '{"x": 1} and more',
        '["Rome"]',
        '{"x": "a\n',
    ):
        assert called([piece(0, "a", "f", unclear)]) == [("f", unclear)], unclear


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
    texts = ('{"x": 1}', '{"x": 2}')
    chunks = [[piece(index, one, "f", arguments)] for one, arguments in zip(ids, texts, strict=True)]
    assert called(*chunks) == [("f", text) for text in texts]


@pytest.mark.parametrize("index", [None, 0])
def test_call_that_repeats_its_id_and_name_in_each_chunk_is_one(index):
    assert called([piece(index, "a", "f", '{"x"')], [piece(index, "a", "f", ": 1}")]) == [("f", '{"x": 1}')]


def test_pieces_without_index_continue_the_last_call():
    chunks = [
        [piece(None, "a", "f", "")],
        [piece(arguments="{")],
        [piece(None, "b", "g", "[1")],
        [piece(arguments="]")],
    ]
    assert called(*chunks) == [("f", "{"), ("g", "[1]")]


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
    assert [call.id for call in calls] == ["call00001", "call-1", "call-1-2"]


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
    "f", 7, [7], ["f"], [None], [[]], [{"function": "f"}], [{"function": [1]}],
    [piece(n, str(n), "f") for n in range(MAX_CALLS + 1)],
])  # fmt: skip
def test_malformed_calls_are_a_protocol_error(asked):
    with pytest.raises(ProtocolError):
        read(chunk(tool_calls=asked), DONE)


def test_tool_call_without_a_name_is_a_protocol_error():
    with pytest.raises(ProtocolError, match="does not name a function"):
        read(chunk(tool_calls=[piece(0, "a", None, "{}")]), DONE)


def test_arguments_over_the_bound_are_a_protocol_error(monkeypatch):
    monkeypatch.setattr(call_pieces, "MAX_SIZE", 1000)
    with pytest.raises(ProtocolError, match="too long"):
        read(*[chunk(tool_calls=[piece(0, "a", "f", "x" * 100)])] * 11)


@pytest.mark.parametrize("huge", HUGE, ids=range(len(HUGE)))
def test_arguments_are_not_parsed(huge):
    assert called([piece(0, "a", "f", huge)]) == [("f", huge)]


UNCLEAR = [
    ("a call with {}, or {} before the arguments", [piece(0, None, "f", "{}")], [piece(0, None, "f", '{"x": 1}')]),
    ("the same, with an id in each piece", [piece(0, "a", "f", "{}")], [piece(0, "b", "f", '{"x": 1}')]),
    ("a call twice, or one sent again", [piece(None, None, "f", '{"x": 1}')], [piece(None, None, "f", '{"x": 1}')]),
    ("a call twice, or a name repeated", [piece(0, "a", "f", "")], [piece(0, "b", "f", "")]),
    ("arguments for nobody", [piece(0, "a", "f", '{"x": 1}')], [piece(0, "b", None, '{"y": 1}')]),
]


CLEAR = [
    ("a name repeated after {}", [piece(0, "a", "f", "{}")], [piece(0, None, "f", '{"x": 1}')]),
    ("{} as the arguments, in pieces, then another call", [piece(0, "a", "f", "")], [piece(0, None, None, "{}")],
     [piece(0, "b", "f", '{"x": 1}')]),
]  # fmt: skip


def test_calls_that_can_be_read_in_one_way_only():
    assert [called(*chunks) for _, *chunks in CLEAR] == [
        [("f", '{"x": 1}')],
        [("f", "{}"), ("f", '{"x": 1}')],
    ]


@pytest.mark.parametrize("chunks", [one[1:] for one in UNCLEAR], ids=[one[0] for one in UNCLEAR])
def test_calls_that_can_be_read_in_two_ways_are_a_protocol_error(chunks):
    with pytest.raises(ProtocolError, match="none was made"):
        gathered(*chunks)


@pytest.mark.parametrize(("pieces", "arguments"), [
    (("{}", '{"x": 1}'), '{"x": 1}'), (('{}{"x"', ": 1}"), '{"x": 1}'), (("{ }\n", "{}"), "{}"),
    ((None, '{"x"', ": 1}"), '{"x": 1}'), ((json.dumps('{"x": "\\""}'),), '{"x": "\\""}'), (("null",), ""),
    ((None,), ""),
    (('{"x"', ":1}", '{"x": 1}'), '{"x":1}'), (('{"x": 1}', '{"x": "1"}'), '{"x": 1}{"x": "1"}'), (('{"x"',), '{"x"'),
    (("{}", '{"x"'), '{}{"x"'), ((" ",), ""), ((json.dumps("x"),), '"x"'), (('""',), ""), (({}, {"x": 1}), '{"x": 1}'),
])  # fmt: skip
def test_arguments_in_any_form_are_one_object_or_unchanged(pieces, arguments):
    first, *rest = pieces
    assert called([piece(0, "a", "f", first)], *([piece(0, None, None, one)] for one in rest)) == [("f", arguments)]


def test_old_function_call_in_pieces():
    deltas = read(
        chunk(function_call={"name": "f", "arguments": ""}),
        chunk(function_call={"arguments": '{"x"'}),
        chunk(function_call={"arguments": ": 1}"}),
        chunk(finish_reason="function_call"),
        DONE,
    )
    assert deltas[-1] == Delta(finish_reason="function_call", calls=(ToolCall("call00001", "f", '{"x": 1}'),))


def test_old_function_call_beside_tool_calls_is_the_same_call():
    both = chunk(tool_calls=[piece(0, "a", "f", "{}")], function_call={"name": "f", "arguments": "{}"})
    assert read(both, DONE)[-1].calls == (ToolCall("a", "f", "{}"),)


def test_message_that_contradicts_the_deltas_is_a_protocol_error():
    last = event({"choices": [{"message": {"tool_calls": [piece(0, "a", "f", '{"x": 2}')]}}]})
    with pytest.raises(ProtocolError, match="two versions"):
        read(chunk(tool_calls=[piece(0, "a", "f", '{"x": 1}')]), last, DONE)


def test_message_completes_calls_whose_pieces_were_lost():
    last = event({"choices": [{"message": {"tool_calls": [piece(0, "b", "f", '{"x": 2}'), piece(1, "c", "g", "{}")]}}]})
    (delta,) = read(chunk(tool_calls=[piece(0, "a", "f", '{"x":')]), last, DONE)
    assert delta.calls == (ToolCall("a", "f", '{"x": 2}'), ToolCall("c", "g", "{}"))


def test_message_in_pieces_in_place_of_deltas():
    pieces = [[piece(0, "a", "f", "")], [piece(0, None, None, '{"x"')], [piece(0, None, None, ": 1}")]]
    (delta,) = read(*(event({"choices": [{"message": {"tool_calls": one}}]}) for one in pieces), DONE)
    assert delta.calls == (ToolCall("a", "f", '{"x": 1}'),)


def test_many_pieces_take_linear_time():
    text = json.dumps({"x": "y" * 20_000})
    pieces = [[piece(0, f"id{n}", "f", text[n : n + 1])] for n in range(len(text))]
    assert called(*pieces) == [("f", text)]


SIGNED = {"google": {"thought_signature": "c2lnbmVk"}}


def test_extra_content_of_a_call_is_kept():
    signed = {**piece(0, "a", "f", "{}"), "extra_content": SIGNED}
    for deltas in (read(chunk(tool_calls=[signed, piece(1, "b", "f", "{}")]), DONE),):
        assert [call.opaque for call in deltas[-1].calls] == [OpaqueData({"extra_content": SIGNED}), None]


def test_extra_content_is_bounded(monkeypatch):
    deep = SIGNED
    for _ in range(50):
        deep = {"a": [deep]}
    with pytest.raises(ProtocolError, match="nested too deeply"):
        read(chunk(tool_calls=[{**piece(0, "a", "f", "{}"), "extra_content": deep}]), DONE)
    monkeypatch.setattr(call_pieces, "MAX_SIZE", 1000)
    with pytest.raises(ProtocolError, match="too long"):
        read(chunk(tool_calls=[{**piece(0, "a", "f", "{}"), "extra_content": {"a": "x" * 2000}}]), DONE)


TAKES_ARGUMENTS = {"roll": False, "weather": True, "get_weather": True, "get": True, "f": True}
values = st.dictionaries(
    st.sampled_from(["x", "имя", '"}']), st.none() | st.integers(0, 9) | st.text(max_size=3), max_size=3
)


@st.composite
def true_calls(draw):
    blank = draw(st.sampled_from(["", "{}"]))
    names = draw(st.lists(st.sampled_from([*TAKES_ARGUMENTS]), min_size=1, max_size=3))
    return [(name, json.dumps(draw(values)) if TAKES_ARGUMENTS[name] else blank) for name in names]


def written_and_read(form, calls, cuts):
    """Return the calls, or None if they are refused: as an error, or by arguments that are no object."""
    assembler = ToolCallAssembler(TAKES_ARGUMENTS)
    try:
        for choice in form.write(calls, cuts):
            assembler.feed_choice(choice)
        read_calls = [(call.name, call.arguments) for call in assembler.assemble()]
        return [(name, json.loads(arguments or "{}")) for name, arguments in read_calls]
    except (ProtocolError, ValueError):
        return None


def meant(calls):
    return [(name, json.loads(arguments or "{}")) for name, arguments in calls]


cuts = st.lists(st.sampled_from([1, 3, 5, 100]), min_size=1, max_size=5).map(itertools.cycle)


@settings(max_examples=examples(8000))
@given(st.sampled_from(call_forms.forms()), true_calls(), cuts)
def test_calls_in_any_form_are_the_true_calls_or_refused(form, calls, cuts):
    assert written_and_read(form, calls, cuts) in (None, meant(calls))


@settings(max_examples=examples(2000))
@given(st.sampled_from(call_forms.single_forms()), true_calls(), cuts)
def test_calls_of_a_server_with_one_oddity_are_the_true_calls(form, calls, cuts):
    different = [call for n, call in enumerate(calls) if call[0] not in [name for name, _ in calls[:n]]]
    assert written_and_read(form, different, cuts) == meant(different)


@given(true_calls(), st.data())
def test_calls_are_the_same_wherever_the_stream_is_cut(wanted, data):
    lengths = itertools.repeat(3)
    body = b"".join(event({"choices": [one]}) for one in call_forms.Form().write(wanted, lengths)) + DONE
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=5).map(sorted))
    deltas = read(*(body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)))
    assert deltas[-1].calls == tuple(ToolCall(f"call-{n}", *one) for n, one in enumerate(wanted))


@settings(max_examples=examples(1000))
@given(st.sampled_from(call_forms.forms()), true_calls(), cuts, st.data())
def test_calls_of_a_cut_stream_are_never_made(form, calls, cuts, data):
    body = b"".join(event({"choices": [one]}) for one in form.write(calls, cuts))
    whole = data.draw(st.integers(0, len(body)))
    try:
        deltas = read(body[:whole])
    except ProtocolError:
        return
    assert not any(delta.calls for delta in deltas)


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


def test_arguments_that_are_repeated_whole_in_each_piece_count_once():
    whole = '{"city": "Rome"}'
    for ends in ((5, 9, 16), (1, 16), (0, 16, 16)):
        chunks = [[piece(0, "a", "f", whole[:end])] for end in ends]
        assert called(*chunks) == [("f", whole)], ends
    assert called([piece(0, "a", "f", "{")], [piece(0, "a", "f", "{")]) == [("f", "{{")], "no object: as it came"


def test_calls_beside_the_text_in_another_choice_are_those_of_the_reply():
    text, call = {"content": "Let me see."}, {"tool_calls": [piece(0, "a", "f", "{}")]}
    for holder in ("message", "delta"):
        for index in ({}, {"index": 1}):
            chunk = {"choices": [{holder: text}, {**index, holder: call, "finish_reason": "tool_calls"}]}
            for several, expected in ((False, ["f"]), (True, [])):
                decoder = ChatCompletionsDecoder(["f"], has_several_choices=several)
                deltas = [*decoder.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n"), *decoder.close()]
                assert [call.name for delta in deltas for call in delta.calls] == expected
                assert "".join(delta.text for delta in deltas) == "Let me see."


def test_calls_at_the_level_of_the_choice_are_read():
    chunk = {"choices": [{"delta": {}, "tool_calls": [piece(0, "a", "f", "{}")], "finish_reason": "tool_calls"}]}
    decoder = ChatCompletionsDecoder(["f"])
    deltas = [*decoder.feed(json.dumps(chunk).encode()), *decoder.close()]
    assert [call.name for delta in deltas for call in delta.calls] == ["f"]
