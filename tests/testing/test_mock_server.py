"""Tests of the mock server itself, over raw sockets."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import brotli
import pytest

from lockbots_magic.testing.mock_server import CREDENTIAL, FAULTS, MockServer
from lockbots_magic.testing.mock_server.replies import make_markdown, reply_to, split_bytes, split_words
from tests.rawserver import PATIENCE

SERVICES = ("lockchat", "liaobots", "liaobots-events", "openai")
PATHS = {"lockchat": "/v1/chat/completions", "openai": "/chat/completions"}


class RawClient:
    """One connection to the mock server."""

    def __init__(self, url):
        self.parts = urlsplit(url)
        self.socket = socket.create_connection((self.parts.hostname, self.parts.port), timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, prompt="say hi there", below=None, method="POST", credential=CREDENTIAL, **more):
        service = self.parts.path.split("/")[1].partition(";")[0]
        below = PATHS.get(service, "/api/chat") if below is None else below
        messages = [{"role": "user", "content": prompt}]
        body = json.dumps({"model": "demo", "messages": messages, "stream": True, **more}).encode()
        head = (
            f"{method} {self.parts.path}{below} HTTP/1.1\r\nHost: {self.parts.netloc}\r\nX-Auth-Code: {credential}\r\n"
        )
        self.socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def until(self, end):
        """Return what the server sends, up to `end`, or until it closes the connection (`end` is None)."""
        got = b""
        while end is None or not got.endswith(end):
            piece = self.socket.recv(65536)
            if not piece:
                assert end is None, got
                break
            got += piece
        return got

    def request(self, **fields):
        """Return (head, body) of a chunked response."""
        self.send(**fields)
        head, _, body = self.until(b"0\r\n\r\n").partition(b"\r\n\r\n")
        return head.decode(), b"".join(chunks(body))


def chunks(body):
    while body:
        size, _, rest = body.partition(b"\r\n")
        yield rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]


def ask(url, **fields):
    with RawClient(url) as client:
        return client.request(**fields)


def events(body):
    return [json.loads(line) for line in re.findall(r"^data: (\{.*)$", body.decode(), re.MULTILINE)]


def test_lockchat_response_is_exact(mock_server):
    head, body = ask(mock_server.url("lockchat"))
    assert head == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"
    assert body == (
        b'data: {"choices":[{"delta":{"content":"hi "}}]}\n\n'
        b'data: {"choices":[{"delta":{"content":"there"}}]}\n\n'
        b"data: [DONE]\n\n"
    )


def test_early_liaobots_is_raw_text_cut_inside_characters(mock_server):
    with RawClient(mock_server.url("liaobots")) as client:
        client.send("say да 🙂")
        _, _, body = client.until(b"0\r\n\r\n").partition(b"\r\n\r\n")
    pieces = list(chunks(body))
    assert b"".join(pieces).decode() == "да 🙂"
    with pytest.raises(UnicodeDecodeError):
        pieces[0].decode()
    assert b"\xf0" in pieces[2:]


def test_later_liaobots_response_is_exact(mock_server):
    _, body = ask(mock_server.url("liaobots-events"), prompt="say да")
    assert body.decode() == 'data: {"role":"assistant","content":"да"}\n\n'


def test_openai_stream_has_role_text_finish_reason_usage_and_done(mock_server):
    _, body = ask(mock_server.url("openai"), stream_options={"include_usage": True})
    sent = events(body)
    assert [c["choices"][0]["delta"] for c in sent[:-1]] == [
        {"role": "assistant", "content": ""},
        {"content": "hi "},
        {"content": "there"},
        {},
    ]
    assert sent[-2]["choices"][0]["finish_reason"] == "stop"
    assert sent[-1]["choices"] == []
    assert sent[-1]["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("service", ["lockchat", "openai"])
@pytest.mark.parametrize("stream", [False, None])
def test_without_stream_the_response_is_one_object(mock_server, service, stream):
    head, body = ask(mock_server.url(service), stream=stream)
    assert "application/json" in head
    assert json.loads(body)["choices"][0]["message"] == {"role": "assistant", "content": "hi there"}


def test_stream_that_is_not_mentioned_means_one_object(mock_server):
    body = b'{"model": "demo", "messages": [{"role": "user", "content": "say hi"}]}'
    request = Request(f"{mock_server.url('openai')}/chat/completions", body)
    with urlopen(request, timeout=PATIENCE) as response:
        assert json.load(response)["choices"][0]["message"]["content"] == "hi"


def test_openai_lists_its_models(mock_server):
    _, body = ask(mock_server.url("openai"), below="/models", method="GET")
    assert [m["id"] for m in json.loads(body)["data"]] == ["demo", "gpt-4", "gpt-3.5-turbo"]


@pytest.mark.parametrize(
    ("prompt", "reply"),
    [
        ("say  two spaces, 'quotes'", " two spaces, 'quotes'"),
        ("count to 5", "1 2 3 4 5"),
        ("Hello?", 'You said: "Hello?". I have heard 1 message.'),
        ("Ёж?", "Вы сказали: «Ёж?». Сообщений до этого: 0."),
    ],
)
def test_reply_depends_on_the_messages_only(prompt, reply):
    assert reply_to([{"role": "system", "content": "Be brief."}, {"role": "user", "content": prompt}]) == reply


def test_reply_counts_messages_and_shows_code():
    said = [{"role": role, "content": "x"} for role in ("user", "assistant", "user")]
    assert reply_to(said) == 'You said: "x". I have heard 3 messages.'
    assert "```python" in reply_to([{"role": "user", "content": "show code"}])


def test_split_pieces_join_to_the_text():
    text = make_markdown(500)
    assert "".join(split_words(text)) == text
    assert len(split_words(text)) == 500
    assert b"".join(split_bytes(text)).decode() == text


@pytest.mark.parametrize(
    ("body", "unpack"),
    [("gzip", lambda b: zlib.decompress(b, 31)), ("deflate", zlib.decompress), ("br", brotli.decompress)],
)
def test_body_has_the_encoding_of_the_setting(mock_server, body, unpack):
    head, packed = ask(mock_server.url("liaobots", body=body))
    assert f"Content-Encoding: {body}" in head
    assert unpack(packed) == b"hi there"


def test_body_has_the_framing_of_the_setting(mock_server):
    with RawClient(mock_server.url("liaobots", body="length")) as client:
        for _ in range(2):  # the connection is kept
            client.send()
            assert client.until(b"\r\n\r\nhi there").endswith(b"Content-Length: 8\r\n\r\nhi there")
    with RawClient(mock_server.url("liaobots", body="close")) as client:
        client.send()
        assert client.until(None).endswith(b"Connection: close\r\n\r\nhi there")


def test_times_counts_requests_to_the_exact_url(mock_server):
    url = mock_server.url("lockchat", fault="http-503", times=2, retry_after=0.1)
    heads = [ask(url)[0] for _ in range(3)]
    assert [h.split()[1] for h in heads] == ["503", "503", "200"]
    assert "Retry-After: 0.1" in heads[0]
    assert "503" in ask(mock_server.url("lockchat", fault="http-503", times=1))[0]


def test_rate_delays_the_pieces(mock_server):
    begun = time.monotonic()
    ask(mock_server.url("liaobots", tokens=11, rate=400))
    assert time.monotonic() - begun >= 0.025


def test_piece_cuts_the_body_to_its_size(mock_server):
    with RawClient(mock_server.url("liaobots", piece=1)) as client:
        client.send()
        _, _, body = client.until(b"0\r\n\r\n").partition(b"\r\n\r\n")
    assert list(chunks(body)) == [*(b"%c" % c for c in b"hi there"), b""]


@pytest.mark.parametrize("service", SERVICES)
def test_wrong_credential_is_401_where_one_is_required(mock_server, service):
    url = mock_server.url(service, auth="required")
    head, body = ask(url, credential="wrong")
    assert head.startswith("HTTP/1.1 401 ")
    assert "wrong or" not in body.decode()


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"below": "/nothing"}, 404), ({"method": "PUT"}, 405), ({"model": ""}, 400), ({"messages": 7}, 400)],
)
def test_invalid_request_is_an_error_status(mock_server, fields, status):
    assert ask(mock_server.url("lockchat"), **fields)[0].startswith(f"HTTP/1.1 {status} ")


ENDLESS = {"silence", "silence-body", "silence-midway", "heartbeat", "heartbeat-first"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_fault_ends_and_the_server_keeps_running(mock_server, service):
    for fault in (name for name, row in FAULTS.items() if service in row.services and name not in ENDLESS):
        with RawClient(mock_server.url(service, fault=fault, body="close", delay=0.001)) as client:
            client.send()
            try:
                client.until(None)
            except ConnectionResetError:
                assert fault.startswith("reset"), fault
            except TimeoutError:
                pytest.fail(f"{fault} does not end")
        assert "200 OK" in ask(mock_server.url(service))[0], fault


@pytest.mark.parametrize("fault", sorted(ENDLESS))
def test_disconnect_during_an_endless_response_is_noticed(mock_server, fault):
    with RawClient(mock_server.url("lockchat", fault=fault, delay=0.01)) as client:
        client.send()
        mock_server.wait_for_request()
        left = time.monotonic()
    assert left <= mock_server.wait_for_disconnect() <= time.monotonic()
    with pytest.raises(TimeoutError):
        mock_server.wait_for_disconnect(timeout=0.01)


def test_disconnect_during_a_paced_response_is_noticed(mock_server):
    with RawClient(mock_server.url("lockchat", tokens=1000, rate=100)) as client:
        client.send()
        assert client.socket.recv(10)
    mock_server.wait_for_disconnect()
    assert len(mock_server.disconnects) == 1


def test_requests_and_connections_are_recorded(mock_server):
    with RawClient(mock_server.url("openai")) as client:
        client.request()
        client.request(prompt="again")
    assert mock_server.connections == 1
    first, second = mock_server.requests
    assert (first.method, first.path, first.query) == ("POST", "/openai/v1/chat/completions", {})
    assert first.headers["x-auth-code"] == CREDENTIAL
    assert second.json["messages"] == [{"role": "user", "content": "again"}]
    mock_server.forget()
    assert (mock_server.requests, mock_server.connections) == ([], 0)


def test_repr_of_a_request_hides_credentials(mock_server):
    ask(mock_server.url("lockchat"), below="/v1/chat/completions?auth=fake-credential", credential="fake-credential")
    (request,) = mock_server.requests
    assert request.query == {"auth": "fake-credential"}
    assert "fake-credential" not in repr(request)


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("telegram", {}),
        ("lockchat", {"colour": "red"}),
        ("lockchat", {"fault": "explode"}),
        ("liaobots", {"fault": "crlf"}),
        ("lockchat", {"body": "rar"}),
        ("lockchat", {"tokens": "many"}),
    ],
)
def test_invalid_url_setting_is_a_value_error(mock_server, service, settings):
    with pytest.raises(ValueError, match=r"Unknown (service|setting|fault|body)|invalid literal"):
        mock_server.url(service, **settings)


def test_unknown_setting_in_a_url_is_named_in_a_400(mock_server):
    head, body = ask(mock_server.url("lockchat").replace("lockchat", "lockchat;colour=red"))
    assert "400" in head
    assert b"colour" in body


def test_stopped_mock_server_has_no_url():
    with pytest.raises(RuntimeError, match="not running"):
        MockServer().url("lockchat")


def test_stopping_does_not_wait_for_open_streams():
    with MockServer() as box:
        clients = [RawClient(box.url("lockchat", fault=fault)) for fault in ("silence", "silence-midway", "heartbeat")]
        for client in clients:
            client.send()
        box.wait_for_request(count=3)
        stopping = threading.Thread(target=box.stop, daemon=True)
        stopping.start()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
    for client in clients:
        client.until(None)
        client.socket.close()
    assert not [t for t in threading.enumerate() if t.name == "mock" and not t.daemon]


def test_command_line_serves_until_interrupted():
    command = [sys.executable, "-u", "-m", "lockbots_magic.testing.mock_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], PATIENCE)[0], "prints nothing"
            welcome = ""
            while "Ctrl-C" not in welcome:
                welcome += process.stdout.readline()
            url = re.search(r"http://127.0.0.1:\d+/lockchat\b", welcome)[0]
            assert b"hi " in ask(url)[1]
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    assert "%lockbots use openai:demo --base-url" in welcome


def test_help_lists_every_fault():
    command = [sys.executable, "-m", "lockbots_magic.testing.mock_server", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ}, timeout=30).stdout
    assert all(f"  {name} " in shown for name in FAULTS)
