"""A reply that an earlier turn has outdated says so in its own cell."""

import threading

import pytest

from lockbots_magic import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.stale_marks import MAX_LENGTH, MAX_MARKS, MAX_OUTPUTS, STALE_NOTICE, StaleMarks


def conversation(count, stale=()):
    return Conversation(turns=[Turn("p", "r", id=str(n), stale=n in stale) for n in range(count)])


def marks_of(count):
    """Return marks for the outputs of so many turns, and what was drawn."""
    drawn, marks = [], StaleMarks()
    for n in range(count):
        marks.keep(str(n), 10, lambda notice, n=n: drawn.append((n, notice)))
    return marks, drawn


def test_only_stale_turns_are_marked_and_each_once():
    marks, drawn = marks_of(4)
    marks.update([conversation(4)])
    assert drawn == []
    marks.update([conversation(4, stale={2, 3})])
    marks.update([conversation(4, stale={2, 3})])
    assert drawn == [(2, STALE_NOTICE), (3, STALE_NOTICE)]


def test_turns_that_are_gone_are_forgotten():
    marks, drawn = marks_of(3)
    marks.update([conversation(1)])
    marks.update([conversation(3, stale={1, 2})])
    assert drawn == []


def test_what_is_sent_again_is_bounded():
    marks, drawn = marks_of(MAX_OUTPUTS + 10)
    marks.keep("long", MAX_LENGTH + 1, lambda notice: drawn.append("long"))
    marks.update([conversation(MAX_OUTPUTS + 10, stale=set(range(MAX_OUTPUTS + 10)))])
    assert [n for n, _ in drawn] == list(range(MAX_OUTPUTS + 10 - MAX_MARKS, MAX_OUTPUTS + 10))


def test_a_change_in_another_thread_is_marked_at_once():
    marks, drawn = marks_of(2)
    watched = conversation(2)
    marks.update([watched])
    first = watched.turns[0]
    other = threading.Thread(target=watched.commit, args=(Turn("p", "r", id="new"), watched.slot_of(first.id)))
    other.start()
    other.join()
    assert drawn == [(1, STALE_NOTICE)]


def updates_during(kernel, source, cell_id):
    """Run a cell; return what outputs became meanwhile, those of other cells too."""
    request, updates = kernel.send(source, cell_id), []
    while True:
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "update_display_data":
            updates.append(message["content"])
        is_own = message["parent_header"].get("msg_id") == request
        if is_own and message["content"].get("execution_state") == "idle":
            return updates


@pytest.mark.kernel
def test_the_cell_of_an_outdated_reply_says_so_until_it_runs_again(mock_server):
    pytest.importorskip("ipykernel")
    from tests.kernels import Kernel, visible

    with Kernel() as kernel:
        kernel.run(f"%load_ext lockbots_magic\n%lockbots use openai:demo --base-url {mock_server.url('openai')}")
        kernel.run("%%chat\nsay one", cell_id="c1")
        second = kernel.run("%%chat\nsay two", cell_id="c2")
        (shown,) = second.of("display_data")
        marks = [
            one for one in updates_during(kernel, "%%chat\nsay three", "c1") if one["transient"] == shown["transient"]
        ]
        assert len(marks) == 1
        assert STALE_NOTICE in visible(marks[0]["data"])
        assert marks[0]["data"]["text/plain"] == "two"
        assert marks[0]["metadata"] == second.outputs[0]["metadata"], "it is restored as before"
        assert STALE_NOTICE not in str(kernel.run("%%chat\nsay two", cell_id="c2").outputs)
