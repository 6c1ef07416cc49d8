"""Tests that no web page can use the mock server, and that a URL can ask little of it. Over raw sockets."""

import socket
from urllib.parse import urlsplit

import pytest

from lockbots_magic.testing.mock_server import MockServer, MockSettings
from lockbots_magic.testing.mock_server.handler import MAX_BODY
from lockbots_magic.testing.mock_server.request_log import MAX_BYTES, MAX_REQUESTS, MockRequest, RequestLog
from tests.rawserver import PATIENCE

PROMPT = b'{"model": "m", "messages": [{"role": "user", "content": "say <script>alert(1)</script>"}]}'
BREAKS = ("%0d%0aX-Evil: 1", "%0aX-Evil: 1", "%0d", "%0d%0a%0d%0a<script>", "%00", "%c2%85X-Evil", "%e2%80%a8X")


def send(server, target, *headers, method="GET", body=b""):
    """Return (status, head, body) of the response."""
    port = urlsplit(server.origin).port
    if not any(h.lower().startswith("host:") for h in headers):
        headers = (f"Host: 127.0.0.1:{port}", *headers)
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close"])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        sock.sendall(head.encode() + b"\r\n\r\n" + body)
        got = b"".join(iter(lambda: sock.recv(65536), b""))
    answer, _, rest = got.partition(b"\r\n\r\n")
    return int(answer.split()[1]), answer.decode(), rest


def test_setting_with_a_line_break_is_refused_and_reaches_no_header(mock_server):
    for name in ("type", "retry_after", "retry_date", "fault", "body", "auth"):
        for text in BREAKS:
            target = f"/openai;{name}=1{text.replace(' ', '%20').replace('<', '%3C')}/v1/models"
            status, head, body = send(mock_server, target)
            assert status == 400, target
            assert "X-Evil" not in head, target
            assert b"<script>" not in body, target


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:80", ""]
)
def test_foreign_host_is_refused(mock_server, host):
    for more in ((), (f"Host: {urlsplit(mock_server.origin).netloc}",)):
        status, _, _ = send(mock_server, "/openai/v1/models", *more, f"Host: {host}")
        assert status == 403
    assert not mock_server.requests


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:8080", "[::1]:1"])
def test_loopback_host_is_accepted(mock_server, host):
    assert send(mock_server, "/openai/v1/models", f"Host: {host}")[0] == 200


def test_page_of_another_origin_is_refused(mock_server):
    port = urlsplit(mock_server.origin).port
    foreign = [
        "http://evil.example",
        "null",
        "https://evil.example",
        f"http://localhost:{port + 1}",
        "http://127.0.0.1",
    ]
    for origin in foreign:
        for method, body in (("GET", b""), ("POST", PROMPT)):
            assert send(mock_server, "/openai/v1/models", f"Origin: {origin}", method=method, body=body)[0] == 403, (
                origin
            )
    for site in ("cross-site", "same-site"):
        assert send(mock_server, "/openai/v1/models", f"Sec-Fetch-Site: {site}")[0] == 403
    assert (
        send(mock_server, "/openai/v1/models", f"Origin: {mock_server.origin}", "Sec-Fetch-Site: same-origin")[0] == 200
    )


def test_prompt_is_never_sent_back_as_a_page(mock_server):
    for kind in ("text/html", "Text/HTML; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/javascript"):
        for service, path in (("openai", "/v1/chat/completions"), ("liaobots", "/api/chat")):
            target = f"/{service};type={kind.replace('/', '%2F').replace(' ', '%20').replace(';', '%3B')}{path}"
            for body in (PROMPT, PROMPT.replace(b"<", b"\\u003C")):
                assert send(mock_server, target, method="POST", body=body)[0] == 403, target
    assert send(mock_server, "/openai;type=text%2Fplain/v1/chat/completions", method="POST", body=PROMPT)[0] == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"tokens": 10**9},
        {"tokens": -1},
        {"rate": "inf"},
        {"rate": "nan"},
        {"rate": 1e-9},
        {"delay": 1e9},
        {"delay": -1},
        {"piece": -1},
        {"times": 10**9},
        {"retry_date": "soon"},
        {"retry_date": "inf"},
        {"type": "x" * 300},
    ],
)
def test_setting_out_of_bounds_is_a_value_error(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        MockSettings.from_mapping(settings)


def test_request_with_an_impossible_length_is_refused():
    with MockServer() as server:
        port = urlsplit(server.origin).port
        for size in ("-1", "x", str(MAX_BODY + 1), "9" * 5000, "²"):
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
                sock.sendall(
                    f"POST /openai/v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()
                )
                assert sock.recv(12) == b"HTTP/1.1 413", size


def test_log_keeps_the_latest_requests():
    log = RequestLog()
    for n in range(MAX_REQUESTS + 5):
        log.record(MockRequest("GET", f"/{n}", {}, {}, b"", None))
    assert (len(log.requests), log.received, log.requests[-1].path) == (
        MAX_REQUESTS,
        MAX_REQUESTS + 5,
        f"/{MAX_REQUESTS + 4}",
    )
    assert len(log.counts) <= MAX_REQUESTS + 1
    big = MockRequest("POST", "/big", {}, {}, b"x" * (MAX_BYTES // 2 + 1), None)
    for _ in range(3):
        log.record(big)
    assert log.requests == [big]
