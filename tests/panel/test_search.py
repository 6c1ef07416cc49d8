"""Search in a panel: its conversations, and the log if it is on."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.commits import observe_commits
from lockbots_magic.storage.log.writer import writer_of


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Log every chat to a folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    stop = observe_commits(writer_of().put)
    yield
    stop()
    writer_of().close()


def search(panel, words, count=1):
    panel.post("search", view="v1", words=words)
    return panel.wait_for("found", count)


def test_turns_of_all_conversations_are_found(panel):
    panel.ask("Что с погодой?")
    panel.post("new")
    panel.ask("about universities")
    found = search(panel, "погоды")
    assert (found["view"], found["words"], found["log"], found["error"]) == ("v1", "погоды", False, "")
    (hit,) = found["hits"]
    assert (hit["name"], hit["logged"]) == ("main", False)
    assert [text for text, is_found in hit["snippet"] if is_found] == ["погодой"]
    assert [hit["name"] for hit in search(panel, "univ", 2)["hits"]] == ["chat"]
    assert search(panel, "nothing like it", 3)["hits"] == []
    assert search(panel, '"(* AND', 4)["hits"] == []
    assert search(panel, "   ", 5)["hits"] == []


def test_a_turn_that_a_fork_shares_is_found_once(panel):
    panel.ask("one")
    panel.ask("two")
    panel.post("edit", turn=panel.controller.conversation.turns[1].id, prompt="another")
    panel.wait_for("usage", 3)
    turns = [hit["turn"] for hit in search(panel, "one")["hits"]]
    assert len(turns) == len(set(turns)) == 3


def test_the_log_is_searched_while_it_is_on(session, session_panel, log):
    earlier = Chat(lambda prompt: "A reply about zebras.", conversation=None)
    turns = [earlier.ask("first"), earlier.ask("second")]
    assert search(session_panel, "zebra")["hits"] == []
    session.recording.switch(True)
    try:
        found = search(session_panel, "zebra", 2)
        assert found["log"] is True
        hit = next(one for one in found["hits"] if one["turn"] == turns[0].id)
        assert (hit["logged"], hit["name"]) == (True, "")
        assert hit["place"].startswith("function:")
        session_panel.post("open_logged", turn=turns[0].id)
    finally:
        session.recording.switch(False)
    opened = session_panel.controller.conversation
    assert [turn.prompt for turn in opened.turns] == ["first"]
    assert opened.name == "main-2"
    assert session_panel.received("snapshot")[-1]["conversation"]["name"] == "main-2"


def test_a_log_that_cannot_be_read_is_told_and_the_rest_is_found(session, session_panel, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "lockbots").mkdir()
    (tmp_path / "lockbots" / "log.db").write_bytes(b"no database " * 100)
    session_panel.ask("How do I connect a model?")
    session.recording.switch(True)
    try:
        found = search(session_panel, "connect")
    finally:
        session.recording.switch(False)
    assert "damaged" in found["error"]
    assert found["hits"]


def test_a_turn_that_is_gone_from_the_log_is_told(session_panel, log):
    session_panel.post("open_logged", turn="0" * 32)
    assert "no turn" in session_panel.wait_for("notification")["text"]
