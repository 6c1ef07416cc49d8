"""Replies side by side: content of the columns, and how they grow."""

import math
import re
import threading
from types import SimpleNamespace

import pytest

from lockbots_magic.conversation.messages import Delta
from lockbots_magic.notebook import display
from lockbots_magic.rendering import frame_loop, side_by_side
from lockbots_magic.rendering.side_by_side import Column, SideBySide, bundle
from lockbots_magic.security.exits import clean_bundle

ONE = Column("openai:gpt-4o", "12 tokens", "Some **bold** text.\n\n- a\n- b\n")
TWO = Column("ollama:llama3:8b", "", "", ["ConnectionFailed: refused"])
HOSTILE = "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> [x](javascript:alert(1)) `a`\n\n# $\\href{x}{y}$"


def columns_of(html):
    """Return the text of each column of a page."""
    parts = html.split('<div class="lockbots-column">')[1:]
    return [re.sub(r"<[^>]*>", "|", part) for part in parts]


def visible(html):
    return re.sub(r"<style>.*?</style>|<[^>]*>", " ", html)


def test_columns_are_side_by_side_and_wrap_if_narrow():
    html = bundle([ONE, TWO])["text/html"]
    assert html.count('<div class="lockbots-columns">') == 1
    assert html.count('<div class="lockbots-column">') == 2
    assert "repeat(auto-fit,minmax(min(100%,20em),1fr))" in html.replace(", ", ",")
    assert "<strong>bold</strong>" in html
    assert "#" not in side_by_side._STYLE, "no colour of our own: it follows the theme"


def test_style_of_replies_is_included_once():
    html = bundle([ONE, ONE, TWO])["text/html"]
    assert html.count("<style>") == 2, "that of replies, and that of columns"


def test_plain_text_lists_columns_below_each_other():
    assert bundle([ONE, TWO])["text/plain"] == (
        "openai:gpt-4o\n-------------\n(12 tokens)\n\nSome **bold** text.\n\n- a\n- b\n\n"
        "ollama:llama3:8b\n----------------\n\n[ConnectionFailed: refused]"
    )


def test_markdown_headings_are_bold():
    markdown = bundle([ONE, TWO])["text/markdown"]
    assert markdown.startswith("**openai:gpt-4o**\n\n*12 tokens*\n\nSome **bold** text.")
    assert markdown.endswith("**ollama:llama3:8b**\n\n*ConnectionFailed: refused*")


PLACES = ({"heading": HOSTILE}, {"state": HOSTILE}, {"text": HOSTILE}, {"notices": [HOSTILE]})


@pytest.mark.parametrize("column", [Column(**{"heading": "a", **place}) for place in PLACES])
def test_every_field_is_inert(column):
    forms = bundle([column])
    assert "<script" not in forms["text/html"]
    assert not re.search(r"<img|<a [^>]*javascript", forms["text/html"])
    for name in ("text/html", "text/markdown"):
        assert not re.search(r"<(script|img)", forms[name].replace("&lt;", "").replace(r"\<", ""))


def test_text_holds_no_control_characters():
    steering = set("\033\x9b\a\u202e")
    column = Column("a\033[2J", "b\x9b", "", ["d\u202e"])
    assert not steering & set("".join(bundle([column]).values()))
    forms = clean_bundle(bundle([Column("a", "", "c\033]0;x\a\u202e")]))
    assert not steering & set(forms["text/plain"])


class Cell:
    """Outputs of a cell, as a front end keeps them."""

    def __init__(self):
        self.frames = []
        self.outputs = {}
        self.changed = threading.Condition()

    def display(self, data, *, raw, display_id=None, update=False):
        with self.changed:
            assert (display_id in self.outputs) == update, "an update needs something to update"
            self.outputs[display_id] = data
            self.frames.append((data, threading.current_thread()))
            self.changed.notify_all()

    def wait_for(self, text):
        """Wait until every piece of `text` is visible at once."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.frames and all(t in self.page for t in text), 30), self.page

    @property
    def page(self):
        return visible(self.frames[-1][0]["text/html"])


@pytest.fixture
def cell(monkeypatch):
    cell = Cell()
    monkeypatch.setattr(display, "display", cell.display)
    return cell


def test_models_are_shown_before_the_first_text(cell):
    output = SideBySide(["one", "two"], live=True, show=display.show)
    cell.wait_for(["one", "two", "asked …"])
    output.close()


def test_all_grow_in_one_output(cell):
    output = SideBySide(["one", "two"], live=True, show=display.show)
    output.feed(0, Delta("first *words*"))
    cell.wait_for(["first", "words", "answers …", "asked …"])
    output.feed(1, Delta("second"))
    output.feed(0, Delta(" and more"))
    cell.wait_for(["first", "words", "and more", "second"])
    output.close()
    assert len(cell.outputs) == 1
    assert all(thread is not threading.current_thread() for _, thread in cell.frames), "reading waits for no frame"


def test_ended_column_says_so_while_others_stream(cell):
    output = SideBySide(["one", "two"], live=True, show=display.show)
    output.feed(1, Delta("done"))
    output.end(1, Column("two", "4 tokens", "done", ["cut short"]))
    cell.wait_for(["asked …", "4 tokens", "done", "cut short"])
    output.feed(0, Delta("still here"))
    cell.wait_for(["answers …", "still here", "4 tokens", "done", "cut short"])
    output.close()


def test_notice_disappears_when_text_arrives(cell):
    output = SideBySide(["one"], live=True, show=display.show)
    output.feed(0, Delta(notice="trying again in 1 s"))
    cell.wait_for(["asked …", "trying again"])
    output.feed(0, Delta("here"))
    cell.wait_for(["here"])
    assert "trying again" not in cell.page
    output.close()


def test_reasoning_shows_as_such_and_retracted_text_disappears(cell):
    output = SideBySide(["one"], live=True, show=display.show)
    output.feed(0, Delta(reasoning="Hmm."))
    cell.wait_for(["thinks …"])
    output.feed(0, Delta("Two and two.\n\nSo"))
    cell.wait_for(["Two and two.", "answers …"])
    output.feed(0, Delta("Four.", retracts=True))
    cell.wait_for(["Four."])
    assert "Two" not in cell.page
    output.close()


def test_final_output_has_all_forms_and_no_frame_follows(cell):
    output = SideBySide(["one", "two"], live=True, show=display.show)
    for _ in range(50):
        output.feed(0, Delta("a "))
    for _ in range(2):  # an interrupt may have it done again
        output.finish([Column("one", "50 tokens", "a " * 50), TWO])
        assert not output._thread.is_alive()
        assert set(cell.frames[-1][0]) == {"text/html", "text/markdown", "text/plain"}
    assert len(cell.outputs) == 1
    assert cell.frames[-1][0] == cell.frames[-2][0]
    assert cell.frames[-1][0]["text/html"] == bundle([Column("one", "50 tokens", "a " * 50), TWO])["text/html"]


def test_without_live_output_only_the_end_is_shown(cell):
    output = SideBySide(["one"], live=False, show=display.show)
    output.feed(0, Delta("a"))
    output.finish([Column("one", "", "a")])
    assert len(cell.frames) == 1


def test_plain_output_has_plain_text_only(cell):
    SideBySide(["one"], live=False, show=display.show).finish([ONE], plain=True)
    assert set(cell.frames[0][0]) == {"text/plain"}


class FirstPause(threading.Event):
    """Records the pause after the first frame, and ends the drawing then."""

    seconds = None

    def __init__(self, changed):
        super().__init__()
        self._changed = changed

    def wait(self, timeout=None):
        self.seconds = timeout
        self.set()
        self._changed.set()  # the loop waits for a change before it looks whether it is stopped
        return True


def pause_after_a_frame(monkeypatch, *, frame=0.0, rate=math.inf, drawing_takes=0.0):
    """Draw one frame; return its page and the pause (s) after it."""
    clock, pages = SimpleNamespace(now=0.0), []

    def show(data, name, *, update):
        clock.now += drawing_takes
        pages.append(data["text/html"])

    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(side_by_side, "time", clock)
    monkeypatch.setattr(frame_loop, "FRAME", frame)
    monkeypatch.setattr(frame_loop, "FRAME_RATE", rate)
    output = SideBySide(["one", "two"], live=False, show=show)
    output._stopped = pause = FirstPause(output._changed)
    output.feed(0, Delta("text " * 50))
    output.feed(1, Delta("text"))
    output._draw_frames()
    (page,) = pages
    return page, pause.seconds


def test_frame_is_followed_by_the_minimum_interval(monkeypatch):
    assert pause_after_a_frame(monkeypatch, frame=60, drawing_takes=2)[1] == 60 - 2


def test_large_frame_is_followed_by_a_longer_pause(monkeypatch):
    page, pause = pause_after_a_frame(monkeypatch, rate=100)
    assert pause == frame_loop.interval_after(len(page)) > frame_loop.STILL


def test_frame_that_is_slow_to_draw_is_followed_by_a_longer_pause(monkeypatch):
    assert pause_after_a_frame(monkeypatch, drawing_takes=2)[1] == 3 * 2


def test_frames_are_frequent_enough_to_show_growth():
    assert 0 < frame_loop.FRAME < 1


def test_failed_frame_loses_no_reply(cell, monkeypatch):
    output = SideBySide(["one"], live=True, show=display.show)
    cell.wait_for(["one"])
    monkeypatch.setattr(output._columns[0]._document, "advance", lambda: 1 / 0)
    output.feed(0, Delta("a **b**"))
    output._thread.join(30)
    output.finish([Column("one", "", "a **b**")])
    assert "a **b**" in cell.page
