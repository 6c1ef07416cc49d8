"""What a panel tells of its replies, and what can be asked for."""

import threading
import time

import pytest

from lockbots_magic import Chat, Delta
from lockbots_magic.conversation.context_window import estimate_message_tokens, estimate_tokens
from lockbots_magic.conversation.messages import Message, Usage
from lockbots_magic.errors import ConnectionFailed, UsageError
from lockbots_magic.panel.backend import ChatBackend
from lockbots_magic.panel.controller import PanelController
from lockbots_magic.panel.protocol import MAX_TURNS
from tests.panel.harness import Model, PanelHarness, failing, prompts


def test_view_is_told_how_things_stand(panel):
    (told,) = panel.messages
    assert told["type"] == "snapshot"
    assert told["view"] == "v1"
    known = {"name": "main", "names": ["main"], "deleted": False, "total": 0}
    assert told["conversation"] == {**known, "cells": None, "unrestored": 0}
    assert (told["turns"], told["more"], told["reply"], told["busy"]) == ([], False, None, "")
    assert told["settings"]["model"] == "function:model"


def test_reply_is_told_from_its_beginning_to_its_end(panel, model):
    panel.ask("hi")
    kinds = [message["type"] for message in panel.messages[1:]]
    assert kinds[0] == "begin"
    assert kinds[-3:] == ["end", "busy", "usage"]
    assert panel.received("end")[0]["turn"]["status"] == "complete"
    assert panel.shown() == [("hi", "<p>one two three</p>\n", False)]
    assert prompts(panel.controller.conversation) == ["hi"]


def test_kernel_stays_free_while_a_reply_comes(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    assert panel.wait_for("frame")["open"] == "<p>one</p>\n"
    model.go_on.set()
    panel.wait_for("usage")


def test_view_that_comes_in_the_middle_is_told_what_has_come(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    panel.post("hello", view="v2")
    growing = panel.wait_for("snapshot", 2)["reply"]
    assert growing["prompt"] == "hi"
    assert growing["finished"] + growing["open"]
    model.go_on.set()
    panel.wait_for("usage")


def test_long_reply_is_told_once(model):
    def long(prompt):
        yield "".join(f"Paragraph {n} with some words.\n\n" for n in range(200))
        assert model.go_on.wait(20)
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


def test_reply_whose_end_changes_its_beginning_is_told_whole(panel, model):
    model.reply = "See [the docs].\n\nMore.\n\n[the docs]: https://example.org/ "
    panel.ask("hi")
    assert 'href="https://example.org/"' in panel.shown()[0][1]


def test_stop_keeps_what_had_come(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    panel.wait_for("frame")
    panel.post("stop")
    model.go_on.set()
    turn = panel.wait_for("end")["turn"]
    assert turn["status"] == "interrupted"
    assert turn["notices"] == ["interrupted; what had come is kept"]


def test_stop_closes_the_connection_at_once(mock_server):
    panel = PanelHarness(Chat("openai:demo", base_url=mock_server.url("openai", rate=20)))
    panel.post("send", prompt="count to 1000")
    panel.wait_for("frame")
    began = time.monotonic()
    panel.post("stop")
    panel.wait_for("end")
    assert time.monotonic() - began < 0.2
    assert panel.controller.conversation.turns[0].status == "interrupted"


@pytest.mark.parametrize("error", [ConnectionFailed("cut off"), ZeroDivisionError("oops")])
def test_failure_reaches_the_panel(panel, model, error):
    model.error = error
    panel.ask("hi")
    turn = panel.received("end")[0]["turn"]
    assert turn["status"] == "error"
    assert any("cut off" in notice or "oops" in notice for notice in turn["notices"])


def test_failure_before_the_first_word_gives_the_reason(panel, model):
    model.reply, model.error = "", ConnectionFailed("nobody is there")
    panel.controller.backend._chat = Chat(failing)
    panel.ask("hi")
    end = panel.received("end")[0]
    assert end["turn"] is None
    assert "nobody is there" in end["text"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"type": "send", "prompt": "  "}, "the prompt is empty"),
        ({"type": "send", "prompt": 7}, "AttributeError"),
        ({"type": "send"}, "TypeError"),
        ({"type": "regenerate", "turn": "none"}, "not in the conversation any more"),
        ({"type": "regenerate"}, "not in the conversation any more"),
        ({"type": "edit", "turn": "none", "prompt": "x"}, "has no turn 'none'"),
        ({"type": "switch", "name": "none"}, "There is no conversation “none” any more"),
        ({"type": "set", "model": "nobody:x"}, "Unknown provider 'nobody'"),
        ({"type": "export", "format": "exe"}, "%lockbots export writes: .md"),
    ],
)
def test_what_can_not_be_done_is_told_and_the_prompt_comes_back(panel, content, said):
    panel.controller.handle(content)
    told = panel.wait_for("notification")
    assert told["kind"] == "error"
    assert said in told["text"]
    assert told.get("prompt") == (content.get("prompt") if isinstance(content.get("prompt"), str) else None)
    assert told.get("refused") == (content["type"] if content["type"] in ("send", "regenerate", "edit") else None)


@pytest.mark.parametrize("content", [None, 7, [], {}, {"type": None}, {"type": "__init__"}, {"type": "close"}])
def test_message_that_means_nothing_does_nothing(panel, content):
    panel.controller.handle(content)
    assert len(panel.messages) == 1


def test_regenerate_takes_the_place_of_the_old_reply(panel, model):
    panel.ask("one")
    panel.ask("two")
    first, second = (t.id for t in panel.controller.conversation.turns)
    model.reply = "another"
    panel.post("regenerate", turn=first)
    panel.wait_for("usage", 3)
    assert panel.received("begin")[-1]["replaces"] == first
    assert panel.received("end")[-1]["stale"] == [second]
    assert panel.shown() == [("one", "<p>another</p>\n", False), ("two", "<p>one two three</p>\n", True)]


def test_edit_asks_in_a_copy_and_keeps_what_was_said(panel, model):
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
    assert panel.received("notification")[-1]["text"] == "This is main-2; what was said is in main."
    panel.post("switch", name="main")
    assert [p for p, *_ in panel.shown()] == ["one", "two"]


def test_edit_of_the_first_prompt_begins_anew(panel):
    panel.ask("one")
    panel.post("edit", turn=panel.controller.conversation.turns[0].id, prompt="uno")
    panel.wait_for("usage", 2)
    assert prompts(panel.controller.conversation) == ["uno"]


def test_turn_made_elsewhere_appears(panel):
    chat = panel.controller.backend.chat()
    chat.ask("from a cell")
    assert [p for p, *_ in panel.shown()] == ["from a cell"]
    assert panel.received("turn")[0]["after"] is None
    assert [message["busy"] for message in panel.received("busy")] == ["elsewhere", ""]
    assert len(panel.received("snapshot")) == 1  # nothing is told twice


def test_cell_that_runs_again_replaces_its_turn_in_the_panel(panel):
    chat = panel.controller.backend.chat()
    for run, prompt in (("1", "a"), ("2", "b"), ("3", "a again")):
        list(chat.stream(prompt, cell_id="b" if prompt == "b" else "a", run=run))
    assert [(p, stale) for p, _, stale in panel.shown()] == [("a again", False), ("b", True)]
    assert panel.received("turn")[-1]["replaces"] == panel.received("turn")[0]["turn"]["id"]


def test_undo_and_clear_elsewhere_appear(panel):
    chat = panel.controller.backend.chat()
    chat.ask("one")
    chat.ask("two")
    chat.undo()
    assert [p for p, *_ in panel.shown()] == ["one"]
    chat.clear()
    assert panel.shown() == []


def test_conversation_runs_one_turn_at_a_time(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(5)
    with pytest.raises(UsageError, match="a reply is under way"):
        panel.controller.backend.chat().ask("from a cell")
    panel.post("send", prompt="impatient")
    told = panel.wait_for("notification")
    assert "reply is under way" in told["text"]
    assert told["prompt"] == "impatient"
    model.go_on.set()
    panel.wait_for("usage")
    assert prompts(panel.controller.conversation) == ["hi"]


def test_panel_waits_for_a_cell_that_talks(panel, model):
    model.go_on.clear()
    reading = threading.Thread(target=lambda: list(panel.controller.backend.chat().stream("from a cell")))
    reading.start()
    model.begun.wait(5)
    panel.post("hello", view="v2")
    assert panel.wait_for("snapshot", 2)["busy"] == "elsewhere"
    panel.post("send", prompt="impatient")
    assert "reply is under way" in panel.wait_for("notification")["text"]
    model.go_on.set()
    reading.join(20)
    assert prompts(panel.controller.conversation) == ["from a cell"]


def test_two_panels_stream_at_once():
    models = [Model("a b c"), Model("d e f")]
    both = [PanelHarness(Chat(model)) for model in models]
    for panel, model in zip(both, models, strict=True):
        model.go_on.clear()
        panel.post("hello", view="v")
        panel.post("send", prompt="hi")
    for panel, model in zip(both, models, strict=True):
        assert model.begun.wait(5)
        model.go_on.set()
        panel.wait_for("usage")
    assert [panel.shown()[0][1] for panel in both] == ["<p>a b c</p>\n", "<p>d e f</p>\n"]


def test_reply_goes_on_while_another_conversation_is_shown(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(5)
    panel.post("new")
    assert panel.received("snapshot")[-1]["reply"] is None
    ended, main = threading.Event(), panel.controller.backend.conversations["main"]
    main.observers.add(lambda: ended.set() if len(main) else None)
    model.go_on.set()
    assert ended.wait(20)
    panel.post("switch", name="main")
    assert [p for p, *_ in panel.shown()] in (["hi"], [])  # its end may still be to come
    panel.post("switch", name="chat")
    for thread in threading.enumerate():
        if thread.name == "lockbots panel":
            thread.join(20)
    panel.post("switch", name="main")
    assert [p for p, *_ in panel.shown()] == ["hi"]


def test_clear_stops_the_reply(panel, model):
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(5)
    threading.Timer(0.05, model.go_on.set).start()
    panel.post("clear")
    assert len(panel.controller.conversation) == 0
    panel.wait_for("usage")
    assert panel.shown() == []


def test_clear_forgets_the_conversation_that_it_names(panel):
    panel.ask("one")
    panel.post("new")
    panel.ask("two")
    panel.post("clear", name="main")
    assert prompts(panel.controller.conversation) == ["two"]
    assert prompts(panel.controller.backend.conversations["main"]) == []


def test_undo_in_the_middle_of_a_reply_appears(panel, model):
    panel.ask("one")
    panel.ask("two")
    model.go_on.clear()
    panel.post("send", prompt="three")
    panel.wait_for("frame")
    panel.controller.conversation.undo()
    model.go_on.set()
    panel.wait_for("usage", 3)
    assert [p for p, *_ in panel.shown()] == prompts(panel.controller.conversation)


def test_stop_before_it_was_sent_leaves_no_turn_and_tells_why():
    panel = PanelHarness(Chat(Model()))
    panel.post("hello", view="v")
    for _ in range(20):
        panel.post("send", prompt="hi")
        panel.post("stop")
        panel.wait_for("usage", len(panel.received("begin")))
    assert [p for p, *_ in panel.shown()] == prompts(panel.controller.conversation)


def test_reply_that_can_not_be_told_leaves_the_conversation_free(model):
    def refuse(message):
        if message["type"] == "begin":
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")

    controller = PanelController(ChatBackend(Chat(model)), refuse, lambda: None)
    controller.handle({"type": "send", "prompt": "hi"})
    assert controller.backend.chat().ask("again").status == "complete"


def test_earlier_turns_are_told_page_by_page(model):
    chat = Chat(model)
    for n in range(2 * MAX_TURNS + 5):
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
    assert [t["prompt"] for t in seen] == [str(n) for n in range(2 * MAX_TURNS + 5)]


def test_usage_is_what_the_provider_reported_or_else_estimated():
    def counted(prompt):
        yield Delta("four score", usage=Usage(3, 2), finish_reason="stop")

    panel = PanelHarness(Chat(counted))
    panel.ask("hi")
    assert panel.received("usage")[0] == {"type": "usage", "turns": 1, "prompt": 3, "completion": 2, "estimated": False}
    panel.controller.backend._chat = Chat(lambda prompt: "word " * 10).within(panel.controller.conversation)
    panel.ask("hi")
    sent = [Message("user", "hi"), Message("assistant", "four score"), Message("user", "hi")]
    assert panel.received("usage")[1] == {
        "type": "usage",
        "turns": 2,
        "prompt": 3 + sum(map(estimate_message_tokens, sent)),
        "completion": 2 + estimate_tokens("word " * 10),
        "estimated": True,
    }


def test_closing_stops_replies_and_watches_no_more(model):
    panel = PanelHarness(Chat(model))
    model.go_on.clear()
    panel.post("send", prompt="hi")
    model.begun.wait(5)
    threading.Timer(0.05, model.go_on.set).start()
    panel.controller.close()
    assert panel.controller.conversation.turns[0].status == "interrupted"
    told = len(panel.messages)
    panel.controller.backend.chat().ask("later")
    assert len(panel.messages) == told
    assert not [t for t in threading.enumerate() if t.name == "lockbots panel"]


def test_view_that_fails_costs_no_turn(model):
    chat = Chat(model)
    chat.conversation.observers.add(lambda: 1 / 0)
    with pytest.warns(UserWarning, match="a view of a conversation failed: ZeroDivisionError"):
        assert chat.ask("hi").status == "complete"
