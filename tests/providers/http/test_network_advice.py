"""Failures of the network as the user reads them: each names its cause and its cure. Against real servers."""

from __future__ import annotations

import errno
import importlib.util
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from urllib3.util import connection as urllib3_connection

from lockbots_magic.conversation.messages import ChatRequest
from lockbots_magic.errors import ConnectionFailed, HTTPStatusError, ProtocolError, ProviderError, UsageError
from lockbots_magic.providers.http import environment
from lockbots_magic.providers.http.network_advice import IS_RUNNING, is_tls_record
from lockbots_magic.providers.presets import presets
from tests.certificates import tls
from tests.rawserver import Peer, RawServer, answers, sends

REMOTE = "https://api.corp.test/v1"
BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def failure(base_url: str, kind: type[Exception] = ProviderError) -> Any:
    """Return the error of a request; that of the list of models must give the same advice."""
    provider = presets.vllm(base_url=base_url, max_retries=0)
    with pytest.raises(kind) as caught:
        list(provider.stream(ChatRequest("m", ())))
    with pytest.raises(kind) as listed:
        provider.list_models()
    assert getattr(listed.value, "advice", "") == getattr(caught.value, "advice", "")
    assert str(listed.value).endswith(getattr(listed.value, "advice", ""))
    return caught.value


def plain(peer: Peer) -> None:
    """Answer a TLS greeting as a server without TLS does."""
    peer.sock.recv(65536)
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# Proxies


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("value", ["127.0.0.1:notaport", "http://", "http://h:99999", "gopher://h:1", "http://a b"])
def test_malformed_proxy_is_blamed_by_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    error = failure(REMOTE, UsageError)
    assert f"{variable} ({value})" in str(error)
    assert "unset it" in str(error)


def test_password_of_a_proxy_is_never_shown(monkeypatch):
    for value in (
        "http://me:hush-hush-1@127.0.0.1:notaport",
        "me:hush-hush-1@127.0.0.1:x",
        "gopher://me:hush-hush-1@h",
    ):
        monkeypatch.setenv("HTTPS_PROXY", value)
        assert "hush" not in str(failure(REMOTE, UsageError))
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush-hush-1@127.0.0.1:{free_port()}")
    assert "hush" not in str(failure(REMOTE))


def test_proxy_that_can_not_be_reached_is_named(monkeypatch):
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    error = failure(REMOTE, ConnectionFailed)
    assert f"HTTPS_PROXY (http://127.0.0.1:{port})" in str(error)
    assert "add api.corp.test to NO_PROXY" in str(error)
    assert IS_RUNNING not in str(error)


def test_proxy_that_asks_for_a_password_is_named(monkeypatch):
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b"", "407 Proxy Authentication Required", Proxy_Authenticate='Basic realm="corp"')

    with RawServer(script) as proxy:
        for scheme in ("http", "https"):
            monkeypatch.setenv(f"{scheme}_proxy", proxy.url)
            error = failure(f"{scheme}://api.corp.test/v1", HTTPStatusError)
            assert error.status == 407
            assert f"Set {scheme}_proxy=http://USER:PASSWORD@HOST:PORT" in str(error)
            monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("://", "://me:hush-hush-1@"))
            error = failure(f"{scheme}://api.corp.test/v1", HTTPStatusError)
            assert "refused its user name and password" in str(error)
            assert "hush" not in str(error)


def test_proxy_is_told_to_be_without_tls(monkeypatch):
    with RawServer(plain) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http:", "https:"))
        assert "begin its address with http://" in str(failure(REMOTE))


def test_socks_proxy_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:1080")
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "socks" else found(name))
    assert "pip install PySocks" in str(failure(REMOTE, UsageError))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)  # installed since
    if "SOCKS" in str(failure(REMOTE, Exception)):
        assert "restart the kernel" in str(failure(REMOTE, UsageError))


# Certificates


def test_unknown_ca_names_the_variable(certificates):
    for name in ("server", "self"):
        with RawServer(answers, tls=tls(certificates, name)) as server:
            error = failure(server.url, ConnectionFailed)
        assert "set REQUESTS_CA_BUNDLE to a file with its certificate" in str(error)
        assert IS_RUNNING not in str(error)


@pytest.mark.parametrize("variable", environment.CA_VARIABLES)
def test_ca_bundle_that_does_not_fit_is_named(monkeypatch, certificates, variable, tmp_path):
    path = tmp_path if variable == "SSL_CERT_DIR" else certificates / "self.pem"
    monkeypatch.setenv(variable, str(path))
    with RawServer(answers, tls=tls(certificates, "server")) as server:
        error = failure(server.url, ConnectionFailed)
    assert f"come from {variable} ({path})" in str(error)


@pytest.mark.parametrize("variable", environment.CA_VARIABLES)
def test_ca_bundle_that_is_missing_is_named(monkeypatch, variable):
    monkeypatch.setenv(variable, "/nonexistent/ca.pem")
    error = failure("https://127.0.0.1:1", ConnectionFailed)
    assert str(error).startswith(f"{variable} names a file of certificates that can't be read: /nonexistent/ca.pem")
    assert IS_RUNNING not in str(error)
    assert not error.retryable


def test_ca_bundle_without_a_certificate_is_told(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with RawServer(plain) as server:
        assert "in PEM form" in str(failure(server.url.replace("http:", "https:")))


def test_variables_of_requests_go_before_those_of_openssl(monkeypatch, certificates):
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    assert environment.check_ca_bundle() == str(certificates / "ca.pem")


def test_folder_of_cas_is_honoured(monkeypatch, certificates, tmp_path):
    pem = (certificates / "ca.pem").read_text()
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificates / "ca.pem")]
    digest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / f"{digest}.0").write_text(pem)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with RawServer(sends(BIG), tls=tls(certificates, "server")) as server, pytest.raises(ProtocolError):
        presets.vllm(base_url=server.url, max_retries=0).list_models()  # "hello" is no list of models: it was read


def test_expired_certificate_and_other_host_are_told(monkeypatch, certificates):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    with RawServer(answers, tls=tls(certificates, "expired")) as server:
        error = failure(server.url, ConnectionFailed)
        assert "expired" in str(error)
        assert "clock" in str(error)
    with RawServer(answers, tls=tls(certificates, "server")) as server:
        error = failure(f"https://localhost:{server.port}", ConnectionFailed)
        assert "localhost" in str(error)
        assert "Use the host name in the certificate" in str(error)
        assert not error.retryable


# http and https


def test_https_to_a_server_without_tls_advises_http():
    with RawServer(plain) as server:
        error = failure(server.url.replace("http:", "https:"), ConnectionFailed)
    assert f"http://127.0.0.1:{server.port}." in str(error)
    assert not error.retryable


def refuses_plain_http(peer: Peer) -> None:
    while peer.request():  # a kept connection may bring the next one
        if len(peer.server.requests) % 2:
            page = b"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
            peer.answer(page, "400 Bad Request")
        else:
            peer.answer(b"Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request")


@pytest.mark.parametrize("script", [sends(b"\x15\x03\x01\x00\x02\x02\x46"), refuses_plain_http], ids=["alert", "words"])
def test_plain_http_to_a_server_with_tls_advises_https(script):
    with RawServer(script) as server:
        for _ in range(2):
            with pytest.raises(ProviderError, match=rf"https://127\.0\.0\.1:{server.port}\."):
                list(presets.vllm(base_url=server.url, max_retries=0).stream(ChatRequest("m", ())))


def test_plain_http_to_a_server_that_closes_hints_at_https(certificates: Path):
    with RawServer(answers, tls=tls(certificates, "server")) as server:
        error = failure(server.url.replace("https:", "http:"))
    assert "https://" in str(error)
    assert IS_RUNNING not in str(error)


def test_records_of_tls_are_known():
    for line in ("\x15\x03\x03", repr("\x16\x03\x01"), "\x15\x03"):
        assert is_tls_record(line)
    assert not is_tls_record("SSH-2.0")


# Addresses


def test_only_a_refused_loopback_connection_asks_whether_the_server_is_running(monkeypatch):
    assert str(failure(f"http://127.0.0.1:{free_port()}")).endswith(IS_RUNNING)
    assert "Check the host name" in str(failure("http://nonexistent.invalid/v1"))
    for number, advised in (
        (errno.ECONNREFUSED, "Check the host and port"),
        (errno.EHOSTUNREACH, "VPN, firewall"),
        (errno.ENETUNREACH, "VPN, firewall"),
    ):

        def fails(*_: object, number: int = number, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(urllib3_connection, "create_connection", fails)
        error = failure("http://api.corp.test/v1", ConnectionFailed)
        assert os.strerror(number) in str(error)
        assert advised in str(error)
        assert IS_RUNNING not in str(error)


@pytest.mark.parametrize(
    "location", ["https://sso.corp.test/", "https://corp.test/login?next=/v1", "/users/sign_in", "/login"]
)
def test_redirect_to_a_login_page_is_called_so(location):
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b"", "302 Found", Location=location)

    with RawServer(script) as server, pytest.raises(ProtocolError, match=r"redirects to http.*login page") as caught:
        list(presets.vllm(base_url=server.url, max_retries=0).stream(ChatRequest("m", ())))
    assert "set it as the base URL" not in str(caught.value)
