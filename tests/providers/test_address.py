"""Base URLs: queries, what is shown, and the environment variables that name them."""

import json

import pytest

from lockbots_magic import MCP, Chat
from lockbots_magic.errors import LockbotsError, UsageError
from lockbots_magic.providers.address import display_address, join_path, ollama_address, origin, with_path
from lockbots_magic.providers.azure import Azure
from lockbots_magic.providers.http.request import HTTPRequest
from tests.rawserver import RawServer

KEY = "fake-credential-0123456789"


@pytest.mark.parametrize(("base", "joined"), [
    ("https://a.test/v1", "https://a.test/v1/models"),
    ("https://a.test/v1/?x=1&y=/2", "https://a.test/v1/models?x=1&y=/2"),
    ("https://a.test?api-version=1", "https://a.test/models?api-version=1"),
])  # fmt: skip
def test_query_stays_at_the_end(base, joined):
    assert join_path(base, "/models") == joined


def test_shown_address_has_no_user_and_no_query():
    assert display_address("https://me:mine@a.test/v1?x=1") == "https://a.test/v1"
    assert display_address("https://a.test/v1?x=1&api-version=2024-10-21") == "https://a.test/v1?api-version=2024-10-21"


def test_origin_knows_the_usual_ports():
    assert origin("https://A.test./v1") == origin("https://a.test:443/other?x=1")
    assert origin("http://a.test") != origin("https://a.test") != origin("https://a.test:8443")


@pytest.mark.parametrize(("host", "url"), [
    ("0.0.0.0", "http://127.0.0.1:11434/v1"), ("gpu.test", "http://gpu.test:11434/v1"), (":1234", "http://127.0.0.1:1234/v1"),
    ("https://gpu.test", "https://gpu.test:443/v1"), ("http://gpu.test:8000/", "http://gpu.test:8000/v1"),
    ("[::1]:1", "http://[::1]:1/v1"), ("[::]", "http://127.0.0.1:11434/v1"), ("gpu.test/ollama", "http://gpu.test:11434/ollama/v1"),
])  # fmt: skip
def test_ollama_host(host, url):
    assert ollama_address(host) == url


def test_path_is_added_once():
    assert with_path("https://a.test/v1/", "/v1") == "https://a.test/v1/"
    assert with_path("https://a.test?x=1", "/v1") == "https://a.test/v1?x=1"


@pytest.mark.parametrize(("variable", "value", "provider", "url"), [
    ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1", "openai", "http://127.0.0.1:9/v1"),
    ("OPENAI_API_BASE", "http://127.0.0.1:9/v1/", "openai", "http://127.0.0.1:9/v1"),
    ("LOCKBOTS_OPENAI_BASE_URL", "http://127.0.0.1:9/v1", "openai", "http://127.0.0.1:9/v1"),
    ("ANTHROPIC_BASE_URL", "https://gate.test", "anthropic", "https://gate.test/v1"),
    ("ANTHROPIC_BASE_URL", "https://gate.test/v1/", "anthropic", "https://gate.test/v1"),
    ("GROQ_BASE_URL", "https://gate.test", "groq", "https://gate.test/openai/v1"),
    ("OLLAMA_HOST", "0.0.0.0:1", "ollama", "http://127.0.0.1:1/v1"),
    ("AZURE_OPENAI_ENDPOINT", "https://me.openai.azure.com/", "azure", "https://me.openai.azure.com/openai/v1"),
])  # fmt: skip
def test_environment_names_the_base_url(monkeypatch, variable, value, provider, url):
    monkeypatch.setenv(variable, value)
    chosen = Chat(f"{provider}:m").provider
    assert (chosen.base_url, chosen.base_url_variable) == (url, variable)
    given = Chat(f"{provider}:m", base_url="http://127.0.0.1:1/v1").provider
    assert (given.base_url, given.base_url_variable) == ("http://127.0.0.1:1/v1", "")


def test_variable_of_this_package_takes_precedence(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("LOCKBOTS_OPENAI_BASE_URL", "http://127.0.0.1:8/v1")
    assert Chat("openai:m").provider.base_url == "http://127.0.0.1:8/v1"


def test_invalid_variable_is_named_without_its_value(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:mine@a.test")
    with pytest.raises(UsageError, match="OPENAI_BASE_URL") as caught:
        Chat("openai:m")
    assert "mine" not in str(caught.value)


@pytest.mark.parametrize("query", ["key=x", "api_key=x", "access_token=x", "code=x", "sig=x"])
def test_credential_in_a_query_is_refused(query):
    with pytest.raises(UsageError, match="must not hold"):
        Chat("openai:m", base_url=f"https://a.test/v1?{query}")


def paths(server, model, base_url, **given):
    Chat(model, base_url=base_url, auth=KEY, max_retries=0, **given).ask("say x")
    request = server.requests[-1]
    return request.path, request.query, request.headers


def test_api_version_makes_it_azures(mock_server):
    base = mock_server.url("openai")
    path, query, headers = paths(mock_server, "openai:demo", f"{base}?api-version=2024-10-21")
    assert (path, query) == ("/openai/v1/chat/completions", {"api-version": "2024-10-21"})
    assert headers["api-key"] == KEY
    assert "authorization" not in headers


def test_other_query_stays_and_the_key_is_a_bearer_token(mock_server):
    path, query, headers = paths(mock_server, "openai:demo", f"{mock_server.url('openai')}?tenant=7")
    assert (path, query) == ("/openai/v1/chat/completions", {"tenant": "7"})
    assert headers["authorization"] == f"Bearer {KEY}"


def endpoint(base_url, model="gpt 4"):
    provider = Azure(base_url=base_url, auth=KEY)
    return provider.chat_endpoint(provider.model_info(model)), provider.build_auth_header()


@pytest.mark.parametrize(("base", "url"), [
    ("https://me.openai.azure.com", "https://me.openai.azure.com/openai/v1/chat/completions"),
    ("https://me.openai.azure.com/openai/v1/", "https://me.openai.azure.com/openai/v1/chat/completions"),
    ("https://me.openai.azure.com/openai/v1?api-version=preview",
     "https://me.openai.azure.com/openai/v1/chat/completions?api-version=preview"),
    ("https://me.openai.azure.com?api-version=2024-10-21",
     "https://me.openai.azure.com/openai/deployments/gpt%204/chat/completions?api-version=2024-10-21"),
    ("https://me.openai.azure.com/openai/deployments/mine?api-version=2024-10-21",
     "https://me.openai.azure.com/openai/deployments/mine/chat/completions?api-version=2024-10-21"),
])  # fmt: skip
def test_azure_addresses(base, url):
    made, header = endpoint(base)
    assert made == url
    assert header["api-key"].reveal() == KEY


def test_azure_reads_its_environment(monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://me.openai.azure.com/")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    provider = Azure()
    assert provider.chat_endpoint(provider.model_info("m")) == (
        "https://me.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21"
    )
    assert provider.auth.reveal() == KEY


def test_azure_without_an_endpoint_says_what_to_set():
    with pytest.raises(UsageError, match="AZURE_OPENAI_ENDPOINT"):
        Chat("azure:m", auth=KEY).ask("x")


def test_azure_without_a_deployment_says_so(mock_server):
    with pytest.raises(ValueError, match="azure:DEPLOYMENT"):
        Chat("azure", base_url=mock_server.url("openai"), auth=KEY).ask("x")
    assert mock_server.requests == []


PATH_KEY = "sk-live-4f9a8b7c6d5e4f3a2b1c"


def test_key_in_the_path_of_a_base_url_is_not_shown(caplog):
    """Gateways hand out URLs with a key in the path: no repr, error, log or saved turn shows it, nor an echo of it."""
    caplog.set_level("DEBUG")

    def script(peer):
        while request := peer.request():
            body = json.dumps({"error": {"message": f"no route {request.target}"}})
            peer.answer(body.encode(), "404 Not Found", Content_Type="application/json")

    with RawServer(script) as server:
        chat = Chat("openai:m", base_url=f"{server.url}/s/{PATH_KEY}/v1", auth=KEY, max_retries=0)
        assert repr(chat.provider) == f"Openai(base_url='{server.url}/s/***/v1')"
        with pytest.raises(LockbotsError) as caught:
            chat.ask("x")
    assert any(PATH_KEY in request.target for request in server.requests)
    told = f"{caught.value!r} {caught.value} {vars(caught.value)} {chat.conversation.turns[-1].to_dict()}"
    assert "/s/***/v1/chat/completions" in caplog.text, "urllib3 logs each request"
    told += caplog.text + repr(HTTPRequest("GET", f"https://a.test/{PATH_KEY}", base_url=f"https://a.test/{PATH_KEY}"))
    assert "***" in told
    assert PATH_KEY not in told


@pytest.mark.parametrize(("path", "shown"), [
    ("/v1", "/v1"), ("/openai/deployments/gpt-4o-mini-2024-07-18", "/openai/deployments/gpt-4o-mini-2024-07-18"),
    ("/hf/meta-llama/Llama-3.1-8B-Instruct/v1", "/hf/meta-llama/Llama-3.1-8B-Instruct/v1"),
    ("/s/M2Y0OGYxZTItOWQ4Yi00NzZk/mcp", "/s/***/mcp"), (f"/{PATH_KEY}", "/***"),
    ("/0123456789abcdef0123456789abcdef/x", "/***/x"),
])  # fmt: skip
def test_only_parts_of_a_path_that_look_like_keys_are_masked(path, shown):
    assert display_address(f"https://a.test{path}") == f"https://a.test{shown}"
    assert (
        MCP(f"https://a.test{path}")
        .__repr__()
        .startswith(f"MCP({MCP(f'https://a.test{path}').name}: https://a.test{shown};")
    )
