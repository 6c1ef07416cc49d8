"""The lists of models that servers returned are kept by provider and base URL."""

import gc
import weakref

import pytest

from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.errors import ProviderError
from lockbots_magic.notebook.session import Session
from lockbots_magic.providers import model_catalog
from lockbots_magic.providers.liaobots import Liaobots
from lockbots_magic.providers.model_catalog import ModelCatalog, get_catalog
from lockbots_magic.providers.openai_compatible import presets


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


def test_each_session_has_a_catalog_that_is_freed_with_it():
    one, other = Session(), Session()
    assert get_catalog(one) is get_catalog(one)
    assert get_catalog(one) is not get_catalog(other)
    catalog = weakref.ref(get_catalog(other))
    del other
    gc.collect()
    assert catalog() is None
