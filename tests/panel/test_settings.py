"""Who answers, and how: set in a panel, or elsewhere."""

import gc

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.conversation.history_entry import Owner, Past
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.session import Lockbots
from lockbots_magic.panel.session_backend import SessionBackend
from lockbots_magic.security.secrets import Secret
from tests.panel.harness import PLANTED, PanelHarness, prompts


def test_settings_hold_and_are_told(panel, model):
    panel.post("set", temperature=0.5, system="Be brief.")
    told = panel.received("settings")[-1]
    assert (told["temperature"], told["takes_temperature"], told["system"]) == (0.5, True, "Be brief.")
    panel.ask("hi")
    turn = panel.controller.conversation.turns[0]
    assert (turn.params, turn.system) == ({"temperature": 0.5}, "Be brief.")
    panel.post("set", temperature=None)
    assert panel.received("settings")[-1]["temperature"] is None


def test_model_can_be_another(panel, monkeypatch):
    panel.post("set", model="guide:help")
    assert panel.received("settings")[-1]["model"] == "guide:help"
    assert panel.received("settings")[-1]["models"] == [{"id": "help", "name": "Built-in guide"}]
    panel.post("set", model="openai:gpt-4o")
    told = {p["name"]: p for p in panel.received("settings")[-1]["providers"]}
    assert told["openai"]["credential"] == "missing"
    assert told["guide"]["credential"] == "none"
    panel.post("send", prompt="hi")
    refused = panel.wait_for("notification")
    assert "or run %lockbots login openai" in refused["text"]
    assert refused["credential"]  # the page tells of it already
    monkeypatch.setenv("OPENAI_API_KEY", PLANTED)
    panel.post("set", model="openai:gpt-4o")
    assert {p["name"]: p for p in panel.received("settings")[-1]["providers"]}["openai"]["credential"] == "ok"
    assert PLANTED not in str(panel.messages)


def test_providers_keep_their_order_whichever_is_in_use(panel):
    def order():
        return [one["name"] for one in panel.received("settings")[-1]["providers"]]

    panel.post("set", model="guide")
    before = order()
    assert {"guide", "openai", "function"} <= set(before)
    for name in ("openai", "ollama", "guide"):
        panel.post("set", model=name)
        assert order() == before


def test_models_of_a_server_are_listed_without_waiting(mock_server, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", mock_server.url("openai"))
    session = Lockbots()
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("models", provider="ollama")
    assert panel.wait_for("models")["models"]
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", "http://127.0.0.1:9/v1")
    panel.post("models", provider="ollama")
    told = panel.wait_for("models", 2)
    assert told["models"] == []
    assert told["error"]


def test_panel_of_the_session_shares_what_the_magics_use():
    session = Lockbots()
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("set", model="guide", temperature=0.3, system="Be brief.")
    assert (session.model, session.temperature) == ("guide", 0.3)
    assert session.conversation().system == "Be brief."
    panel.post("new")
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
def test_settings_changed_by_a_magic_are_told(session, session_panel, change, told):
    change(session)
    assert told.items() <= session_panel.received("settings")[-1].items()


def test_settings_that_stay_as_they_are_are_not_told(session, session_panel):
    session.set("max_retries", 5)
    session.use("guide")
    assert session_panel.received("settings") == []


def test_a_credential_given_or_forgotten_is_told(session, session_panel, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    session.use("openai:gpt-4o")

    def credential():
        told = session_panel.received("settings")[-1]["providers"]
        return next(one["credential"] for one in told if one["name"] == "openai")

    assert credential() == "missing"
    session.credentials.keep("openai", Secret.of(PLANTED))
    assert credential() == "ok"
    session.credentials.forget("openai")
    assert credential() == "missing"


def test_what_one_panel_sets_the_other_shows(session, session_panel):
    other = PanelHarness(backend=SessionBackend(session))
    other.post("set", temperature=0.7, system="Be kind.")
    told = session_panel.received("settings")[-1]
    assert (told["temperature"], told["system"]) == (0.7, "Be kind.")


def test_conversations_that_come_and_go_are_told(session, session_panel):
    session.conversation("other")
    assert session_panel.received("conversations")[-1]["names"] == ["main", "other"]
    session.add(session.conversation().fork("copy"))
    assert session_panel.received("conversations")[-1]["names"] == ["main", "other", "copy"]
    session.switch("other")
    session.delete("copy")
    told = session_panel.received("conversations")[-1]
    assert (told["names"], told["name"], told["deleted"]) == (["main", "other"], "main", False)
    assert len(session_panel.received("snapshot")) == 1


def test_a_conversation_that_is_deleted_stays_of_use_until_another_is_chosen(session, session_panel):
    session_panel.ask("How do I undo?")
    old = session.delete("main")
    told = {"type": "conversations", "name": "main", "names": [], "deleted": True}
    assert told.items() <= session_panel.received("conversations")[-1].items()
    assert session_panel.received("notification")[-1]["key"] == "deleted"
    session_panel.ask("How do I save?")
    assert prompts(old) == ["How do I undo?", "How do I save?"]
    session.chat().ask("How do I list models?")
    session.keep(new := session.conversation())
    session_panel.post("hello", view="w")
    shown = session_panel.received("snapshot")[-1]
    assert (shown["conversation"]["deleted"], len(shown["turns"])) == (True, 2)
    session_panel.post("switch", name="main")
    assert session_panel.controller.conversation is new
    assert session_panel.received("snapshot")[-1]["conversation"]["deleted"] is False
    session_panel.post("clear", name="main")
    assert len(old) == 2


def test_an_empty_conversation_makes_way_for_the_restored_one(session, session_panel):
    session.restore(Past(Owner("id", "main"), (Turn("from before", "yes", place=(1,), made=1.0),), 1.0))
    assert [p for p, *_ in session_panel.shown()] == ["from before"]
    assert session_panel.controller.conversation is session.conversation()


def test_a_host_that_is_gone_watches_no_more(session):
    panel = PanelHarness(backend=SessionBackend(session))
    conversation = session.conversation()
    assert (len(session.observers), len(conversation.observers)) == (1, 1)
    del panel
    gc.collect()
    assert (len(session.observers), len(conversation.observers)) == (0, 0)


def test_which_conversation_cells_talk_in_is_told(session, session_panel):
    assert session_panel.received("snapshot")[-1]["conversation"]["cells"] == "main"
    session_panel.post("new")
    assert session_panel.received("snapshot")[-1]["conversation"]["cells"] == "main"
    session.switch("chat")  # in a cell
    session.cells.ended.tell()
    assert session_panel.received("conversations")[-1]["cells"] == "chat"
    told = len(session_panel.messages)
    session.cells.ended.tell()
    assert len(session_panel.messages) == told


def test_address_and_credential_outlast_another_provider(mock_server):
    panel = PanelHarness(Chat("openai:demo", base_url=mock_server.url("openai"), auth=PLANTED))
    for model in ("guide:help", "openai:gpt-4"):
        panel.post("set", model=model)
    provider = panel.controller.backend.chat().provider
    assert provider.base_url == mock_server.url("openai")
    assert provider.auth is not None


def test_no_credential_reaches_the_page(mock_server):
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


def test_conversation_whose_name_is_cleaned_for_the_page_can_be_opened(panel):
    odd = Conversation("red \x1b[31mname")
    panel.controller.backend.add(odd)
    panel.post("new")
    panel.post("hello", view="v")
    names = panel.received("snapshot")[-1]["conversation"]["names"]
    assert names == ["main", "red [31mname", "chat"]
    panel.post("switch", name=names[1])
    assert panel.controller.conversation is odd
