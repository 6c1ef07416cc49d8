"""What a panel does and is told, without a widget and without a page."""

import gc
import json
import re
import string
import threading
import time
from pathlib import Path

import pytest

from lockbots_magic import Chat, Conversation, Delta, panel
from lockbots_magic.errors import ConnectionFailed, UsageError
from lockbots_magic.messages import Turn, Usage
from lockbots_magic.notebook.history import Past
from lockbots_magic.notebook.reading import restored
from lockbots_magic.notebook.record import Owner
from lockbots_magic.panel import desk, talk
from lockbots_magic.panel.desk import ChatDesk, SessionDesk
from lockbots_magic.panel.host import Host
from lockbots_magic.panel.letters import PAGE, shown_turns
from lockbots_magic.panel.memory import Memory
from lockbots_magic.panel.texts import texts
from lockbots_magic.providers.secrets import Secret
from lockbots_magic.rendering.notices import notices_of
from lockbots_magic.session import Lockbots

PLANTED = "planted-credential-0123456789"


class Model:
    """Says word by word what it is given to say; `hold` keeps it from going on."""

    def __init__(self, reply="one two three", error=None):
        self.reply = reply
        self.error = error
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Event()
        self.prompts = []

    def __call__(self, prompt, temperature=None):
        self.prompts.append(prompt)
        for word in self.reply.split(" "):
            yield word + " "
            self.begun.set()
            assert self.go_on.wait(20)
        if self.error:
            raise self.error

    __name__ = "model"


class Views:
    """All that is told to the views, and what a page would show of it."""

    def __init__(self, chat=None, desk=None):
        self.letters = []
        self.changes = 0
        self._came = threading.Condition()
        self.host = Host(desk or ChatDesk(chat), self._send, self._changed)

    def _send(self, letter):
        with self._came:
            self.letters.append(letter)
            self._came.notify_all()

    def _changed(self):
        self.changes += 1

    def do(self, kind, **fields):
        self.host.handle({"type": kind, **fields})

    def of(self, kind):
        return [letter for letter in self.letters if letter["type"] == kind]

    def wait_for(self, kind, count=1, seconds=20):
        with self._came:
            assert self._came.wait_for(lambda: len(self.of(kind)) >= count, seconds), self.letters
        return self.of(kind)[count - 1]

    def ask(self, prompt):
        ended = len(self.of("usage"))
        self.do("send", prompt=prompt)
        self.wait_for("usage", ended + 1)

    def shown(self):
        """(prompt, reply's HTML, stale) of the turns, as a page that heard everything shows them."""
        turns, growing, stale = [], {}, set()
        for letter in self.letters:
            if letter["type"] == "snapshot":
                turns, growing, stale = list(letter["turns"]), letter["reply"] or {}, set()
            elif letter["type"] == "begin":
                growing = dict(letter["reply"])
            elif letter["type"] == "frame":
                growing["finished"] += letter["finished"]
            elif letter["type"] == "end" and letter["turn"]:
                html = growing["finished"] + letter["rest"] if letter["same"] else letter["turn"]["html"]
                put(turns, {**letter["turn"], "html": html}, growing["replaces"])
            elif letter["type"] == "turn":
                put(turns, letter["turn"], letter["replaces"], letter["after"])
            stale |= set(letter.get("stale", ()))
        return [(t["prompt"], t["html"], t["stale"] or t["id"] in stale) for t in turns]


def put(turns, turn, replaces, after=None):
    ids = [t["id"] for t in turns]
    if replaces in ids:
        turns[ids.index(replaces)] = turn
    elif after in ids:
        turns.insert(ids.index(after) + 1, turn)
    else:
        turns.append(turn)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def views(model):
    views = Views(Chat(model))
    views.do("hello", view="v1")
    yield views
    model.go_on.set()
    views.host.close()


def prompts(conversation):
    return [t.prompt for t in conversation.turns]


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
    views = Views(Chat(long))
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


def test_stop_closes_the_connection_at_once(sandbox):
    views = Views(Chat("openai:demo", base_url=sandbox.url("openai", rate=20)))
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


def failing(prompt):
    raise ConnectionFailed("nobody is there")
    yield


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
    both = [Views(Chat(model)) for model in models]
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
    main.watchers.add(lambda: ended.set() if len(main) else None)
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


def test_address_and_credential_outlast_another_provider(sandbox):
    views = Views(Chat("openai:demo", base_url=sandbox.url("openai"), auth=PLANTED))
    for model in ("guide:help", "openai:gpt-4"):
        views.do("set", model=model)
    provider = views.host.desk.chat().provider
    assert provider.base_url == sandbox.url("openai")
    assert provider.auth is not None


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
    views = Views(Chat(Model()))
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

    host = Host(ChatDesk(Chat(model)), refuse, lambda: None)
    host.handle({"type": "send", "prompt": "hi"})
    assert host.desk.chat().ask("again").status == "complete"


def test_settings_hold_and_are_told(views, model):
    views.do("set", temperature=0.5, system="Be brief.")
    told = views.of("settings")[-1]
    assert (told["temperature"], told["takes_temperature"], told["system"]) == (0.5, True, "Be brief.")
    views.ask("hi")
    turn = views.host.conversation.turns[0]
    assert (turn.params, turn.system) == ({"temperature": 0.5}, "Be brief.")
    views.do("set", temperature=None)
    assert views.of("settings")[-1]["temperature"] is None


def test_model_can_be_another(views, monkeypatch):
    views.do("set", model="guide:help")
    assert views.of("settings")[-1]["model"] == "guide:help"
    assert views.of("settings")[-1]["models"] == [{"id": "help", "name": "Built-in guide"}]
    views.do("set", model="openai:gpt-4o")
    told = {p["name"]: p for p in views.of("settings")[-1]["providers"]}
    assert told["openai"]["credential"] == "missing"
    assert told["guide"]["credential"] == "none"
    views.do("send", prompt="hi")
    refused = views.wait_for("told")
    assert "or run %lockbots login openai" in refused["text"]
    assert refused["credential"]  # the page tells of it already
    monkeypatch.setenv("OPENAI_API_KEY", PLANTED)
    views.do("set", model="openai:gpt-4o")
    assert {p["name"]: p for p in views.of("settings")[-1]["providers"]}["openai"]["credential"] == "ok"
    assert PLANTED not in str(views.letters)


def test_providers_keep_their_order_whichever_is_in_use(views):
    def order():
        return [one["name"] for one in views.of("settings")[-1]["providers"]]

    views.do("set", model="guide")
    before = order()
    assert {"guide", "openai", "function"} <= set(before)
    for name in ("openai", "ollama", "guide"):
        views.do("set", model=name)
        assert order() == before


def test_models_of_a_server_are_listed_without_waiting(sandbox, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", sandbox.url("openai"))
    session = Lockbots()
    views = Views(desk=SessionDesk(session))
    views.do("models", provider="ollama")
    assert views.wait_for("models")["models"]
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", "http://127.0.0.1:9/v1")
    views.do("models", provider="ollama")
    told = views.wait_for("models", 2)
    assert told["models"] == []
    assert told["error"]


def test_panel_of_the_session_shares_what_the_magics_use():
    session = Lockbots()
    views = Views(desk=SessionDesk(session))
    views.do("set", model="guide", temperature=0.3, system="Be brief.")
    assert (session.model, session.temperature) == ("guide", 0.3)
    assert session.conversation().system == "Be brief."
    views.do("new")
    assert set(session.conversations) == {"main", "chat"}
    assert session.current == "main"


def test_earlier_turns_are_told_page_by_page(model):
    chat = Chat(model)
    for n in range(2 * PAGE + 5):
        chat.ask(str(n))
    views = Views(chat)
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

    views = Views(Chat(counted))
    views.ask("hi")
    assert views.of("usage")[0] == {"type": "usage", "turns": 1, "prompt": 3, "completion": 2, "estimated": False}
    views.host.desk._chat = Chat(lambda prompt: "word " * 10).within(views.host.conversation)
    views.ask("hi")
    assert views.of("usage")[1]["estimated"] is True


def test_export_overwrites_nothing(views, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    views.ask("hi")
    for _ in range(2):
        views.do("export", format="md")
    assert [t["text"] for t in views.of("told")] == ["Exported: main.md", "Exported: main-2.md"]


def test_export_of_a_name_with_a_path_in_it_stays_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    views = Views(Chat(Model(), conversation=Conversation("../../etc/x")))
    views.ask("hi")
    views.do("export", format="json")
    assert [p.name for p in tmp_path.iterdir()] == ["------etc-x.json"]


def test_closing_stops_replies_and_watches_no_more(model):
    views = Views(Chat(model))
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
    chat.conversation.watchers.add(lambda: 1 / 0)
    with pytest.warns(UserWarning, match="a view of a conversation failed: ZeroDivisionError"):
        assert chat.ask("hi").status == "complete"


def test_no_credential_reaches_the_page(sandbox):
    views = Views(Chat("openai:demo", base_url=sandbox.url("openai", fault="echo-credential"), auth=PLANTED))
    views.do("hello", view="v")
    views.ask("hi")
    assert PLANTED not in str(views.letters)


# What happens elsewhere


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setenv("LOCKBOTS_MODEL", "guide")
    return Lockbots()


@pytest.fixture
def of_session(session):
    views = Views(desk=SessionDesk(session))
    views.do("hello", view="v")
    yield views
    views.host.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.use("openai:gpt-4o"), {"model": "openai:gpt-4o"}),
        (lambda s: s.set("temperature", 0.4), {"temperature": 0.4}),
        (lambda s: setattr(s, "system", "Be brief."), {"system": "Be brief."}),
    ],
)
def test_settings_changed_by_a_magic_are_told(session, of_session, change, told):
    change(session)
    assert told.items() <= of_session.of("settings")[-1].items()


def test_settings_that_stay_as_they_are_are_not_told(session, of_session):
    session.set("max_retries", 5)
    session.use("guide")
    assert of_session.of("settings") == []


def test_a_credential_given_or_forgotten_is_told(session, of_session, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    session.use("openai:gpt-4o")

    def credential():
        told = of_session.of("settings")[-1]["providers"]
        return next(one["credential"] for one in told if one["name"] == "openai")

    assert credential() == "missing"
    session.credentials.keep("openai", Secret.of(PLANTED))
    assert credential() == "ok"
    session.credentials.forget("openai")
    assert credential() == "missing"


def test_what_one_panel_sets_the_other_shows(session, of_session):
    other = Views(desk=SessionDesk(session))
    other.do("set", temperature=0.7, system="Be kind.")
    told = of_session.of("settings")[-1]
    assert (told["temperature"], told["system"]) == (0.7, "Be kind.")


def test_conversations_that_come_and_go_are_told(session, of_session):
    session.conversation("other")
    assert of_session.of("names")[-1]["names"] == ["main", "other"]
    session.add(session.conversation().fork("copy"))
    assert of_session.of("names")[-1]["names"] == ["main", "other", "copy"]
    session.switch("other")
    session.delete("copy")
    told = of_session.of("names")[-1]
    assert (told["names"], told["name"], told["deleted"]) == (["main", "other"], "main", False)
    assert len(of_session.of("snapshot")) == 1


def test_a_conversation_that_is_deleted_stays_of_use_until_another_is_chosen(session, of_session):
    of_session.ask("How do I undo?")
    old = session.delete("main")
    told = {"type": "names", "name": "main", "names": [], "deleted": True}
    assert told.items() <= of_session.of("names")[-1].items()
    assert of_session.of("told")[-1]["key"] == "deleted"
    of_session.ask("How do I save?")
    assert prompts(old) == ["How do I undo?", "How do I save?"]
    session.chat().ask("How do I list models?")
    session.keep(new := session.conversation())
    of_session.do("hello", view="w")
    shown = of_session.of("snapshot")[-1]
    assert (shown["conversation"]["deleted"], len(shown["turns"])) == (True, 2)
    of_session.do("switch", name="main")
    assert of_session.host.conversation is new
    assert of_session.of("snapshot")[-1]["conversation"]["deleted"] is False
    of_session.do("clear", name="main")
    assert len(old) == 2


def test_an_empty_conversation_makes_way_for_the_restored_one(session, of_session):
    session.restore(Past(Owner("id", "main"), (Turn("from before", "yes", place=(1,), made=1.0),), 1.0))
    assert [p for p, *_ in of_session.shown()] == ["from before"]
    assert of_session.host.conversation is session.conversation()


def test_a_host_that_is_gone_watches_no_more(session):
    views = Views(desk=SessionDesk(session))
    conversation = session.conversation()
    assert (len(session.watchers), len(conversation.watchers)) == (1, 1)
    del views
    gc.collect()
    assert (len(session.watchers), len(conversation.watchers)) == (0, 0)


def test_which_conversation_cells_talk_in_is_told(session, of_session):
    assert of_session.of("snapshot")[-1]["conversation"]["cells"] == "main"
    of_session.do("new")
    assert of_session.of("snapshot")[-1]["conversation"]["cells"] == "main"
    session.switch("chat")  # in a cell
    session.cells.ended.tell()
    assert of_session.of("names")[-1]["cells"] == "chat"
    told = len(of_session.letters)
    session.cells.ended.tell()
    assert len(of_session.letters) == told


@pytest.fixture
def started_anew(monkeypatch):
    """What is said from now on was said before the kernel started."""
    monkeypatch.setattr(desk, "BEGAN", float("inf"))


def test_what_was_said_and_deleted_in_this_kernel_is_not_offered_again(session, tmp_path):
    path = tmp_path / "book.ipynb"
    saved_notebook(path, "main")
    session.own_notebook = lambda: path
    assert SessionDesk(session).unrestored == []


def saved_notebook(path, *names):
    """A notebook with the output of a panel in which these conversations were open; return them."""
    kept, chats = Memory(), []
    for name in names:
        chats.append(Chat(lambda prompt: "yes", conversation=Conversation(name)))
        chats[-1].ask(f"said in {name}")
        kept.take_up(chats[-1].conversation)
    metadata = kept.metadata([chat.conversation for chat in chats])
    output = {"output_type": "display_data", "data": {"text/plain": ""}, "metadata": metadata}
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": "%lockbots panel", "outputs": [output]}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return [chat.conversation for chat in chats]


def test_what_the_saved_notebook_has_and_the_kernel_has_not_is_told_until_it_is_restored(
    session, tmp_path, started_anew
):
    path = tmp_path / "book.ipynb"
    saved_notebook(path, "main", "other")
    session.own_notebook = lambda: path
    views = Views(desk=SessionDesk(session))
    views.do("hello", view="v")
    assert views.of("snapshot")[-1]["conversation"]["unrestored"] == 2
    for past in restored(path).pasts:
        session.restore(past)
    assert views.of("names")[-1]["unrestored"] == 0
    assert [p for p, *_ in views.shown()] == ["said in main"]


@pytest.mark.parametrize("text", ["", "{}", "no notebook"])
def test_a_notebook_that_holds_nothing_has_nothing_to_restore(session, tmp_path, text):
    path = tmp_path / "book.ipynb"
    path.write_text(text)
    session.own_notebook = lambda: path
    assert SessionDesk(session).unrestored == []
    session.own_notebook = lambda: tmp_path / "gone.ipynb"
    assert SessionDesk(session).unrestored == []


def test_what_was_not_restored_is_not_lost_from_the_next_output(session, tmp_path, started_anew):
    path = tmp_path / "book.ipynb"
    saved_notebook(path, "main", "other")
    session.own_notebook = lambda: path
    session.conversation()
    session.chat().ask("asked before there was a panel")
    its = SessionDesk(session)
    kept = Memory()
    kept.take_up(its.conversation)
    its.chat().ask("asked all the same")
    records = kept.metadata([*its.unrestored, *its.conversations.values()])["lockbots"]
    prompts = {record["turn"]["prompt"] for record in records if "turn" in record}
    assert prompts == {"said in main", "said in other", "asked before there was a panel", "asked all the same"}


# One panel in the place of another


def test_a_panel_that_takes_the_place_of_another_goes_on_with_its_reply(session, of_session, model):
    model.go_on.clear()
    of_session.host.desk.chat = lambda conversation=None: Chat(model).within(session.conversation())
    of_session.do("send", prompt="hi")
    of_session.wait_for("frame")
    new = Views(desk=SessionDesk(session))
    new.host.take_over(of_session.host)
    of_session.host.close()
    new.do("hello", view="w")
    assert new.of("snapshot")[0]["busy"] == "here"
    model.go_on.set()
    new.wait_for("usage")
    assert [(p, html) for p, html, _ in new.shown()] == [("hi", "<p>one two three</p>\n")]
    assert session.conversation().turns[0].status == "complete"
    assert (of_session.of("end"), of_session.changes, new.changes) == ([], 0, 1)


def test_a_reply_that_was_taken_over_can_be_stopped(session, of_session, model):
    model.go_on.clear()
    of_session.host.desk.chat = lambda conversation=None: Chat(model).within(session.conversation())
    of_session.do("send", prompt="hi")
    of_session.wait_for("frame")
    new = Views(desk=SessionDesk(session))
    new.host.take_over(of_session.host)
    new.do("stop")
    model.go_on.set()
    new.wait_for("usage")
    assert session.conversation().turns[0].status == "interrupted"


# What comes between


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


def test_remarks_of_the_panel_are_in_every_language(views):
    views.ask("one")
    views.do("edit", turn=views.host.conversation.turns[0].id, prompt="uno")
    told = views.of("told")[-1]
    assert (told["key"], told["values"]) == ("branched", {"name": "main-2", "old": "main"})
    views.wait_for("usage", 2)
    sources = "".join(path.read_text("utf-8") for path in Path(panel.__file__).parent.glob("*.py"))
    used = set(re.findall(r"""(?:RefusedError|_note|remark)\("(\w+)\"""", sources))
    assert used >= {"under_way", "branched", "exported", "deleted"}
    for language, table in texts().items():
        assert used <= set(table), language
    names = {language: {fields(table[key]) for key in used} for language, table in texts().items()}
    assert names["en"] == names["ru"]


def fields(text):
    return tuple(sorted(name for _, name, _, _ in string.Formatter().parse(text) if name))


def test_notices_of_the_toolkit_are_known_to_the_page_by_their_english_form():
    turns = [
        Turn("p", "r", status="interrupted", error="interrupted; what had come is kept"),
        Turn("p", "r", status="error", error="x"),
        Turn("p", ""),
        Turn("p", "r", left_out=1),
        Turn("p", "r", left_out=12),
    ]
    known = {text for key, text in texts()["en"].items() if key.startswith("notice_")}
    for turn in turns:
        (notice,) = notices_of(turn)
        assert re.sub(r"\d+", "{n}", notice) in known
    assert {key for key in texts()["en"] if key.startswith("notice_")} <= set(texts()["ru"])


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

    monkeypatch.setattr(talk, "Drawing", refuse)
    views.ask("hi")
    assert "can't start new thread" in views.of("end")[0]["text"]
    assert views.of("busy")[-1]["busy"] == ""
    monkeypatch.undo()
    views.ask("again")
    assert prompts(views.host.conversation) == ["again"]


def wait_until(condition, seconds=20):
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
