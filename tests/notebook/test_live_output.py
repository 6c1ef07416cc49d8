"""Frames: when they are drawn, by whom, and what is left in the end."""

import re
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher

from lockbots_magic.conversation.messages import Delta
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook import display, growing_output, presenter, reply_end
from lockbots_magic.notebook.live_output import CellOutput, LiveCellOutput, output_for
from lockbots_magic.rendering import frame_loop as drawing
from lockbots_magic.rendering import reasoning_tail
from lockbots_magic.rendering.console import is_console
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.schema import code_blocks
from lockbots_magic.security.secrets import Secret
from tests.effort import pick
from tests.rawserver import PATIENCE


class Shell:
    display_pub = None
    user_ns: ClassVar = {}


class KernelShell(Shell):
    kernel = None
    metadata: ClassVar = {}

    def get_parent(self):
        return {"metadata": self.metadata}


class WatchedShell(KernelShell):
    metadata: ClassVar = {"cellId": "c1"}


class CapturingShell(WatchedShell):
    display_pub = CapturingDisplayPublisher()


@pytest.mark.parametrize(
    ("shell", "mode", "kind"),
    [
        (Shell(), "auto", TerminalOutput),
        (Shell(), "on", TerminalOutput),
        (WatchedShell(), "auto", LiveCellOutput),
        (KernelShell(), "auto", CellOutput),
        (KernelShell(), "on", LiveCellOutput),
        (WatchedShell(), "off", CellOutput),
        (WatchedShell(), "text", TerminalOutput),
        (CapturingShell(), "on", CellOutput),
    ],
)
def test_the_output_suits_the_place(shell, mode, kind):
    output = output_for(shell, mode, lambda: False)
    output.close()
    assert type(output) is kind


def test_a_console_gets_text_that_streams(monkeypatch):
    monkeypatch.setattr("lockbots_magic.notebook.live_output.in_console", lambda: True)
    for shell, mode, kind in ((KernelShell(), "auto", TerminalOutput), (KernelShell(), "off", CellOutput)):
        output = output_for(shell, mode, lambda: False)
        output.close()
        assert type(output) is kind


def test_only_a_console_is_taken_for_one():
    yes = [
        "jupyter console",
        "python /opt/bin/jupyter-console --kernel=x",
        "python -m jupyter_console",
        "jupyter qtconsole",
    ]
    no = ["python -m jupyterlab", "jupyter nbconvert console.ipynb", "python -m pytest", "jupyter lab"]
    assert [is_console(line.split()) for line in (*yes, *no)] == [True] * len(yes) + [False] * len(no)


class Cell:
    """A cell's outputs as a front end keeps them, and all that was sent to it."""

    def __init__(self):
        self.frames = []
        self.outputs = {}
        self.ids = set()
        self.most = 0
        self.clearing = False
        self.changed = threading.Condition()

    def display(self, data, *, raw, display_id=None, update=False):
        with self.changed:
            if self.clearing and not update:
                self.outputs.clear()
                self.clearing = False
            assert (display_id in self.outputs) == update, "an update needs something to update"
            assert (display_id in self.ids) == update, "JupyterLab renders a display with a known id twice"
            self.ids |= {display_id} - {None}
            self.outputs[display_id or len(self.outputs)] = data
            self.most = max(self.most, len(self.outputs))
            self.frames.append((data, time.monotonic(), threading.current_thread(), update))
            self.changed.notify_all()

    def clear_output(self, *, wait):
        assert wait, "nothing flickers"
        self.clearing = True

    @property
    def text(self):
        """What a reader sees."""
        return visible("".join(data.get("text/html", "") for data in self.outputs.values()))

    def wait_for(self, condition):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), 30)
        return self.frames


@pytest.fixture
def shown(monkeypatch):
    cell = Cell()
    monkeypatch.setattr(display, "display", cell.display)
    monkeypatch.setattr(growing_output, "clear_output", cell.clear_output)
    return cell


def visible(html):
    return re.sub(r"<style>.*?</style>|<[^>]*>", "", html).strip()


def frames(count):
    return lambda cell: len(cell.frames) >= count


def alone():
    return True


def among_others():
    return False


def test_the_first_text_is_drawn_without_waiting_for_more(shown):
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta("a"))
    frame = shown.wait_for(frames(1))[0]
    assert visible(frame[0]["text/html"]) == "a"
    assert frame[2] is not threading.current_thread(), "the reader goes on reading"
    output.close()


def test_a_cell_says_once_that_it_waits_and_the_reply_takes_the_place(shown, monkeypatch):
    monkeypatch.setattr(drawing, "WAITING_DELAY", 0.01)
    output = LiveCellOutput(Shell(), alone, "a<b>/model")
    (data, *_), *more = shown.wait_for(frames(1))
    assert visible(data["text/html"]) == "waiting for a&lt;b&gt;/model…"
    assert not more
    assert len(str(data)) < 1000
    output.feed(Delta("a"))
    shown.wait_for(frames(2))
    assert shown.text == "a"
    output.close()
    output.finish(Turn("p", "a"))
    assert (shown.text, len(shown.outputs)) == ("a", 1)


def test_reasoning_is_open_while_it_comes_and_folded_after(shown, monkeypatch):
    monkeypatch.setattr(reasoning_tail, "MIN_PAUSE", 0)
    output = LiveCellOutput(Shell(), alone, "model")
    output.feed(Delta(reasoning="Two and two "))
    (first, *_), *_ = shown.wait_for(frames(1))
    assert re.search('<details class="lockbots-reasoning"[^>]* open>', first["text/html"])
    assert visible(first["text/html"]) == "Thinking…Two and two"
    output.feed(Delta(reasoning="is four."))
    shown.wait_for(lambda cell: "four" in cell.text)
    output.feed(Delta("Four."))
    shown.wait_for(lambda cell: cell.text.endswith("Four."))
    assert " open>" not in shown.frames[-1][0]["text/html"]
    assert "Two and two" not in shown.text, "the frames of the reply don't carry it"
    output.close()
    output.finish(Turn("p", "Four.", reasoning="Two and two is four."))
    assert shown.text == "ReasoningTwo and two is four.Four."
    assert len(shown.outputs) == 1
    assert " open>" not in shown.frames[-1][0]["text/html"]


def test_reasoning_can_stay_open_and_can_be_hidden(shown):
    for mode, while_it_comes, after in (("show", "Thinking…Two", "ReasoningTwoFour."), ("hide", "Thinking…", "Four.")):
        output = LiveCellOutput(Shell(), alone, "model", mode)
        output.feed(Delta(reasoning="Two"))
        shown.wait_for(lambda cell: cell.text)
        assert shown.text == while_it_comes
        output.feed(Delta("Four."))
        shown.wait_for(lambda cell: "Four." in cell.text)
        output.close()
        output.finish(Turn("p", "Four.", reasoning="Two"))
        assert shown.text == after
        assert (" open>" in shown.frames[-1][0]["text/html"]) == (mode == "show")
        shown.outputs.clear()


def test_reasoning_between_two_texts_stands_below_the_first(shown, monkeypatch):
    monkeypatch.setattr(reasoning_tail, "MIN_PAUSE", 0)
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta("One."))
    shown.wait_for(lambda cell: "One." in cell.text)
    output.feed(Delta(reasoning="Hmm."))
    shown.wait_for(lambda cell: cell.text.endswith("Hmm."))
    assert "One." in shown.text
    output.feed(Delta("Two."))
    shown.wait_for(lambda cell: "Two." in cell.text)
    assert "Hmm." not in shown.text
    output.close()


def test_long_reasoning_costs_little(shown):
    output = LiveCellOutput(Shell(), alone, "model")
    for _ in range(2000):
        output.feed(Delta(reasoning="as much as a long thought takes "))
    shown.wait_for(frames(1))
    output.close()
    assert sum(len(str(frame[0])) for frame in shown.frames) < 8_000


def test_a_foot_line_costs_less_than_two_kilobytes(shown):
    turn = Turn("p", "a", reasoning="Two")
    output = LiveCellOutput(Shell(), alone, "model")
    output.close()
    output.finish(turn, foot="openai:gpt-5-mini · 1.2 s · 20 tokens · 0.00021 USD")
    output.finish(turn)
    with_foot, without = (len(str(frame[0])) for frame in shown.frames[-2:])
    assert "gpt-5-mini" in shown.frames[-2][0]["text/html"]
    assert "gpt-5-mini" in shown.frames[-2][0]["text/markdown"]
    assert shown.frames[-2][0]["text/plain"] == "a", "programs read this form"
    assert with_foot - without < 500


def test_a_reply_that_comes_at_once_is_not_waited_for(shown, monkeypatch):
    monkeypatch.setattr(drawing, "WAITING_DELAY", 30)
    output = LiveCellOutput(Shell(), alone, "model")
    output.feed(Delta("a"))
    shown.wait_for(frames(1))
    output.close()
    assert [visible(data["text/html"]) for data, *_ in shown.frames] == ["a"]


def test_what_comes_before_a_pause_is_drawn_without_more_coming(shown):
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta("a"))
    shown.wait_for(frames(1))
    output.feed(Delta("b"))
    second = shown.wait_for(frames(2))[1]
    assert visible(second[0]["text/html"]) == "ab"
    assert second[3], "it is an update"
    output.close()


def test_the_end_replaces_the_frames(shown):
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta("a"))
    shown.wait_for(frames(1))
    output.finish(Turn("q", "a"), ["cut"])
    last = shown.frames[-1]
    assert last[3]
    assert set(last[0]) == {"text/html", "text/markdown", "text/plain"}
    assert "cut" in last[0]["text/html"]
    assert last[0]["text/plain"] == "a"


def test_no_frame_comes_after_the_end(shown):
    output = LiveCellOutput(Shell(), alone)
    for _ in range(50):
        output.feed(Delta("a"))
    output.finish(Turn("q", "a" * 50))
    count = len(shown.frames)
    assert not output._frames._thread.is_alive()
    assert len(shown.frames) == count


def test_a_reply_without_text_is_one_output(shown):
    output = LiveCellOutput(Shell(), alone)
    output.finish(Turn("q"), ["the reply is empty"])
    ((data, *_, update),) = shown.frames
    assert not update
    assert "empty" in data["text/html"]


def test_a_notice_is_shown_until_text_comes(shown):
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta(notice="trying again in 1 s"))
    assert "trying again" in shown.wait_for(frames(1))[0][0]["text/html"]
    output.feed(Delta("a"))
    assert "trying again" not in shown.wait_for(frames(2))[1][0]["text/html"]
    output.close()


def test_reasoning_alone_draws_nothing(shown):
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta(reasoning="hmm"))
    output.close()
    assert not shown.frames


def test_half_a_marker_draws_nothing_and_the_rest_is_not_kept_waiting(shown, monkeypatch):
    monkeypatch.setattr(drawing, "FRAME", 3600)
    output = LiveCellOutput(Shell(), alone)
    output.feed(Delta("#"))
    time.sleep(0.01)  # a frame may or may not be drawn meanwhile: either is right
    output.feed(Delta("# Title"))
    assert visible(shown.wait_for(frames(1))[0][0]["text/html"]) == "Title"
    output.close()


def grow(output, shown, text, size=400):
    """Feed `text` bit by bit, each bit drawn."""
    for at in range(0, len(text), size):
        drawn = len(shown.frames)
        output.feed(Delta(text[at : at + size]))
        shown.wait_for(frames(drawn + 1))


PARAGRAPHS = "".join(f"Paragraph {n}, with *some* words in it, and some more.\n\n" for n in range(600))


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(drawing, "FRAME", 0)
    monkeypatch.setattr(drawing, "FRAME_RATE", 1e9)


@pytest.mark.usefixtures("fast")
def test_a_long_reply_is_shown_in_pieces_and_is_one_output_in_the_end(shown):
    output = LiveCellOutput(Shell(), alone)
    grow(output, shown, PARAGRAPHS)
    assert 4 < shown.most < 41
    assert max(len(data.get("text/html", "")) for data, *_ in shown.frames[:-1]) < len(PARAGRAPHS)
    output.feed(Delta("one more"))  # mostly too late for a frame of its own
    output.finish(Turn("q", PARAGRAPHS + "one more"))
    assert "one more" in visible(shown.frames[-3][0]["text/html"]), "people see the end before the whole is made"
    assert len(shown.outputs) == 1
    assert re.findall(r"Paragraph (\d+)", shown.text) == [str(n) for n in range(600)]


def script(name):
    return Path(growing_output.__file__).with_name(f"{name}.js").read_text("utf-8").strip()


def test_a_page_keeps_its_place_by_a_script_that_holds_nothing_of_the_reply(shown):
    filling = "x" * (growing_output.FIRST_CHUNK + 1)
    place = growing_output.GrowingOutput(alone)
    place.draw(filling, "", [])
    place.draw("", "x", [])
    place.settle({"text/html": "whole"})
    expected = {"application/javascript": f"({script('keep_place')})(element)", "text/html": "", "text/plain": ""}
    assert shown.frames[-2][0] == expected
    assert len(shown.outputs) == 1, "it is not saved"
    seen = len(shown.frames)
    place = growing_output.GrowingOutput(alone, lambda: "for VS Code")
    place.draw(filling, "", [])
    place.draw("", "x", [])
    place.settle({"text/html": ""})
    assert "javascript" not in str(shown.frames[seen:])


def test_a_page_keeps_formulas_by_one_script_in_an_output_that_is_redrawn_at_once(shown):
    expected = f"({script('keep_formulas')})(element)"
    for text, scripts in (("$a$\n\n", [expected]), ("`a`\n\n", [])):
        shown.frames.clear()
        place = growing_output.GrowingOutput(alone)
        for count in (1, 400, 400):
            place.draw(render(text) * count, "more", [])
        frames = [data for data, *_ in shown.frames]
        assert [data["application/javascript"] for data in frames if "application/javascript" in data] == scripts
        assert not [data for data in shown.outputs.values() if "application/javascript" in data]
        shown.outputs.clear()


def test_a_page_keeps_formulas_of_a_reply_in_the_background_from_its_notice_on(shown):
    place = growing_output.GrowingOutput(lambda: False)
    place.begin("Running")
    first, second = (data for data, *_ in shown.frames)
    assert first["application/javascript"] == f"({script('keep_formulas')})(element)"
    assert visible(first["text/html"]) == visible(second["text/html"]) == "Running"
    assert len(shown.outputs) == 1
    place = growing_output.GrowingOutput(lambda: False, lambda: "for VS Code")
    place.begin("Running")
    assert "javascript" not in str(shown.frames[2:])


def test_a_piece_with_many_formulas_ends_sooner(shown):
    for text, outputs in (("$a$\n\n", 2), ("`a + b, a + b`\n\n", 1)):
        growing_output.GrowingOutput(alone).draw(render(text) * 40, "", [])
        assert len(shown.outputs) == outputs
        shown.outputs.clear()


def test_pieces_of_a_long_reply_are_no_displays_of_its_cell(shown):
    recorded = {}
    token = display.display_listener.set(lambda data, identity, metadata=None: recorded.update({identity: data}))
    place = growing_output.GrowingOutput(alone)
    place.draw("x" * (growing_output.FIRST_CHUNK + 1), "", [])
    place.draw("", "x", [])
    assert len([data for data in recorded.values() if data]) == 2
    place.settle({"text/html": "whole"})
    display.display_listener.reset(token)
    assert [data for data in recorded.values() if data] == [{"text/html": "whole"}]


@pytest.mark.once
def test_at_every_frame_a_long_reply_stands_there_once(shown):
    place, document = growing_output.GrowingOutput(alone), IncrementalMarkdown()
    text = PARAGRAPHS * pick(4, thorough=20)
    for at in range(0, len(text), 2000):
        document.feed(text[at : at + 2000])
        place.draw(*document.advance(), [])
        numbers = re.findall(r"Paragraph (\d+),", shown.text)
        assert numbers == [str(n % 600) for n in range(len(numbers))]
        assert len(shown.text) > 0.8 * at
    assert growing_output.MAX_OUTPUTS // 2 < shown.most <= growing_output.MAX_OUTPUTS, (
        "long enough that outputs are merged"
    )
    assert not shown.clearing, "clearing would move the page"


@pytest.mark.usefixtures("fast")
def test_retracted_text_is_no_longer_in_the_cell_and_its_reasoning_is_folded(shown):
    for thoughts in ("Two and two.", PARAGRAPHS):
        output = LiveCellOutput(Shell(), alone)
        grow(output, shown, thoughts)
        output.feed(Delta("Four.", retracts=True))
        shown.wait_for(lambda cell: "Four." in cell.text and "graph" not in cell.text)
        assert "Paragraph" not in shown.text
        assert "Two and two" not in shown.text
        output.close()
        output.finish(Turn("q", "Four.", reasoning=thoughts))
        shown.wait_for(lambda cell: "<details" in str(cell.outputs))
        assert "Paragraph 0" in str(shown.outputs) or "Two and two" in str(shown.outputs)


@pytest.mark.usefixtures("fast")
def test_a_long_reply_among_other_outputs_is_one_output_all_the_time(shown):
    output = LiveCellOutput(Shell(), among_others)
    grow(output, shown, PARAGRAPHS, 4000)
    output.finish(Turn("q", PARAGRAPHS))
    assert shown.most == 1
    assert not shown.clearing


@pytest.mark.usefixtures("fast")
def test_a_reply_that_fits_one_piece_never_clears_the_cell(shown):
    output = LiveCellOutput(Shell(), alone)
    grow(output, shown, PARAGRAPHS[:3000], 100)
    output.finish(Turn("q", PARAGRAPHS[:3000]))
    assert shown.most == 1
    assert not shown.clearing


@pytest.mark.usefixtures("fast")
def test_the_style_comes_with_the_first_piece_and_with_the_last(shown):
    output = LiveCellOutput(Shell(), alone)
    grow(output, shown, PARAGRAPHS[:400])
    assert "table" not in str(shown.outputs), "no rules but those that apply, in a frame of one output"
    grow(output, shown, PARAGRAPHS[400:])
    assert "table" in str(shown.outputs), "what follows in other outputs may need any of them"
    styled = ["<style>" in data["text/html"] for data in shown.outputs.values()]
    assert styled == [True] + [False] * (len(styled) - 1)
    output.finish(Turn("q", PARAGRAPHS))
    (whole,) = shown.outputs.values()
    assert whole["text/html"].count("<style>") == 1


def test_a_frame_that_fails_costs_no_reply(shown, monkeypatch):
    output = LiveCellOutput(Shell(), alone)
    monkeypatch.setattr(output._frames._document, "advance", lambda: 1 / 0)
    output.feed(Delta("a **b**"))
    deadline = time.monotonic() + PATIENCE
    while not output._frames._failed and time.monotonic() < deadline:
        time.sleep(0.005)
    output.finish(Turn("q", "a **b**"))
    assert shown.text == "a **b**"


def test_what_is_displayed_is_cleaned(monkeypatch):
    shown = []
    monkeypatch.setattr(display, "display", lambda data, **_: shown.append(data))
    secret = Secret("sk-0123456789")
    display.show({"text/plain": "a\033[2J sk-0123456789 file://x"})
    assert shown == [{"text/plain": "a[2J *** file\u2060://x"}]
    assert secret


def test_the_search_for_code_before_the_foot_line_is_bounded(openai, run, monkeypatch):
    searched = []
    monkeypatch.setattr(reply_end, "MAX_SEARCHED", 5)
    monkeypatch.setattr(presenter, "watched", lambda *_: True)
    monkeypatch.setattr(code_blocks, "has_code", searched.append)
    assert len(run("%%chat\nhello").reply) > 5
    assert [len(text) for text in searched] == [5], "an interrupt waits for it, however long the reply is"
