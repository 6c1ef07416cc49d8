"""`%lockbots models`: asks a server once, and again on request."""

import pytest

from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands.result import DisplayResult
from lockbots_magic.notebook.session import Session
from tests.notebook.commands.test_discover import lists
from tests.rawserver import RawServer


@pytest.fixture
def session(mock_server):
    session = Session()
    session.use("openai:demo", mock_server.url("openai"))
    return session


def run(session, line):
    """Return the table that a command displays."""
    result = commands.run(session, line)
    assert isinstance(result, DisplayResult)
    return result.value


def test_server_is_asked_once(session, mock_server):
    first = run(session, "models")
    again = run(session, "models openai")
    assert first.rows == again.rows
    assert len(mock_server.requests) == 1
    assert first.caption == ""
    assert "%lockbots models openai --refresh" in again.caption


def test_refresh_asks_again(session, mock_server):
    commands.run(session, "models")
    assert run(session, "models --refresh").caption == ""
    assert len(mock_server.requests) == 2


def test_another_base_url_is_asked(session, mock_server):
    commands.run(session, "models")
    session.use("openai:demo", mock_server.url("openai", delay=0))
    commands.run(session, "models")
    assert len(mock_server.requests) == 2


def test_server_without_models_is_asked_every_time(session, mock_server):
    session.catalog.keep("openai", mock_server.url("openai"), [])
    commands.run(session, "models")
    assert len(mock_server.requests) == 1


def test_models_that_are_not_for_chat_and_skipped_rows_are_told(session):
    rows = [{"id": "/home/me/a.gguf", "meta": {"n_ctx": 4096}}, {"id": "whisper-1"}, {"object": "model"}]
    with RawServer(lists({"data": rows})) as server:
        session.use("vllm:x", f"{server.url}/v1")
        table = run(session, "models")
    assert table.headings[-1] == "for"
    assert table.rows == [["vllm:a.gguf", "", "", "4096", "chat"], ["vllm:whisper-1", "", "", "", "speech"]]
    assert "1 row of the server's list left out" in table.caption


def test_server_that_has_no_model_is_told_as_one(session):
    for answer in ({"data": []}, {"object": "list", "data": None}):
        with RawServer(lists(answer)) as server:
            session.use("vllm:x", f"{server.url}/v1")
            assert run(session, "models").caption == "The server lists no model. Load one there."
