"""Metadata of the transcript output, and the conversations restored from it."""

import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import CellOrigin
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.panel import transcript_metadata
from lockbots_magic.panel.transcript_metadata import TranscriptMetadata
from lockbots_magic.security.secrets import Secret
from lockbots_magic.storage.output_metadata import KEY, metadata
from lockbots_magic.storage.restore import restore_notebook

PLANTED = "sk-planted-credential-0123456789abcdef"


def test_conversations_of_other_panels_are_saved_too():
    collected = TranscriptMetadata()
    one, two = make_chat("one", "a").conversation, make_chat("two", "b").conversation
    of_cells = Chat(lambda prompt: "yes", conversation=Conversation("cells"))
    list(of_cells.stream("c", origin=CellOrigin("cell")))
    collected.add(one)
    names = [record["conversation"]["name"] for record in collected.build([one, two, of_cells.conversation])[KEY]]
    assert set(names) == {"one", "two"}


class Notebook:
    """A saved notebook with a panel and chat cells."""

    def __init__(self, path):
        self.path = path / "panel.ipynb"
        self.cells = []

    def add(self, source, metadata, text=""):
        output = {"output_type": "display_data", "data": {"text/plain": text}, "metadata": metadata}
        cell = {"cell_type": "code", "id": f"cell-{len(self.cells)}", "metadata": {}, "source": source}
        self.cells.append({**cell, "outputs": [output]})

    def restored(self):
        self.path.write_text(json.dumps({"cells": self.cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return restore_notebook(self.path)


@pytest.fixture
def notebook(tmp_path):
    return Notebook(tmp_path)


def build_metadata(*conversations):
    collected = TranscriptMetadata()
    for conversation in conversations:
        collected.add(conversation)
    return collected.build(conversations)


def describe(turns):
    return [(t.prompt, t.reply, t.stale, t.id) for t in turns]


def make_chat(name="main", *prompts):
    chat = Chat(lambda prompt: f"to {prompt}", conversation=Conversation(name, system="Be brief."))
    for prompt in prompts:
        chat.ask(prompt)
    return chat


def test_conversation_of_a_panel_is_restored(notebook):
    chat = make_chat("main", "one", "two", "three")
    chat.redo(chat.conversation.turns[0].id).close()
    chat.retry(chat.conversation.turns[1].id)
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    (past,) = notebook.restored().conversations
    assert describe(past.turns) == describe(chat.conversation.turns)
    assert (past.info.name, past.info.system, past.gaps) == ("main", "Be brief.", ())


def test_turns_of_cells_and_of_the_panel_keep_their_order(notebook):
    chat = make_chat("main", "one")
    for n, prompt in enumerate(("two", "three")):
        reply = chat.stream(prompt, origin=CellOrigin(f"cell-{n}", "1"))
        list(reply)
        notebook.add(f"%%chat\n{prompt}", metadata(reply.entry, f"cell-{n}", f"%%chat\n{prompt}"), f"to {prompt}")
        chat.ask(f"{prompt} and more")
    notebook.cells.insert(0, notebook.cells.pop())
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    book = notebook.restored()
    assert describe(book.conversations[0].turns) == describe(chat.conversation.turns)
    assert not [remark for remark in book.remarks if "missing" in remark or "copy" in remark]


def test_cell_turn_regenerated_in_the_panel_is_restored_as_regenerated(notebook):
    chat = make_chat("main")
    reply = chat.stream("one", origin=CellOrigin("cell-0", "1"))
    list(reply)
    notebook.add("%%chat\none", metadata(reply.entry, "cell-0", "%%chat\none"), "to one")
    chat.retry()
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    assert describe(notebook.restored().conversations[0].turns) == describe(chat.conversation.turns)


def test_fork_is_restored_with_the_turns_of_its_origin(notebook):
    chat = make_chat("main", "one", "two")
    fork = chat.fork("main-2", chat.conversation.turns[0].id)
    fork.ask("two, differently")
    notebook.add("%lockbots panel", build_metadata(chat.conversation, fork.conversation))
    main, branch = notebook.restored().conversations
    assert describe(main.turns) == describe(chat.conversation.turns)
    assert describe(branch.turns) == describe(fork.conversation.turns)
    assert branch.info.name == "main-2"


def test_two_panels_of_one_conversation_restore_its_latest_state(notebook):
    chat = make_chat("main", "one")
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    chat.ask("two")
    chat.retry(chat.conversation.turns[0].id)
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    assert describe(notebook.restored().conversations[0].turns) == describe(chat.conversation.turns)


def test_undone_and_cleared_turns_are_not_restored(notebook):
    chat = make_chat("main", "one", "two")
    reply = chat.stream("three", origin=CellOrigin("cell-0", "1"))
    list(reply)
    notebook.add("%%chat\nthree", metadata(reply.entry, "cell-0", "%%chat\nthree"), "to three")
    chat.undo(2)
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    assert [t.prompt for t in notebook.restored().conversations[0].turns] == ["one"]
    chat.clear()
    notebook.cells.pop()
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    assert [t.prompt for past in notebook.restored().conversations for t in past.turns] == []


def test_damaged_record_is_reported_with_its_cell(notebook):
    kept = build_metadata(make_chat("main", "one").conversation)
    kept[KEY][0]["turn"]["id"] = 7
    notebook.add("%lockbots panel", kept)
    with pytest.raises(UsageError, match=r'cell 1 \("%lockbots panel"\): can.t use the metadata of its output'):
        notebook.restored()


def test_turns_that_a_conversation_was_created_with_are_restored(notebook):
    by_hand = Conversation("by hand", turns=[Turn("one", "yes"), Turn("two", "yes")])
    notebook.add("ChatPanel(chat)", build_metadata(by_hand))
    assert [t.prompt for t in notebook.restored().conversations[0].turns] == ["one", "two"]
    chat = Chat(lambda prompt: "yes", conversation=by_hand)
    chat.ask("three")
    notebook.cells.clear()
    notebook.add("ChatPanel(chat)", build_metadata(by_hand))
    assert [t.prompt for t in notebook.restored().conversations[0].turns] == ["one", "two", "three"]


def test_conversation_without_turns_has_no_metadata():
    assert build_metadata(Conversation()) == {}


def test_deleted_conversation_is_not_saved():
    collected = TranscriptMetadata()
    one, two = make_chat("one", "a").conversation, make_chat("two", "b").conversation
    collected.add(one)
    collected.add(two)
    names = {record["conversation"]["name"] for record in collected.build([two])[KEY]}
    assert names == {"two"}


def test_oldest_turns_beyond_the_size_limit_are_not_saved(monkeypatch, notebook):
    monkeypatch.setattr(transcript_metadata, "MAX_CHARACTERS", 30)
    chat = make_chat("main", *"abcdefgh")
    notebook.add("%lockbots panel", build_metadata(chat.conversation))
    (past,) = notebook.restored().conversations
    assert [t.prompt for t in past.turns] == list("cdefgh")
    assert past.gaps == (chat.conversation.turns[2].id,)


def test_turn_that_failed_before_the_first_word_is_not_saved(notebook):
    conversation = Conversation(
        turns=[Turn("one", "yes"), Turn("two", "", status="error", error="x"), Turn("three", "yes")]
    )
    conversation.commit(Turn("four", "yes"), conversation.slot())
    kept = build_metadata(conversation)
    assert "two" not in json.dumps(kept)


def test_no_credential_is_saved():
    secret = Secret(PLANTED)  # known as long as it is referenced
    chat = make_chat("main", f"my key is {secret.reveal()}")
    assert PLANTED not in json.dumps(build_metadata(chat.conversation))
