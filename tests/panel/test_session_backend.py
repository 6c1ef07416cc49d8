"""Panels that share the session of the IPython magics."""

import gc
import json

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.conversation.history_entry import ConversationInfo, RestoredConversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.session import Session
from lockbots_magic.panel import session_backend
from lockbots_magic.panel.session_backend import SessionBackend
from lockbots_magic.panel.transcript_metadata import TranscriptMetadata
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage.restore import restore_notebook
from tests.panel.harness import PLANTED, PanelHarness, prompts


def test_models_of_a_server_are_listed_in_the_background(mock_server, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", mock_server.url("openai"))
    session = Session()
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("models", provider="ollama")
    assert panel.wait_for("models")["models"]
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", "http://127.0.0.1:9/v1")
    panel.post("models", provider="ollama")
    sent = panel.wait_for("models", 2)
    assert sent["models"] == []
    assert sent["error"]


def test_panel_and_magics_share_their_settings():
    session = Session()
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("set", model="guide", temperature=0.3, system="Be brief.")
    assert (session.settings.model, session.settings.temperature) == ("guide", 0.3)
    assert session.conversations.get().system == "Be brief."
    panel.post("new")
    assert set(session.conversations.by_name) == {"main", "chat"}
    assert session.conversations.current == "main"


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        (lambda s: s.use("openai:gpt-4o"), {"model": "openai:gpt-4o"}),
        (lambda s: s.configure("temperature", 0.4), {"temperature": 0.4}),
        (lambda s: setattr(s.settings, "system", "Be brief."), {"system": "Be brief."}),
    ],
)
def test_settings_changed_by_a_magic_are_sent(session, session_panel, change, sent):
    change(session)
    assert sent.items() <= session_panel.received("settings")[-1].items()


def test_unchanged_settings_are_not_sent(session, session_panel):
    session.configure("max_retries", 5)
    session.use("guide")
    assert session_panel.received("settings") == []


def test_added_or_removed_credential_is_sent(session, session_panel, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    session.use("openai:gpt-4o")

    def credential():
        sent = session_panel.received("settings")[-1]["providers"]
        return next(one["credential"] for one in sent if one["name"] == "openai")

    assert credential() == "missing"
    session.credentials.keep("openai", Secret.of(PLANTED))
    assert credential() == "ok"
    session.credentials.forget("openai")
    assert credential() == "missing"


def test_settings_of_one_panel_are_sent_to_the_other(session, session_panel):
    other = PanelHarness(backend=SessionBackend(session))
    other.post("set", temperature=0.7, system="Be kind.")
    sent = session_panel.received("settings")[-1]
    assert (sent["temperature"], sent["system"]) == (0.7, "Be kind.")


def test_added_and_deleted_conversations_are_sent(session, session_panel):
    session.conversations.get("other")
    assert session_panel.received("conversations")[-1]["names"] == ["main", "other"]
    session.conversations.add(session.conversations.get().fork("copy"))
    assert session_panel.received("conversations")[-1]["names"] == ["main", "other", "copy"]
    session.conversations.switch("other")
    session.conversations.delete("copy")
    sent = session_panel.received("conversations")[-1]
    assert (sent["names"], sent["name"], sent["deleted"]) == (["main", "other"], "main", False)
    assert len(session_panel.received("snapshot")) == 1


def test_deleted_conversation_stays_usable_until_another_is_opened(session, session_panel):
    session_panel.ask("How do I undo?")
    old = session.conversations.delete("main")
    sent = {"type": "conversations", "name": "main", "names": [], "deleted": True}
    assert sent.items() <= session_panel.received("conversations")[-1].items()
    assert session_panel.received("notification")[-1]["key"] == "deleted"
    session_panel.ask("How do I save?")
    assert prompts(old) == ["How do I undo?", "How do I save?"]
    session.chat().ask("How do I list models?")
    session.conversations.keep(new := session.conversations.get())
    session_panel.post("hello", view="w")
    shown = session_panel.received("snapshot")[-1]
    assert (shown["conversation"]["deleted"], len(shown["turns"])) == (True, 2)
    session_panel.post("switch", name="main")
    assert session_panel.controller.conversation is new
    assert session_panel.received("snapshot")[-1]["conversation"]["deleted"] is False
    session_panel.post("clear", name="main")
    assert len(old) == 2


def test_restored_conversation_replaces_an_empty_one(session, session_panel):
    restored = RestoredConversation(ConversationInfo("id", "main"), (Turn("from before", "yes"),), (1,), 1.0)
    session.conversations.restore(restored)
    assert [p for p, *_ in session_panel.shown()] == ["from before"]
    assert session_panel.controller.conversation is session.conversations.get()


def test_unreferenced_controller_observes_nothing(session):
    panel = PanelHarness(backend=SessionBackend(session))
    conversation = session.conversations.get()
    assert (len(session.observers), len(conversation.observers)) == (1, 1)
    del panel
    gc.collect()
    assert (len(session.observers), len(conversation.observers)) == (0, 0)


def test_conversation_that_cells_use_is_sent(session, session_panel):
    assert session_panel.received("snapshot")[-1]["conversation"]["cells"] == "main"
    session_panel.post("new")
    assert session_panel.received("snapshot")[-1]["conversation"]["cells"] == "main"
    session.conversations.switch("chat")  # in a cell
    session.cells.ended.notify()
    assert session_panel.received("conversations")[-1]["cells"] == "chat"
    sent = len(session_panel.messages)
    session.cells.ended.notify()
    assert len(session_panel.messages) == sent


@pytest.fixture
def restarted_kernel(monkeypatch):
    """Everything saved from now on counts as saved before the kernel started."""
    monkeypatch.setattr(session_backend, "FIRST_IMPORTED", float("inf"))


def test_conversation_deleted_in_this_kernel_is_not_offered_for_restore(session, tmp_path):
    path = tmp_path / "book.ipynb"
    save_notebook(path, "main")
    session.own_notebook = lambda: path
    assert SessionBackend(session).unrestored == []


def save_notebook(path, *names):
    """Save a notebook with the output of a panel in which these conversations were open; return them."""
    collected, chats = TranscriptMetadata(), []
    for name in names:
        chats.append(Chat(lambda prompt: "yes", conversation=Conversation(name)))
        chats[-1].ask(f"prompt in {name}")
        collected.add(chats[-1].conversation)
    metadata = collected.build([chat.conversation for chat in chats])
    output = {"output_type": "display_data", "data": {"text/plain": ""}, "metadata": metadata}
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": "%lockbots panel", "outputs": [output]}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return [chat.conversation for chat in chats]


def test_unrestored_turns_are_counted_until_they_are_restored(session, tmp_path, restarted_kernel):
    path = tmp_path / "book.ipynb"
    save_notebook(path, "main", "other")
    session.own_notebook = lambda: path
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("hello", view="v")
    assert panel.received("snapshot")[-1]["conversation"]["unrestored"] == 2
    for past in restore_notebook(path).conversations:
        session.conversations.restore(past)
    assert panel.received("conversations")[-1]["unrestored"] == 0
    assert [p for p, *_ in panel.shown()] == ["prompt in main"]


@pytest.mark.parametrize("text", ["", "{}", "no notebook"])
def test_empty_or_broken_notebook_has_nothing_to_restore(session, tmp_path, text):
    path = tmp_path / "book.ipynb"
    path.write_text(text)
    session.own_notebook = lambda: path
    assert SessionBackend(session).unrestored == []
    session.own_notebook = lambda: tmp_path / "gone.ipynb"
    assert SessionBackend(session).unrestored == []


def test_unrestored_turns_are_saved_again_with_the_next_output(session, tmp_path, restarted_kernel):
    path = tmp_path / "book.ipynb"
    save_notebook(path, "main", "other")
    session.own_notebook = lambda: path
    session.conversations.get()
    session.chat().ask("asked before there was a panel")
    backend = SessionBackend(session)
    collected = TranscriptMetadata()
    collected.add(backend.conversation)
    backend.chat().ask("asked all the same")
    records = collected.build([*backend.unrestored, *backend.conversations.values()])["lockbots"]
    prompts = {record["turn"]["prompt"] for record in records if "turn" in record}
    assert prompts == {"prompt in main", "prompt in other", "asked before there was a panel", "asked all the same"}


def test_a_prompt_is_filtered_as_in_a_cell(session, session_panel):
    backend = session_panel.controller.backend
    session.namespace["db_password"] = "swordfish-77"
    kept, left_out = backend.without_secrets("The word is swordfish-77.")
    assert ("swordfish" in kept, left_out) == (False, "value of db_password")
    session.configure("send_secrets", True)
    assert backend.without_secrets("The word is swordfish-77.") == ("The word is swordfish-77.", "")
