"""Replies in progress, as the views receive them."""

import contextvars
import threading
import time

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.panel import reply_task
from lockbots_magic.panel.backend import ChatBackend
from lockbots_magic.panel.controller import PanelController
from lockbots_magic.rendering import frame_loop
from tests.panel.harness import Model, PanelHarness, failing, prompts


def test_reply_is_sent_from_begin_to_end(panel, model):
    panel.ask("hi")
    kinds = [message["type"] for message in panel.messages[1:]]
    assert kinds[0] == "begin"
    assert kinds[-3:] == ["end", "busy", "usage"]
    assert panel.received("end")[0]["turn"]["status"] == "complete"
    assert panel.shown() == [("hi", "<p>one two three</p>\n", False)]
    assert prompts(panel.controller.conversation) == ["hi"]


def test_request_returns_while_the_reply_is_read(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    assert panel.wait_for("frame")["open"] == "<p>one</p>\n"
    model.go_on.set()
    panel.wait_for("usage")


def test_view_that_opens_during_a_reply_is_sent_what_has_arrived(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    panel.post("hello", view="v2")
    growing = panel.wait_for("snapshot", 2)["reply"]
    assert growing["prompt"] == "hi"
    assert growing["finished"] + growing["open"]
    model.go_on.set()
    panel.wait_for("usage")


def test_long_reply_is_sent_once(model):
    def long(prompt):
        yield "".join(f"Paragraph {n} with some words.\n\n" for n in range(200))
        assert model.go_on.wait(30)
        yield "The end."

    model.go_on.clear()
    panel = PanelHarness(Chat(long))
    panel.post("hello", view="v")
    panel.post("send", prompt="hi")
    assert panel.wait_for("frame")["finished"]
    model.go_on.set()
    panel.wait_for("usage")
    end = panel.received("end")[0]
    assert (end["same"], end["turn"]["html"]) == (True, "")
    assert panel.shown()[0][1].count("<p>") == 201


def test_reply_whose_end_changes_its_beginning_is_sent_whole(panel, model):
    model.reply = "See [the docs].\n\nMore.\n\n[the docs]: https://example.org/ "
    panel.ask("hi")
    assert 'href="https://example.org/"' in panel.shown()[0][1]


def test_text_that_was_reasoning_leaves_the_views_at_once():
    go_on = threading.Event()

    def thinker(prompt):
        yield "".join(f"Thought {n} about it.\n\n" for n in range(100))
        assert go_on.wait(30)
        yield "</think>\n\nFour."
        assert go_ahead.wait(30)

    go_ahead = threading.Event()
    panel = PanelHarness(Chat(thinker))
    panel.post("hello", view="v")
    panel.post("send", prompt="hi")
    assert panel.wait_for("frame")["finished"]
    go_on.set()
    assert panel.wait_for("begin", 2)["reply"]["finished"] == ""
    go_ahead.set()
    panel.wait_for("usage")
    assert panel.shown() == [("hi", "<p>Four.</p>\n", False)]
    assert "Thought 99" in panel.controller.conversation.turns[0].reasoning


def test_stop_keeps_the_text_received(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    panel.post("stop")
    model.go_on.set()
    turn = panel.wait_for("end")["turn"]
    assert turn["status"] == "interrupted"
    assert turn["notices"] == ["Interrupted; the text so far is kept."]


def test_stop_closes_the_connection_at_once(mock_server):
    panel = PanelHarness(Chat("openai:demo", base_url=mock_server.url("openai", rate=20)))
    panel.post("send", prompt="count to 1000")
    panel.wait_for("frame")
    panel.post("stop")
    panel.wait_for("end")
    mock_server.wait_for_disconnect()
    assert panel.controller.conversation.turns[0].status == "interrupted"


@pytest.mark.parametrize("error", [ConnectionFailed("cut off"), ZeroDivisionError("oops")])
def test_failure_is_a_notice_of_the_turn(panel, model, error):
    model.error = error
    panel.ask("hi")
    turn = panel.received("end")[0]["turn"]
    assert turn["status"] == "error"
    assert any("cut off" in notice or "oops" in notice for notice in turn["notices"])


def test_failure_before_the_first_word_is_sent_with_its_reason(panel, model):
    model.reply, model.error = "", ConnectionFailed("connection refused")
    panel.controller.backend._chat = Chat(failing)
    panel.ask("hi")
    end = panel.received("end")[0]
    assert end["turn"] is None
    assert "connection refused" in end["text"]


def test_two_panels_stream_at_once():
    models = [Model("a b c"), Model("d e f")]
    both = [PanelHarness(Chat(model)) for model in models]
    for panel, model in zip(both, models, strict=True):
        model.go_on.clear()
        panel.post("hello", view="v")
        panel.post("send", prompt="hi")
    for panel, model in zip(both, models, strict=True):
        assert model.begun.wait(30)
        model.go_on.set()
        panel.wait_for("usage")
    assert [panel.shown()[0][1] for panel in both] == ["<p>a b c</p>\n", "<p>d e f</p>\n"]


def test_stop_before_the_request_leaves_no_turn():
    panel = PanelHarness(Chat(Model()))
    panel.post("hello", view="v")
    for _ in range(20):
        panel.post("send", prompt="hi")
        panel.post("stop")
        panel.wait_for("usage", len(panel.received("begin")))
    assert [p for p, *_ in panel.shown()] == prompts(panel.controller.conversation)


def test_unreachable_views_leave_the_conversation_free(model):
    def refuse(message):
        if message["type"] == "begin":
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")

    controller = PanelController(ChatBackend(Chat(model)), refuse, lambda: None)
    controller.handle({"type": "send", "prompt": "hi"})
    assert controller.backend.chat().ask("again").status == "complete"


def test_frames_are_numbered_without_a_gap(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    panel.post("hello", view="late")
    sent = panel.received("snapshot")[-1]["reply"]["seq"]
    model.go_on.set()
    panel.wait_for("usage")
    frames = [message["seq"] for message in panel.received("frame")]
    assert frames == list(range(1, len(frames) + 1))
    assert 1 <= sent <= len(frames)
    assert panel.received("end")[0]["seq"] == len(frames) + 1


def test_reply_that_can_not_be_rendered_is_refused_and_leaves_the_conversation_free(panel, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(reply_task, "FrameLoop", refuse)
    panel.post("send", prompt="hi")
    refusal = panel.wait_for("notification")
    assert (refusal["refused"], refusal["prompt"]) == ("send", "hi")
    assert "can't start new thread" in refusal["text"]
    assert panel.received("begin") == []
    monkeypatch.undo()
    panel.ask("again")
    assert prompts(panel.controller.conversation) == ["again"]


def test_failure_to_render_the_end_is_reported(panel, monkeypatch):
    monkeypatch.setattr(reply_task, "turn_message", lambda *_: 1 / 0)
    panel.ask("hi")
    (end,) = panel.received("end")
    assert (end["turn"], end["text"]) == (None, "ZeroDivisionError: division by zero")
    assert panel.received("busy")[-1]["busy"] == ""


def test_output_of_a_function_is_not_that_of_the_request():
    context = contextvars.ContextVar("context", default="none")
    seen = []

    def model(prompt):
        seen.append(context.get())
        yield "reply"

    panel = PanelHarness(Chat(model))
    context.set("request")
    panel.ask("hi")
    assert seen == ["none"]


def test_frames_are_throttled(panel, model, monkeypatch):
    monkeypatch.setattr(frame_loop, "FRAME", 3600)
    model.reply = " ".join(map(str, range(30)))
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    paused, model.go_on = model.go_on, SlowEvent()
    paused.set()
    panel.wait_for("usage")
    assert len(panel.received("frame")) == 1
    assert panel.shown()[0][1] == f"<p>{model.reply}</p>\n"


class SlowEvent:
    """Lets the model go on at a pace at which an unthrottled panel sends a frame for each word."""

    def wait(self, _seconds):
        time.sleep(0.01)
        return True

    def set(self):
        """Do nothing: it is always set."""
