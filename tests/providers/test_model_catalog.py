"""The lists of models that servers returned are kept by provider and base URL."""

import pytest

from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.errors import ProviderError
from lockbots_magic.notebook.session import Session
from lockbots_magic.panel.session_backend import SessionBackend
from lockbots_magic.providers import model_catalog
from lockbots_magic.providers.liaobots import Liaobots
from lockbots_magic.providers.model_catalog import ModelCatalog
from lockbots_magic.providers.presets import presets


def ids(models):
    return [model.id for model in models]


def test_fetched_list_is_kept_by_provider_and_base_url(mock_server):
    catalog, url = ModelCatalog(), mock_server.url("openai")
    catalog.fetch("vllm", presets.vllm(base_url=url))
    assert ids(catalog.get("vllm", url)) == ["demo", "gpt-4", "gpt-3.5-turbo"]
    assert catalog.get("vllm", "http://localhost:8000/v1") == ()
    assert catalog.get("openai", url) == ()
    assert catalog.base_urls("vllm") == [url]


def test_declared_table_is_not_kept():
    catalog = ModelCatalog()
    catalog.fetch("liaobots", Liaobots())
    assert catalog.base_urls("liaobots") == []


def test_failed_fetch_leaves_the_previous_list(mock_server):
    catalog, url = ModelCatalog(), mock_server.url("openai", fault="http-500")
    catalog.keep("vllm", url, [ModelInfo("old")])
    with pytest.raises(ProviderError):
        catalog.fetch("vllm", presets.vllm(base_url=url, backoff=0.001))
    assert ids(catalog.get("vllm", url)) == ["old"]


def test_kept_list_is_bounded(monkeypatch):
    monkeypatch.setattr(model_catalog, "MAX_MODELS", 2)
    catalog = ModelCatalog()
    catalog.keep("vllm", "http://localhost:1", map(ModelInfo, "abc"))
    assert ids(catalog.get("vllm", "http://localhost:1")) == ["a", "b"]


def test_models_listed_in_a_panel_are_in_the_catalog_of_its_session_only():
    session, other = Session(), Session()
    session.catalog.keep("vllm", "http://localhost:1", [ModelInfo("a")])
    assert SessionBackend(session)._catalog.base_urls("vllm") == ["http://localhost:1"]
    assert not other.catalog.base_urls("vllm")
