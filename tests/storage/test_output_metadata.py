"""Output metadata: written, read back, and refused if damaged."""

import copy
import enum
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.attachments import CitationPart, ImagePart
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.history_entry import ConversationInfo, HistoryEntry
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.conversation.parts import Round, TextPart
from lockbots_magic.conversation.saved_form import FORMAT
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage.output_metadata import KEY, VERSION, NewerRecordError, digest, metadata, parse_record
from tests.effort import examples

TURN = Turn(
    "what?", "that **this**", "demo", "openai", {"temperature": 0.2, "stop": ["a", None, True]}, "Be brief.",
    "truncated", "cut", "because", Usage(3, None), started=1e9, elapsed=2.5, first_text=0.5, left_out=2, cell_id="c1",
    run="r1", id="t1",
)  # fmt: skip
INFO = ConversationInfo("id-1", "физика", "Кратко.", ("gone",))
ENTRY = HistoryEntry(INFO, TURN, 2**50, (7, 8, 2**50, 9), (9,), 1e9 + 3)


def entry_of(turn):
    return HistoryEntry(INFO, turn, 1, (1,), made=1.0)


def written(entry=ENTRY, **about):
    return json.loads(json.dumps(metadata(entry, **about), allow_nan=False))[KEY]


def test_turn_is_read_as_written():
    record = parse_record(written(cell="c1", source="%%chat\nwhat?"))
    assert record.entry == replace(ENTRY, turn=replace(TURN, run=None)), "an execution counts within one kernel only"
    assert (record.cell, record.source, record.shown) == ("c1", digest("%%chat\nwhat?"), digest(TURN.reply))


def test_a_turn_outside_every_conversation_needs_no_order():
    outside = HistoryEntry(None, Turn("p", "r", id="t"))
    assert parse_record(written(outside)).entry == outside


def test_turn_without_output_is_omitted_but_the_order_is_kept():
    failed = Turn("p", status="error")
    kept = parse_record(written(HistoryEntry(INFO, failed, order=(7, 8), made=5.0))).entry
    assert kept == HistoryEntry(INFO, order=(7, 8), made=5.0)
    assert metadata(HistoryEntry(None, failed)) == {}


@pytest.mark.parametrize("deleted", [True, False])
def test_snapshot_is_read_as_written(deleted):
    entry = HistoryEntry(ConversationInfo("i", "main"), order=(3, 4, 5, 1), made=5.0, deleted=deleted)
    assert parse_record(written(entry)).entry == entry


def test_staleness_is_stored_with_the_order_not_the_turn():
    assert not parse_record(written(entry_of(Turn("p", stale=True)))).entry.turn.stale


class Frame:
    pass


class Level(enum.IntEnum):
    HIGH = 2


CIRCLE = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value", [Frame(), b"x", float("nan"), float("inf"), CIRCLE, {1: 2}, {"a": Frame()}, 2**60, {1}]
)
def test_parameter_that_is_not_json_is_described(value):
    turn = Turn("p", "r", params={"data": value, "n": 1})
    record = parse_record(written(entry_of(turn)))
    assert record.entry.turn.params == {"n": 1}
    assert record.described == (f"data: <{type(value).__name__}>",)


@pytest.mark.parametrize(
    ("value", "read"), [((1, 2), [1, 2]), (Level.HIGH, 2), ({"a": (None,)}, {"a": [None]}), (2**53, 2**53)]
)
def test_a_parameter_that_is_almost_json_becomes_json(value, read):
    turn = Turn("p", "r", params={"x": value})
    assert parse_record(written(entry_of(turn))).entry.turn.params == {"x": read}


def test_every_text_is_cleaned_including_names():
    held = Secret("hush-hush-hush")
    secret = held.reveal()
    turn = Turn(
        f"p {secret}", f"r {secret}", secret, secret, {secret: [{secret: secret}], "o": Frame()}, secret,
        "error", secret, secret, cell_id=secret,
    )  # fmt: skip
    info = ConversationInfo("i", secret, secret, former=(secret,))
    made = metadata(HistoryEntry(info, turn, 1, (1,)), secret, secret)
    assert secret not in json.dumps(made)
    assert parse_record(made[KEY]).entry.turn.prompt == "p ***"


def test_lone_surrogate_is_replaced():
    entry = entry_of(Turn("a\ud83d", "😀"))
    turn = parse_record(json.loads(json.dumps(metadata(entry), ensure_ascii=False).encode())[KEY]).entry.turn
    assert (turn.prompt, turn.reply) == ("a\ufffd", "😀")


def test_a_record_of_a_later_release_says_so():
    with pytest.raises(NewerRecordError, match="version 2, this release reads version 1"):
        parse_record({**written(), "version": VERSION + 1})


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
        *(
            (["order"], value)
            for value in (..., 5, [7], "x", "7 x", "7 0 0", "7 0+2 1", "7 0+99999999", "f" * 99 + " 0")
        ),
        *((["order"], without_the_turn) for without_the_turn in ("", "7", "7 0+1")),
        *((["stale"], value) for value in (5, "x")),
        *((["serial"], value) for value in (..., 5, "7", 7.0, True)),
        *((["made"], value) for value in (..., float("inf"), -1)),
        (["turn", "started"], float("nan")),
        *((["turn", "usage"], value) for value in (5, {"tokens": 1}, {"prompt_tokens": "many"})),
        (["turn", "status"], "fine"),
        (["turn", "params"], []),
        *((["conversation"], value) for value in (..., "main")),
        (["conversation", "id"], 5),
        (["conversation", "name"], ""),
        (["conversation", "system"], 5),
        *((["conversation", "former"], value) for value in (5, [5])),
        (["source"], None),
        *(([name], 5) for name in ("cell", "shown")),
        (["described"], []),
    ],
)
def test_a_damaged_record_is_refused(path, value):
    with pytest.raises(ValueError, match="damaged"):
        parse_record(changed(path, value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = ["version", "conversation", "turn", "serial", "order", "stale", "made", "cell", "source", "shown", "described"]


@given(st.sampled_from([[part] for part in PARTS] + [["turn", key] for key in written()["turn"]]), JSON)
def test_any_record_is_read_or_refused(path, value):
    try:
        entry = parse_record(changed(path, value)).entry
    except ValueError:
        return
    assert entry.turn is None or isinstance(entry.turn.prompt, str)


TURN_FIELDS = sorted({*written()["turn"], "first_text", "usage", "images", "calls", "rounds", "stale"})
"""Fields of a saved turn."""
MANY_ODD_VALUES = JSON | st.sampled_from(["", "t", "x" * 300, 10**400, 2**60, -1, 1.7e308, float("inf"), float("nan")])
SAVED_TURNS = st.builds(
    lambda turn, odd: {**turn, **odd},
    st.fixed_dictionaries(
        {"prompt": st.text(max_size=5), "reply": st.text(max_size=5), "id": st.sampled_from("ab") | st.text(max_size=5)}
    ),
    st.dictionaries(
        st.sampled_from(TURN_FIELDS),
        MANY_ODD_VALUES | st.just({"prompt_tokens": 5}) | st.dictionaries(st.just("prompt_tokens"), MANY_ODD_VALUES),
        max_size=2,
    ),
)
SAVED_CONVERSATIONS = st.builds(
    lambda odd, turns: {"name": "main", **odd, "format": FORMAT, "version": 1, "turns": turns},
    st.dictionaries(st.sampled_from(["id", "name", "system"]), MANY_ODD_VALUES, max_size=1),
    st.lists(SAVED_TURNS, max_size=4),
)


def check_readable(conversation):
    """Check that the entries of a conversation can be read back from the notebook."""
    for entry in [*conversation.entries(), conversation.snapshot()]:
        if entry == HistoryEntry(None):
            assert not conversation.turns, "there is something to restore"
            continue
        read = parse_record(written(entry)).entry
        assert (read.order, read.stale, read.serial, read.made) == (entry.order, entry.stale, entry.serial, entry.made)
        assert (read.turn and read.turn.id) == (entry.turn and entry.turn.id)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.filter_too_much])
@given(SAVED_CONVERSATIONS)
def test_what_is_written_of_a_loaded_conversation_can_be_read(saved):
    try:
        conversation = Conversation.from_dict(json.loads(json.dumps(saved)))
    except UsageError:
        reject()
    check_readable(conversation)
    conversation.commit(Turn("next", "r"), conversation.slot())
    check_readable(conversation)
    conversation.fork("other").clear()
    conversation.clear()
    check_readable(conversation)


@given(SAVED_TURNS)
def test_what_is_written_of_a_loaded_turn_can_be_read(saved):
    try:
        turn = Turn.from_dict(json.loads(json.dumps(saved)))
    except (ValueError, TypeError, LookupError, AttributeError):
        reject()
    if turn.is_shown:
        assert parse_record(written(HistoryEntry(None, turn))).entry.turn.id == turn.id


@pytest.mark.parametrize(
    "odd",
    [
        {"started": float("inf")}, {"elapsed": -1.0}, {"first_text": float("nan")}, {"left_out": 2**60},
        {"usage": Usage("many")}, {"status": "fine"}, {"id": "x" * 300}, {"id": ""},
    ],
)  # fmt: skip
def test_field_that_could_not_be_read_is_left_out(odd):
    for entry in (Conversation(turns=[Turn("p", "r", **odd)]).entries()[0], HistoryEntry(None, Turn("p", "r", **odd))):
        assert parse_record(written(entry)).entry.turn.reply == "r"


def test_record_with_an_enormous_time_is_refused():
    with pytest.raises(ValueError, match="damaged"):
        parse_record(changed(["made"], 10**400))


@given(JSON)
def test_value_that_is_not_a_record_is_refused(data):
    with pytest.raises(ValueError, match=r"damaged|version"):
        parse_record(data)


def test_digest_ignores_line_ends_and_surrounding_blank_lines():
    assert digest("a\r\nb\n") == digest("\na\nb") != digest("a b")


def test_images_sources_and_the_model_that_answered_are_read_back():
    parts = (
        TextPart("Here."),
        ImagePart("data:image/png;base64,iVBORw0KGgo="),
        CitationPart("https://example.org", "T"),
    )
    turn = Turn("draw", rounds=(Round(parts),), answered_by="other")
    saved = json.loads(json.dumps(metadata(HistoryEntry(None, turn))[KEY]))
    record = parse_record(saved)
    assert record.entry.turn == turn
    assert record.shown == digest("Here.\n\n[image: PNG, 1 kB]")
