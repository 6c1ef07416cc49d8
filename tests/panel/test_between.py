"""What comes between a panel and its replies: other panels, late panel, failures."""

import threading

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.panel import reply_task
from lockbots_magic.panel.protocol import shown_turns
from lockbots_magic.panel.session_backend import SessionBackend
from tests.panel.harness import Model, PanelHarness, failing, prompts, wait_until


@pytest.fixture
def successor(session, session_panel, model):
    """A panel that has taken the place of another one in the middle of its reply."""
    model.go_on.clear()
    session_panel.controller.backend.chat = lambda conversation=None: Chat(model).within(session.conversation())
    session_panel.post("send", prompt="hi")
    session_panel.wait_for("frame")
    successor = PanelHarness(backend=SessionBackend(session))
    successor.controller.take_over(session_panel.controller)
    return successor


def test_a_panel_that_takes_the_place_of_another_goes_on_with_its_reply(session, session_panel, model, successor):
    session_panel.controller.close()
    successor.post("hello", view="w")
    assert successor.received("snapshot")[0]["busy"] == "here"
    model.go_on.set()
    successor.wait_for("usage")
    assert [(p, html) for p, html, _ in successor.shown()] == [("hi", "<p>one two three</p>\n")]
    assert session.conversation().turns[0].status == "complete"
    assert (session_panel.received("end"), session_panel.changes, successor.changes) == ([], 0, 1)


def test_a_reply_that_was_taken_over_can_be_stopped(session, model, successor):
    successor.post("stop")
    model.go_on.set()
    successor.wait_for("usage")
    assert session.conversation().turns[0].status == "interrupted"


def test_a_view_that_comes_right_after_the_end_is_told_of_a_turn(panel):
    seen = []

    def hello(message):
        panel.messages.append(message)
        if message["type"] == "end":
            panel.post("hello", view="late")
            seen.append(panel.received("snapshot")[-1])
            with panel._came:
                panel._came.notify_all()

    panel.controller._views._send = hello
    panel.post("send", prompt="hi")
    wait_until(lambda: panel.received("usage"))
    assert (seen[0]["reply"], seen[0]["busy"], [t["prompt"] for t in seen[0]["turns"]]) == (None, "", ["hi"])


def test_the_next_prompt_may_come_right_after_the_end(panel):
    def send_again(message):
        panel.messages.append(message)
        if message["type"] == "end" and len(panel.received("end")) == 1:
            threading.Thread(target=panel.post, args=("send",), kwargs={"prompt": "two"}).start()

    panel.controller._views._send = send_again
    panel.post("send", prompt="one")
    wait_until(lambda: len(panel.received("usage")) == 2)
    assert prompts(panel.controller.conversation) == ["one", "two"]
    assert panel.received("notification") == []
    assert [p for p, *_ in panel.shown()] == ["one", "two"]


def test_frames_are_numbered_without_a_gap(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    panel.post("hello", view="late")
    told = panel.received("snapshot")[-1]["reply"]["seq"]
    model.go_on.set()
    panel.wait_for("usage")
    frames = [message["seq"] for message in panel.received("frame")]
    assert frames == list(range(1, len(frames) + 1))
    assert 1 <= told <= len(frames)
    assert panel.received("end")[0]["seq"] == len(frames) + 1


def test_a_failure_before_the_first_word_is_shown_neither_now_nor_later(panel):
    panel.ask("one")
    panel.controller.backend._chat = Chat(failing).within(panel.controller.conversation)
    panel.ask("two")
    assert len(panel.controller.conversation) == 2
    assert panel.received("usage")[-1]["turns"] == 1
    live = panel.shown()
    panel.post("hello", view="late")
    assert panel.shown() == live
    assert panel.received("snapshot")[-1]["conversation"]["total"] == 1
    assert panel.received("snapshot")[-1]["settings"]["usage"]["turns"] == 1
    panel.controller.backend._chat = Chat(Model("three")).within(panel.controller.conversation)
    panel.ask("three")
    assert [p for p, *_ in panel.shown()] == ["one", "three"]
    assert [p for p, *_ in panel.shown()] == [t.prompt for t in shown_turns(panel.controller.conversation)]


def test_a_failure_in_a_cell_is_not_told(panel):
    with pytest.raises(ConnectionFailed):
        Chat(failing).within(panel.controller.conversation).ask("one")
    assert panel.received("turn") == []
    assert len(panel.received("snapshot")) == 1


def test_two_browsers_that_send_at_once_start_one_reply(panel, model):
    model.go_on.clear()
    barrier = threading.Barrier(2)

    def send(view):
        barrier.wait()
        panel.post("send", prompt=f"from {view}", view=view)

    both = [threading.Thread(target=send, args=(view,)) for view in ("a", "b")]
    for one in both:
        one.start()
    for one in both:
        one.join(20)
    assert len(panel.received("begin")) == 1
    (told,) = panel.received("notification")
    begun = panel.received("begin")[0]["reply"]["prompt"]
    refused = {"from a": "b", "from b": "a"}[begun]
    assert (told["view"], told["prompt"], told["refused"], told["key"]) == (
        refused,
        f"from {refused}",
        "send",
        "under_way",
    )
    model.go_on.set()
    panel.wait_for("usage")
    assert prompts(panel.controller.conversation) == [begun]


def test_a_closed_host_does_nothing(panel, model):
    panel.controller.close()
    told = len(panel.messages)
    for kind, fields in (
        ("hello", {"view": "v"}),
        ("send", {"prompt": "hi"}),
        ("new", {}),
        ("models", {"provider": "x"}),
    ):
        panel.post(kind, **fields)
    panel.controller._views.resync()
    assert len(panel.messages) == told
    assert model.prompts == []
    assert list(panel.controller.backend.conversations) == ["main"]


@pytest.mark.parametrize("wanted", [{"type": "models", "provider": "guide"}, {"type": "clear"}, {"type": "set"}])
def test_what_takes_a_while_is_heard_at_once(panel, wanted):
    panel.controller.handle(wanted)
    assert panel.messages[1] == {"type": "ack"}


def test_asking_again_goes_by_what_the_panel_shows_now(panel, model):
    panel.post("set", temperature=0.9)
    panel.ask("hi")
    old = panel.controller.conversation.turns[0].id
    panel.post("set", temperature=0.1, system="Be brief.")
    panel.post("regenerate", turn=old)
    panel.wait_for("usage", 2)
    (turn,) = panel.controller.conversation.turns
    assert (turn.params, turn.system, turn.id != old) == ({"temperature": 0.1}, "Be brief.", True)
    panel.post("set", temperature=None)
    panel.post("regenerate", turn=turn.id)
    panel.wait_for("usage", 3)
    assert panel.controller.conversation.turns[0].params == {}


def test_half_a_surrogate_pair_is_mended_on_the_way_in(panel, model):
    panel.ask("half \ud83d of it")
    assert model.prompts == ["half \ufffd of it"]


def test_a_reply_that_can_not_be_drawn_is_told_and_leaves_the_conversation_free(panel, monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(reply_task, "FrameLoop", refuse)
    panel.ask("hi")
    assert "can't start new thread" in panel.received("end")[0]["text"]
    assert panel.received("busy")[-1]["busy"] == ""
    monkeypatch.undo()
    panel.ask("again")
    assert prompts(panel.controller.conversation) == ["again"]


def test_export_overwrites_nothing(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.ask("hi")
    for _ in range(2):
        panel.post("export", format="md")
    assert [t["text"] for t in panel.received("notification")] == ["Exported: main.md", "Exported: main-2.md"]


def test_export_of_a_name_with_a_path_in_it_stays_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = PanelHarness(Chat(Model(), conversation=Conversation("../../etc/x")))
    panel.ask("hi")
    panel.post("export", format="json")
    assert [p.name for p in tmp_path.iterdir()] == ["------etc-x.json"]
