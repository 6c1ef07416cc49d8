"""One reply at a time: the queue of a conversation, and what cancels and reports a reply."""

import threading

import pytest

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.commits import CommittedTurn, observe_commits, tell_commit
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.history_entry import HistoryEntry
from lockbots_magic.conversation.reply_queue import ReplyQueue
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError


class Active:
    """A reply; `close` leaves the queue unless it is stuck."""

    def __init__(self, queue=None, *, abandoned=False, stuck=False):
        self.queue, self.abandoned, self.stuck = queue, abandoned, stuck

    def close(self):
        if not self.stuck:
            self.queue.leave(self)


def test_replies_enter_in_order_as_those_before_them_leave():
    queue, entered = ReplyQueue(), []
    first, second, third = Active(queue), Active(queue), Active(queue)
    for name, reply in (("first", first), ("second", second), ("third", third)):
        queue.enter(reply, lambda name=name: entered.append(name))
    assert entered == ["first"]
    queue.leave(second)  # gave up waiting
    queue.enter(first, lambda: entered.append("again"))
    assert entered == ["first", "again"]
    queue.leave(first)
    assert entered == ["first", "again", "third"]
    assert queue.active is third
    queue.leave(third)
    assert queue.active is None


def test_an_abandoned_reply_makes_room():
    queue, entered = ReplyQueue(), []
    left = Active(queue, abandoned=True)
    queue.begin(left, "main")
    assert queue.active is None
    waiting = Active(queue)
    queue.enter(waiting, lambda: entered.append(waiting))
    assert entered == [waiting]
    waiting.abandoned = True
    queue.begin(other := Active(queue), "main")
    assert queue.active is other
    queue.begin(other, "main")


def test_a_waiting_reply_is_let_in_when_the_one_before_it_turns_out_to_be_abandoned():
    conversation = Conversation("main")
    queue = conversation._replies
    first, second = Active(queue), Active(queue)
    conversation.begin_reply(first)
    entered = []
    conversation.queue_reply(second, lambda: entered.append(second))
    conversation.refresh_queue(second)
    assert not entered
    first.abandoned = True
    conversation.refresh_queue(second)
    assert entered == [second]


def test_a_second_reply_is_refused_while_one_is_in_progress():
    queue = ReplyQueue()
    queue.begin(Active(queue), "main")
    with pytest.raises(UsageError, match="'main' already has a reply in progress"):
        queue.begin(Active(queue), "main")
    queue = ReplyQueue()
    queue.begin(Active(queue, abandoned=True, stuck=True), "main")
    with pytest.raises(UsageError, match="in progress"):
        queue.close_abandoned("main")
    ReplyQueue().close_abandoned("main")


def test_overlapping_blocks_are_told_of_a_cancellation_once_each_and_late_ones_at_once():
    cancellation, told = Cancellation(), []
    with cancellation.calling(lambda: told.append("outer")):
        with cancellation.calling(lambda: told.append("inner")):
            pass
        cancellation.cancel()
        assert told == ["outer"]
    with cancellation.calling(lambda: told.append("late")):
        assert told == ["outer", "late"]
    cancellation.cancel()
    assert told == ["outer", "late"]
    cancellation.on_cancel(lambda: told.append("replaced"))
    assert told == ["outer", "late", "replaced"]


def test_a_wait_ends_with_the_cancellation():
    cancellation = Cancellation()
    assert cancellation.wait(0.0) is False
    waiter = threading.Thread(target=lambda: results.append(cancellation.wait(60)))
    results = []
    waiter.start()
    cancellation.cancel()
    waiter.join(60)
    assert results == [True]
    late = Cancellation()
    late.cancel()
    assert late.wait(60) is True


def test_observers_are_told_of_commits_until_they_are_removed():
    told = []
    committed = CommittedTurn(Turn("Hi", "Hello"), HistoryEntry(None))
    remove_first = observe_commits(lambda one: told.append(("first", one)))
    remove_second = observe_commits(lambda one: told.append(("second", one)))
    tell_commit(committed)
    remove_first()
    remove_first()
    tell_commit(committed)
    remove_second()
    tell_commit(committed)
    assert told == [("first", committed), ("second", committed), ("second", committed)]


def test_an_observer_that_fails_is_a_warning_without_controls_and_the_others_are_told():
    told = []

    def fail(_):
        raise OSError("disk \x1b[31mfull")

    removes = [observe_commits(fail), observe_commits(told.append)]
    committed = CommittedTurn(Turn("Hi", "Hello"), HistoryEntry(None))
    with pytest.warns(UserWarning, match=r"A turn was not logged: OSError: disk") as caught:
        tell_commit(committed)
    assert "\x1b" not in str(caught[0].message)
    assert told == [committed]
    for remove in removes:
        remove()
