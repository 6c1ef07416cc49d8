"""Requests of the views."""

import base64
import threading

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.panel.protocol import MAX_SENT_TURNS
from lockbots_magic.security.named_secrets import LEFT_OUT
from tests.optional import need
from tests.panel.harness import Model, PanelHarness, prompts
from tests.prompt.test_documents import write_pdf

TOKEN = "ghp_" + "Ab1" * 12


def test_view_that_opens_is_sent_a_snapshot(panel):
    (sent,) = panel.messages
    assert sent["type"] == "snapshot"
    assert sent["view"] == "v1"
    known = {"name": "main", "names": ["main"], "deleted": False, "total": 0}
    assert sent["conversation"] == {**known, "cells": None, "unrestored": 0}
    assert (sent["turns"], sent["more"], sent["reply"], sent["busy"]) == ([], False, None, "")
    assert sent["settings"]["model"] == "function:model"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"type": "send", "prompt": "  "}, "The prompt is empty"),
        ({"type": "send", "prompt": 7}, "TypeError"),
        ({"type": "send"}, "TypeError"),
        ({"type": "regenerate", "turn": "none"}, "no longer in the conversation"),
        ({"type": "regenerate"}, "no longer in the conversation"),
        ({"type": "edit", "turn": "none", "prompt": "x"}, "has no turn 'none'"),
        ({"type": "switch", "name": "none"}, "Conversation “none” no longer exists"),
        ({"type": "set", "model": "nobody:x"}, "Unknown provider 'nobody'"),
        ({"type": "export", "format": "exe"}, "`%lockbots export` supports: .md"),
    ],
)
def test_refused_request_is_reported_with_its_prompt(panel, content, said):
    panel.controller.handle(content)
    sent = panel.wait_for("notification")
    assert sent["kind"] == "error"
    assert said in sent["text"]
    assert sent.get("prompt") == (content.get("prompt") if isinstance(content.get("prompt"), str) else None)
    assert sent.get("refused") == (content["type"] if content["type"] in ("send", "regenerate", "edit") else None)


@pytest.mark.parametrize("content", [None, 7, [], {}, {"type": None}, {"type": "__init__"}, {"type": "close"}])
def test_unknown_message_is_ignored(panel, content):
    panel.controller.handle(content)
    assert len(panel.messages) == 1


def test_regenerated_turn_replaces_the_old_one(panel, model):
    panel.ask("one")
    panel.ask("two")
    first, second = (t.id for t in panel.controller.conversation.turns)
    model.reply = "another"
    panel.post("regenerate", turn=first)
    panel.wait_for("usage", 3)
    assert panel.received("begin")[-1]["replaces"] == first
    assert panel.received("end")[-1]["stale"] == [second]
    assert panel.shown() == [("one", "<p>another</p>\n", False), ("two", "<p>one two three</p>\n", True)]


def test_edited_prompt_is_sent_in_a_fork_and_the_original_stays(panel, model):
    panel.ask("one")
    panel.ask("two")
    _, second = panel.controller.conversation.turns
    old = panel.controller.conversation
    panel.post("edit", turn=second.id, prompt="two, differently")
    panel.wait_for("usage", 3)
    assert prompts(old) == ["one", "two"]
    assert prompts(panel.controller.conversation) == ["one", "two, differently"]
    assert [p for p, *_ in panel.shown()] == ["one", "two, differently"]
    assert panel.received("snapshot")[-1]["conversation"]["names"] == ["main", "main-2"]
    assert panel.received("notification")[-1]["text"] == "You are now in main-2. The original turns are still in main."
    panel.post("switch", name="main")
    assert [p for p, *_ in panel.shown()] == ["one", "two"]


def test_edited_first_prompt_starts_an_empty_conversation(panel):
    panel.ask("one")
    panel.post("edit", turn=panel.controller.conversation.turns[0].id, prompt="uno")
    panel.wait_for("usage", 2)
    assert prompts(panel.controller.conversation) == ["uno"]


def test_conversation_takes_one_reply_at_a_time(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(30)
    with pytest.raises(UsageError, match="already has a reply in progress"):
        panel.controller.backend.chat().ask("from a cell")
    panel.post("send", prompt="impatient")
    sent = panel.wait_for("notification")
    assert "reply in progress" in sent["text"]
    assert sent["prompt"] == "impatient"
    model.go_on.set()
    panel.wait_for("usage")
    assert prompts(panel.controller.conversation) == ["hi"]


def test_prompt_is_refused_while_a_cell_has_a_reply_in_progress(panel, model):
    model.go_on.clear()
    reading = threading.Thread(target=lambda: list(panel.controller.backend.chat().stream("from a cell")))
    reading.start()
    model.begun.wait(30)
    panel.post("hello", view="v2")
    assert panel.wait_for("snapshot", 2)["busy"] == "elsewhere"
    panel.post("send", prompt="impatient")
    assert "reply in progress" in panel.wait_for("notification")["text"]
    model.go_on.set()
    reading.join(30)
    assert prompts(panel.controller.conversation) == ["from a cell"]


def test_clear_stops_the_reply(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(30)
    threading.Timer(0.05, model.go_on.set).start()
    panel.post("clear")
    assert len(panel.controller.conversation) == 0
    panel.wait_for("usage")
    assert panel.shown() == []


def test_clear_empties_the_conversation_that_it_names(panel):
    panel.ask("one")
    panel.post("new")
    panel.ask("two")
    panel.post("clear", name="main")
    assert prompts(panel.controller.conversation) == ["two"]
    assert prompts(panel.controller.backend.conversations["main"]) == []


def test_earlier_turns_are_sent_in_pages(model):
    chat = Chat(model)
    for n in range(2 * MAX_SENT_TURNS + 5):
        chat.ask(str(n))
    panel = PanelHarness(chat)
    panel.post("hello", view="v")
    seen = panel.messages[-1]["turns"]
    assert panel.messages[-1]["more"] is True
    for more in (True, False):
        panel.post("earlier", view="v", before=seen[0]["id"])
        page = panel.messages[-1]
        assert (page["view"], page["more"]) == ("v", more)
        seen = page["turns"] + seen
    assert [t["prompt"] for t in seen] == [str(n) for n in range(2 * MAX_SENT_TURNS + 5)]


def test_two_views_that_send_at_once_start_one_reply(panel, model):
    model.go_on.clear()
    barrier = threading.Barrier(2)

    def send(view):
        barrier.wait()
        panel.post("send", prompt=f"from {view}", view=view)

    both = [threading.Thread(target=send, args=(view,)) for view in ("a", "b")]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert len(panel.received("begin")) == 1
    (sent,) = panel.received("notification")
    begun = panel.received("begin")[0]["reply"]["prompt"]
    assert begun == f"from {panel.received('begin')[0]['reply']['from']}"
    refused = {"from a": "b", "from b": "a"}[begun]
    assert (sent["view"], sent["prompt"], sent["refused"], sent["key"]) == (
        refused,
        f"from {refused}",
        "send",
        "reply_in_progress",
    )
    model.go_on.set()
    panel.wait_for("usage")
    assert prompts(panel.controller.conversation) == [begun]


def test_prompt_is_refused_if_another_view_has_opened_another_conversation(panel, model):
    panel.post("new")
    panel.post("send", prompt="for main", view="a", conversation="main")
    refused = panel.received("notification")[-1]
    assert (refused["view"], refused["prompt"], refused["key"]) == ("a", "for main", "conversation_left")
    assert model.prompts == []
    panel.post("send", prompt="for chat", view="a", conversation="chat")
    panel.wait_for("usage")
    assert model.prompts == ["for chat"]


def test_sign_of_life_is_sent_to_the_view_that_asks(panel):
    panel.post("ping", view="a")
    assert panel.messages[-1] == {"type": "ack", "view": "a"}


def test_turn_has_its_reasoning_folded_as_text():
    turn = Turn("question", "answer", reasoning="<b>first</b> then")
    panel = PanelHarness(Chat(lambda prompt: "", conversation=Conversation(turns=[turn])))
    panel.post("hello", view="v")
    html = panel.received("snapshot")[0]["turns"][0]["reasoning"]
    assert html.startswith('<details class="lockbots-reasoning"')
    assert "&lt;b&gt;first&lt;/b&gt;" in html


def test_closed_controller_ignores_requests(panel, model):
    panel.controller.close()
    sent = len(panel.messages)
    for kind, fields in (
        ("hello", {"view": "v"}),
        ("send", {"prompt": "hi"}),
        ("new", {}),
        ("models", {"provider": "x"}),
    ):
        panel.post(kind, **fields)
    panel.controller._views.resync()
    assert len(panel.messages) == sent
    assert model.prompts == []
    assert list(panel.controller.backend.conversations) == ["main"]


@pytest.mark.parametrize("wanted", [{"type": "models", "provider": "guide"}, {"type": "clear"}, {"type": "set"}])
def test_slow_request_is_acknowledged_at_once(panel, wanted):
    panel.controller.handle(wanted)
    assert panel.messages[1] == {"type": "ack"}


def test_regenerate_uses_the_settings_of_the_panel(panel, model):
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


def test_lone_surrogate_in_a_request_is_replaced(panel, model):
    panel.ask("half \ud83d of it")
    assert model.prompts == ["half \ufffd of it"]


def test_export_overwrites_no_file(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.ask("hi")
    for _ in range(2):
        panel.post("export", format="md")
    assert [t["text"] for t in panel.received("notification")] == ["Exported to main.md", "Exported to main-2.md"]


def test_export_stays_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = PanelHarness(Chat(Model(), conversation=Conversation("../../etc/x")))
    panel.ask("hi")
    panel.post("export", format="json")
    assert [p.name for p in tmp_path.iterdir()] == ["------etc-x.json"]


def test_a_secret_in_a_prompt_is_left_out_and_told(panel, model):
    panel.controller.backend.set_system(f"Use {TOKEN}.")
    panel.ask(f"Is {TOKEN} valid?")
    (note,) = [one for one in panel.received("notification") if one["kind"] == "note"]
    assert (note["key"], note["values"]) == ("secret_left_out", {"what": "GitHub token"})
    (turn,) = panel.controller.conversation.turns
    assert TOKEN not in f"{turn}"
    assert turn.prompt == f"Is {LEFT_OUT} valid?"
    panel.post("edit", turn=turn.id, prompt=f"Or {TOKEN}?")
    panel.wait_for("usage", 2)
    assert TOKEN not in str(panel.controller.conversation.turns)
    panel.post("regenerate")
    panel.wait_for("usage", 3)
    assert TOKEN not in str(panel.controller.conversation.turns)
    assert TOKEN not in str(panel.received("begin"))


def test_an_edited_prompt_keeps_its_images_and_documents(mock_server, tmp_path):
    need("pypdf")
    data = base64.b64encode(write_pdf(tmp_path / "report.pdf", "Sales rose.").read_bytes()).decode()
    chat = Chat("anthropic:demo", base_url=mock_server.url("openai"), auth="mock")
    panel = PanelHarness(chat)
    panel.post("hello", view="v1")
    panel.post("send", prompt="What is new?", files=[{"name": "report.pdf", "data": data}])
    panel.wait_for("end")
    (turn,) = panel.controller.conversation.turns
    assert (turn.prompt, turn.documents[0].name) == ("What is new?", "report.pdf")
    panel.post("edit", turn=turn.id, prompt="What is old?")
    panel.wait_for("end", 2)
    (edited,) = panel.controller.conversation.turns
    assert (edited.prompt, edited.documents) == ("What is old?", turn.documents)
    content = mock_server.requests[-1].json["messages"][0]["content"]
    assert [part["type"] for part in content] == ["document", "text"]
    panel.controller.close()


def test_requests_are_answered_in_the_language_of_the_page(panel):
    panel.post("hello", view="v1", language="ru-RU")
    panel.post("send", prompt="hi", conversation="gone", view="v1")
    assert panel.received("notification")[-1]["text"] == "В другом окне открыли беседу main. Ваш запрос не отправлен."
    panel.post("hello", view="v1", language="en")
    panel.post("send", prompt="hi", conversation="gone", view="v1")
    assert panel.received("notification")[-1]["text"] == "Another view has opened main. Your prompt was not sent."
