"""Synchronisation of views: changes elsewhere, late views, panels that are replaced."""

import threading
from typing import Any

import pytest

from lockbots_magic import Chat, Conversation, Delta
from lockbots_magic.conversation.messages import CellOrigin, Message, Usage
from lockbots_magic.conversation.token_estimate import estimate_tokens
from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.panel.protocol import shown_turns
from lockbots_magic.panel.session_backend import SessionBackend
from lockbots_magic.security.secrets import Secret
from tests.panel.harness import PLANTED, Model, PanelHarness, failing, prompts, wait_until


@pytest.fixture
def successor(session, session_panel, model):
    """A panel that has taken the place of another one in the middle of its reply."""
    model.go_on.clear()
    session_panel.controller.backend.chat = lambda conversation=None: Chat(model).with_conversation(
        session.conversations.get()
    )
    session_panel.post("send", prompt="hi")
    session_panel.wait_for("frame")
    successor = PanelHarness(backend=SessionBackend(session))
    successor.controller.take_over(session_panel.controller)
    return successor


def test_panel_that_replaces_another_continues_its_reply(session, session_panel, model, successor):
    session_panel.controller.close()
    successor.post("hello", view="w")
    assert successor.received("snapshot")[0]["busy"] == "here"
    model.go_on.set()
    successor.wait_for("usage")
    assert [(p, html) for p, html, _ in successor.shown()] == [("hi", "<p>one two three</p>\n")]
    assert session.conversations.get().turns[0].status == "complete"
    assert (session_panel.received("end"), session_panel.changes, successor.changes) == ([], 0, 1)


def test_reply_that_was_taken_over_can_be_stopped(session, model, successor):
    successor.post("stop")
    model.go_on.set()
    successor.wait_for("usage")
    assert session.conversations.get().turns[0].status == "interrupted"


def test_view_that_opens_right_after_the_end_is_sent_the_turn(panel):
    seen = []

    def hello(message):
        panel.messages.append(message)
        if message["type"] == "end":
            panel.post("hello", view="late")
            seen.append(panel.received("snapshot")[-1])
            with panel._arrived:
                panel._arrived.notify_all()

    panel.controller._views._send = hello
    panel.post("send", prompt="hi")
    wait_until(lambda: panel.received("usage"))
    assert (seen[0]["reply"], seen[0]["busy"], [t["prompt"] for t in seen[0]["turns"]]) == (None, "", ["hi"])


def test_next_prompt_may_follow_the_end_at_once(panel):
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


def test_turn_that_failed_before_the_first_word_is_never_shown(panel):
    panel.ask("one")
    panel.controller.backend._chat = Chat(failing).with_conversation(panel.controller.conversation)
    panel.ask("two")
    assert len(panel.controller.conversation) == 2
    assert panel.received("usage")[-1]["turns"] == 1
    live = panel.shown()
    panel.post("hello", view="late")
    assert panel.shown() == live
    assert panel.received("snapshot")[-1]["conversation"]["total"] == 1
    assert panel.received("snapshot")[-1]["settings"]["usage"]["turns"] == 1
    panel.controller.backend._chat = Chat(Model("three")).with_conversation(panel.controller.conversation)
    panel.ask("three")
    assert [p for p, *_ in panel.shown()] == ["one", "three"]
    assert [p for p, *_ in panel.shown()] == [t.prompt for t in shown_turns(panel.controller.conversation)]


def test_failed_turn_of_a_cell_is_not_sent(panel):
    with pytest.raises(ConnectionFailed):
        Chat(failing).with_conversation(panel.controller.conversation).ask("one")
    assert panel.received("turn") == []
    assert len(panel.received("snapshot")) == 1


def test_turn_of_a_cell_is_sent(panel):
    chat = panel.controller.backend.chat()
    chat.ask("from a cell")
    assert [p for p, *_ in panel.shown()] == ["from a cell"]
    assert panel.received("turn")[0]["after"] is None
    assert [message["busy"] for message in panel.received("busy")] == ["elsewhere", ""]
    assert len(panel.received("snapshot")) == 1  # nothing is sent twice


def test_cell_that_runs_again_replaces_its_turn(panel):
    chat = panel.controller.backend.chat()
    for run, prompt in (("1", "a"), ("2", "b"), ("3", "a again")):
        list(chat.stream(prompt, origin=CellOrigin("b" if prompt == "b" else "a", run)))
    assert [(p, stale) for p, _, stale in panel.shown()] == [("a again", False), ("b", True)]
    assert panel.received("turn")[-1]["replaces"] == panel.received("turn")[0]["turn"]["id"]


def test_undo_and_clear_elsewhere_are_sent(panel):
    chat = panel.controller.backend.chat()
    chat.ask("one")
    chat.ask("two")
    chat.undo()
    assert [p for p, *_ in panel.shown()] == ["one"]
    chat.clear()
    assert panel.shown() == []


def test_reply_continues_while_another_conversation_is_open(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(30)
    panel.post("new")
    assert panel.received("snapshot")[-1]["reply"] is None
    ended, main = threading.Event(), panel.controller.backend.conversations["main"]
    main.observers.add(lambda: ended.set() if len(main) else None)
    model.go_on.set()
    assert ended.wait(30)
    panel.post("switch", name="main")
    assert [p for p, *_ in panel.shown()] in (["hi"], [])  # its end may still be to come
    panel.post("switch", name="chat")
    for thread in threading.enumerate():
        if thread.name == "lockbots panel":
            thread.join(30)
    panel.post("switch", name="main")
    assert [p for p, *_ in panel.shown()] == ["hi"]


def test_undo_during_a_reply_is_sent(panel, model):
    panel.ask("one")
    panel.ask("two")
    model.go_on.clear()
    panel.post("send", prompt="three")
    panel.wait_for("frame")
    panel.controller.conversation.undo()
    model.go_on.set()
    panel.wait_for("usage", 3)
    assert [p for p, *_ in panel.shown()] == prompts(panel.controller.conversation)


def test_usage_is_what_the_provider_reported_or_else_estimated():
    def counted(prompt):
        yield Delta("four score", usage=Usage(3, 2), finish_reason="stop")

    panel = PanelHarness(Chat(counted))
    panel.ask("hi")
    assert panel.received("usage")[0] == {"type": "usage", "turns": 1, "prompt": 3, "completion": 2, "estimated": False}
    backend: Any = panel.controller.backend
    backend._chat = Chat(lambda prompt: "word " * 10).with_conversation(panel.controller.conversation)
    panel.ask("hi")
    sent = [Message("user", "hi"), Message("assistant", "four score"), Message("user", "hi")]
    assert panel.received("usage")[1] == {
        "type": "usage",
        "turns": 2,
        "prompt": 3 + sum(one.estimated_tokens for one in sent),
        "completion": 2 + estimate_tokens("word " * 10),
        "estimated": True,
    }


def test_closed_panel_stops_its_replies_and_sends_nothing(model):
    panel = PanelHarness(Chat(model))
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(30)
    threading.Timer(0.05, model.go_on.set).start()
    panel.controller.close()
    assert panel.controller.conversation.turns[0].status == "interrupted"
    sent = len(panel.messages)
    panel.controller.backend.chat().ask("later")
    assert len(panel.messages) == sent
    assert not [t for t in threading.enumerate() if t.name == "lockbots panel"]


def test_failing_observer_does_not_lose_the_turn(model):
    chat = Chat(model)
    chat.conversation.observers.add(lambda: 1 / 0)
    with pytest.warns(UserWarning, match="Updating a view failed: ZeroDivisionError"):
        assert chat.ask("hi").status == "complete"


def test_credential_echoed_by_a_server_reaches_no_view(mock_server):
    panel = PanelHarness(Chat("openai:demo", base_url=mock_server.url("openai", fault="echo-credential"), auth=PLANTED))
    panel.post("hello", view="v")
    panel.ask("hi")
    assert PLANTED not in str(panel.messages)


def test_credential_in_a_prompt_a_reply_or_a_name_reaches_no_view(model):
    secret = Secret(PLANTED)  # known as long as it is referenced
    model.reply = f"a {secret.reveal()} b"
    panel = PanelHarness(Chat(model, conversation=Conversation(PLANTED)))
    panel.post("hello", view="v")
    panel.ask(f"my key is {PLANTED}")
    panel.post("hello", view="late")
    assert "my key is ***" in str(panel.messages)
    assert PLANTED not in str(panel.messages)


def test_conversation_opened_in_the_panel_is_observed(panel):
    panel.post("new")
    panel.controller.backend.chat().ask("from a cell")
    assert [message["turn"]["prompt"] for message in panel.received("turn")] == ["from a cell"]


def test_snapshot_with_news_is_sent_to_all_views(panel, model):
    panel.ask("one")
    model.go_on.clear()
    panel.post("send", prompt="two")
    panel.wait_for("frame")
    panel.post("hello", view="second")
    assert panel.received("snapshot")[-1]["view"] == "second"
    panel.controller.conversation.undo()  # is sent when the reply ends
    panel.post("hello", view="third")
    assert "view" not in panel.received("snapshot")[-1]
    model.go_on.set()
    panel.wait_for("usage", 2)


def test_deletion_of_the_open_conversation_is_reported_once(session, session_panel):
    session.conversations.delete("main")
    session.conversations.get("other")
    assert [message["key"] for message in session_panel.received("notification")] == ["deleted"]
