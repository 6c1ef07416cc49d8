"""How answers end on the wire, and how a model is denied there: scripted bytes, exactly."""

import threading

import pytest

from lockbots_magic.errors import HTTPStatusError, ModelNotFoundError, ProtocolError, ProviderError
from lockbots_magic.providers.liaobots import Liaobots, decode_response
from lockbots_magic.providers.lockchat import Lockchat
from lockbots_magic.providers.presets import presets
from tests.rawserver import PATIENCE, RawServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
HELLO = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
DENIAL = b"The model: `gpt-4` does not exist"
MESSAGES = [{"role": "user", "content": "hi"}]
ENDLESS = (PATIENCE, 10 * PATIENCE)
"""Timeouts that are not reached before a script of `once` gives up waiting for `hold`, which fails the test."""


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def said(provider, server, **given):
    auth = "mock" if provider is Liaobots else None
    pieces = provider.create_completion("gpt-4", MESSAGES, base_url=server.url, auth=auth, backoff=0.01, **given)
    return "".join(pieces)


def once(*parts, hold=None):
    """A script that answers each request with `parts`, and then waits for `hold`."""

    def script(peer):
        peer.request()
        for part in parts:
            peer.send(part)
        if hold is not None:
            peer.wait(hold)

    return script


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"\r\n" + HELLO + DONE,
        HEAD + b"Connection: close\r\n\r\n" + HELLO + DONE,
        HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(HELLO + DONE),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(HELLO + DONE),
        HEAD + b"Content-Length: 9999\r\n\r\n" + HELLO + DONE,
    ],
)
def test_the_end_mark_ends_the_reply_though_the_connection_stays_open(answer):
    hold = threading.Event()
    with RawServer(once(answer, hold=hold)) as server:
        assert said(presets.openai, server, timeout=ENDLESS) == "hello"
        hold.set()


@pytest.mark.parametrize("how", ["cut", "silent"])
def test_a_finish_reason_makes_the_reply_whole_whatever_becomes_of_the_connection(how):
    hold = threading.Event()
    answer = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(HELLO + STOP)
    with RawServer(once(answer, hold=hold if how == "silent" else None)) as server:
        assert said(presets.openai, server, timeout=(PATIENCE, 0.2)) == "hello"
        hold.set()


@pytest.mark.parametrize(
    "body",
    [
        DENIAL,
        DENIAL + b"\n",
        DENIAL + b"\n\n" + DONE,
        b"Error:\n" + DENIAL + b"\n",
        b"data: " + DENIAL + b"\n\n",
        b": comment\n\n" + DENIAL + b"\n\n" + DONE,
    ],
)
def test_a_denied_model_in_a_200_is_tried_again_and_then_an_error(body):
    with RawServer(once(HEAD + b"Connection: close\r\n\r\n" + body)) as server:
        with pytest.raises(ModelNotFoundError) as caught:
            said(Lockchat, server)
        assert type(caught.value) is ModelNotFoundError
        assert len(server.requests) == 3


def test_a_denial_is_noticed_at_once_though_the_connection_stays_open():
    hold = threading.Event()
    with RawServer(once(HEAD + b"\r\n" + DENIAL + b"\n", hold=hold)) as server:
        with pytest.raises(ModelNotFoundError):
            said(Lockchat, server, timeout=ENDLESS)
        hold.set()


def test_a_reply_that_quotes_a_denial_is_a_reply():
    quoting = b'data: {"choices":[{"delta":{"content":"The model: `gpt-4` does not exist"}}]}\n\n'
    with RawServer(once(HEAD + b"Connection: close\r\n\r\n" + quoting + DONE)) as server:
        assert said(Lockchat, server) == DENIAL.decode()


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (401, 1), (403, 1), (404, 3)])
def test_only_a_404_may_deny_a_model_and_is_tried_again(status, tries):
    answer = b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s" % (status, len(DENIAL), DENIAL)
    with RawServer(once(answer)) as server:
        with pytest.raises(ModelNotFoundError if status == 404 else HTTPStatusError):
            said(Lockchat, server)
        assert len(server.requests) == tries


EVENT = b'data: {"role":"assistant","content":"hello"}\n\n'


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/event-stream", EVENT, "hello"),
        ("text/event-stream", EVENT + DONE + b'data: {"content":"after"}\n\n', "hello"),
        ("text/event-stream", b"Hello raw", "Hello raw"),
        ("text/event-stream", b": ping\n\n" + EVENT, "hello"),
        ("text/plain", b": ping\n\n" + EVENT, "hello"),
        ("text/plain", b"event: message\n" + EVENT, "hello"),
        ("text/plain", EVENT, "hello"),
        ("text/plain", b"data: are what we need", "data: are what we need"),
        ("text/plain", b"data", "data"),
        ("text/plain", b": a colon begins this", ": a colon begins this"),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("text/plain", b"<b>bold</b> text of a reply", "<b>bold</b> text of a reply"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_liaobots_formats_are_distinguished_however_the_body_is_cut(content_type, body, text, size):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % content_type.encode()
    parts = [chunk(body[i : i + size]) for i in range(0, len(body), size)]
    with RawServer(once(head, *parts, b"0\r\n\r\n")) as server:
        assert said(Liaobots, server) == text


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/event-stream", EVENT, "hello"),
        ("text/plain", EVENT, "hello"),
        ("text/plain", "Привет 🙂".encode(), "Привет 🙂"),
        ("", b"data: none", "data: none"),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
    ],
)
def test_liaobots_formats_are_distinguished_by_their_bytes_alone(content_type, body, text, size, bom):
    body = bom + body
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    assert "".join(delta.text for delta in decode_response(pieces, content_type)) == text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b'[{"error":true,"res_status":402,"message":"no quota"}]'),
        ("text/plain", b'{"error":true,"res_status":402,"message":"no quota"}'),
        ("text/event-stream", b'{"error":true,"message":"no"}'),
        ("application/json", b'{"message":"no"}'),
    ],
)
def test_liaobots_never_shows_an_error_object_as_the_answer(content_type, body):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n" % content_type.encode()
    with RawServer(once(head + body)) as server, pytest.raises(ProviderError) as caught:
        said(Liaobots, server)
    assert not isinstance(caught.value, ProtocolError)


def test_liaobots_ends_with_its_end_mark_though_the_connection_stays_open():
    hold = threading.Event()
    with RawServer(once(HEAD + b"\r\n" + EVENT + DONE, hold=hold)) as server:
        assert said(Liaobots, server, timeout=ENDLESS) == "hello"
        hold.set()
