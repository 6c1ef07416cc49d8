"""Deltas become the rounds of a turn."""

import copy
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.attachments import CitationPart, ImagePart
from lockbots_magic.conversation.ending import TOO_LONG
from lockbots_magic.conversation.messages import ChatRequest, Delta, ToolCall, Usage
from lockbots_magic.conversation.opaque_data import OpaqueData
from lockbots_magic.conversation.parts import (
    DocumentPart,
    ReasoningPart,
    Round,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    simple_rounds,
)
from lockbots_magic.conversation.text_buffer import MAX_PIECES, TextBuffer
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.errors import ConnectionFailed

OPAQUE = OpaqueData({"signature": "abc"}, "anthropic", "https://a.example", "m")
TEXTS = st.text(min_size=1, max_size=8)
PARTS = st.one_of(
    st.builds(TextPart, TEXTS),
    st.builds(ReasoningPart, st.text(max_size=8), st.sampled_from([None, OPAQUE])),
    st.builds(ToolCallPart, TEXTS, TEXTS, TEXTS),
    st.builds(ToolResultPart, TEXTS, TEXTS),
    st.builds(ImagePart, TEXTS),
    st.builds(DocumentPart, TEXTS),
    st.builds(CitationPart, TEXTS, TEXTS),
)
ROUNDS = st.lists(st.builds(Round, st.lists(PARTS, max_size=4).map(tuple)), max_size=3).map(tuple)


def accumulated(*deltas):
    reply = TurnAccumulator()
    shown = "".join(reply.add(delta).text for delta in deltas)
    assert shown == reply.text
    return reply


def test_text_and_reasoning_are_one_part_each():
    reply = accumulated(
        Delta(reasoning="Let "), Delta(reasoning="me."), Delta("Hel"), Delta("lo", finish_reason="stop")
    )
    assert reply.rounds == (Round((ReasoningPart("Let me."), TextPart("Hello"))),)
    assert (reply.text, reply.finish_reason) == ("Hello", "stop")


def test_text_after_a_result_begins_a_round_a_blank_line_below():
    call = ToolCall("1", "add", "{}", "3")
    reply = accumulated(Delta("I add."), Delta(calls=(call,)), Delta("It is "), Delta("3."))
    first, second = reply.rounds
    assert first.parts == (TextPart("I add."), ToolCallPart("1", "add", "{}"), ToolResultPart("1", "3"))
    assert second.parts == (TextPart("It is 3."),)
    assert reply.text == Turn("q", rounds=reply.rounds).reply == "I add.\n\nIt is 3."


def test_without_text_before_it_a_round_needs_no_blank_line():
    reply = accumulated(Delta(calls=(ToolCall("1", "add", "{}", "3"),)), Delta("3"))
    assert reply.text == Turn("q", rounds=reply.rounds).reply == "3"


def test_a_call_that_is_answered_later_is_one_call():
    reply = accumulated(Delta(calls=(ToolCall("1", "f", "{}"),)), Delta(calls=(ToolCall("1", "f", "{}", "x"),)))
    assert Turn("q", rounds=reply.rounds).calls == (ToolCall("1", "f", "{}", "x"),)


def test_the_last_usage_and_the_last_finish_reason_count():
    reply = accumulated(Delta(usage=Usage(1, 1)), Delta("a", finish_reason="length"), Delta(usage=Usage(5, 2)))
    assert (reply.usage, reply.finish_reason) == (Usage(5, 2), "length")


def test_an_error_keeps_the_text_received_before_it():
    def deltas():
        yield Delta("so ")
        yield Delta("far")
        raise ConnectionFailed("cut off")

    with pytest.raises(ConnectionFailed) as caught:
        list(TurnAccumulator().follow(deltas()))
    assert caught.value.partial == "so far"


@given(ROUNDS)
def test_any_rounds_survive_saving(rounds):
    turn = Turn("q", rounds=rounds, finish_reason="stop")
    again = Turn.from_dict(turn.to_dict())
    assert again == turn
    assert again.reply == turn.to_dict()["reply"]


def test_rounds_are_saved_only_if_flat_attributes_do_not_determine_them():
    call = ToolCall("1", "f", "{}", "x")
    plain = Turn("q", "a", reasoning="because", calls=[call])
    assert "rounds" not in plain.to_dict()
    assert Turn.from_dict(plain.to_dict()).rounds == plain.rounds
    signed = Turn("q", rounds=(Round((ReasoningPart("", OPAQUE), TextPart("a"))),))
    assert Turn.from_dict(signed.to_dict()).rounds == signed.rounds


@pytest.mark.parametrize(
    "rounds", [5, ["x"], [[{"type": "magic"}]], [[{"type": "text"}]], [[{"type": "text", "text": 1}]], [[{}]]]
)
def test_rounds_that_are_malformed_are_refused(rounds):
    with pytest.raises(ValueError, match=r"part|rounds"):
        Turn.from_dict({"prompt": "q", "rounds": rounds})


def test_rounds_and_their_short_form_exclude_each_other():
    with pytest.raises(TypeError, match="either rounds"):
        Turn("q", "a", rounds=simple_rounds("b"))


def test_a_first_text_at_once_survives_saving():
    assert Turn.from_dict(Turn("q", "a", first_text=0.0).to_dict()).first_text == 0.0


def test_change_applies_to_every_text_of_a_turn():
    turn = Turn(
        "a",
        rounds=(
            Round((ReasoningPart("a", OPAQUE), TextPart("a"), ToolCallPart("1", "f", "a"), ToolResultPart("1", "a"))),
        ),
    )
    changed = turn.map_strings(lambda text: text.replace("a", "b"))
    assert (changed.prompt, changed.reply, changed.reasoning, changed.calls[0].arguments) == ("b", "b", "b", "b")
    assert changed.rounds[0].parts[0].opaque.data == {"signbture": "bbc"}


def test_what_is_no_text_stays_when_every_text_is_changed():
    turn = Turn("a", "a", params={"n": 1, "stop": ["a", None, True]}, usage=Usage(1, 2), started=2.5, elapsed=1.5)
    changed = turn.map_strings(lambda text: text.replace("a", "b"))
    assert changed.params == {"n": 1, "stop": ["b", None, True]}
    assert (changed.usage, changed.started, changed.elapsed, changed.stale) == (Usage(1, 2), 2.5, 1.5, False)


def test_turns_and_requests_can_be_hashed_copied_and_pickled():
    turn = Turn("q", "a", params={"stop": ["x"]}, usage=Usage(1, 2))
    assert {turn: 1}[pickle.loads(pickle.dumps(turn))] == 1
    assert copy.deepcopy(turn) == copy.copy(turn) == turn
    request = ChatRequest("m", ({"role": "user", "content": "hi"},), {"stop": ["x"]})
    request.cancellation.cancel()
    for again in (copy.copy(request), copy.deepcopy(request), pickle.loads(pickle.dumps(request))):
        assert again == request
        assert hash(again) == hash(request)
        assert not again.cancellation.cancelled


def test_a_call_that_was_not_made_is_kept_but_not_reported_as_made():
    reply = accumulated(Delta(calls=(ToolCall("1", "rm", "{}"),)), Delta(finish_reason="tool_calls"))
    turn = Turn("q", rounds=reply.rounds, status="error")
    assert turn.rounds == (Round((ToolCallPart("1", "rm", "{}"),)),)
    assert turn.calls == ()
    assert not reply.has_calls
    assert not turn.is_shown
    assert Turn.from_dict(turn.to_dict()) == turn


def test_opaque_data_of_a_call_are_kept_with_it_and_saved():
    call = ToolCall("a", "f", "{}", "1", OPAQUE)
    reply = TurnAccumulator()
    reply.add(Delta(calls=(call,)))
    turn = Turn("hi", rounds=reply.rounds)
    assert turn.rounds == (Round((ToolCallPart("a", "f", "{}", OPAQUE), ToolResultPart("a", "1"))),)
    assert turn.calls == (call._replace(opaque=None),)
    assert Turn.from_dict(turn.to_dict()) == turn


def test_opaque_data_know_where_they_are_from():
    assert OPAQUE.is_from("anthropic", "https://a.example", "m")
    for origin in (
        ("gemini", OPAQUE.url, "m"),
        ("anthropic", "https://b.example", "m"),
        ("anthropic", OPAQUE.url, "n"),
    ):
        assert not OPAQUE.is_from(*origin)


# Images and sources

PNG = "data:image/png;base64,iVBORw0KGgo="
IMAGE, SOURCE = ImagePart(PNG), CitationPart("https://example.org", "Example")
LABEL = "[image: PNG, 1 kB]"


def read(*deltas):
    reply = TurnAccumulator()
    shown = ""
    for delta in deltas:
        step = reply.add(delta)
        shown = step.text if step.retracts else shown + step.text
    turn = Turn("p", rounds=reply.rounds)
    assert shown == reply.text == turn.reply
    assert Turn.from_dict(turn.to_dict()) == turn
    return turn


def test_image_is_kept_and_its_label_stands_in_the_text():
    turn = read(Delta("Here:"), Delta(parts=(IMAGE,)), Delta("It "), Delta("is red."))
    assert turn.reply == f"Here:\n\n{LABEL}\n\nIt is red."
    assert turn.made_images == (IMAGE,)
    assert [type(part) for part in turn.rounds[0].parts] == [TextPart, ImagePart, TextPart]


def test_reply_of_an_image_alone_is_in_context():
    turn = read(Delta(parts=(IMAGE, IMAGE)))
    assert turn.reply == f"{LABEL}\n\n{LABEL}"
    assert turn.in_context
    assert turn.messages[1].content == turn.reply


def test_sources_leave_the_text_alone_and_count_once():
    turn = read(Delta("a", parts=(SOURCE,)), Delta("b", parts=(SOURCE, CitationPart(title="T"))))
    assert turn.reply == "ab"
    assert turn.citations == (SOURCE, CitationPart(title="T"))


def test_image_outlives_text_that_turns_out_to_be_reasoning():
    turn = read(Delta("Hm."), Delta(parts=(IMAGE,)), Delta("Well."), Delta("Yes.", retracts=True), Delta(" No."))
    assert turn.reply == f"{LABEL}\n\nYes. No."
    assert turn.reasoning == "Hm.\n\nWell."


def test_image_after_a_tool_result_begins_a_round():
    call = ToolCall("1", "f", "{}", "done")
    turn = read(Delta("a"), Delta(calls=(call,)), Delta(parts=(IMAGE,)), Delta("b"))
    assert len(turn.rounds) == 2
    assert turn.reply == f"a\n\n{LABEL}\n\nb"


def test_labels_of_images_that_are_not_shown_say_why():
    assert ImagePart("", "an SVG image").label == "[image left out: an SVG image]"
    assert ImagePart("https://example.org/a b.png").label == "![image](https://example.org/a%20b.png)"
    for address in ("javascript:alert(1)", "data:image/svg+xml;base64,PHN2Zz4=", "data:image/png;base64,PHN2Zz4=", ""):
        assert ImagePart(address).label == "[image]"


STEPS = st.tuples(
    st.sampled_from(["", "", "x", " ", "\n", "\n\n"]),
    st.sampled_from(["", "", "r"]),
    st.lists(st.sampled_from([IMAGE, SOURCE, ImagePart("", "why")]), max_size=2).map(tuple),
    st.sampled_from([(), (), (ToolCall("1", "f", "{}", "done"),)]),
    st.sampled_from([False, False, False, True]),
).map(lambda given: Delta(given[0], given[1], parts=given[2], calls=given[3], retracts=given[4]))


@given(st.lists(STEPS, max_size=12))
def test_text_shown_is_the_text_kept_whatever_comes(steps):
    read(*steps)


def test_opaque_data_of_a_file_are_bounded():
    deep: object = "x"
    for _ in range(20):
        deep = [deep]
    assert OpaqueData.from_dict({"data": deep}).data == deep
    for wrong in ({"data": [deep]}, {"data": 1, "url": 2}, {}, [], None):
        with pytest.raises(ValueError, match="opaque data"):
            OpaqueData.from_dict(wrong)


def test_a_reply_that_is_too_long_ends_where_it_is(monkeypatch):
    monkeypatch.setattr("lockbots_magic.conversation.turn_accumulator.MAX_REPLY", 10)
    monkeypatch.setattr("lockbots_magic.conversation.turn_accumulator.PART_COST", 0)
    for deltas, text, reasoning in (
        ([Delta("12345"), Delta("67890"), Delta("x"), Delta("never")], "1234567890", ""),
        ([Delta("1234567"), Delta("8901", reasoning="why")], "1234567", "why"),
        ([Delta(reasoning="123456789"), Delta(reasoning="0ab")], "", "1234567890"),
        ([Delta("1"), Delta(calls=(ToolCall("1", "add", "x" * 5, "y" * 5),))], "1", ""),
    ):
        reply = TurnAccumulator()
        steps = list(reply.follow(iter(deltas)))
        assert (reply.text, Turn("q", rounds=reply.rounds).reasoning) == (text, reasoning)
        assert reply.finish_reason == TOO_LONG
        assert not any(step.calls for step in steps)
        assert steps[-1].finish_reason == TOO_LONG


def test_opaque_data_after_a_result_begin_a_round():
    reply = accumulated(Delta(calls=(ToolCall("1", "add", "{}", "3"),)), Delta(opaque=OPAQUE), Delta("It is 3."))
    assert reply.rounds[1].parts == (ReasoningPart("", OPAQUE), TextPart("It is 3."))


def test_reasoning_after_a_result_begins_a_round():
    reply = accumulated(Delta(calls=(ToolCall("1", "add", "{}", "3"),)), Delta(reasoning="So."), Delta("3."))
    assert reply.rounds[1].parts == (ReasoningPart("So."), TextPart("3."))


def test_a_reply_of_which_only_tokens_were_reported_has_reasoned():
    assert accumulated(Delta(usage=Usage(1, 2, 2))).only_reasoned
    assert not accumulated(Delta(usage=Usage(1, 2))).only_reasoned


def test_many_small_pieces_are_one_text():
    text = TextBuffer()
    assert not text
    for _ in range(2 * MAX_PIECES + 3):
        text.add("x")
    assert text
    assert text.value == "x" * (2 * MAX_PIECES + 3)
    text.replace("y")
    assert text.value == "y"


def test_a_text_that_another_thread_reads_as_it_grows_loses_nothing():
    text, done, seen = TextBuffer(), threading.Event(), []

    def read():
        while not done.is_set():
            seen.append(len(text.value))

    reader = threading.Thread(target=read)
    reader.start()
    words = [f"{n} " for n in range(3 * MAX_PIECES)]
    for word in words:
        text.add(word)
    done.set()
    reader.join(30)
    assert text.value == "".join(words)
    assert seen == sorted(seen)


def test_the_text_of_a_reply_of_one_part_is_held_once():
    reply = accumulated(Delta("One "), Delta("two."))
    (part,) = reply.rounds[0].parts
    assert part.text is reply.text


def test_the_end_of_a_text_is_taken_without_copying_the_beginning():
    long = "x" * 1000
    text = TextBuffer()
    for word in (long, "ab", "cd", "ef"):
        text.add(word)
    ends = {1000: "abcdef", 1001: "bcdef", 1004: "ef", 1005: "f", 1006: ""}
    assert {begin: text.since(begin) for begin in ends} == ends
    assert text._pieces[0] is long  # not joined
    assert text.value == text.since(0)
    assert {begin: text.since(begin) for begin in ends} == ends
    text.replace("new")
    assert (text.size, text.since(1)) == (3, "ew")


def test_text_between_reasoning_is_that_of_its_part():
    reply = accumulated(*(Delta(f"{n},") if n % 2 else Delta(reasoning=f"{n};") for n in range(7)))
    (whole,) = reply.rounds
    assert [part.text for part in whole.parts] == ["0;", "1,", "2;", "3,", "4;", "5,", "6;"]
    assert reply.text == "1,3,5,"
