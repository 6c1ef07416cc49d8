"""`%lockbots discover`: model servers on this machine, and the lines that use them."""

import json

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands import discover
from lockbots_magic.notebook.commands.result import DisplayResult, TextResult
from lockbots_magic.notebook.session import Session
from lockbots_magic.providers import discovery
from lockbots_magic.providers.local_servers import KINDS
from tests.providers.test_discovery import free_port, refuses, serves
from tests.rawserver import RawServer

OLLAMA = next(kind for kind in KINDS if kind.provider == "ollama")


@pytest.fixture(autouse=True)
def usual(monkeypatch):
    """The usual ports, initially none."""
    ports = {}
    monkeypatch.setattr(discovery, "USUAL_PORTS", ports)
    return ports


@pytest.fixture
def session():
    return Session()


def run(session, *ports):
    result = commands.run(session, "discover " + " ".join(f"--port {port}" for port in ports))
    if isinstance(result, DisplayResult):
        return result.value
    assert isinstance(result, TextResult)
    return result.text


@pytest.fixture
def ollama(usual, monkeypatch):
    """An Ollama at its default address."""
    with RawServer(serves("llama3.2:3b", "qwen")) as server:
        usual[server.port] = OLLAMA
        monkeypatch.setitem(discover._ADDRESSES, "ollama", f"http://localhost:{server.port}/v1")
        yield server


def test_server_on_a_usual_port_has_the_name_of_its_provider(session, ollama):
    server, table = ollama, run(session)
    assert table.rows == [["Ollama", f"{server.url}/v1", "llama3.2:3b, qwen", "%lockbots use ollama:llama3.2:3b"]]


def test_base_url_is_suggested_if_the_provider_has_another_one(session, usual):
    session.settings.providers = {"ollama": {"base_url": "http://other:1/v1"}}
    with RawServer(serves("m")) as server:
        usual[server.port] = OLLAMA
        table = run(session)
    assert table.rows[0][-1] == f"%lockbots use ollama:m --base-url {server.url}/v1"


def test_suggested_line_works(session):
    with RawServer(serves("org/model-7b")) as server:
        (row,) = run(session, server.port, server.port).rows
        line = row[-1]
        assert line == f"%lockbots use openai:org/model-7b --base-url {server.url}/v1"
        commands.run(session, line.removeprefix("%lockbots "))
        assert session.chat().provider.base_url == f"{server.url}/v1"


def test_provider_with_a_credential_is_not_suggested_for_an_unknown_server(session, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-credential-1")
    with RawServer(serves("m")) as server:
        (row,) = run(session, server.port).rows
    assert row[-1].startswith("%lockbots use vllm:m --base-url")


def lists(body):
    """A server script that answers with this JSON."""
    return lambda peer: peer.request() and peer.answer(json.dumps(body).encode())


def test_provider_with_a_credential_is_not_suggested_for_a_server_that_claims_its_name(session, monkeypatch):
    claims = lists({"data": [{"id": "m", "owned_by": "vllm"}]})
    with RawServer(claims) as server:
        (row,) = run(session, server.port).rows
        assert (row[0], row[3].split(" --")[0]) == ("vLLM", "%lockbots use vllm:m")
        monkeypatch.setenv("LOCKBOTS_VLLM_AUTH", "planted-credential-1")
        (row,) = run(session, server.port).rows
        assert row[3].startswith("%lockbots use openai:m --base-url")


def test_embedding_model_is_listed_but_not_suggested(session):
    with RawServer(serves("nomic-embed-text", "qwen")) as server:
        (row,) = run(session, server.port).rows
    assert row[2] == "nomic-embed-text, qwen"
    assert row[3].startswith("%lockbots use openai:qwen --base-url")


def test_path_of_a_model_is_shown_by_its_last_part_and_sent_whole(session):
    rows = [{"id": "/home/me/models/My Model (Q4).gguf"}, {"id": "C:\\models\\b.gguf"}]
    with RawServer(lists({"data": rows})) as server:
        (row,) = run(session, server.port).rows
        assert "home" not in str(row)
        assert row[2] == "My Model (Q4).gguf, b.gguf"
        for name, whole in (("My Model (Q4).gguf", rows[0]["id"]), ("b.gguf", rows[1]["id"])):
            line = row[3].replace("My Model (Q4).gguf", name)
            commands.run(session, line.removeprefix("%lockbots "))
            assert session.chat().model == whole
            assert session.chat().prepare("x").draft.model == name


def test_server_that_wants_a_key_and_one_that_loads_are_told(session):
    with (
        RawServer(refuses("401 Unauthorized")) as locked,
        RawServer(refuses("503 Service Unavailable")) as loading,
    ):
        table = run(session, locked.port, loading.port)
        rows = {row[1]: row for row in table.rows}
        assert rows[f"{locked.url}/v1"][2] == "wants a key"
        assert rows[f"{locked.url}/v1"][3] == f"%lockbots use vllm --base-url {locked.url}/v1"
        assert rows[f"{loading.url}/v1"][2].startswith("is loading")
        assert "%lockbots login vllm" in table.caption
        commands.run(session, rows[f"{locked.url}/v1"][3].removeprefix("%lockbots "))
    assert session.chat().provider.base_url == f"{locked.url}/v1"
    assert session.catalog.base_urls("vllm") == []


def test_found_models_are_kept_for_completion(session, ollama):
    with RawServer(serves("phi")) as other:
        run(session, other.port)
    catalog = session.catalog
    kept = catalog.get("ollama", f"http://localhost:{ollama.port}/v1")
    assert [model.id for model in kept] == ["llama3.2:3b", "qwen"]
    assert catalog.base_urls("openai") == [f"{other.url}/v1"]
    assert [model.id for model in catalog.get("openai", f"{other.url}/v1")] == ["phi"]


def test_model_names_are_displayed_as_text_and_never_suggested_as_options(session):
    names = ["x\n%lockbots logout openai", "--base-url=http://evil", "\x1b[2Jm", "a --b", "\u202eevil", 'a"b']
    with RawServer(serves(*names)) as server:
        table = run(session, server.port)
    assert table.rows[0][-1] == f"%lockbots use openai:MODEL --base-url {server.url}/v1"
    assert not {"\n", "\x1b", "\u202e"} & set(table.rows[0][2])
    assert "<script" not in table._repr_html_()


def test_first_models_are_named_and_the_rest_counted(session):
    with RawServer(serves(*(f"m{n}" for n in range(20)), "x" * 1000)) as server:
        assert run(session, server.port).rows[0][2] == "m0, m1, m2, m3, m4 and 15 more"


def test_server_without_models_is_listed(session):
    with RawServer(serves()) as server:
        (row,) = run(session, server.port).rows
    assert row[2] == "none"
    assert "openai:MODEL" in row[3]


def test_without_servers_the_message_says_what_to_start(session):
    said = run(session, free_port())
    assert "ollama serve" in said
    assert "--port" in said


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "9" * 5000])
def test_invalid_port_is_a_usage_error(session, port):
    with pytest.raises(UsageError, match="port"):
        commands.run(session, f"discover --port={port}")
