"""Frames: when they are drawn, by whom, and what is left in the end."""

import threading
import time

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher

from lockbots_magic.messages import Delta, Turn
from lockbots_magic.rendering import live
from lockbots_magic.rendering.live import CellOutput, LiveCellOutput, output_for
from lockbots_magic.rendering.terminal import TerminalOutput


class Shell:
    display_pub = None


class KernelShell(Shell):
    kernel = None


class CapturingShell(KernelShell):
    display_pub = CapturingDisplayPublisher()


@pytest.mark.parametrize(
    ("shell", "mode", "watched", "kind"),
    [
        (Shell(), "auto", False, TerminalOutput),
        (Shell(), "on", True, TerminalOutput),
        (KernelShell(), "auto", True, LiveCellOutput),
        (KernelShell(), "auto", False, CellOutput),
        (KernelShell(), "on", False, LiveCellOutput),
        (KernelShell(), "off", True, CellOutput),
        (CapturingShell(), "on", True, CellOutput),
    ],
)
def test_the_output_suits_the_place(shell, mode, watched, kind):
    assert type(output_for(shell, mode, watched)) is kind


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: (data, time, thread, whether it was an update)."""
    frames = []
    condition = threading.Condition()

    def display(data, *, raw, display_id=None, update=False):
        with condition:
            frames.append((data, time.monotonic(), threading.current_thread(), update))
            condition.notify_all()

    def wait_for(count):
        with condition:
            assert condition.wait_for(lambda: len(frames) >= count, 5)
        return frames

    monkeypatch.setattr(live, "display", display)
    frames_of = wait_for
    frames_of.all = frames
    return frames_of


def test_the_first_text_is_drawn_without_waiting_for_more(shown):
    output = LiveCellOutput()
    output.feed(Delta("a"))
    frame = shown(1)[0]
    assert frame[0]["text/plain"] == "a"
    assert frame[2] is not threading.current_thread(), "the reader goes on reading"
    output.close()


def test_what_comes_before_a_pause_is_drawn_without_more_coming(shown):
    output = LiveCellOutput()
    output.feed(Delta("a"))
    shown(1)
    output.feed(Delta("b"))
    frames = shown(2)
    assert frames[1][0]["text/plain"] == "ab"
    assert frames[1][3], "it is an update"
    output.close()


def test_frames_are_few_however_fast_the_text_comes(shown):
    output = LiveCellOutput()
    began = time.monotonic()
    while len(shown.all) < 5:
        output.feed(Delta("word "))
        time.sleep(0.0005)
    elapsed = time.monotonic() - began
    output.close()
    assert len(shown.all) <= elapsed / live.FRAME + 2


def test_the_end_replaces_the_frames(shown):
    output = LiveCellOutput()
    output.feed(Delta("a"))
    shown(1)
    output.finish(Turn("q", "a"), ["cut"])
    last = shown.all[-1]
    assert last[3]
    assert set(last[0]) == {"text/html", "text/markdown", "text/plain"}
    assert "cut" in last[0]["text/html"]
    assert last[0]["text/plain"] == "a"


def test_no_frame_comes_after_the_end(shown):
    output = LiveCellOutput()
    for _ in range(50):
        output.feed(Delta("a"))
    output.finish(Turn("q", "a" * 50))
    count = len(shown.all)
    assert not output._thread.is_alive()
    assert len(shown.all) == count


def test_a_reply_without_text_is_one_output(shown):
    output = LiveCellOutput()
    output.finish(Turn("q"), ["the reply is empty"])
    ((data, *_, update),) = shown.all
    assert not update
    assert "empty" in data["text/html"]


def test_a_notice_is_shown_until_text_comes(shown):
    output = LiveCellOutput()
    output.feed(Delta(notice="trying again in 1 s"))
    assert "trying again" in shown(1)[0][0]["text/html"]
    output.feed(Delta("a"))
    assert "trying again" not in shown(2)[1][0]["text/html"]
    output.close()


def test_reasoning_alone_draws_nothing(shown):
    output = LiveCellOutput()
    output.feed(Delta(reasoning="hmm"))
    output.close()
    assert not shown.all
