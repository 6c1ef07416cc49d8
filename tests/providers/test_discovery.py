"""Discovery of model servers on loopback ports, and what they are not told."""

import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.providers import discovery
from lockbots_magic.providers.discovery import DiscoveredServer, models_in
from lockbots_magic.providers.local_servers import KINDS
from lockbots_magic.providers.presets import PRESETS
from tests.rawserver import RawServer, drips, full_port, hangs, sends

PORTS = set(discovery.USUAL_PORTS)


def listing(*models, **more):
    rows = [{"id": model, "object": "model"} for model in models]
    return json.dumps({"object": "list", "data": rows, **more}).encode()


def serves(*models):
    """A server script that lists models."""
    return lambda peer: peer.request() and peer.answer(listing(*models), Content_Type="application/json")


@pytest.fixture(autouse=True)
def _no_usual_ports(monkeypatch):
    """Leave the servers of this machine alone."""
    monkeypatch.setattr(discovery, "USUAL_PORTS", {})


@pytest.fixture
def _short_timeouts(monkeypatch):
    for name, seconds in (("CONNECT_TIMEOUT", 0.1), ("SILENCE_TIMEOUT", 0.2), ("TOTAL_TIMEOUT", 0.4)):
        monkeypatch.setattr(discovery, name, seconds)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# Servers that are found


def test_usual_ports_are_those_of_local_presets_and_of_other_known_servers():
    presets = {row.name: urlsplit(row.url).port for row in PRESETS if "localhost" in row.url}
    by_provider = {kind.provider: kind.ports for kind in KINDS if kind.provider}
    assert by_provider.keys() == presets.keys()
    assert all(port in by_provider[name] for name, port in presets.items())
    assert {8080, 9931, 4000, 5000, 5001, 30000} <= PORTS


def test_server_is_known_by_the_owner_of_its_models_before_its_port(monkeypatch):
    monkeypatch.setattr(discovery, "USUAL_PORTS", {1: KINDS[0]})
    owners = {"library": "Ollama", "organization_owner": "LM Studio", "llamacpp": "llama.cpp", "vllm": "vLLM"}
    owners |= {"sglang": "SGLang", "tabbyAPI": "TabbyAPI", "koboldcpp": "KoboldCpp", "humanity": "GPT4All"}
    for owner, title in owners.items():
        kind = DiscoveredServer(1, "", (ModelInfo("m"), ModelInfo("n", owned_by=owner))).kind
        assert kind.title == title
    assert DiscoveredServer(1, "", (ModelInfo("m", owned_by="me"),)).kind == KINDS[0]
    assert DiscoveredServer(2, "", (ModelInfo("m"),)).kind is None


def test_servers_are_found_with_their_models_and_sorted_by_port():
    with RawServer(serves("a", "b")) as one, RawServer(serves("c")) as other:
        found = discovery.discover([other.port, one.port, free_port()])
    servers = [
        DiscoveredServer(one.port, f"{one.url}/v1", (ModelInfo("a"), ModelInfo("b"))),
        DiscoveredServer(other.port, f"{other.url}/v1", (ModelInfo("c"),)),
    ]
    assert found == sorted(servers, key=lambda server: server.port)


def test_server_on_the_ipv6_loopback_address_is_found():
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
        assert discovery.discover([port]) == [DiscoveredServer(port, f"http://[::1]:{port}/v1", (ModelInfo("six"),))]
        thread.join()


def test_request_carries_no_credential_or_cookie(monkeypatch):
    for name in ("OPENAI_API_KEY", "LOCKBOTS_OPENAI_AUTH", "LOCKBOTS_VLLM_AUTH"):
        monkeypatch.setenv(name, "planted-credential-1")
    with RawServer(serves("m")) as server:
        discovery.discover([server.port])
        (request,) = server.requests
    assert request.line == "GET /v1/models HTTP/1.1"
    assert "planted" not in str(request)
    assert not {"authorization", "cookie", "x-api-key"} & set(request.headers)
    assert request.body == b""


def test_proxy_of_the_environment_is_not_used(monkeypatch):
    with RawServer(sends(b"")) as proxy, RawServer(serves("m")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert discovery.discover([server.port])
        assert proxy.connections == 0


def test_netrc_is_not_used(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password planted-credential-1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with RawServer(serves("m")) as server:
        discovery.discover([server.port])
        assert "authorization" not in server.requests[0].headers


def test_redirect_to_another_port_is_not_followed():
    with RawServer(serves("elsewhere")) as other:

        def away(peer):
            peer.request()
            peer.answer(status="302 Found", Location=f"{other.url}/v1/models")

        with RawServer(away) as server:
            assert discovery.discover([server.port]) == []
        assert other.connections == 0


# Servers that answer with a refusal


def refuses(status, body=b'{"error": "Unauthorized"}'):
    return lambda peer: peer.request() and peer.answer(body, status)


@pytest.mark.parametrize(
    ("status", "state"),
    [("401 Unauthorized", "locked"), ("403 Forbidden", "locked"), ("503 Service Unavailable", "loading")],
)
def test_server_that_wants_a_key_or_is_loading_is_found(status, state, monkeypatch):
    with RawServer(refuses(status)) as server, RawServer(refuses(status, b"<html>no</html>")) as other:
        monkeypatch.setattr(discovery, "USUAL_PORTS", {server.port: None, other.port: None})
        (found,) = discovery.discover()  # a page on a usual port may be of anything
        named = discovery.discover([other.port])
    assert (found.port, found.state, found.models) == (server.port, state, ())
    assert [one.state for one in named] == [state, state]


# What is not a model server

INVALID_LISTS = [
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
    b'{"error": "no"}',
    b"[" * 100_000,
    b"9" * 100_000,
]


@pytest.mark.parametrize("body", INVALID_LISTS, ids=lambda body: repr(body[:20]))
def test_invalid_list_of_models_is_none(body):
    assert models_in(body) is None


@pytest.mark.parametrize("body", [b'{"object": "list", "data": null}', b'{"object": "list", "data": []}'])
def test_list_of_models_may_be_empty(body):
    assert models_in(body) == ()


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "id", "object"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_is_a_list_of_models_or_none(body):
    models = models_in(body)
    assert models is None or all(model.id.isprintable() for model in models)


def test_list_larger_than_the_bound_is_ignored(monkeypatch):
    monkeypatch.setattr(discovery, "MAX_BODY", 1000)
    with RawServer(serves("m")) as small, RawServer(serves(*(f"m{n}" for n in range(100)))) as large:
        assert [server.port for server in discovery.discover([small.port, large.port])] == [small.port]


def test_model_names_longer_than_the_bound_are_left_out():
    longest = "x" * discovery.MAX_MODEL_NAME
    assert models_in(listing("a", longest, longest + "x")) == (ModelInfo("a"), ModelInfo(longest))


OTHER_SERVERS = {
    "says nothing": sends(b""),
    "is no web server": sends(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a page": sends(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"),
    "knows no such page": sends(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    "breaks off": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", listing("m")),
    "bad chunks": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "bad compression": sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
    "hangs": hangs(),
    "hangs in the middle": hangs(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"),
    "drips": drips(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "never ends": drips(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 200_000),
}


@pytest.mark.usefixtures("_short_timeouts")
@pytest.mark.parametrize("script", OTHER_SERVERS.values(), ids=OTHER_SERVERS)
def test_other_server_is_ignored_and_hides_no_model_server(script):
    with RawServer(script) as other, RawServer(serves("m")) as server:
        assert [found.port for found in discovery.discover([other.port, server.port])] == [server.port]


@pytest.mark.usefixtures("_short_timeouts")
def test_ports_that_hang_are_waited_for_concurrently():
    with full_port() as port, RawServer(hangs()) as one, RawServer(hangs()) as other, RawServer(serves("m")) as server:
        found = discovery.discover([port, one.port, other.port, server.port])
        assert [each.port for each in found] == [server.port]
        one.wait_until_gone()
        other.wait_until_gone()


def test_every_request_has_the_bounds_in_time(monkeypatch):
    given = []

    def refuse(request, limits, cancellation):
        given.append(limits)
        raise ConnectionFailed("refused")

    monkeypatch.setattr(discovery, "open_exchange", refuse)
    before = time.monotonic()
    assert discovery.discover([1, 2]) == []
    latest = time.monotonic() + discovery.TOTAL_TIMEOUT
    assert {(one.connect, one.silence) for one in given} == {(discovery.CONNECT_TIMEOUT, discovery.SILENCE_TIMEOUT)}
    (deadline,) = {one.deadline for one in given}
    assert before <= deadline <= latest
    assert len(given) == 4
