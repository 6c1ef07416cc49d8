"""What the saved notebook has and the kernel has not."""

import json

import pytest

from lockbots_magic import Chat, Conversation
from lockbots_magic.panel import session_backend
from lockbots_magic.panel.session_backend import SessionBackend
from lockbots_magic.panel.transcript_metadata import TranscriptMetadata
from lockbots_magic.storage.restore import restored
from tests.panel.harness import PanelHarness


@pytest.fixture
def started_anew(monkeypatch):
    """What is said from now on was said before the kernel started."""
    monkeypatch.setattr(session_backend, "FIRST_IMPORTED", float("inf"))


def test_what_was_said_and_deleted_in_this_kernel_is_not_offered_again(session, tmp_path):
    path = tmp_path / "book.ipynb"
    saved_notebook(path, "main")
    session.own_notebook = lambda: path
    assert SessionBackend(session).unrestored == []


def saved_notebook(path, *names):
    """A notebook with the output of a panel in which these conversations were open; return them."""
    kept, chats = TranscriptMetadata(), []
    for name in names:
        chats.append(Chat(lambda prompt: "yes", conversation=Conversation(name)))
        chats[-1].ask(f"said in {name}")
        kept.add(chats[-1].conversation)
    metadata = kept.build([chat.conversation for chat in chats])
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
    panel = PanelHarness(backend=SessionBackend(session))
    panel.post("hello", view="v")
    assert panel.received("snapshot")[-1]["conversation"]["unrestored"] == 2
    for past in restored(path).pasts:
        session.restore(past)
    assert panel.received("conversations")[-1]["unrestored"] == 0
    assert [p for p, *_ in panel.shown()] == ["said in main"]


@pytest.mark.parametrize("text", ["", "{}", "no notebook"])
def test_a_notebook_that_holds_nothing_has_nothing_to_restore(session, tmp_path, text):
    path = tmp_path / "book.ipynb"
    path.write_text(text)
    session.own_notebook = lambda: path
    assert SessionBackend(session).unrestored == []
    session.own_notebook = lambda: tmp_path / "gone.ipynb"
    assert SessionBackend(session).unrestored == []


def test_what_was_not_restored_is_not_lost_from_the_next_output(session, tmp_path, started_anew):
    path = tmp_path / "book.ipynb"
    saved_notebook(path, "main", "other")
    session.own_notebook = lambda: path
    session.conversation()
    session.chat().ask("asked before there was a panel")
    its = SessionBackend(session)
    kept = TranscriptMetadata()
    kept.add(its.conversation)
    its.chat().ask("asked all the same")
    records = kept.build([*its.unrestored, *its.conversations.values()])["lockbots"]
    prompts = {record["turn"]["prompt"] for record in records if "turn" in record}
    assert prompts == {"said in main", "said in other", "asked before there was a panel", "asked all the same"}
