"""Exported notebook: valid, executable, and restorable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import ToolCall, Usage
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.extension import session_of
from lockbots_magic.storage import export_notebook as notebook
from lockbots_magic.storage import files
from tests.documents import DOCUMENT
from tests.effort import examples
from tests.hostile import VECTORS
from tests.hostile.names import NAMES

nbformat = pytest.importorskip("nbformat")


def turn(prompt="What?", reply="That.", **kwargs):
    return Turn(prompt, reply, **{"provider": "openai", "model": "gpt-4o", **kwargs})


def exported(*turns, **kwargs):
    """Return the notebook of a conversation, as nbformat reads it."""
    made = nbformat.reads(notebook.to_notebook(Conversation("talk", turns=turns, **kwargs)), nbformat.NO_CONVERT)
    nbformat.validate(made)
    return made


def sources(*turns, **kwargs):
    return [cell.source for cell in exported(*turns, **kwargs).cells]


# The cells.


def test_notebook_begins_with_its_name_and_setup_cells():
    turns = [turn("one"), turn("two"), turn("three", model="o1"), turn("four", provider="ollama", model="llama3:8b")]
    assert sources(*turns) == [
        "# talk",
        "%load_ext lockbots_magic\n%lockbots use openai:gpt-4o",
        "%%chat\none",
        "%%chat\ntwo",
        "%%chat -m openai:o1\nthree",
        "%%chat -m ollama:llama3:8b\nfour",
    ]


def test_cells_have_options_only_where_a_turn_differs():
    params = {"temperature": 0, "top_p": 0.5, "stop": ["a b"], "user": "5"}
    turns = [turn("one", system="Be brief."), turn("two", system="Be brief."), turn("three", params=params)]
    assert sources(*turns)[2:] == [
        '%lockbots set system "Be brief."',
        "%%chat\none",
        "%%chat\ntwo",
        '%%chat -t 0.0 -s "" -p top_p=0.5 -p "stop=[\'a b\']" -p "user=\'5\'"\nthree',
    ]


def test_turn_of_an_unknown_model_sets_no_model():
    assert sources(turn(provider="function", model="f"), turn(provider="", model="")) == [
        "# talk",
        "%load_ext lockbots_magic",
        "%%chat\nWhat?",
        "%%chat\nWhat?",
    ]


def test_failed_and_empty_turns_are_left_out():
    assert sources(turn("a"), turn("b", status="error"), turn("c", ""), turn("d", status="interrupted"))[2:] == [
        "%%chat\na",
        "%%chat\nd",
    ]


def test_turn_without_a_prompt_sends_nothing():
    assert sources(turn("\n "))[-1].startswith("#")


def test_parameter_that_is_not_a_literal_is_one_error():
    with pytest.raises(UsageError, match="'top-p'"):
        exported(turn(params={"top-p": 1}))
    with pytest.raises(UsageError, match="'df'"):
        exported(turn(params={"df": object()}))


def test_cell_keeps_its_id_if_it_is_valid_and_unique():
    turns = [turn(cell_id=one) for one in ("abc-1", "abc-1", "not valid", None, "x" * 65, "")]
    ids = [cell.id for cell in exported(*turns).cells][2:]
    assert ids[0] == "abc-1"
    assert len(set(ids)) == len(turns)
    assert ids == [cell.id for cell in exported(*turns).cells][2:], "the same for the same turns"


def test_outputs_hold_replies_in_all_forms():
    (output,) = exported(turn("q", "**a**", status="truncated", error="cut short")).cells[-1].outputs
    assert output.data["text/plain"] == "**a**"
    assert output.data["text/markdown"] == "**a**\n\n*cut short*"
    assert "<strong>a</strong>" in output.data["text/html"]
    assert "cut short" in output.data["text/html"]


# And back.

STATUSES = st.sampled_from(["complete", "interrupted", "truncated"])
TURNS = st.builds(
    turn,
    st.text(min_size=1),
    st.text(min_size=1),
    system=st.sampled_from(["", "Be brief.", "Two\nlines"]),
    status=STATUSES,
    stale=st.booleans(),
    cell_id=st.sampled_from([None, "a", "b", "not valid"]),
    id=st.sampled_from(["", "1", "2", "x" * 300]) | st.uuids().map(str),
    params=st.sampled_from([{}, {"temperature": 0.5, "stop": ["a"]}]),
)


def whole(text):
    """Return `text` with lone surrogates replaced, as in a notebook."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@given(st.lists(TURNS, min_size=1, max_size=6), st.text())
@settings(max_examples=examples(50))
def test_exported_notebook_restores_the_conversation(tmp_path_factory, turns, name):
    path = tmp_path_factory.getbasetemp() / "any.ipynb"
    files.export_conversation(Conversation(name, system="Be brief.", turns=turns), path)
    nbformat.validate(nbformat.read(path, nbformat.NO_CONVERT))
    (back,) = files.import_conversations(path).conversations
    assert back.name == (whole(name) or "main")
    assert back.system == "Be brief."
    told = lambda t: (whole(t.prompt), whole(t.reply), t.system, t.status, dict(t.params), t.stale)  # noqa: E731
    assert [*map(told, back.turns)] == [*map(told, turns)]


def test_order_of_repeated_cells_is_restored(tmp_path):
    conversation = Conversation("talk")
    for run, one in enumerate(("a", "b", "c", "b", "d")):
        conversation.commit(turn(f"{one}{run}", cell_id=one, run=str(run)), conversation.slot(one, str(run)))
    files.export_conversation(conversation, tmp_path / "a.ipynb")
    found = files.import_conversations(tmp_path / "a.ipynb")
    (back,) = found.conversations
    assert [(t.prompt, t.stale) for t in back.turns] == [("a0", False), ("b3", False), ("c2", True), ("d4", False)]
    assert found.remarks == ()


def test_all_fields_of_a_turn_are_restored(tmp_path):
    one = turn(
        "Вопрос 😀",
        DOCUMENT,
        params={"stop": ["a"]},
        status="truncated",
        error="cut",
        reasoning="hm",
        usage=Usage(1, 2),
        started=5.0,
        elapsed=1.5,
        first_text=0.5,
        left_out=1,
        images=("data:image/png;base64,iVBORw0KGgo=", "https://a.example/b.png"),
        calls=(ToolCall("1", "weather", '{"city": "Осло"}', "дождь"),),
    )
    conversation = Conversation("talk", turns=[one, turn(stale=True)])
    files.export_conversation(conversation, tmp_path / "a.ipynb")
    found = files.import_conversations(tmp_path / "a.ipynb")
    (back,) = found.conversations
    assert back.turns == conversation.turns
    assert found.remarks == (
        '"talk": `retry` sends the parameters of its turns again: "stop=[\'a\']"',
        '"talk": images at these hosts go along with later prompts: "a.example"',
        '"talk": its turns called functions, which `retry` does not offer again: "weather"',
    )


def test_imported_turns_belong_to_no_cell(tmp_path):
    conversation = Conversation("talk", turns=[turn(cell_id="abc")])
    files.export_conversation(conversation, tmp_path / "a.ipynb")
    (back,) = files.import_conversations(tmp_path / "a.ipynb").conversations
    assert back.turns[0].cell_id is None
    assert back.id != conversation.id


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"nbformat": 4, "nbformat_minor": 5, "cells": []}', "[" * 100_000]
)
def test_file_that_is_not_a_notebook_with_turns_is_one_error(tmp_path, content):
    path = tmp_path / "a.ipynb"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"a\.ipynb"):
        files.import_conversations(path)


@pytest.mark.once
def test_hostile_text_is_exported_and_inert(tmp_path):
    turns = [turn(vector.text, vector.text) for vector in VECTORS]
    turns += [turn(provider=name, model=name, system=name) for name in NAMES]
    path = tmp_path / "a.ipynb"
    files.export_conversation(Conversation(NAMES[0], turns=turns), path)
    nbformat.validate(nbformat.read(path, nbformat.NO_CONVERT))
    (back,) = files.import_conversations(path).conversations
    assert [t.reply for t in back.turns] == [whole(t.reply) for t in turns]


# In a kernel.


def test_import_and_restore_both_read_an_exported_notebook(lockbots, shell, tmp_path):
    session = session_of(shell)
    path = tmp_path / "talk.ipynb"
    files.export_conversation(Conversation("physics", turns=[turn("one", cell_id="a"), turn("two")]), path)
    assert lockbots(f"import {path}") == "Conversation physics (2 turns).\n"
    lockbots("delete physics")
    lockbots(f"restore {path}")
    assert session.conversations.current == "physics"
    first, second = session.conversations.get().turns
    assert (first.prompt, first.cell_id, second.prompt) == ("one", "a", "two")
    assert second.cell_id


def test_loaded_copy_is_another_conversation(lockbots, shell, tmp_path):
    session = session_of(shell)
    lockbots("new physics")
    lockbots(f"save {tmp_path / 'a.json'}")
    lockbots(f"load {tmp_path / 'a.json'}")
    assert len({c.id for c in session.conversations.all()}) == len(session.conversations) == 2


@pytest.mark.kernel
def test_exported_notebook_runs_and_gives_the_same_replies(tmp_path):
    from nbclient import NotebookClient

    chat = Chat("guide", system='Be "brief",\nplease.')
    questions = ["How do I connect OpenAI?", "Как сохранить беседу?", "what is\n>>> 1 + 1\n2", "{x} $HOME 'quotes' \\"]
    for question in questions:
        chat.ask(question, rate=0)
    path = tmp_path / "talk.ipynb"
    files.export_conversation(chat.conversation, path)
    ran = nbformat.read(path, nbformat.NO_CONVERT)
    before = [cell.outputs[0].data["text/plain"] for cell in ran.cells[3:]]
    for one in ran.cells[1:]:
        one.outputs = []
    NotebookClient(ran, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [cell.outputs[0].data["text/plain"] for cell in ran.cells[3:]] == before
    nbformat.write(ran, path)
    (back,) = files.import_conversations(path).conversations
    assert [t.prompt for t in back.turns] == questions
    assert {t.system for t in back.turns} == {chat.conversation.system}
