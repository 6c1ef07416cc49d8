"""What the metadata of an output say, written and read back."""

import copy
import enum
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.history_entry import Entry, Neighbour, Origin, Owner, Trail
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.storage.output_metadata import KEY, VERSION, NewerRecordError, digest, metadata, parsed

TURN = Turn(
    "what?", "that **this**", "demo", "openai", {"temperature": 0.2, "stop": ["a", None, True]}, "Be brief.",
    "truncated", "cut", "because", Usage(3, None), started=1e9, elapsed=2.5, first_text=0.5, left_out=2, cell_id="c1",
    run="r1", place=(2, 1), made=1e9 + 3, id="t1",
)  # fmt: skip
OWNER = Owner("id-1", "физика", "Кратко.", Origin("id-0", 1e9, (1,)), ("gone",))
ENTRY = Entry(OWNER, TURN, Neighbour("t0", (1,)), Neighbour("t2", (3,)), "abc")


def written(entry=ENTRY, clean=str, **about):
    return json.loads(json.dumps(metadata(entry, clean, **about), allow_nan=False))[KEY]


def test_a_turn_is_read_as_it_was_written():
    record = parsed(written(cell="c1", source="%%chat\nwhat?"))
    turn = record.entry.turn
    assert record.entry == replace(ENTRY, turn=replace(TURN, run=None)), "an execution counts within one kernel only"
    assert (turn.place, turn.made, turn.run) == (TURN.place, TURN.made, None)
    assert (record.cell, record.source, record.shown) == ("c1", digest("%%chat\nwhat?"), digest(TURN.reply))


def test_a_turn_outside_every_conversation_needs_no_place():
    assert parsed(written(Entry(None, Turn("p", "r", id="t")))).entry == Entry(None, Turn("p", "r", id="t"))


def test_a_turn_that_no_output_shows_is_as_none_but_tells_its_neighbours():
    failed = Turn("p", status="error", place=(2,), made=5.0)
    kept = parsed(written(Entry(OWNER, failed, ENTRY.after, ENTRY.before))).entry
    assert kept == Entry(OWNER, None, ENTRY.after, ENTRY.before, ended=5.0)
    assert metadata(Entry(None, failed), str) == {}


@pytest.mark.parametrize("deleted", [True, False])
def test_an_ending_is_read_as_it_was_written(deleted):
    entry = Entry(Owner("i", "main"), None, Neighbour("t", (1,)), ended=5.0, deleted=deleted)
    assert parsed(written(entry)).entry == entry


def test_whether_a_turn_is_stale_is_seen_from_the_others():
    entry = Entry(OWNER, Turn("p", stale=True, place=(1,), made=1.0))
    assert not parsed(written(entry)).entry.turn.stale


class Frame:
    pass


class Level(enum.IntEnum):
    HIGH = 2


CIRCLE = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value", [Frame(), b"x", float("nan"), float("inf"), CIRCLE, {1: 2}, {"a": Frame()}, 2**60, {1}]
)
def test_a_parameter_that_is_no_json_is_described(value):
    turn = Turn("p", "r", params={"data": value, "n": 1}, place=(1,), made=1.0)
    record = parsed(written(Entry(OWNER, turn)))
    assert record.entry.turn.params == {"n": 1}
    assert record.described == (f"data: <{type(value).__name__}>",)


@pytest.mark.parametrize(
    ("value", "read"), [((1, 2), [1, 2]), (Level.HIGH, 2), ({"a": (None,)}, {"a": [None]}), (2**53, 2**53)]
)
def test_a_parameter_that_is_almost_json_becomes_json(value, read):
    turn = Turn("p", "r", params={"x": value}, place=(1,), made=1.0)
    assert parsed(written(Entry(OWNER, turn))).entry.turn.params == {"x": read}


def test_every_text_is_cleaned_names_too():
    secret = "hush-hush-hush"
    turn = Turn(
        f"p {secret}", f"r {secret}", secret, secret, {secret: [{secret: secret}], "o": Frame()}, secret,
        "error", secret, secret, cell_id=secret, place=(1,), made=1.0,
    )  # fmt: skip
    owner = Owner("i", secret, secret, former=(secret,))
    made = metadata(Entry(owner, turn), lambda text: text.replace(secret, "***"), secret, secret)
    assert secret not in json.dumps(made)
    assert parsed(made[KEY]).entry.turn.prompt == "p ***"


def test_half_a_character_can_not_be_saved_and_is_replaced():
    entry = Entry(OWNER, Turn("a\ud83d", "😀", place=(1,), made=1.0))
    turn = parsed(json.loads(json.dumps(metadata(entry, str), ensure_ascii=False).encode())[KEY]).entry.turn
    assert (turn.prompt, turn.reply) == ("a\ufffd", "😀")


def test_a_record_of_a_later_release_says_so():
    with pytest.raises(NewerRecordError, match=r"version 2, this release reads 1"):
        parsed({**written(), "version": VERSION + 1})


def changed(path, value):
    data = copy.deepcopy(written())
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((["version"], value) for value in (..., 0, "1", True)),
        *((["turn"], value) for value in (..., None, [])),
        *((["turn", "prompt"], value) for value in (..., 5)),
        *((["turn", "id"], value) for value in ("", "x" * 999)),
        *((["turn", "place"], value) for value in (..., [], [0], [1.5], [-1, 2], [True], [2**70], [1] * 999, "12")),
        *((["turn", "place"], beyond_a_neighbour) for beyond_a_neighbour in ([1], [3], [9])),
        *((["turn", "made"], value) for value in (..., float("inf"), -1)),
        (["turn", "started"], float("nan")),
        *((["turn", "usage"], value) for value in (5, {"tokens": 1}, {"prompt_tokens": "many"})),
        (["turn", "status"], "fine"),
        (["turn", "params"], []),
        *((["conversation"], value) for value in (..., "main")),
        (["conversation", "id"], 5),
        (["conversation", "name"], ""),
        (["conversation", "system"], 5),
        (["conversation", "origin"], "there"),
        (["conversation", "origin", "last"], []),
        *((["conversation", "former"], value) for value in (5, [5])),
        *((["after"], value) for value in (..., "t0")),
        (["after", "place"], [3]),
        (["before", "id"], None),
        (["source"], None),
        *(([name], 5) for name in ("cell", "trail", "shown")),
        (["described"], []),
    ],
)
def test_a_damaged_record_is_refused(path, value):
    with pytest.raises(ValueError, match="damaged"):
        parsed(changed(path, value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = ["version", "conversation", "turn", "after", "before", "cell", "source", "trail", "shown", "described"]


@given(st.sampled_from([[part] for part in PARTS] + [["turn", key] for key in written()["turn"]]), JSON)
def test_whatever_stands_in_a_record_it_is_read_or_refused(path, value):
    try:
        entry = parsed(changed(path, value)).entry
    except ValueError:
        return
    assert entry.turn is None or isinstance(entry.turn.prompt, str)


@given(JSON)
def test_what_is_no_record_is_refused(data):
    with pytest.raises(ValueError, match=r"damaged|version"):
        parsed(data)


def test_a_digest_knows_no_line_ends_and_no_blank_lines_around():
    assert digest("a\r\nb\n") == digest("\na\nb") != digest("a b")


def test_a_trail_is_the_same_for_the_same_turns_only():
    a, b, unseen = Turn("a", "r"), Turn("b", "r"), Turn("c", status="error")
    assert str(Trail([a, unseen, b])) == str(Trail([a, b])) != str(Trail([b, a]))
    trail = Trail([a])
    trail.add(b)
    assert str(trail) == str(Trail([a, b]))
