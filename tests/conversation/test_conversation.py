"""Conversation: position of turns, entries for notebooks, copies, and the context sent to models."""

import copy
import json
import pickle
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.context_window import fit_messages
from lockbots_magic.conversation.conversation import Conversation, Slot
from lockbots_magic.conversation.history_entry import (
    MAX_FORMER_IDS,
    ConversationInfo,
    HistoryEntry,
    RestoredConversation,
)
from lockbots_magic.conversation.messages import Message, ModelInfo
from lockbots_magic.conversation.ordering import MAX_TURNS
from lockbots_magic.conversation.token_estimate import estimate_tokens
from lockbots_magic.conversation.turn import MAX_TIME, Turn
from lockbots_magic.errors import PromptTooLongError, UsageError

NAN, INFINITY = float("nan"), float("inf")


def filled(*prompts):
    return Conversation(turns=[Turn(p, f"re {p}") for p in prompts])


def prompts(conversation):
    return [t.prompt for t in conversation.turns]


def run_cell(conversation, cell_id, run, prompt):
    slot = conversation.slot(cell_id, run)
    conversation.commit(Turn(prompt, "a", cell_id=cell_id, run=run), slot)
    return slot


def test_without_a_cell_turns_append():
    conversation = Conversation()
    for prompt in "ab":
        conversation.commit(Turn(prompt, "x"), conversation.slot())
    assert prompts(conversation) == ["a", "b"]


def test_a_cell_run_again_replaces_its_turn():
    conversation = Conversation()
    run_cell(conversation, "c1", "1", "first")
    run_cell(conversation, "c1", "2", "second")
    assert prompts(conversation) == ["second"]


def test_replaced_turn_is_sent_with_its_earlier_context():
    conversation = Conversation()
    run_cell(conversation, "c1", "1", "a")
    run_cell(conversation, "c2", "2", "b")
    run_cell(conversation, "c3", "3", "c")
    slot = run_cell(conversation, "c2", "4", "b again")
    assert [t.prompt for t in slot.context] == ["a"]
    assert prompts(conversation) == ["a", "b again", "c"]


def test_later_turns_are_stale_until_they_run_again():
    conversation = Conversation()
    for run, cell in enumerate(["c1", "c2", "c3", "c1"]):
        run_cell(conversation, cell, str(run), cell)
    assert [t.stale for t in conversation.turns] == [False, True, True]
    run_cell(conversation, "c2", "9", "c2")
    assert [t.stale for t in conversation.turns] == [False, False, True]


def test_failure_that_replaces_a_failure_makes_nothing_stale():
    conversation = Conversation()
    failed = Turn("a", status="error", cell_id="c1")
    conversation.commit(replace(failed, run="1"), conversation.slot("c1", "1"))
    run_cell(conversation, "c2", "2", "b")
    conversation.commit(replace(failed, run="3", id="again"), conversation.slot("c1", "3"))
    assert [(t.id == "again", t.stale) for t in conversation.turns] == [(True, False), (False, False)]


def test_entry_holds_the_order_and_the_stale_turns():
    conversation = filled("a", "b", "c")
    a, b, c = (entry.serial for entry in conversation.entries())
    entry = conversation.commit(Turn("B", "x"), conversation.slot_of(conversation.turns[1].id))
    assert entry.turn is conversation.turns[1]
    assert entry.serial not in (a, b, c)
    assert (entry.order, entry.stale) == ((a, entry.serial, c), (c,))
    assert conversation.snapshot() == replace(entry, turn=None, serial=0, displaces=False)


def test_turn_without_output_is_not_in_the_order():
    conversation = filled("a")
    entry = conversation.commit(Turn("b", status="error"), conversation.slot())
    assert (entry.serial, len(entry.order), len(conversation)) == (0, 1, 2)


def test_describing_a_conversation_does_not_change_it():
    conversation = filled("a")
    for change in (lambda: None, lambda: conversation.commit(Turn("b", "x"), conversation.slot()), conversation.undo):
        change()
        made = conversation.made
        conversation.snapshot()
        conversation.snapshot(deleted=True)
        conversation.entries()
        conversation.to_dict()
        assert conversation.made == made


def test_a_fork_does_not_change_its_original():
    conversation = filled("a")
    conversation.commit(Turn("b", "x"), conversation.slot())
    before = conversation.snapshot()
    fork = conversation.fork("other")
    assert conversation.snapshot() == before
    assert fork.made > before.made
    assert fork.snapshot().order == before.order


@pytest.mark.parametrize(
    "change", [Conversation.undo, Conversation.clear, lambda c: c.commit(Turn("x", "y"), c.slot())]
)
def test_every_change_is_later_than_the_one_before_also_where_the_clock_is_set_back(change):
    conversation = filled("a")
    conversation._made = 2e10
    change(conversation)
    assert conversation.made > 2e10


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copy_has_the_same_turns_and_changes_independently(copied):
    told = []
    old = Conversation("physics", system="Be brief.")
    old.observers.add(lambda: told.append(1))
    for prompt in "ab":
        old.commit(Turn(prompt, "x", params={"n": [1]}), old.slot())
    told.clear()
    new = copied(old)
    assert (new.name, new.system, new.turns, new.made) == (old.name, old.system, old.turns, old.made)
    assert new.id != old.id
    assert new.snapshot().order == old.snapshot().order
    new.commit(Turn("c", "x"), new.slot())
    assert old.commit(Turn("d", "x"), old.slot()).serial not in new.snapshot().order
    assert (prompts(old), prompts(new)) == (["a", "b", "d"], ["a", "b", "c"])
    assert len(new.observers) == 0
    assert told == [1]


def test_one_execution_may_hold_several_turns():
    conversation = Conversation()
    for prompt in "abc":
        run_cell(conversation, "loop", "1", prompt)
    run_cell(conversation, "after", "2", "z")
    assert prompts(conversation) == ["a", "b", "c", "z"]
    for prompt in "de":
        run_cell(conversation, "loop", "3", prompt)
    assert prompts(conversation) == ["d", "e", "z"]


def test_slot_stays_valid_after_other_changes():
    conversation = filled("a", "b")
    slot = conversation.slot_of(conversation.turns[0].id)
    conversation.undo()
    conversation.commit(Turn("a2", "x"), slot)
    assert prompts(conversation) == ["a2"]
    conversation.clear()
    conversation.commit(Turn("a3", "x"), slot)
    assert prompts(conversation) == ["a3"]


def test_undo_removes_the_last_turns():
    conversation = filled("a", "b", "c")
    assert [t.prompt for t in conversation.undo(2)] == ["b", "c"]
    assert prompts(conversation) == ["a"]


@pytest.mark.parametrize("count", [0, -1, 3])
def test_undo_of_too_many_turns_changes_nothing(count):
    conversation = filled("a", "b")
    with pytest.raises(UsageError):
        conversation.undo(count)
    assert prompts(conversation) == ["a", "b"]


def test_fork_changes_independently():
    old = filled("a", "b")
    new = old.fork("other", old.turns[0].id)
    new.commit(Turn("c", "x"), new.slot())
    assert (prompts(old), prompts(new)) == (["a", "b"], ["a", "c"])
    assert new.id != old.id


def test_clear_removes_the_turns_and_changes_the_id():
    conversation = filled("a")
    before = conversation.id
    conversation.clear()
    assert len(conversation) == 0
    assert conversation.id != before


def test_clearing_an_empty_conversation_keeps_its_id_and_the_former_ones():
    conversation = filled("a")
    first = conversation.id
    conversation.clear()
    second = conversation.id
    for _ in range(2 * MAX_FORMER_IDS):
        made = conversation.made
        conversation.clear()
        assert conversation.made > made
    assert (conversation.id, conversation.snapshot().info.former) == (second, (first,))


@pytest.mark.parametrize("copied", [lambda c: c, copy.copy, lambda c: c.fork("other")])
def test_clear_changes_an_id_under_which_turns_were_sent_even_if_they_were_undone(copied):
    conversation = copied(filled("a"))
    conversation.undo()
    undone = conversation.id
    conversation.clear()
    run_cell(conversation, "c1", "1", "b")
    with_turn = conversation.id
    conversation.clear()
    assert conversation.snapshot().info.former == (undone, with_turn)
    assert conversation.id not in (undone, with_turn)


def test_a_turn_whose_id_repeats_or_is_invalid_gets_a_new_one():
    turns = [Turn("a", "x", id="t"), Turn("b", "x", id="t"), Turn("c", "x", id=""), Turn("d", "x", id="t" * 201)]
    conversation = Conversation(turns=turns)
    assert prompts(conversation) == ["a", "b", "c", "d"]
    ids = [t.id for t in conversation.turns]
    assert ids[0] == "t"
    assert len(set(ids)) == 4
    assert all(0 < len(one) <= 200 for one in ids)
    assert len(set(conversation.snapshot().order)) == 4
    assert conversation.slot_of(ids[1]).context == conversation.turns[:1]


def test_a_request_that_is_sent_twice_makes_two_turns():
    chat = Chat(lambda prompt: prompt)
    prepared = chat.prepare("hi")
    first, second = prepared.send(), prepared.send()
    assert chat.conversation.turns == (first, second)
    assert first.id != second.id


def test_a_turn_that_replaces_another_may_keep_its_id():
    conversation = filled("a", "b")
    old = conversation.turns[0]
    entry = conversation.commit(replace(old, prompt="A"), conversation.slot_of(old.id))
    assert (entry.turn.id, prompts(conversation)) == (old.id, ["A", "b"])


def test_restored_turns_with_one_id_are_told_apart():
    turns = (Turn("a", "x", id="t"), Turn("b", "x", id="t"))
    restored = RestoredConversation(ConversationInfo("id", "main"), turns, (7, 3), 5.0)
    conversation = Conversation.from_restored(restored)
    assert [(e.turn.prompt, e.serial, e.order) for e in conversation.entries()] == [("a", 7, (7, 3)), ("b", 3, (7, 3))]


@pytest.mark.parametrize("started", [MAX_TIME, 1.7e308, float("inf")])
def test_time_of_a_change_can_be_saved_whatever_the_turns_say(started):
    conversation = Conversation(turns=[Turn("a", "x", started=started)])
    conversation.undo()
    assert conversation.made <= MAX_TIME


def test_an_unknown_turn_is_an_error_that_names_the_conversation():
    with pytest.raises(UsageError, match="main"):
        filled("a").slot_of("nope")


def test_conversation_survives_saving_as_json():
    conversation = Conversation("физика", system="Кратко.", turns=[Turn("q", "a 😀", status="truncated")])
    again = Conversation.from_dict(json.loads(json.dumps(conversation.to_dict())))
    assert again.turns == conversation.turns
    assert (again.name, again.system, again.id) == (conversation.name, conversation.system, conversation.id)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"format": "other"},
        {"format": "lockbots-conversation", "version": 99, "turns": []},
        {"format": "lockbots-conversation", "version": 1},
        {"format": "lockbots-conversation", "version": 1, "turns": 5},
        {"format": "lockbots-conversation", "version": 1, "turns": [{"prompt": 1}]},
        {"format": "lockbots-conversation", "version": 1, "turns": ["x"]},
        {"format": "lockbots-conversation", "version": 1, "turns": [{"prompt": ""}] * (MAX_TURNS + 1)},
        *(
            {"format": "lockbots-conversation", "version": 1, "turns": [], key: value}
            for key, value in [("id", 5), ("id", "x" * 201), ("name", ["main"]), ("system", {"a": 1})]
        ),
        *(
            {"format": "lockbots-conversation", "version": 1, "turns": [{"prompt": "a", key: value}]}
            for key, value in [
                *(("id", one) for one in ("", 5, "x" * 201)),
                *((k, v) for k in ("started", "elapsed", "first_text") for v in (-1, 10**400, NAN, INFINITY, "1")),
                *(("usage", {"prompt_tokens": one}) for one in ("many", 1.5, True, 2**60)),
                ("left_out", 2**60),
            ]
        ),
    ],
)
def test_value_that_is_not_a_saved_conversation_is_a_usage_error(data):
    with pytest.raises(UsageError):
        Conversation.from_dict(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(turns=JSON)
def test_damaged_turns_raise_nothing_but_usage_errors(turns):
    with suppress(UsageError):
        Conversation.from_dict({"format": "lockbots-conversation", "version": 1, "turns": turns})


def test_messages_hold_system_history_and_prompt_in_order():
    messages, left_out = fit_messages("S", filled("a").turns, "b", ModelInfo("m"))
    assert [m.role for m in messages] == ["system", "user", "assistant", "user"]
    assert messages[-1] == Message("user", "b")
    assert left_out == 0


def test_failed_turns_are_not_sent():
    turns = [Turn("a", "part", status="error"), Turn("b", "yes")]
    messages, left_out = fit_messages("", turns, "c", ModelInfo("m"))
    assert [m.content for m in messages] == ["b", "yes", "c"]
    assert left_out == 0


def test_the_oldest_turns_are_left_out_first():
    turns = [Turn("x" * 10, "y" * 10) for _ in range(5)]
    messages, left_out = fit_messages("s" * 10, turns, "p" * 10, ModelInfo("m", max_length=60))
    assert left_out == 3
    assert sum(len(m.content) for m in messages) == 60
    assert [m.role for m in messages] == ["system", *["user", "assistant"] * 2, "user"]


def test_token_limit_applies_too():
    turns = [Turn("слово " * 10, "слово " * 10)]
    _, all_fit = fit_messages("", turns, "p", ModelInfo("m", token_limit=200))
    _, no_room = fit_messages("", turns, "p", ModelInfo("m", token_limit=50))
    assert (all_fit, no_room) == (0, 1)


def test_turn_stays_if_its_retry_fails():
    conversation = filled("a", "b")
    slot = conversation.slot_of(conversation.turns[0].id)
    conversation.commit(Turn("a", "part", status="error"), slot)
    assert [(t.prompt, t.status, t.stale) for t in conversation.turns] == [
        ("a", "complete", False),
        ("b", "complete", False),
    ]


@pytest.mark.parametrize("model", [ModelInfo("m", max_length=5), ModelInfo("m", token_limit=5)])
def test_a_prompt_too_long_alone_is_a_clear_error(model):
    with pytest.raises(PromptTooLongError, match="m takes 5"):
        fit_messages("", (), "a rather long prompt", model)


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30)), max_size=8),
    st.integers(20, 200),
)
def test_what_is_sent_never_exceeds_the_limit_and_keeps_the_newest(pairs, limit):
    turns = [Turn(p, r) for p, r in pairs]
    messages, left_out = fit_messages("sys", turns, "prompt", ModelInfo("m", max_length=limit))
    assert sum(len(m.content) for m in messages) <= limit
    kept = turns[left_out:]
    assert [m.content for m in messages] == ["sys", *[c for t in kept for c in (t.prompt, t.reply)], "prompt"]


def test_tokens_are_estimated_by_script():
    assert estimate_tokens("a" * 40) == 10
    assert estimate_tokens("ж" * 40) == 20
    assert estimate_tokens("") == 0


def test_slot_that_replaces_nothing_appends():
    conversation = filled("a")
    conversation.commit(Turn("b", "x"), Slot(()))
    assert prompts(conversation) == ["a", "b"]


@pytest.mark.parametrize(("before", "after"), [("error", "complete"), ("complete", "error")])
def test_success_in_place_of_a_failure_and_failure_in_place_of_a_success_make_later_turns_stale(before, after):
    conversation = Conversation()
    for run, (cell, status) in enumerate([("c1", before), ("c2", "complete"), ("c1", after)]):
        turn = Turn(cell, "x" if status == "complete" else "", status=status, cell_id=cell, run=str(run))
        conversation.commit(turn, conversation.slot(cell, str(run)))
    assert [(t.status, t.stale) for t in conversation.turns] == [(after, False), ("complete", True)]


def test_the_name_that_a_file_brings_is_one_line():
    data = {**Conversation("a").to_dict(), "name": "talk (9 turns).\r\n\x1b[31mEvil " + "x" * 1000}
    name = Conversation.from_dict(data).name
    assert name.startswith("talk (9 turns). [31mEvil xxx")
    assert len(name) < 1000


def test_repr_and_undo_of_an_empty_conversation():
    conversation = Conversation("main")
    assert repr(conversation) == "Conversation('main', 0 turns)"
    assert conversation.snapshot() == HistoryEntry(None)
    with pytest.raises(UsageError, match="Nothing to undo: main is empty"):
        conversation.undo()


def test_a_turn_kept_out_of_the_log_is_known_and_a_fork_keeps_the_tools():
    conversation = Conversation("main")
    first = conversation.commit(Turn("a", "b"), conversation.slot(), tools=(len,), log=False)
    second = conversation.commit(Turn("c", "d"), conversation.slot())
    assert [conversation.is_unlogged(one.turn.id) for one in (first, second)] == [True, False]
    assert [conversation.tools_of(one.turn.id) for one in (first, second)] == [(len,), ()]
    assert conversation.fork("other").tools_of(conversation.fork("other").turns[0].id) == (len,)


def test_a_conversation_of_recorded_replies_gets_the_same_new_id_at_every_replay(tmp_path):
    keep = tmp_path / "talk.jsonl"
    Chat(lambda prompt: "a", cassette=keep, mode="record").ask("hi")

    def cleared():
        chat = Chat(lambda prompt: "a", cassette=keep, mode="replay")
        chat.ask("hi")
        fork = chat.conversation.fork("other").id
        chat.conversation.clear()
        return chat.conversation.id, fork

    assert cleared() == cleared()
    assert len({*cleared(), Conversation().id}) == 3


def test_a_turn_reads_as_its_reply_and_holds_only_texts():
    assert str(Turn("q", "a")) == "a"
    for data in ({"images": [7]}, {"remarks": [None]}, {"calls": [{"id": 7, "name": "add", "arguments": "{}"}]}):
        with pytest.raises(ValueError, match=r"must be text|a turn"):
            Turn.from_dict({"prompt": "q", **data})
