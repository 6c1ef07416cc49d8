"""Model, settings and conversations of a panel with a chat of its own."""

from lockbots_magic import Chat, Conversation
from lockbots_magic.panel.protocol import shown_model
from tests.panel.harness import PLANTED, PanelHarness


def test_settings_apply_and_are_sent(panel, model):
    panel.post("set", temperature=0.5, system="Be brief.")
    sent = panel.received("settings")[-1]
    assert (sent["temperature"], sent["takes_temperature"], sent["system"]) == (0.5, True, "Be brief.")
    panel.ask("hi")
    turn = panel.controller.conversation.turns[0]
    assert (turn.params, turn.system) == ({"temperature": 0.5}, "Be brief.")
    panel.post("set", temperature=None)
    assert panel.received("settings")[-1]["temperature"] is None


def test_another_model_can_be_chosen(panel, monkeypatch):
    panel.post("set", model="guide:help")
    assert panel.received("settings")[-1]["model"] == "guide:help"
    assert panel.received("settings")[-1]["models"] == [{"id": "help", "name": "Built-in guide"}]
    panel.post("set", model="openai:gpt-4o")
    sent = {p["name"]: p for p in panel.received("settings")[-1]["providers"]}
    assert sent["openai"]["credential"] == "missing"
    assert sent["guide"]["credential"] == "none"
    panel.post("send", prompt="hi")
    refused = panel.wait_for("notification")
    assert "or run `%lockbots login openai`" in refused["text"]
    assert refused["credential"]  # the page tells of it already
    monkeypatch.setenv("OPENAI_API_KEY", PLANTED)
    panel.post("set", model="openai:gpt-4o")
    assert {p["name"]: p for p in panel.received("settings")[-1]["providers"]}["openai"]["credential"] == "ok"
    assert PLANTED not in str(panel.messages)


def test_providers_keep_their_order(panel):
    def order():
        return [one["name"] for one in panel.received("settings")[-1]["providers"]]

    panel.post("set", model="guide")
    before = order()
    assert {"guide", "openai", "function"} <= set(before)
    for name in ("openai", "ollama", "guide"):
        panel.post("set", model=name)
        assert order() == before


def test_base_url_and_credential_outlast_another_provider(mock_server):
    panel = PanelHarness(Chat("openai:demo", base_url=mock_server.url("openai"), auth=PLANTED))
    for model in ("guide:help", "openai:gpt-4"):
        panel.post("set", model=model)
    provider = panel.controller.backend.chat().provider
    assert provider.base_url == mock_server.url("openai")
    assert provider.auth is not None


def test_conversation_whose_name_is_cleaned_for_the_page_can_be_opened(panel):
    odd = Conversation("red \x1b[31mname")
    panel.controller.backend.add(odd)
    panel.post("new")
    panel.post("hello", view="v")
    names = panel.received("snapshot")[-1]["conversation"]["names"]
    assert names == ["main", "red [31mname", "chat"]
    panel.post("switch", name=names[1])
    assert panel.controller.conversation is odd


def test_model_that_is_a_path_is_shown_by_its_last_part():
    assert shown_model("llamacpp:/home/me/foo.gguf") == "llamacpp:foo.gguf"
    assert shown_model("ollama:llama3:8b") == "ollama:llama3:8b"
