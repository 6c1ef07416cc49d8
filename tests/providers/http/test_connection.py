"""Credentials, redirects, proxies and certificates, against raw sockets."""

from __future__ import annotations

import gc
import http.client
import logging
import signal
import socket
import threading
import time
import traceback
import warnings

import pytest

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import ChatRequest
from lockbots_magic.errors import (
    ConnectionFailed,
    CredentialWarning,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    UsageError,
)
from lockbots_magic.providers.http import pools
from lockbots_magic.providers.http import request as request_module
from lockbots_magic.providers.http.environment import find_proxy
from lockbots_magic.providers.http.exchange import Exchange
from lockbots_magic.providers.http.request import HTTPRequest, SentRequest, TimeLimits
from lockbots_magic.providers.http.with_requests import send_by_proxy
from lockbots_magic.providers.presets import presets
from lockbots_magic.security.secrets import MalformedCredential, Secret
from tests.certificates import tls
from tests.rawserver import PATIENCE, Peer, RawServer, Script, answers, drips, full_port, hangs, sends

SECRET = "correct+horse/battery=staple"
IN_QUERY = "correct%2Bhorse%2Fbattery%3Dstaple"
SHORT = 0.2
"""Time limit (s) that is expected to pass."""


leaves_a_socket = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Interrupted while connecting, urllib3 leaves its socket, already shut down, to the garbage collector."""


@pytest.fixture(autouse=True)
def _unwarned(monkeypatch):
    monkeypatch.setattr(request_module, "_warned_hosts", set())


def exchange(url: str, method: str = "POST", **limits: float) -> Exchange:
    call = HTTPRequest(
        method,
        f"{url}/v1/chat",
        json={"a": 1} if method == "POST" else None,
        secret_headers={"authorization": Secret(SECRET).bearer(), "x-auth-code": Secret(SECRET)},
        secret_query={"auth": Secret(SECRET)},
    )
    deadline = time.monotonic() + limits.get("total", PATIENCE)
    return Exchange(call, TimeLimits(PATIENCE, limits.get("silence", PATIENCE), deadline), Cancellation())


def run(url: str, method: str = "POST", **limits: float) -> bytes:
    with exchange(url, method, **limits) as answer:
        return b"".join(answer)


def leaked(text: str) -> bool:
    return SECRET in text or IN_QUERY in text


def described(error: BaseException) -> str:
    """Return everything that an error shows: messages, causes, and the local variables of every frame."""
    lines, waiting = [], [error]
    while waiting:
        one = waiting.pop()
        lines += [str(one), repr(one), repr(one.args), repr(vars(one))]
        lines += traceback.TracebackException.from_exception(one, capture_locals=True).format()
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "\n".join(lines)


# Credentials


def test_credentials_are_sent():
    with RawServer(answers) as server:
        for _ in range(2):  # over a new connection, and over one that serves again
            assert run(server.url) == b"hello"
        for request in server.requests:
            assert request.target == f"/v1/chat?auth={IN_QUERY}"
            assert request.headers["authorization"] == f"Bearer {SECRET}"
            assert request.headers["x-auth-code"] == SECRET
        assert server.connections == 1


def test_credential_is_added_to_an_existing_query():
    with RawServer(answers) as server:
        call = HTTPRequest("GET", f"{server.url}/x?a=b", secret_query={"auth": Secret("c")})
        with Exchange(call, TimeLimits(PATIENCE, PATIENCE), Cancellation()):
            assert server.requests[0].target == "/x?a=b&auth=c"


def test_credential_does_not_stay_on_the_connection():
    with RawServer(answers) as server:
        run(server.url)
        with Exchange(HTTPRequest("GET", server.url), TimeLimits(PATIENCE, PATIENCE), Cancellation()) as answer:
            list(answer)
        assert not leaked(repr(server.requests[1]))
        assert server.connections == 1


def test_no_log_and_no_request_object_holds_a_credential(caplog, capsys, monkeypatch):
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level(logging.DEBUG)
    with RawServer(answers) as server, exchange(server.url) as answer:
        list(answer)
        response = answer._response
        shown = [repr(vars(thing)) for thing in (response, answer.request)]
        shown += [str(response.headers), str(response.geturl()), *map(repr, answer.request.secrets)]
    records = [str(vars(record)) + record.getMessage() for record in caplog.records]
    assert any("/v1/chat" in record for record in records)  # the libraries did log
    assert not leaked("".join([*shown, *records, *capsys.readouterr()]))


def echo(status: str) -> Script:
    def script(peer: Peer) -> None:
        request = peer.request()
        words = f"no such code: {request.headers['x-auth-code']}, at {request.target}".encode()
        peer.answer(words * 3, status)

    return script


FAILING: dict[str, Script] = {
    "closed": sends(),
    "cut": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"),
    "not HTTP": sends(b"SSH-2.0\r\n"),
    "headers": sends(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 2000),
    "silent": hangs(),
    "redirecting": sends(b"HTTP/1.1 307 No\r\nLocation: http://other.invalid/?auth=%s\r\n\r\n" % IN_QUERY.encode()),
    "bad gzip": sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nabcdefghi"),
}


@pytest.mark.parametrize("script", FAILING.values(), ids=FAILING)
def test_no_error_holds_a_credential(script, caplog):
    caplog.set_level(logging.DEBUG)
    with RawServer(script) as server, pytest.raises(ProviderError) as caught:
        run(server.url, silence=SHORT)
    assert not leaked(described(caught.value) + caplog.text)


def test_no_error_of_a_refused_connection_holds_a_credential():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}"):
        with pytest.raises(ConnectionFailed) as caught:
            run(url)
        assert not leaked(described(caught.value))


@pytest.mark.parametrize("status", ["400 No", "401 No", "403 No", "500 No"])
def test_credential_echoed_by_the_server_is_redacted_in_errors(status):
    with RawServer(echo(status)) as server:
        provider = presets.vllm(base_url=server.url, auth=SECRET, max_retries=0)
        provider.build_request = lambda *_: exchange(server.url).request
        with pytest.raises(ProviderError) as caught:
            list(provider.stream(ChatRequest("m", ())))
    assert "no such code: ***, at /v1/chat?auth=***" in str(caught.value)
    assert not leaked(described(caught.value))


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # urllib3 leaves its socket to the garbage collector
@pytest.mark.parametrize("where", ["connecting", "reading"])
def test_no_interrupt_holds_a_credential(where):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    try:
        with full_port() as port, RawServer(hangs()) as server:
            signal.setitimer(signal.ITIMER_REAL, SHORT)
            with pytest.raises(KeyboardInterrupt) as caught:
                run(f"http://127.0.0.1:{port}" if where == "connecting" else server.url)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not leaked(described(caught.value))
    del caught
    gc.collect()  # here, where the warning is expected


@pytest.mark.parametrize("bad", ["a\nb", "a\r\nX: y", "ключ", "a\x00b", "a\tb"])
def test_credential_that_would_break_a_header_is_rejected(bad):
    with pytest.raises(MalformedCredential) as caught:
        Secret(bad)
    assert bad not in described(caught.value).replace(repr(bad), "")


# What else is not sent


def test_netrc_is_not_read(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answers) as server, Exchange(HTTPRequest("GET", server.url), TimeLimits(1, 1), Cancellation()):
        assert "authorization" not in server.requests[0].headers


def test_cookies_are_not_sent_back():
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b"hello", Set_Cookie="a=b; Path=/")

    with RawServer(script) as server:
        run(server.url)
        run(server.url)
        assert ["cookie" in request.headers for request in server.requests] == [False, False]


# Redirections


def redirects(status: str, location: str) -> Script:
    def script(peer: Peer) -> None:
        while request := peer.request():
            if "/moved" in request.target:
                peer.answer(b"hello")
            else:
                peer.answer(b"go", status, Location=location)

    return script


@pytest.mark.parametrize("status", ["301 No", "302 No", "303 No", "307 No", "308 No"])
def test_redirect_to_another_host_is_refused_and_nothing_is_sent_there(status):
    with RawServer(answers) as other, RawServer(redirects(status, f"{other.url}/moved")) as server:
        with pytest.raises(ProtocolError, match="nothing was sent there") as caught:
            run(server.url)
        assert f"{other.url}/moved" in str(caught.value)
        assert (other.connections, len(server.requests)) == (0, 1)


@pytest.mark.parametrize("status", ["307 No", "308 No"])
@pytest.mark.parametrize("location", ["/moved", "moved", "moved?a=b#c", "{url}/moved"])
def test_redirect_within_the_host_is_followed(status, location):
    def script(peer: Peer) -> None:
        redirects(status, location.format(url=peer.server.url))(peer)

    with RawServer(script) as server:
        assert run(server.url) == b"hello"
        first, second = server.requests
        assert second.line.startswith("POST ")
        assert second.body == first.body
        assert second.headers["x-auth-code"] == SECRET
        assert second.target.count("auth=") == 1


def test_redirect_that_echoes_the_credential_does_not_log_it(caplog):
    caplog.set_level(logging.DEBUG)
    with RawServer(redirects("307 No", f"/moved?auth={IN_QUERY}&a=b%20c")) as server:
        assert run(server.url) == b"hello"
        assert server.requests[1].target == f"/moved?a=b%20c&auth={IN_QUERY}"
    assert not leaked(caplog.text)


@pytest.mark.parametrize("status", ["301 No", "302 No", "303 No"])
def test_redirect_that_turns_a_post_into_a_get_is_refused(status):
    with RawServer(redirects(status, "/moved")) as server:
        with pytest.raises(ProtocolError, match="redirects to"):
            run(server.url)
        assert run(server.url, "GET") == b"hello"


def test_redirect_loop_ends():
    with RawServer(redirects("307 No", "/again")) as server:
        with pytest.raises(ProtocolError, match="loop"):
            run(server.url)
        assert len(server.requests) < 10


def test_redirect_without_location_is_a_response():
    with RawServer(sends(b"HTTP/1.1 302 No\r\nContent-Length: 2\r\n\r\nno")) as server, exchange(server.url) as answer:
        assert (answer.status, answer.read_body()) == (302, b"no")


@pytest.mark.parametrize("location", ["http://[", "http://a:b/", "//"])
def test_redirect_to_an_invalid_url_is_a_protocol_error(location):
    with RawServer(redirects("307 No", location)) as server, pytest.raises(ProtocolError):
        run(server.url)


def test_body_of_a_redirect_is_not_read():
    def script(peer: Peer) -> None:
        if "/moved" in peer.request().target:
            peer.answer(b"hello")
        else:
            peer.send(b"HTTP/1.1 307 No\r\nLocation: /moved\r\nContent-Length: 100\r\n\r\nab")
            peer.until_gone()

    with RawServer(script) as server:
        assert run(server.url) == b"hello"
        server.wait_until_gone()


# Unencrypted


def test_credential_over_plain_http_warns_once_per_host(monkeypatch):
    with RawServer(answers) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.warns(CredentialWarning, match=r"plain\.test is sent unencrypted") as caught:
            run("http://plain.test")
        assert not leaked(str(caught[0].message))
        assert run("http://plain.test") == b"hello"  # a second warning would be an error


@pytest.mark.parametrize("url", ["http://127.0.0.1", "http://localhost:1", "http://[::1]:1", "https://plain.test"])
def test_credential_over_https_or_loopback_does_not_warn(url):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        request_module.warn_if_unencrypted(HTTPRequest("GET", url, secret_headers={"a": Secret("b")}))
        request_module.warn_if_unencrypted(HTTPRequest("GET", "http://plain.test"))


# Proxies


@pytest.fixture
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CredentialWarning)
        yield


@pytest.mark.usefixtures("no_warning")
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxy_is_used(monkeypatch, name):
    with RawServer(answers) as proxy:
        monkeypatch.setenv(name, proxy.url)
        assert run("http://example.test") == b"hello"
        assert proxy.requests[0].line == f"POST http://example.test/v1/chat?auth={IN_QUERY} HTTP/1.1"
        assert run("http://example.test") == b"hello"
        assert proxy.connections == 1


@pytest.mark.usefixtures("no_warning")
def test_blank_variables_name_no_proxy(monkeypatch):
    url = "http://example.test"
    for blank in ("", " ", "\t\n"):
        monkeypatch.setenv("HTTP_PROXY", blank)
        assert find_proxy(url) is None
        assert send_by_proxy(SentRequest("GET", url, {}, None, (1, 1), True)) is None
    with RawServer(answers) as proxy:
        monkeypatch.setenv("ALL_PROXY", f" {proxy.url} ")
        assert run(url) == b"hello"
        assert find_proxy(url).variable == "ALL_PROXY"
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", " ")
        assert run(url) == b"hello"
        assert find_proxy(url).variable == "ALL_PROXY"


@pytest.mark.usefixtures("no_warning")
def test_reply_through_a_proxy_ends_with_the_total_time_and_closes(monkeypatch):
    with RawServer(hangs()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with pytest.raises(ProviderTimeout):
            run("http://example.test", total=SHORT)
        proxy.wait_until_gone()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_proxy_is_not_used_for_loopback(monkeypatch, name, host):
    with RawServer(answers) as proxy, RawServer(answers) as server:
        monkeypatch.setenv(name, proxy.url)
        assert run(f"http://{host}:{server.port}") == b"hello"
        assert (proxy.connections, server.connections) == (0, 1)


def test_tunnel_request_carries_no_credentials_and_its_refusal_is_reported(monkeypatch):
    with RawServer(lambda peer: (peer.request(), peer.answer(b"no", "502 Bad"))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(ConnectionFailed, match=r"proxy for example\.test failed: .*502") as caught:
            run("https://example.test")
        assert proxy.requests[0].line.startswith("CONNECT example.test:443 ")
        assert not leaked(repr(proxy.requests) + described(caught.value))


def test_missing_proxy_is_a_failed_connection(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{IN_QUERY}@127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(ConnectionFailed, match=r"proxy for .* failed: Connection refused") as caught:
        run("https://example.test")
    assert not leaked(described(caught.value))


@pytest.mark.parametrize(
    "proxy", ["gopher://127.0.0.1:1", "http://", "http://:3128", "http://me:pw@", "http://%zz", "@", "://"]
)
def test_invalid_proxy_is_a_usage_error(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError, match="proxy"):
        run("https://example.test")


# Certificates


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_custom_ca_is_honoured(monkeypatch, certificates, variable):
    monkeypatch.setenv(variable, str(certificates / "ca.pem"))
    with RawServer(answers, tls=tls(certificates, "server")) as server:
        for _ in range(2):
            assert run(server.url) == b"hello"
        assert server.requests[0].headers["x-auth-code"] == SECRET
        assert server.connections == 1


@pytest.mark.parametrize("name", ["server", "self"])
@pytest.mark.parametrize("bundle", [None, ""])
def test_untrusted_certificate_is_refused_and_not_retried(monkeypatch, certificates, name, bundle):
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
        if bundle is not None:
            monkeypatch.setenv(variable, bundle)
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with RawServer(answers, tls=tls(certificates, name)) as server:
        with pytest.raises(ConnectionFailed, match=r"certificate of 127\.0\.0\.1:\d+ is not trusted: ") as caught:
            run(server.url)
        assert len(str(caught.value)) < 120
        assert not caught.value.retryable
        assert not server.requests


def test_certificate_for_another_host_is_refused(monkeypatch, certificates):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    with RawServer(answers, tls=tls(certificates, "server")) as server:
        with pytest.raises(ConnectionFailed, match="not trusted"):
            run(f"https://localhost:{server.port}")
        assert not server.requests


@pytest.mark.parametrize("option", ["verify", "cert", "proxies", "session"])
def test_verification_cannot_be_switched_off(option):
    with pytest.raises(UsageError, match=option):
        list(presets.vllm.create_completion("m", [], **{option: False}))


def test_missing_ca_bundle_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(ConnectionFailed, match=r"none\.pem"):
        run("https://127.0.0.1:1")


def test_plain_text_on_a_tls_port_is_a_failed_connection():
    with (
        RawServer(lambda peer: (peer.send(b"SSH-2.0\r\n"), peer.until_gone())) as server,
        pytest.raises(ConnectionFailed),
    ):
        run(server.url.replace("http:", "https:"))


def test_redirect_from_https_to_http_is_refused(monkeypatch, certificates):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    script = redirects("307 No", "http://127.0.0.1:1/moved")
    with (
        RawServer(script, tls=tls(certificates, "server")) as server,
        pytest.raises(ProtocolError, match="redirects to http:"),
    ):
        run(server.url)


def test_tls_reply_is_streamed_and_closed_at_once(monkeypatch, certificates):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    got = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\none")
        peer.wait(got)
        peer.send(b"two")
        peer.until_gone()

    with RawServer(script, tls=tls(certificates, "server")) as server:
        with exchange(server.url) as answer:
            pieces = iter(answer)
            assert next(pieces) == b"one"
            got.set()
            assert next(pieces) == b"two"
        server.wait_until_gone()


def test_inside_a_tunnel_credentials_are_sent_to_the_host_only(monkeypatch, certificates):
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        peer.start_tls(tls(certificates, "server"))
        answers(peer)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    with RawServer(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        for _ in range(2):
            assert run("https://example.test") == b"hello"
        connect, first, second = proxy.requests
        assert connect.line.startswith("CONNECT example.test:443")
        assert not leaked(repr(connect))
        assert first.target == second.target == f"/v1/chat?auth={IN_QUERY}"
        assert proxy.connections == 1


@leaves_a_socket
def test_stalled_tunnel_ends_with_the_total_time(monkeypatch):
    with RawServer(drips(b"HTTP/1.1 200 OK\r\nx: ", b"y")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(ProviderTimeout, match="whole reply"):
            run("https://example.test", total=SHORT)
        proxy.wait_until_gone()
    gc.collect()  # here, where the warning is expected


def test_idle_connections_to_servers_that_were_not_asked_lately_are_closed():
    with RawServer(hangs(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as old, RawServer(answers) as used:
        assert run(old.url) == b"hi"
        for port in range(1, 3 * pools.MAX_SERVERS):
            pools._direct_pool(f"http://127.0.0.1:{port}", True)  # as a request to it does; none is sent
            if port % (pools.MAX_SERVERS // 2) == 1:
                assert run(used.url) == b"hello"
        gc.collect()
        old.wait_until_gone()
        assert used.connections == 1
