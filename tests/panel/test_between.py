"""What comes between a panel and its replies: other panels, late views, failures."""

import threading

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.panel import reply_task as talk
from lockbots_magic.panel.backend import SessionBackend
from lockbots_magic.panel.protocol import shown_turns
from tests.panel.views import Model, ViewSync, failing, prompts, wait_until


@pytest.fixture
def successor(session, of_session, model):
    """A panel that has taken the place of another one in the middle of its reply."""
    model.go_on.clear()
    of_session.host.desk.chat = lambda conversation=None: Chat(model).within(session.conversation())
    of_session.do("send", prompt="hi")
    of_session.wait_for("frame")
    successor = ViewSync(desk=SessionBackend(session))
    successor.host.take_over(of_session.host)
    return successor


def test_a_panel_that_takes_the_place_of_another_goes_on_with_its_reply(session, of_session, model, successor):
    of_session.host.close()
    successor.do("hello", view="w")
    assert successor.of("snapshot")[0]["busy"] == "here"
    model.go_on.set()
    successor.wait_for("usage")
    assert [(p, html) for p, html, _ in successor.shown()] == [("hi", "<p>one two three</p>\n")]
    assert session.conversation().turns[0].status == "complete"
    assert (of_session.of("end"), of_session.changes, successor.changes) == ([], 0, 1)


def test_a_reply_that_was_taken_over_can_be_stopped(session, model, successor):
    successor.do("stop")
    model.go_on.set()
    successor.wait_for("usage")
    assert session.conversation().turns[0].status == "interrupted"


def test_a_view_that_comes_right_after_the_end_is_told_of_a_turn(views):
    seen = []

    def hello(letter):
        views.letters.append(letter)
        if letter["type"] == "end":
            views.do("hello", view="late")
            seen.append(views.of("snapshot")[-1])
            with views._came:
                views._came.notify_all()

    views.host._views._send = hello
    views.do("send", prompt="hi")
    wait_until(lambda: views.of("usage"))
    assert (seen[0]["reply"], seen[0]["busy"], [t["prompt"] for t in seen[0]["turns"]]) == (None, "", ["hi"])


def test_the_next_prompt_may_come_right_after_the_end(views):
    def send_again(letter):
        views.letters.append(letter)
        if letter["type"] == "end" and len(views.of("end")) == 1:
            threading.Thread(target=views.do, args=("send",), kwargs={"prompt": "two"}).start()

    views.host._views._send = send_again
    views.do("send", prompt="one")
    wait_until(lambda: len(views.of("usage")) == 2)
    assert prompts(views.host.conversation) == ["one", "two"]
    assert views.of("told") == []
    assert [p for p, *_ in views.shown()] == ["one", "two"]


def test_frames_are_numbered_without_a_gap(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    views.wait_for("frame")
    views.do("hello", view="late")
    told = views.of("snapshot")[-1]["reply"]["n"]
    model.go_on.set()
    views.wait_for("usage")
    frames = [letter["n"] for letter in views.of("frame")]
    assert frames == list(range(1, len(frames) + 1))
    assert 1 <= told <= len(frames)
    assert views.of("end")[0]["n"] == len(frames) + 1


def test_a_failure_before_the_first_word_is_shown_neither_now_nor_later(views):
    views.ask("one")
    views.host.desk._chat = Chat(failing).within(views.host.conversation)
    views.ask("two")
    assert len(views.host.conversation) == 2
    assert views.of("usage")[-1]["turns"] == 1
    live = views.shown()
    views.do("hello", view="late")
    assert views.shown() == live
    assert views.of("snapshot")[-1]["conversation"]["total"] == 1
    assert views.of("snapshot")[-1]["settings"]["usage"]["turns"] == 1
    views.host.desk._chat = Chat(Model("three")).within(views.host.conversation)
    views.ask("three")
    assert [p for p, *_ in views.shown()] == ["one", "three"]
    assert [p for p, *_ in views.shown()] == [t.prompt for t in shown_turns(views.host.conversation)]


def test_a_failure_in_a_cell_is_not_told(views):
    with pytest.raises(ConnectionFailed):
        Chat(failing).within(views.host.conversation).ask("one")
    assert views.of("turn") == []
    assert len(views.of("snapshot")) == 1


def test_two_browsers_that_send_at_once_start_one_reply(views, model):
    model.go_on.clear()
    barrier = threading.Barrier(2)

    def send(view):
        barrier.wait()
        views.do("send", prompt=f"from {view}", view=view)

    both = [threading.Thread(target=send, args=(view,)) for view in ("a", "b")]
    for one in both:
        one.start()
    for one in both:
        one.join(20)
    assert len(views.of("begin")) == 1
    (told,) = views.of("told")
    begun = views.of("begin")[0]["reply"]["prompt"]
    refused = {"from a": "b", "from b": "a"}[begun]
    assert (told["view"], told["prompt"], told["refused"], told["key"]) == (
        refused,
        f"from {refused}",
        "send",
        "under_way",
    )
    model.go_on.set()
    views.wait_for("usage")
    assert prompts(views.host.conversation) == [begun]


def test_a_closed_host_does_nothing(views, model):
    views.host.close()
    told = len(views.letters)
    for kind, fields in (
        ("hello", {"view": "v"}),
        ("send", {"prompt": "hi"}),
        ("new", {}),
        ("models", {"provider": "x"}),
    ):
        views.do(kind, **fields)
    views.host._views.show()
    assert len(views.letters) == told
    assert model.prompts == []
    assert list(views.host.desk.conversations) == ["main"]


@pytest.mark.parametrize("wanted", [{"type": "models", "provider": "guide"}, {"type": "clear"}, {"type": "set"}])
def test_what_takes_a_while_is_heard_at_once(views, wanted):
    views.host.handle(wanted)
    assert views.letters[1] == {"type": "heard"}


def test_asking_again_goes_by_what_the_panel_shows_now(views, model):
    views.do("set", temperature=0.9)
    views.ask("hi")
    old = views.host.conversation.turns[0].id
    views.do("set", temperature=0.1, system="Be brief.")
    views.do("regenerate", turn=old)
    views.wait_for("usage", 2)
    (turn,) = views.host.conversation.turns
    assert (turn.params, turn.system, turn.id != old) == ({"temperature": 0.1}, "Be brief.", True)
    views.do("set", temperature=None)
    views.do("regenerate", turn=turn.id)
    views.wait_for("usage", 3)
    assert views.host.conversation.turns[0].params == {}


def test_half_a_surrogate_pair_is_mended_on_the_way_in(views, model):
    views.ask("half \ud83d of it")
    assert model.prompts == ["half \ufffd of it"]


def test_a_reply_that_can_not_be_drawn_is_told_and_leaves_the_conversation_free(views, monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(talk, "FrameLoop", refuse)
    views.ask("hi")
    assert "can't start new thread" in views.of("end")[0]["text"]
    assert views.of("busy")[-1]["busy"] == ""
    monkeypatch.undo()
    views.ask("again")
    assert prompts(views.host.conversation) == ["again"]


def test_export_overwrites_nothing(views, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    views.ask("hi")
    for _ in range(2):
        views.do("export", format="md")
    assert [t["text"] for t in views.of("told")] == ["Exported: main.md", "Exported: main-2.md"]


def test_export_of_a_name_with_a_path_in_it_stays_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    views = ViewSync(Chat(Model(), conversation=Conversation("../../etc/x")))
    views.ask("hi")
    views.do("export", format="json")
    assert [p.name for p in tmp_path.iterdir()] == ["------etc-x.json"]
