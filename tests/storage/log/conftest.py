"""A log of the test's own, and what fills it."""

import pytest

from lockbots_magic import Chat, Log
from lockbots_magic.conversation.commits import observe_commits
from lockbots_magic.storage.log import writer as writers


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The log in a data folder of the test's own, which every chat is logged to while the test runs."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    log = Log()
    assert log.path == tmp_path / "data" / "lockbots" / "log.db"
    writer = writers.writer_of()
    stop = observe_commits(writer.put)
    yield log
    stop()
    writer.close()


@pytest.fixture
def chat():
    """A chat whose model repeats the prompt."""
    return Chat(lambda prompt: f"You said: {prompt}")
