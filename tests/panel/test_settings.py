"""Who answers, and how: set in a panel, or elsewhere."""

import gc

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.history_entry import Owner, Past
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.session import Lockbots
from lockbots_magic.panel.backend import SessionBackend
from lockbots_magic.security.secrets import Secret
from tests.panel.views import PLANTED, ViewSync, prompts


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


def test_models_of_a_server_are_listed_without_waiting(mock_server, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", mock_server.url("openai"))
    session = Lockbots()
    views = ViewSync(desk=SessionBackend(session))
    views.do("models", provider="ollama")
    assert views.wait_for("models")["models"]
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", "http://127.0.0.1:9/v1")
    views.do("models", provider="ollama")
    told = views.wait_for("models", 2)
    assert told["models"] == []
    assert told["error"]


def test_panel_of_the_session_shares_what_the_magics_use():
    session = Lockbots()
    views = ViewSync(desk=SessionBackend(session))
    views.do("set", model="guide", temperature=0.3, system="Be brief.")
    assert (session.model, session.temperature) == ("guide", 0.3)
    assert session.conversation().system == "Be brief."
    views.do("new")
    assert set(session.conversations) == {"main", "chat"}
    assert session.current == "main"


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
    other = ViewSync(desk=SessionBackend(session))
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
    views = ViewSync(desk=SessionBackend(session))
    conversation = session.conversation()
    assert (len(session.observers), len(conversation.observers)) == (1, 1)
    del views
    gc.collect()
    assert (len(session.observers), len(conversation.observers)) == (0, 0)


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


def test_address_and_credential_outlast_another_provider(mock_server):
    views = ViewSync(Chat("openai:demo", base_url=mock_server.url("openai"), auth=PLANTED))
    for model in ("guide:help", "openai:gpt-4"):
        views.do("set", model=model)
    provider = views.host.desk.chat().provider
    assert provider.base_url == mock_server.url("openai")
    assert provider.auth is not None


def test_no_credential_reaches_the_page(mock_server):
    views = ViewSync(Chat("openai:demo", base_url=mock_server.url("openai", fault="echo-credential"), auth=PLANTED))
    views.do("hello", view="v")
    views.ask("hi")
    assert PLANTED not in str(views.letters)
