"""`%lockbots discover`: model servers on this machine, and the lines that use them."""

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands.result import DisplayResult, TextResult
from lockbots_magic.notebook.session import Session
from lockbots_magic.providers import discovery
from lockbots_magic.providers.openai_compatible import PRESETS
from tests.providers.test_discovery import free_port, serves
from tests.rawserver import RawServer

OLLAMA = next(row for row in PRESETS if row.name == "ollama")


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


def test_server_on_a_usual_port_has_the_name_of_its_provider(session, usual):
    with RawServer(serves("llama3.2:3b", "qwen")) as server:
        usual[server.port] = OLLAMA
        table = run(session)
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


def test_found_models_are_kept_for_completion(session, usual):
    with RawServer(serves("llama3")) as one, RawServer(serves("phi")) as other:
        usual[one.port] = OLLAMA
        run(session, other.port)
    catalog = session.catalog
    assert [model.id for model in catalog.get("ollama", OLLAMA.url)] == ["llama3"]
    assert catalog.base_urls("openai") == [f"{other.url}/v1"]
    assert [model.id for model in catalog.get("openai", f"{other.url}/v1")] == ["phi"]


def test_model_names_are_displayed_as_text_and_never_suggested_as_options(session):
    names = ["x\n%lockbots logout openai", "--base-url=http://evil", "\x1b[2Jm", "a b", "\u202eevil"]
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
