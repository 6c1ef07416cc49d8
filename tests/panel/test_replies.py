"""What a panel tells of its replies, and what can be asked for."""

import threading
import time

import pytest

from lockbots_magic import Chat, Delta
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.errors import ConnectionFailed, UsageError
from lockbots_magic.panel.backend import ChatBackend
from lockbots_magic.panel.controller import Host
from lockbots_magic.panel.protocol import PAGE
from tests.panel.views import Model, ViewSync, failing, prompts


def test_view_is_told_how_things_stand(views):
    (told,) = views.letters
    assert told["type"] == "snapshot"
    assert told["view"] == "v1"
    known = {"name": "main", "names": ["main"], "deleted": False, "total": 0}
    assert told["conversation"] == {**known, "cells": None, "unrestored": 0}
    assert (told["turns"], told["more"], told["reply"], told["busy"]) == ([], False, None, "")
    assert told["settings"]["model"] == "function:model"


def test_reply_is_told_from_its_beginning_to_its_end(views, model):
    views.ask("hi")
    kinds = [letter["type"] for letter in views.letters[1:]]
    assert kinds[0] == "begin"
    assert kinds[-3:] == ["end", "busy", "usage"]
    assert views.of("end")[0]["turn"]["status"] == "complete"
    assert views.shown() == [("hi", "<p>one two three</p>\n", False)]
    assert prompts(views.host.conversation) == ["hi"]


def test_kernel_stays_free_while_a_reply_comes(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    assert views.wait_for("frame")["open"] == "<p>one</p>\n"
    model.go_on.set()
    views.wait_for("usage")


def test_view_that_comes_in_the_middle_is_told_what_has_come(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    views.wait_for("frame")
    views.do("hello", view="v2")
    growing = views.wait_for("snapshot", 2)["reply"]
    assert growing["prompt"] == "hi"
    assert growing["finished"] + growing["open"]
    model.go_on.set()
    views.wait_for("usage")


def test_long_reply_is_told_once(model):
    def long(prompt):
        yield "".join(f"Paragraph {n} with some words.\n\n" for n in range(200))
        assert model.go_on.wait(20)
        yield "The end."

    model.go_on.clear()
    views = ViewSync(Chat(long))
    views.do("hello", view="v")
    views.do("send", prompt="hi")
    assert views.wait_for("frame")["finished"]
    model.go_on.set()
    views.wait_for("usage")
    end = views.of("end")[0]
    assert (end["same"], end["turn"]["html"]) == (True, "")
    assert views.shown()[0][1].count("<p>") == 201


def test_reply_whose_end_changes_its_beginning_is_told_whole(views, model):
    model.reply = "See [the docs].\n\nMore.\n\n[the docs]: https://example.org/ "
    views.ask("hi")
    assert 'href="https://example.org/"' in views.shown()[0][1]


def test_stop_keeps_what_had_come(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    views.wait_for("frame")
    views.do("stop")
    model.go_on.set()
    turn = views.wait_for("end")["turn"]
    assert turn["status"] == "interrupted"
    assert turn["notices"] == ["interrupted; what had come is kept"]


def test_stop_closes_the_connection_at_once(mock_server):
    views = ViewSync(Chat("openai:demo", base_url=mock_server.url("openai", rate=20)))
    views.do("send", prompt="count to 1000")
    views.wait_for("frame")
    began = time.monotonic()
    views.do("stop")
    views.wait_for("end")
    assert time.monotonic() - began < 0.2
    assert views.host.conversation.turns[0].status == "interrupted"


@pytest.mark.parametrize("error", [ConnectionFailed("cut off"), ZeroDivisionError("oops")])
def test_failure_reaches_the_panel(views, model, error):
    model.error = error
    views.ask("hi")
    turn = views.of("end")[0]["turn"]
    assert turn["status"] == "error"
    assert any("cut off" in notice or "oops" in notice for notice in turn["notices"])


def test_failure_before_the_first_word_gives_the_reason(views, model):
    model.reply, model.error = "", ConnectionFailed("nobody is there")
    views.host.desk._chat = Chat(failing)
    views.ask("hi")
    end = views.of("end")[0]
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
        ({"type": "set", "model": "nobody:x"}, "there is no provider 'nobody'"),
        ({"type": "export", "format": "exe"}, "%lockbots export writes: .md"),
    ],
)
def test_what_can_not_be_done_is_told_and_the_prompt_comes_back(views, content, said):
    views.host.handle(content)
    told = views.wait_for("told")
    assert told["kind"] == "error"
    assert said in told["text"]
    assert told.get("prompt") == (content.get("prompt") if isinstance(content.get("prompt"), str) else None)
    assert told.get("refused") == (content["type"] if content["type"] in ("send", "regenerate", "edit") else None)


@pytest.mark.parametrize("content", [None, 7, [], {}, {"type": None}, {"type": "__init__"}, {"type": "close"}])
def test_message_that_means_nothing_does_nothing(views, content):
    views.host.handle(content)
    assert len(views.letters) == 1


def test_regenerate_takes_the_place_of_the_old_reply(views, model):
    views.ask("one")
    views.ask("two")
    first, second = (t.id for t in views.host.conversation.turns)
    model.reply = "another"
    views.do("regenerate", turn=first)
    views.wait_for("usage", 3)
    assert views.of("begin")[-1]["replaces"] == first
    assert views.of("end")[-1]["stale"] == [second]
    assert views.shown() == [("one", "<p>another</p>\n", False), ("two", "<p>one two three</p>\n", True)]


def test_edit_asks_in_a_copy_and_keeps_what_was_said(views, model):
    views.ask("one")
    views.ask("two")
    _, second = views.host.conversation.turns
    old = views.host.conversation
    views.do("edit", turn=second.id, prompt="two, differently")
    views.wait_for("usage", 3)
    assert prompts(old) == ["one", "two"]
    assert prompts(views.host.conversation) == ["one", "two, differently"]
    assert [p for p, *_ in views.shown()] == ["one", "two, differently"]
    assert views.of("snapshot")[-1]["conversation"]["names"] == ["main", "main-2"]
    assert views.of("told")[-1]["text"] == "This is main-2; what was said is in main."
    views.do("switch", name="main")
    assert [p for p, *_ in views.shown()] == ["one", "two"]


def test_edit_of_the_first_prompt_begins_anew(views):
    views.ask("one")
    views.do("edit", turn=views.host.conversation.turns[0].id, prompt="uno")
    views.wait_for("usage", 2)
    assert prompts(views.host.conversation) == ["uno"]


def test_turn_made_elsewhere_appears(views):
    chat = views.host.desk.chat()
    chat.ask("from a cell")
    assert [p for p, *_ in views.shown()] == ["from a cell"]
    assert views.of("turn")[0]["after"] is None
    assert [letter["busy"] for letter in views.of("busy")] == ["elsewhere", ""]
    assert len(views.of("snapshot")) == 1  # nothing is told twice


def test_cell_that_runs_again_replaces_its_turn_in_the_panel(views):
    chat = views.host.desk.chat()
    for run, prompt in (("1", "a"), ("2", "b"), ("3", "a again")):
        list(chat.stream(prompt, cell_id="b" if prompt == "b" else "a", run=run))
    assert [(p, stale) for p, _, stale in views.shown()] == [("a again", False), ("b", True)]
    assert views.of("turn")[-1]["replaces"] == views.of("turn")[0]["turn"]["id"]


def test_undo_and_clear_elsewhere_appear(views):
    chat = views.host.desk.chat()
    chat.ask("one")
    chat.ask("two")
    chat.undo()
    assert [p for p, *_ in views.shown()] == ["one"]
    chat.clear()
    assert views.shown() == []


def test_conversation_runs_one_turn_at_a_time(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    model.begun.wait(5)
    with pytest.raises(UsageError, match="a reply is under way"):
        views.host.desk.chat().ask("from a cell")
    views.do("send", prompt="impatient")
    told = views.wait_for("told")
    assert "reply is under way" in told["text"]
    assert told["prompt"] == "impatient"
    model.go_on.set()
    views.wait_for("usage")
    assert prompts(views.host.conversation) == ["hi"]


def test_panel_waits_for_a_cell_that_talks(views, model):
    model.go_on.clear()
    reading = threading.Thread(target=lambda: list(views.host.desk.chat().stream("from a cell")))
    reading.start()
    model.begun.wait(5)
    views.do("hello", view="v2")
    assert views.wait_for("snapshot", 2)["busy"] == "elsewhere"
    views.do("send", prompt="impatient")
    assert "reply is under way" in views.wait_for("told")["text"]
    model.go_on.set()
    reading.join(20)
    assert prompts(views.host.conversation) == ["from a cell"]


def test_two_panels_stream_at_once():
    models = [Model("a b c"), Model("d e f")]
    both = [ViewSync(Chat(model)) for model in models]
    for views, model in zip(both, models, strict=True):
        model.go_on.clear()
        views.do("hello", view="v")
        views.do("send", prompt="hi")
    for views, model in zip(both, models, strict=True):
        assert model.begun.wait(5)
        model.go_on.set()
        views.wait_for("usage")
    assert [views.shown()[0][1] for views in both] == ["<p>a b c</p>\n", "<p>d e f</p>\n"]


def test_reply_goes_on_while_another_conversation_is_shown(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    model.begun.wait(5)
    views.do("new")
    assert views.of("snapshot")[-1]["reply"] is None
    ended, main = threading.Event(), views.host.desk.conversations["main"]
    main.observers.add(lambda: ended.set() if len(main) else None)
    model.go_on.set()
    assert ended.wait(20)
    views.do("switch", name="main")
    assert [p for p, *_ in views.shown()] in (["hi"], [])  # its end may still be to come
    views.do("switch", name="chat")
    for thread in threading.enumerate():
        if thread.name == "lockbots panel":
            thread.join(20)
    views.do("switch", name="main")
    assert [p for p, *_ in views.shown()] == ["hi"]


def test_clear_stops_the_reply(views, model):
    model.go_on.clear()
    views.do("send", prompt="hi")
    model.begun.wait(5)
    threading.Timer(0.05, model.go_on.set).start()
    views.do("clear")
    assert len(views.host.conversation) == 0
    views.wait_for("usage")
    assert views.shown() == []


def test_clear_forgets_the_conversation_that_it_names(views):
    views.ask("one")
    views.do("new")
    views.ask("two")
    views.do("clear", name="main")
    assert prompts(views.host.conversation) == ["two"]
    assert prompts(views.host.desk.conversations["main"]) == []


def test_undo_in_the_middle_of_a_reply_appears(views, model):
    views.ask("one")
    views.ask("two")
    model.go_on.clear()
    views.do("send", prompt="three")
    views.wait_for("frame")
    views.host.conversation.undo()
    model.go_on.set()
    views.wait_for("usage", 3)
    assert [p for p, *_ in views.shown()] == prompts(views.host.conversation)


def test_stop_before_it_was_sent_leaves_no_turn_and_tells_why():
    views = ViewSync(Chat(Model()))
    views.do("hello", view="v")
    for _ in range(20):
        views.do("send", prompt="hi")
        views.do("stop")
        views.wait_for("usage", len(views.of("begin")))
    assert [p for p, *_ in views.shown()] == prompts(views.host.conversation)


def test_reply_that_can_not_be_told_leaves_the_conversation_free(model):
    def refuse(letter):
        if letter["type"] == "begin":
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")

    host = Host(ChatBackend(Chat(model)), refuse, lambda: None)
    host.handle({"type": "send", "prompt": "hi"})
    assert host.desk.chat().ask("again").status == "complete"


def test_earlier_turns_are_told_page_by_page(model):
    chat = Chat(model)
    for n in range(2 * PAGE + 5):
        chat.ask(str(n))
    views = ViewSync(chat)
    views.do("hello", view="v")
    seen = views.letters[-1]["turns"]
    assert views.letters[-1]["more"] is True
    for more in (True, False):
        views.do("earlier", view="v", before=seen[0]["id"])
        page = views.letters[-1]
        assert (page["view"], page["more"]) == ("v", more)
        seen = page["turns"] + seen
    assert [t["prompt"] for t in seen] == [str(n) for n in range(2 * PAGE + 5)]


def test_usage_is_counted_or_estimated():
    def counted(prompt):
        yield Delta("four score", usage=Usage(3, 2), finish_reason="stop")

    views = ViewSync(Chat(counted))
    views.ask("hi")
    assert views.of("usage")[0] == {"type": "usage", "turns": 1, "prompt": 3, "completion": 2, "estimated": False}
    views.host.desk._chat = Chat(lambda prompt: "word " * 10).within(views.host.conversation)
    views.ask("hi")
    assert views.of("usage")[1]["estimated"] is True


def test_closing_stops_replies_and_watches_no_more(model):
    views = ViewSync(Chat(model))
    model.go_on.clear()
    views.do("send", prompt="hi")
    model.begun.wait(5)
    threading.Timer(0.05, model.go_on.set).start()
    views.host.close()
    assert views.host.conversation.turns[0].status == "interrupted"
    told = len(views.letters)
    views.host.desk.chat().ask("later")
    assert len(views.letters) == told
    assert not [t for t in threading.enumerate() if t.name == "lockbots panel"]


def test_view_that_fails_costs_no_turn(model):
    chat = Chat(model)
    chat.conversation.observers.add(lambda: 1 / 0)
    with pytest.warns(UserWarning, match="a view of a conversation failed: ZeroDivisionError"):
        assert chat.ask("hi").status == "complete"
