"""`%lockbots restore`, and what commands leave in the notebook for it, in an IPython without a kernel."""

import json

import pytest
from IPython.utils.capture import capture_output

from lockbots_magic.notebook.extension import session_of
from lockbots_magic.storage.output_metadata import KEY, parse_record


@pytest.fixture
def session(shell):
    return session_of(shell)


@pytest.fixture
def run(shell, session):
    """Run a cell and return it as a notebook saves it."""

    def run(source, cell_id="c1"):
        with capture_output() as captured:
            result = shell.run_cell(source, cell_id=cell_id)
        result.raise_error()
        outputs = [{"output_type": "display_data", "data": o.data, "metadata": o.metadata} for o in captured.outputs]
        if captured.stdout:
            outputs.append({"output_type": "stream", "name": "stdout", "text": captured.stdout})
        return {"cell_type": "code", "id": cell_id, "metadata": {}, "source": source, "outputs": outputs}

    return run


@pytest.fixture
def saved(tmp_path):
    def saved(*cells):
        path = tmp_path / "talk.ipynb"
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return path

    return saved


def record(cell):
    return parse_record(cell["outputs"][0]["metadata"][KEY])


def said(cell):
    return cell["outputs"][0]["text"]


def test_every_reply_carries_its_turn(run, session):
    kept = record(run("%%chat\nhow do I save", "c1"))
    (turn,) = session.conversations.get().turns
    assert (kept.entry.turn.id, kept.entry.info.id, kept.cell) == (turn.id, session.conversations.get().id, "c1")


@pytest.mark.parametrize("command", ["undo", "clear", "fork", "delete main"])
def test_a_command_that_takes_turns_away_leaves_its_mark(run, session, command):
    run("%%chat\nhow do I save")
    cell = run(f"%lockbots {command}", "c2")
    entry = record(cell).entry
    assert entry.turn is None
    assert entry.deleted is (command == "delete main")
    assert cell["outputs"][0]["data"]["text/plain"]


def test_in_a_terminal_it_prints_as_ever(shell, run, capsys):
    run("%%chat\nhow do I save")
    shell.run_line_magic("lockbots", "undo")
    assert capsys.readouterr().out == "Removed 1 turn: 'how do I save'\n"


def test_restore_tells_what_there_is_and_goes_on_with_the_latest(run, session, saved):
    cells = [run("%%chat\nhow do I save", "a"), run("%%chat -c other\nand load?", "b"), run("%%chat\nlogin?", "c")]
    session.conversations._named.clear()
    assert said(run(f"%lockbots restore {saved(*cells)}", "r")).splitlines() == [
        "Restored from talk.ipynb; the current conversation is main.",
        "other: 1 turn",
        "main: 2 turns",
    ]
    assert [t.cell_id for t in session.conversations.get().turns] == ["a", "c"]


def test_an_empty_conversation_makes_way_and_one_with_turns_does_not(run, session, saved):
    cell = run("%%chat\nhow do I save", "a")
    session.conversations._named.clear()
    empty = session.conversations.get()
    run(f"%lockbots restore {saved(cell)}")
    assert session.conversations.get() is not empty
    session.conversations._named.clear()
    run("%%chat\nsomething else", "z")
    assert "main-2: 1 turn" in said(run(f"%lockbots restore {saved(cell)}"))
    assert [(name, len(c)) for name, c in session.conversations.by_name.items()] == [("main", 1), ("main-2", 1)]


def test_a_conversation_that_was_cleared_takes_nobodys_place(run, session, saved):
    cells = [run("%%chat\nhow do I save", "a"), run("%lockbots clear", "b")]
    session.conversations._named.clear()
    run("%%chat\nsomething else", "z")
    assert "main: 1 turn; already here" in said(run(f"%lockbots restore {saved(*cells)}"))
    assert list(session.conversations.by_name) == ["main"]


def test_it_does_not_end_in_a_conversation_that_was_cleared_last(run, session, saved):
    cells = [
        run("%%chat\nhello"),
        run("%lockbots new aside", "c2"),
        run("%%chat\nhi", "c3"),
        run("%lockbots clear", "c4"),
    ]
    path = saved(*cells)
    session.conversations._named.clear()
    session.conversations.current = "main"
    run(f"%lockbots restore {path}", "c9")
    assert session.conversations.current == "main"
    assert len(session.conversations.get()) == 1


def test_what_is_here_stays_unless_the_notebook_knows_more(run, session, saved):
    first = run("%%chat\nhow do I save", "a")
    second = run("%%chat\nand load?", "b")
    assert "main: 2 turns; already here, left as is" in said(run(f"%lockbots restore {saved(first)}"))
    session.conversations._named.clear()
    run(f"%lockbots restore {saved(first)}")
    assert said(run(f"%lockbots restore {saved(first, second)}")).splitlines()[1] == "main: 2 turns"


def test_what_went_on_here_is_not_replaced_by_a_notebook_that_says_otherwise(run, session, saved):
    cells = [run("%%chat\nhow do I save", "a"), run("%%chat\nand load?", "b")]
    run("%lockbots undo")
    assert "already here, left as is" in said(run(f"%lockbots restore {saved(*cells)}"))
    assert len(session.conversations.get()) == 1


def test_what_is_not_set_any_more_is_told(run, session, saved, mock_server):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    cell = run("%%chat -s 'Be brief.'\nhi", "a")
    session.conversations._named.clear()
    session.settings.model = "guide"
    told = said(run(f"%lockbots restore {saved(cell)}"))
    assert "To continue with it: `%lockbots use openai:demo`" in told
    assert "a system prompt that is not set now: 'Be brief.'" in told


def test_the_line_to_continue_with_names_the_dialect(run, session, saved, mock_server):
    url = mock_server.url("openai")
    run(f"%lockbots use openai:demo --base-url {url} --dialect responses")
    cell = run("%%chat\nhi", "a")
    for elsewhere in ("--base-url http://localhost:9/v1", f"--base-url {url} --dialect default"):
        session.conversations._named.clear()
        run(f"%lockbots use openai:demo {elsewhere}")
        told = said(run(f"%lockbots restore {saved(cell)}"))
        line = told.partition("To continue with it: `")[2].partition("`")[0]
        assert line.endswith("--dialect responses")
        run(line)
        run("%%chat\nagain", "b")
        assert session.conversations.get().turns[-1].dialect == "responses"
    session.conversations._named.clear()
    assert "To continue with it" not in said(run(f"%lockbots restore {saved(cell)}"))


def test_without_a_name_the_notebook_is_the_one_that_the_front_end_tells(run, session, saved, monkeypatch):
    with pytest.raises(ValueError, match=r"Give it: `%lockbots restore NAME\.ipynb`"):
        run("%lockbots restore")
    cell = run("%%chat\nhow do I save", "a")
    monkeypatch.setenv("JPY_SESSION_NAME", str(saved(cell)))
    assert "main: 1 turn" in said(run("%lockbots restore", "a"))
    assert "Save the notebook, and restore again" in said(run("%lockbots restore", "new"))


def test_a_notebook_that_is_refused_changes_nothing(run, session, saved):
    cell = run("%%chat\nhow do I save", "a")
    before = dict(session.conversations.by_name), session.conversations.get().turns
    cell["outputs"][0]["metadata"][KEY]["order"] = ""
    with pytest.raises(ValueError, match=r"cell 1 .*how do I save.*damaged"):
        run(f"%lockbots restore {saved(cell)}")
    assert (dict(session.conversations.by_name), session.conversations.get().turns) == before
