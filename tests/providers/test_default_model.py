"""A default model that the service has dropped: the error says so, and lists what there is."""

import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.prices import find_price
from lockbots_magic.errors import ModelNotFoundError
from lockbots_magic.providers.openai_compatible import DEFAULTS_DATE
from lockbots_magic.providers.presets import presets
from tests.rawserver import RawServer


def serves(*models):
    def script(peer):
        while request := peer.request():
            if request.line.startswith("GET"):
                body = {"object": "list", "data": [{"id": model} for model in models]}
                peer.answer(json.dumps(body).encode(), Content_Type="application/json")
            else:
                body = {"error": {"message": "The model does not exist.", "code": "model_not_found"}}
                peer.answer(json.dumps(body).encode(), "404 Not Found", Content_Type="application/json")

    return script


def test_dropped_default_is_told_with_what_there_is():
    with RawServer(serves("alpha-1", "beta-2")) as server, pytest.raises(ModelNotFoundError) as caught:
        Chat("openai", base_url=f"{server.url}/v1", max_retries=0).ask("x")
    words = str(caught.value)
    assert f"It was the default for openai on {DEFAULTS_DATE}" in words
    assert "alpha-1, beta-2" in words
    assert "`%lockbots use openai:MODEL`" in words


def test_named_model_is_not_called_a_default():
    with RawServer(serves("alpha-1")) as server, pytest.raises(ModelNotFoundError) as caught:
        Chat("openai:nosuch", base_url=f"{server.url}/v1", max_retries=0).ask("x")
    assert "default" not in str(caught.value)


def test_default_of_openai_has_a_price():
    assert find_price("openai", presets.openai.default_model) is not None
