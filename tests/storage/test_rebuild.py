"""Conversations rebuilt from outputs equal those of the kernel, for any sequence of actions."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.history_entry import HistoryEntry
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.storage.output_metadata import KEY, metadata, parse_record
from lockbots_magic.storage.rebuild import rebuild_conversations
from tests.effort import examples

OUTCOMES = (*["complete"] * 5, "interrupted", "broken", "failed", "failed")
"""How a turn ends; "broken" is an error after some text, "failed" one before the first word."""


def a_turn(outcome, **more):
    status = {"broken": "error", "failed": "error"}.get(outcome, outcome)
    return Turn("p", "" if outcome in ("failed", "interrupted") else "r", status=status, **more)


class World:
    """A kernel with conversations, and a notebook that keeps the outputs of the last run of each cell.

    Args:
        is_tidy: True to exclude actions that remove from the notebook a turn that the kernel still has.
    """

    def __init__(self, is_tidy):
        self.is_tidy = is_tidy
        self.current = Conversation()
        self.conversations = {"main": self.current}
        self.outputs = {}
        self.known = {}  # id of a turn -> the ids of those that stood before it when it was made
        self.alive = {}  # (conversation, moment) -> the ids of its turns then
        self.clock = 1000.0
        self.count = 0

    def time(self):
        self.clock += 1
        return self.clock

    def fresh(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def entries(self):
        return [entry for entries in self.outputs.values() for entry in entries]

    def show(self, cell, entry):
        """Keep an entry as the notebook does: as JSON."""
        if entry.info:
            self.alive[entry.info.id, entry.made] = {t.id for t in self.current.turns}
        data = json.loads(json.dumps(metadata(entry, cell)))
        if data:
            self.outputs.setdefault(cell, []).append(parse_record(data[KEY]).entry)

    def would_lose(self, cell):
        here = {t.id for t in self.current.turns if t.cell_id == cell}
        elsewhere = {t.id for c in self.conversations.values() for t in c.turns if c is not self.current}
        alive = elsewhere | {t.id for t in self.current.turns}
        shown = {e.turn.id for e in self.outputs.get(cell, ()) if e.turn}
        return bool(shown & elsewhere or (shown & alive) - here)

    def commit(self, turn, slot, cell):
        entry = self.current.commit(turn, slot) or HistoryEntry(None, turn)
        if entry.info:
            ids = [t.id for t in self.current.turns]
            shown = {t.id for t in self.current.turns if t.is_shown}
            self.known[turn.id] = [i for i in ids[: ids.index(turn.id)] if i in shown]
        if turn.is_shown or entry.displaces:
            self.show(cell, entry)

    def ask(self, number, outcomes):
        """Run one of a few cells, which makes one turn for each outcome."""
        cell = f"ask{number}"
        if self.is_tidy and self.would_lose(cell):
            cell = self.fresh("another")
        self.outputs.pop(cell, None)
        run = self.fresh("run")
        for outcome in outcomes:
            slot = self.current.slot(cell, run)
            self.commit(a_turn(outcome, cell_id=cell, run=run), slot, cell)

    def retry(self, number, outcomes):
        turns = self.current.turns
        if turns:
            old = turns[number % len(turns)]
            slot = self.current.slot_of(old.id)
            self.commit(a_turn(outcomes[0], cell_id=old.cell_id, run=old.run), slot, self.fresh("retry"))

    def set_clock_back(self, number, _):
        self.clock -= 10 * number

    def late(self, number, outcomes):
        """Take a slot, add and undo other turns, then commit the turn."""
        slot = self.current.slot()
        for _ in range(number % 3):
            self.ask(number, outcomes)
        if number % 2 and len(self.current):
            self.undo(0, ())
        self.commit(a_turn(outcomes[0]), slot, self.fresh("late"))

    def undo(self, number, _):
        if len(self.current):
            self.current.undo(number % len(self.current) + 1)
            self.show(self.fresh("undo"), self.current.snapshot())

    def clear(self, _, __):
        self.current.clear()
        self.show(self.fresh("clear"), self.current.snapshot())

    def fork(self, number, _):
        turns = self.current.turns
        at = turns[number % len(turns)].id if turns and number else None
        self.current = self.current.fork(self.fresh("fork"), at)
        self.conversations[self.current.name] = self.current
        self.show(self.fresh("forked"), self.current.snapshot())

    def new(self, _, __):
        self.current = Conversation(self.fresh("new"))
        self.conversations[self.current.name] = self.current

    def switch(self, number, _):
        names = list(self.conversations)
        self.current = self.conversations[names[number % len(names)]]

    def delete(self, _, __):
        self.show(self.fresh("delete"), self.conversations.pop(self.current.name).snapshot(deleted=True))
        self.current = self.conversations.setdefault("main", Conversation())

    def restart(self, _, __):
        """Restart the kernel and restore the notebook."""
        name = self.current.name
        restored = [Conversation.from_restored(past) for past in rebuild_conversations(self.entries())]
        self.conversations = {c.name: c for c in restored}
        if name not in self.conversations:
            name = "main"
        self.current = self.conversations.setdefault(name, Conversation(name))

    def lose(self, number, _):
        """Delete a cell, or clear its outputs."""
        if self.outputs and not self.is_tidy:
            del self.outputs[list(self.outputs)[number % len(self.outputs)]]

    def unseen(self, number, outcomes):
        """Make a change that no output records, as from Python."""
        if not self.is_tidy:
            shown, self.outputs = self.outputs, {}
            (self.undo if number % 2 else self.clear)(number, outcomes)
            self.outputs = shown


DEEDS = (
    *(["ask"] * 8 + ["retry", "fork", "switch", "restart"] * 3 + ["undo", "set_clock_back"] * 2),
    *("late", "clear", "new", "delete"),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from((*DEEDS, *["lose"] * 3, "unseen")),
        st.integers(0, 5),
        st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=3),
    ),
    min_size=5,
    max_size=25,
)


def after(steps, *, is_tidy):
    world = World(is_tidy)
    with mock.patch("lockbots_magic.conversation.conversation.time", world):
        for deed, number, outcomes in steps:
            getattr(world, deed)(number, outcomes)
    return world


def had(world):
    """Return the conversations without turns that no output shows: those are in no notebook and no context."""
    shown = [(c.name, c.id, [t for t in c.turns if t.is_shown]) for c in world.conversations.values()]
    return sorted((name, id_, [(t.id, t.cell_id, t.stale) for t in turns]) for name, id_, turns in shown if turns)


def rebuilt(world):
    pasts = [past for past in rebuild_conversations(world.entries()) if past.turns]
    return sorted((p.info.name, p.info.id, [(t.id, t.cell_id, t.stale) for t in p.turns]) for p in pasts)


@settings(max_examples=examples(700))
@given(STEPS)
def test_rebuilt_conversations_equal_those_of_the_kernel(steps):
    world = after(steps, is_tidy=True)
    assert rebuilt(world) == had(world)
    if not any("failed" in outcomes for _, _, outcomes in steps):
        assert not any(past.gaps for past in rebuild_conversations(world.entries()))


@pytest.mark.once
@settings(max_examples=examples(700))
@given(STEPS)
def test_turn_that_is_not_stale_has_all_its_earlier_turns_whatever_is_lost(steps):
    world = after(steps, is_tidy=False)
    for past in rebuild_conversations(world.entries()):
        before = []
        for turn in past.turns:
            assert turn.stale or before == world.known[turn.id]
            before.append(turn.id)


@pytest.mark.once
@settings(max_examples=examples(300))
@given(STEPS, st.randoms(use_true_random=False))
def test_order_of_the_cells_does_not_matter(steps, random):
    entries = after(steps, is_tidy=False).entries()
    mixed = random.sample(entries, len(entries))
    assert rebuild_conversations(mixed) == rebuild_conversations(entries)


@pytest.mark.once
@settings(max_examples=examples(300))
@given(STEPS)
def test_turn_is_stale_as_in_the_kernel_or_after_a_reported_gap(steps):
    world = after(steps, is_tidy=False)
    stale = {serial for entry in world.entries() for serial in entry.stale}
    for past in rebuild_conversations(world.entries()):
        gap = False
        for turn, serial in zip(past.turns, past.serials, strict=True):
            gap = gap or turn.id in past.gaps
            assert turn.stale if gap else not turn.stale or serial in stale


@settings(max_examples=examples(700))
@given(STEPS)
def test_turn_removed_before_a_later_output_stays_removed(steps):
    world = after(steps, is_tidy=False)
    made = {entry.turn.id: entry.made for entry in world.entries() if entry.turn}
    pasts = {past.info.id: past for past in rebuild_conversations(world.entries())}
    for entry in world.entries():
        past = pasts.get(entry.info.id) if entry.info else None
        if past is not None:
            alive = world.alive[past.info.id, entry.made]
            assert all(t.id in alive for t in past.turns if made[t.id] < entry.made)


# The same, case by case.


class Log:
    """A conversation, and the entries that the notebook holds."""

    def __init__(self):
        self.conversation = Conversation()
        self.entries = {}

    def ask(self, prompt, cell=None, run="1", of=None, **turn):
        conversation = of or self.conversation
        turn = Turn(prompt, "r", cell_id=cell or prompt, run=run, **turn)
        self.entries[prompt] = conversation.commit(turn, conversation.slot(cell or prompt, run))

    def redo(self, prompt, new):
        old = next(t for t in self.conversation.turns if t.prompt == prompt)
        turn = Turn(new, "r", cell_id=old.cell_id)
        self.entries[new] = self.conversation.commit(turn, self.conversation.slot_of(old.id))

    def rebuilt(self, *lost):
        kept = [entry for prompt, entry in self.entries.items() if prompt not in lost]
        return {p.info.name: " ".join(t.prompt + "?" * t.stale for t in p.turns) for p in rebuild_conversations(kept)}


def log_of(*prompts):
    log = Log()
    for prompt in prompts:
        log.ask(prompt)
    return log


def test_repeated_cell_keeps_its_place():
    log = log_of("a", "b", "c")
    log.ask("B", cell="b", run="2")
    assert log.rebuilt("b") == log.rebuilt() == {"main": "a B c?"}
    log.ask("d")
    log.ask("C", cell="c", run="3")
    assert log.rebuilt("b", "c") == {"main": "a B C d?"}


def test_several_repeated_cells_keep_their_places():
    log = log_of("a", "p", "x", "n", "e")
    for again in ("x", "p", "n"):
        log.ask(again.upper(), cell=again, run=again)
    assert log.rebuilt("x", "p", "n") == {"main": "a P X? N e?"}


def test_repeated_cell_with_fewer_turns_leaves_no_old_turn():
    log = log_of("a")
    for prompt in "bcd":
        log.ask(prompt, cell="loop")
    log.ask("z")
    for prompt in "BC":
        log.ask(prompt, cell="loop", run="2")
    assert log.rebuilt("b", "c", "d") == log.rebuilt() == {"main": "a B C z?"}


def test_undone_turns_stay_removed_without_the_output_of_undo():
    log = log_of("a", "b", "c")
    log.conversation.undo(2)
    log.entries["undo"] = log.conversation.snapshot()
    assert log.rebuilt() == {"main": "a"}
    log.ask("d")
    assert log.rebuilt("undo") == {"main": "a d"}


def test_replaced_turn_stays_removed_when_its_successor_is_lost():
    log = log_of("a", "b")
    log.redo("b", "B")
    log.ask("c")
    assert log.rebuilt() == {"main": "a B c"}
    assert log.rebuilt("B") == {"main": "a c?"}


def test_replaced_turn_stays_removed_after_an_earlier_cell_ran_again():
    log = log_of("a", "b", "c")
    log.redo("c", "C")
    log.redo("b", "B")
    assert log.rebuilt() == {"main": "a B C?"}
    assert log.rebuilt("C") == {"main": "a B"}


def test_fork_begins_with_the_turns_up_to_its_origin():
    log = log_of("a", "b", "c")
    fork = log.conversation.fork("other", log.conversation.turns[1].id)
    log.redo("a", "A")
    log.ask("anew", cell="a", run="2", of=fork)
    assert log.rebuilt() == {"main": "A b? c?", "other": "anew b?"}
    again = fork.fork("again")
    log.entries["again"] = again.snapshot()
    log.ask("d", of=fork)
    assert log.rebuilt()["again"] == "anew b?"


def test_fork_keeps_its_turns_after_the_clock_is_set_back():
    log = log_of("a")
    log.entries["copied"] = log.conversation.fork("other").snapshot()
    (past,) = (past for past in rebuild_conversations(log.entries.values()) if past.info.name == "main")
    log.conversation = Conversation.from_restored(past)
    with mock.patch("lockbots_magic.conversation.conversation.time") as clock:
        clock.time.return_value = 5.0
        log.redo("a", "A")
    assert log.rebuilt() == {"main": "A", "other": "a"}


def test_loaded_conversation_reports_that_its_beginning_is_missing():
    log = Log()
    log.conversation = Conversation(turns=[Turn("old", "r")])
    log.ask("a")
    (past,) = rebuild_conversations(log.entries.values())
    assert [t.prompt for t in past.turns if t.id in past.gaps] == ["a"]
    assert log.rebuilt() == {"main": "a?"}


def test_fork_needs_only_the_outputs_of_its_turns():
    log = log_of("a", "b")
    fork = log.conversation.fork("other")
    log.ask("c", of=fork)
    log.conversation.clear()
    log.entries["cleared"] = log.conversation.snapshot()
    assert log.rebuilt() == {"main": "", "other": "a b c"}
    log.entries["deleted"] = log.conversation.snapshot(deleted=True)
    assert log.rebuilt() == {"other": "a b c"}


def test_deleted_conversation_stays_deleted():
    log = log_of("a")
    log.entries["deleted"] = log.conversation.snapshot(deleted=True)
    log.entries["described"] = log.conversation.snapshot()
    assert log.rebuilt() == {}


def test_retried_turn_is_removed_when_its_cell_fails_later():
    log = log_of("a", "b")
    log.redo("a", "A")
    failed = Turn("a", status="error", cell_id="a", run="2")
    entry = log.conversation.commit(failed, log.conversation.slot("a", "2"))
    log.entries["failed"] = parse_record(metadata(entry)[KEY]).entry
    assert log.rebuilt("a") == {"main": "b?"}


def test_gap_right_after_a_repeated_cell_is_reported():
    log = log_of("a", "b", "c", "d")
    log.ask("B", cell="b", run="2")
    (past,) = rebuild_conversations(entry for prompt, entry in log.entries.items() if prompt not in ("b", "c"))
    assert [t.prompt for t in past.turns if t.id in past.gaps] == ["d"]


def test_restored_conversation_can_be_restored_again():
    log = log_of("a")
    log.conversation.clear()
    log.ask("b")
    log.redo("b", "B")
    log.ask("c")
    (past,) = rebuild_conversations(log.entries.values())
    assert past.info.former
    again = Conversation.from_restored(past)
    assert again.snapshot() == log.conversation.snapshot()
    assert [e.serial for e in again.entries()] == list(past.serials)


def test_turn_made_after_a_removal_is_not_stale():
    log = log_of("a", "b", "c")
    failed = Turn("b", status="error", cell_id="b", run="2")
    log.conversation.commit(failed, log.conversation.slot("b", "2"))
    log.ask("d")
    assert log.rebuilt("b") == {"main": "a c? d"}


def test_clock_set_back_does_not_change_the_order():
    log = log_of("a", "b")
    with mock.patch("lockbots_magic.conversation.conversation.time") as clock:
        clock.time.return_value = 5.0
        log.ask("B", cell="b", run="2")
        log.ask("c")
    assert log.rebuilt() == {"main": "a B c"}
