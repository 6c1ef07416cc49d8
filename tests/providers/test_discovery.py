"""`%lockbots discover`: which servers are found on this machine, and what nobody is told."""

import json
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lockbots_magic.notebook.completion.knowledge import Known

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands import discover  # noqa: F401  # it adds the command
from lockbots_magic.notebook.session import Lockbots
from lockbots_magic.providers import discovery
from lockbots_magic.providers.discovery import DiscoveredServer, parse_model_list
from lockbots_magic.providers.openai_compatible import PRESETS
from tests.rawserver import RawServer, drips, full_port, hangs, sends

OLLAMA = next(row for row in PRESETS if row.name == "ollama")


def listing(*models, **more):
    rows = [{"id": model, "object": "model"} for model in models]
    return json.dumps({"object": "list", "data": rows, **more}).encode()


def serves(*models):
    """A script that lists models."""
    return lambda peer: peer.request() and peer.answer(listing(*models), Content_Type="application/json")


@pytest.fixture(autouse=True)
def usual(monkeypatch):
    """The usual ports: none of this machine's own."""
    ports = {}
    monkeypatch.setattr(discovery, "USUAL_PORTS", ports)
    return ports


@pytest.fixture
def session():
    return Lockbots()


def run(session, *ports):
    return commands.run(session, "discover " + " ".join(f"--port {port}" for port in ports))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# Who is found


def test_the_usual_ports_are_those_of_local_presets():
    assert sorted(row.name for row in PRESETS if "localhost" in row.url) == ["llamacpp", "lmstudio", "ollama", "vllm"]


def test_servers_are_found_by_their_port_with_what_they_serve():
    with RawServer(serves("a", "b")) as one, RawServer(serves("c")) as other:
        found = discovery.discover([other.port, one.port, free_port()])
    servers = [
        DiscoveredServer(one.port, f"{one.url}/v1", ("a", "b")),
        DiscoveredServer(other.port, f"{other.url}/v1", ("c",)),
    ]
    assert found == sorted(servers, key=lambda server: server.port)


def test_a_server_on_the_other_loopback_address_is_found():
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    body = listing("six")

    def serve():
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        port = listener.getsockname()[1]
        assert discovery.discover([port]) == [DiscoveredServer(port, f"http://[::1]:{port}/v1", ("six",))]
        thread.join()


def test_a_server_is_told_nothing_but_the_question(monkeypatch, session):
    for name in ("OPENAI_API_KEY", "LOCKBOTS_OPENAI_AUTH", "LOCKBOTS_VLLM_AUTH"):
        monkeypatch.setenv(name, "planted-credential-1")
    with RawServer(serves("m")) as server:
        run(session, server.port)
        (request,) = server.requests
    assert request.line == "GET /v1/models HTTP/1.1"
    assert "planted" not in str(request)
    assert not {"authorization", "cookie", "x-api-key"} & set(request.headers)
    assert request.body == b""


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    with RawServer(sends(b"")) as proxy, RawServer(serves("m")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert discovery.discover([server.port])
        assert proxy.connections == 0


def test_a_password_file_of_the_user_is_not_used(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password planted-credential-1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with RawServer(serves("m")) as server:
        discovery.discover([server.port])
        assert "authorization" not in server.requests[0].headers


def test_a_redirect_away_is_not_followed():
    with RawServer(serves("elsewhere")) as other:

        def away(peer):
            peer.request()
            peer.answer(status="302 Found", Location=f"{other.url}/v1/models")

        with RawServer(away) as server:
            assert discovery.discover([server.port]) == []
        assert other.connections == 0


# Who is no model server

NO_LISTS = [
    b"",
    b"<html>hello</html>",
    b"\xff\xfe\0\0",
    b"null",
    b"[]",
    b"{}",
    b'{"data": []}',
    b'{"data": {}}',
    b'{"data": "models"}',
    b'{"data": [1]}',
    b'{"data": [{"id": 1}]}',
    b'{"data": [{"id": ""}]}',
    b'{"data": [{"id": "m"}, null]}',
    b'{"error": "no"}',
    b"[" * 100_000,
    b"9" * 100_000,
]


@pytest.mark.parametrize("body", NO_LISTS, ids=lambda body: repr(body[:20]))
def test_what_is_no_list_of_models_is_no_server(body):
    assert parse_model_list(body) is None


@pytest.mark.parametrize("body", [b'{"object": "list", "data": null}', b'{"object": "list", "data": []}'])
def test_a_server_may_have_no_model_yet(body):
    assert parse_model_list(body) == ()


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "id", "object"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_body_breaks_the_reading(body):
    models = parse_model_list(body)
    assert models is None or all(isinstance(model, str) for model in models)


STRANGERS = {
    "says nothing": sends(b""),
    "is no web server": sends(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a page": sends(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
    "refuses": sends(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    "breaks off": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", listing("m")),
    "bad chunks": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "bad compression": sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
    "hangs": hangs(),
    "hangs in the middle": hangs(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"),
    "drips": drips(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "never ends": drips(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 200_000),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_on_the_port_hides_nobody(stranger):
    with RawServer(STRANGERS[stranger]) as strange, RawServer(serves("m")) as server:
        assert [one.port for one in discovery.discover([strange.port, server.port])] == [server.port]


def test_ports_that_hang_are_waited_for_together():
    with full_port() as port, RawServer(hangs()) as one, RawServer(hangs()) as other, RawServer(serves("m")) as server:
        found = discovery.discover([port, one.port, other.port, server.port])
        assert [each.port for each in found] == [server.port]
        one.wait_until_gone()
        other.wait_until_gone()


# What is said


def test_a_server_on_a_usual_port_is_used_by_its_name(session, usual):
    with RawServer(serves("llama3.2:3b", "qwen")) as server:
        usual[server.port] = OLLAMA
        table = run(session)
    assert table.rows == [["Ollama", f"{server.url}/v1", "llama3.2:3b, qwen", "%lockbots use ollama:llama3.2:3b"]]


def test_a_provider_that_looks_elsewhere_is_given_the_address(session, usual):
    session.providers = {"ollama": {"base_url": "http://other:1/v1"}}
    with RawServer(serves("m")) as server:
        usual[server.port] = OLLAMA
        table = run(session)
    assert table.rows[0][-1] == f"%lockbots use ollama:m --base-url {server.url}/v1"


def test_the_line_for_another_server_works(session):
    with RawServer(serves("org/model-7b")) as server:
        (row,) = run(session, server.port, server.port).rows
        line = row[-1]
        assert line == f"%lockbots use openai:org/model-7b --base-url {server.url}/v1"
        commands.run(session, line.removeprefix("%lockbots "))
        assert session.chat().provider.base_url == f"{server.url}/v1"


def test_a_credential_at_hand_is_not_suggested_to_a_server_nobody_knows(session, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-credential-1")
    with RawServer(serves("m")) as server:
        (row,) = run(session, server.port).rows
    assert row[-1].startswith("%lockbots use vllm:m --base-url")


def test_what_was_found_is_offered_by_completion(session, usual):
    known = Known(session, namespace={}, hidden=(), expressions=lambda _: (0, ()))
    with RawServer(serves("llama3")) as one, RawServer(serves("phi")) as other:
        usual[one.port] = OLLAMA
        run(session, other.port)
    assert "llama3" in known.models("ollama")
    assert known.addresses("openai") == [f"{other.url}/v1"]
    assert "phi" in known.models("openai", f"{other.url}/v1")


def test_what_a_server_calls_its_models_is_text_and_no_option(session):
    names = ["x\n%lockbots logout openai", "--base-url=http://evil", "\x1b[2Jm", "a b", "\u202eevil"]
    with RawServer(serves(*names)) as server:
        table = run(session, server.port)
    assert table.rows[0][-1] == f"%lockbots use openai:MODEL --base-url {server.url}/v1"
    assert not {"\n", "\x1b", "\u202e"} & set(table.rows[0][2])
    assert "<script" not in table._repr_html_()


def test_many_models_are_named_in_part(session):
    with RawServer(serves(*(f"m{n}" for n in range(20)), "x" * 1000)) as server:
        assert run(session, server.port).rows[0][2] == "m0, m1, m2, m3, m4 and 15 more"


def test_a_server_without_models_says_so(session):
    with RawServer(serves()) as server:
        (row,) = run(session, server.port).rows
    assert row[2] == "none yet"
    assert "openai:MODEL" in row[3]


def test_nothing_found_says_what_to_start(session):
    said = run(session, free_port())
    assert "ollama serve" in said
    assert "--port" in said


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "9" * 5000])
def test_a_port_is_a_number(session, port):
    with pytest.raises(UsageError, match="port"):
        commands.run(session, f"discover --port={port}")
