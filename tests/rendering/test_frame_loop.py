"""Frames of a growing reply: a pause after each, in which text is coalesced."""

import threading

import pytest

from lockbots_magic.conversation.messages import Delta, ToolCall
from lockbots_magic.rendering import frame_loop
from lockbots_magic.rendering.frame_loop import FrameLoop
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.rendering.time_budget import TooSlowError

UNTHROTTLED = 0.2
"""Time (s) after which a second frame would long have been drawn, were there no pause."""


class Frames:
    """Keeps the HTML of every frame.

    Args:
        size: Size that each drawing reports.
        slow: Duration (s) of each drawing.
    """

    def __init__(self, size=1, slow=0.0):
        self.drawn = []
        self._size, self._slow = size, threading.Event().wait if slow else None
        self._seconds = slow
        self._changed = threading.Condition()

    def draw(self, finished, open_, notices):
        if self._slow:
            self._slow(self._seconds)
        with self._changed:
            self.drawn.append(finished + open_)
            self._changed.notify_all()
        return self._size

    def come(self, count, seconds=30.0):
        """Return whether `count` frames are drawn within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.drawn) >= count, seconds)


def too_slow(document):
    raise TooSlowError


@pytest.fixture
def unlimited(monkeypatch):
    """Remove both limits; each test sets the one it checks."""
    monkeypatch.setattr(frame_loop, "FRAME", 0)
    monkeypatch.setattr(frame_loop, "FRAME_RATE", 1e9)


def feed_twice(frames):
    """Feed two pieces, the second after the first frame; return the loop."""
    loop = FrameLoop(frames.draw)
    loop.feed(Delta("one "))
    assert frames.come(1)
    loop.feed(Delta("two "))
    return loop


@pytest.mark.usefixtures("unlimited")
def test_without_a_limit_each_piece_is_drawn_at_once():
    frames = Frames()
    loop = feed_twice(frames)
    assert frames.come(2)
    loop.close()


@pytest.mark.usefixtures("unlimited")
def test_second_frame_waits_for_the_shortest_time_between_frames(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 60)
    frames = Frames()
    loop = feed_twice(frames)
    assert not frames.come(2, UNTHROTTLED)
    loop.close()


@pytest.mark.usefixtures("unlimited")
def test_large_frame_is_followed_by_a_longer_pause(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME_RATE", 100)
    monkeypatch.setattr(frame_loop, "STILL", 60)
    frames = Frames(size=6000)
    loop = feed_twice(frames)
    assert not frames.come(2, UNTHROTTLED)
    loop.close()


def test_interval_grows_with_the_frame_and_with_the_speed_of_the_stream():
    intervals = [frame_loop.interval_after(size) for size in range(0, 100_000, 1_000)]
    assert intervals == sorted(intervals)
    assert intervals[0] == frame_loop.FRAME
    assert intervals[16] <= 0.5, "a reply of some length is seen to move twice a second, in one output too"
    assert intervals[-1] <= 2
    assert frame_loop.interval_after(100, speed=4_000) == frame_loop.FAST_INTERVALS * frame_loop.FRAME <= 0.4
    assert frame_loop.interval_after(100, speed=200) == frame_loop.FRAME, "at the speed of reading"


@pytest.mark.usefixtures("unlimited")
def test_frame_that_is_slow_to_draw_is_followed_by_a_longer_pause():
    frames = Frames(slow=0.2)
    loop = feed_twice(frames)
    assert not frames.come(2, 0.2 + UNTHROTTLED), "three times as long a pause as the drawing took"
    loop.close()


@pytest.mark.usefixtures("unlimited")
def test_time_that_others_take_while_a_frame_is_rendered_is_no_reason_for_a_pause(monkeypatch):
    pauses, advance, others = [], IncrementalMarkdown.advance, threading.Event()
    monkeypatch.setattr(IncrementalMarkdown, "advance", lambda document: others.wait(0.4) or advance(document))
    frames = Frames()
    loop = FrameLoop(frames.draw)
    monkeypatch.setattr(loop._stopped, "wait", pauses.append)
    loop.feed(Delta("one "))
    assert frames.come(1)
    loop.feed(Delta("two "))
    assert frames.come(2)
    loop.close()
    assert pauses[0] == 0


@pytest.mark.usefixtures("unlimited")
def test_frame_that_shows_nothing_is_not_followed_by_a_pause(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 60)
    frames = Frames(size=0)
    loop = feed_twice(frames)
    assert frames.come(2)
    loop.close()


@pytest.mark.usefixtures("unlimited")
def test_closing_ends_the_pause_and_keeps_its_text(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 60)
    frames = Frames()
    loop = feed_twice(frames)
    assert "one two" in loop.whole()
    assert len(frames.drawn) == 1


@pytest.mark.usefixtures("unlimited")
def test_the_rest_is_drawn_once_and_is_part_of_the_whole(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 60)
    frames = Frames()
    loop = feed_twice(frames)
    loop.draw_rest()
    assert "one two" in frames.drawn[-1]
    loop.draw_rest()
    assert len(frames.drawn) == 2, "nothing has come since"
    assert "one two" in loop.whole()


@pytest.mark.usefixtures("unlimited")
def test_a_rest_that_cannot_be_drawn_costs_no_reply(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 60)
    frames = Frames()
    loop = feed_twice(frames)
    monkeypatch.setattr(loop, "_draw", lambda *_: 1 / 0)
    loop.draw_rest()
    assert "one two" in loop.whole()


@pytest.mark.usefixtures("unlimited")
def test_a_rest_that_takes_too_long_to_take_in_is_not_missing_from_the_whole(monkeypatch):
    loop = FrameLoop(lambda *_: 1)
    loop.close()
    loop.feed(Delta("First."))
    loop.feed(Delta(calls=(ToolCall("1", "f", "{}"),)))
    loop.feed(Delta("Second."))
    with monkeypatch.context() as slow:
        slow.setattr(IncrementalMarkdown, "advance", too_slow)
        loop.draw_rest()
    with pytest.raises(TooSlowError):  # the reply is shown as it is
        loop.whole()


def test_pieces_that_arrive_during_a_pause_are_one_frame(monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 0.3)
    frames = Frames()
    loop = FrameLoop(frames.draw)
    loop.feed(Delta("0 "))
    assert frames.come(1)
    for n in range(1, 50):
        loop.feed(Delta(f"{n} "))
    assert frames.come(2)
    assert "48 49" in frames.drawn[1]
    loop.close()


@pytest.mark.usefixtures("unlimited")
def test_reasoning_is_a_sign_of_life():
    notices: list[str] = []
    drawn = threading.Event()

    def draw(finished, growing, shown):
        notices.extend(shown)
        drawn.set()
        return 1

    loop = FrameLoop(draw)
    loop.feed(Delta(reasoning="Two and two."))
    assert drawn.wait(30)
    loop.feed(Delta("Four."))
    assert "Four." in loop.whole()
    assert notices[0] == "thinking… (12 characters)"


@pytest.mark.usefixtures("unlimited")
def test_retracted_text_is_drawn_no_more():
    frames = Frames()
    restarts: list[int] = []
    loop = FrameLoop(frames.draw, restart=lambda: restarts.append(len(frames.drawn)))
    loop.feed(Delta("Two and two.\n\nHmm."))
    assert frames.come(1)
    loop.feed(Delta("Four.", retracts=True))
    assert frames.come(2)
    assert restarts == [1]
    assert "Two" not in frames.drawn[1]
    loop.feed(Delta("Five.", retracts=True))
    assert loop.whole().strip() == "<p>Five.</p>"


@pytest.mark.usefixtures("unlimited")
def test_text_too_long_to_render_is_not_kept_and_what_replaces_it_is(monkeypatch):
    monkeypatch.setattr(frame_loop, "MAX_RENDERED", 20)
    loop = FrameLoop(lambda *_: 1)
    for word in ("One ", "two ", "and three and four ", "five "):
        loop.feed(Delta(word))
    assert not loop._arrived
    loop.feed(Delta("Six.", retracts=True))
    assert loop.whole().strip() == "<p>Six.</p>"


def test_interrupt_while_the_thread_begins_ends_it(monkeypatch):
    """No caller has the loop then; its thread would wait for ever, and draw into a cell that has ended."""
    begun = []

    def interrupted(thread, start=threading.Thread.start):
        start(thread)
        begun.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    frames = Frames()
    with pytest.raises(KeyboardInterrupt):
        FrameLoop(frames.draw, wait=lambda: frames.draw("waiting", "", []))
    (thread,) = begun
    thread.join(30)
    assert not thread.is_alive()
    assert frames.drawn == []
