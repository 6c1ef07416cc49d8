"""What servers said they serve is remembered, and asked for anew when somebody wants that."""

import gc
import weakref

import pytest

from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.errors import ProviderError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.session import Lockbots
from lockbots_magic.providers.liaobots import Liaobots
from lockbots_magic.providers.model_catalog import ModelCatalog, get_catalog
from lockbots_magic.providers.openai_compatible import presets


@pytest.fixture
def session(mock_server):
    session = Lockbots()
    session.use("openai:demo", mock_server.url("openai"))
    return session


def ids(models):
    return [model.id for model in models]


def test_what_a_server_said_is_remembered_by_its_address(mock_server):
    lists, url = ModelCatalog(), mock_server.url("openai")
    lists.fetch("vllm", presets.vllm(base_url=url))
    assert ids(lists.get("vllm", url)) == ["demo", "gpt-4", "gpt-3.5-turbo"]
    assert lists.get("vllm", "http://localhost:8000/v1") == ()
    assert lists.get("openai", url) == ()
    assert lists.base_urls("vllm") == [url]


def test_a_table_is_not_remembered():
    lists = ModelCatalog()
    lists.fetch("liaobots", Liaobots())
    assert lists.base_urls("liaobots") == []


def test_a_server_that_fails_leaves_what_it_said_before(mock_server):
    lists, url = ModelCatalog(), mock_server.url("openai", fault="http-500")
    lists.keep("vllm", url, [ModelInfo("old")])
    with pytest.raises(ProviderError):
        lists.fetch("vllm", presets.vllm(base_url=url))
    assert ids(lists.get("vllm", url)) == ["old"]


def test_the_models_command_asks_the_server_once(session, mock_server):
    first = commands.run(session, "models")
    again = commands.run(session, "models openai")
    assert first.rows == again.rows
    assert len(mock_server.requests) == 1
    assert first.caption == ""
    assert "%lockbots models openai --refresh" in again.caption


def test_refreshing_asks_anew(session, mock_server):
    commands.run(session, "models")
    assert commands.run(session, "models --refresh").caption == ""
    assert len(mock_server.requests) == 2


def test_another_address_is_asked_itself(session, mock_server):
    commands.run(session, "models")
    session.use("openai:demo", mock_server.url("openai", delay=0))
    commands.run(session, "models")
    assert len(mock_server.requests) == 2


def test_a_server_without_models_is_asked_every_time(session, mock_server):
    get_catalog(session).keep("openai", mock_server.url("openai"), [])
    commands.run(session, "models")
    assert len(mock_server.requests) == 1


def test_each_session_has_lists_of_its_own_which_go_with_it():
    one, other = Lockbots(), Lockbots()
    assert get_catalog(one) is get_catalog(one)
    assert get_catalog(one) is not get_catalog(other)
    lists = weakref.ref(get_catalog(other))
    del other
    gc.collect()
    assert lists() is None
