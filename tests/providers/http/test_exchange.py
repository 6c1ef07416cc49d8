"""Exchanges against raw sockets: bodies, failures, time limits, closing, and reuse of connections."""

from __future__ import annotations

import errno
import gzip
import importlib.util
import json
import os
import signal
import socket
import sys
import threading
import time
import zlib
from collections.abc import Callable

import pytest
from urllib3.util.request import ACCEPT_ENCODING

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.errors import Cancelled, ConnectionFailed, ProtocolError, ProviderError, ProviderTimeout, UsageError
from lockbots_magic.providers.http import exchange as exchange_module
from lockbots_magic.providers.http.exchange import Exchange
from lockbots_magic.providers.http.request import HTTPRequest, TimeLimits
from tests.rawserver import PATIENCE, Peer, RawServer, answers, drips, full_port, hangs, sends

PIECES = [b"one ", "два ".encode(), b"three"]
QUICK = 0.1
"""Time (s) without data that is too long."""
FOR_EVER = {"silence": 2 * PATIENCE, "total": 2 * PATIENCE}
"""Limits that are not reached before the test fails for another reason."""
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def exchange(
    url: str, *, silence: float = PATIENCE, total: float = PATIENCE, cancel: Cancellation | None = None
) -> Exchange:
    limits = TimeLimits(PATIENCE, silence, time.monotonic() + total)
    return Exchange(HTTPRequest("POST", f"{url}/v1/chat", json={"a": "б"}), limits, cancel or Cancellation())


def body_of(url: str, **limits: float) -> bytes:
    with exchange(url, **limits) as answer:
        return b"".join(answer)


def failure_of(url: str, **limits: float) -> tuple[Exception, bytes]:
    """Return the error of an exchange, and the data before it."""
    came = []
    with pytest.raises((ProviderError, UsageError)) as caught, exchange(url, **limits) as answer:  # noqa: PT012
        for piece in answer:
            came.append(piece)  # noqa: PERF402  # kept when the loop is left by an error
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value, b"".join(came)


# Bodies


Codec = tuple[Callable[[bytes], bytes], Callable[[], bytes]]


def codec(encoding: str) -> Codec:
    """Return two functions: one compresses and flushes a piece, one ends the stream."""
    if encoding == "br":
        brotli = importlib.import_module("brotli").Compressor()
        return lambda data: brotli.process(data) + brotli.flush(), brotli.finish
    if encoding == "zstd":
        kind = importlib.import_module(ZSTD).ZstdCompressor
        zstd = kind()
        return lambda data: zstd.compress(data, kind.FLUSH_BLOCK), zstd.flush
    deflate = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    return lambda data: deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH), deflate.flush


def dress(kind: str) -> tuple[bytes, Codec]:
    """Return the head of a body of this kind, and the codec of its pieces."""
    if kind in ("chunked", "events"):
        return (EVENTS if kind == "events" else CHUNKED), (chunk, lambda: b"0\r\n\r\n")
    if kind == "length":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(b"".join(PIECES)), (bytes, bytes)
    if kind == "close":
        return b"HTTP/1.1 200 OK\r\n\r\n", (bytes, bytes)
    compress, finish = codec(kind)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % kind.encode()
    return head, (lambda piece: chunk(compress(piece)), lambda: chunk(finish()) + b"0\r\n\r\n")


ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
OPTIONAL = {"br": "brotli", "zstd": ZSTD}


def not_found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except ModuleNotFoundError:  # of the package it would be in
        return True


def compressed(encoding: str) -> object:
    """Return the encoding as a parameter, skipped if a library is missing."""
    missing = encoding not in ACCEPT_ENCODING or not_found(OPTIONAL.get(encoding, "zlib"))
    return pytest.param(encoding, marks=pytest.mark.skipif(missing, reason=f"no package for {encoding} here"))


ENCODINGS = [compressed(encoding) for encoding in ("gzip", "deflate", "br", "zstd")]


@pytest.mark.parametrize("kind", ["chunked", "events", "length", "close", *ENCODINGS])
def test_each_piece_is_delivered_before_the_next_is_sent(kind):
    received = [threading.Event() for _ in PIECES]

    def script(peer: Peer) -> None:
        while peer.request():
            for done in received:
                done.clear()
            head, (frame, end) = dress(kind)
            peer.send(head)
            for piece, done in zip(PIECES, received, strict=True):
                peer.send(frame(piece))
                peer.wait(done)
            peer.send(end())
            if kind == "close":
                return

    with RawServer(script) as server:
        for _ in range(2):
            came = []
            with exchange(server.url) as answer:
                for piece, done in zip(answer, received, strict=False):
                    came.append(piece)
                    done.set()
                came += answer
            assert came == PIECES
        assert server.connections == (2 if kind == "close" else 1)


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("media_type", ["", "text/event-stream", "text/plain", "application/json", "x"])
def test_small_chunks_that_have_arrived_are_read_at_once(media_type, encoding):
    texts = [b"%d\n" % n for n in range(2000)]
    compress, end = codec("gzip") if encoding else (bytes, bytes)
    body = b"".join(chunk(compress(text)) for text in texts) + (chunk(end()) if encoding else b"") + b"0\r\n\r\n"
    fields = [f"Content-Type: {media_type}"] * bool(media_type) + [f"Content-Encoding: {encoding}"] * bool(encoding)
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *fields, "", ""]).encode()
    sent = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head + body)
        sent.set()

    with RawServer(script) as server, exchange(server.url) as answer:
        assert sent.wait(PATIENCE)
        pieces = list(answer)
    assert b"".join(pieces) == b"".join(texts)
    assert len(pieces) < 20


def test_pause_to_collect_pieces_is_a_small_share_of_the_time_so_far(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(exchange_module, "time", clock)
    monkeypatch.setattr(exchange_module, "COALESCE_PAUSE", 0.01)
    arrived = [clock.now + n * 0.0001 for n in range(2000)]  # 10,000 pieces/s

    def read(_: Exchange) -> bytes:
        if not arrived:
            return b""
        clock.now = max(clock.now, arrived[0])
        ready = [at for at in arrived if at <= clock.now]
        del arrived[: len(ready)]
        return b"x" * len(ready)

    monkeypatch.setattr(Exchange, "_read", read)
    answer = exchange("http://127.0.0.1")
    began, last = clock.now, arrived[-1]
    pieces = list(answer)
    assert sum(map(len, pieces)) == 2000
    assert len(pieces) < 120, "most pieces are delivered together"
    assert clock.now - last <= (last - began) * exchange_module.COALESCE_SHARE


class Clock:
    """Stands for the module `time`; sleeping takes no time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


INTERIM = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n",
           b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nContent-Length: 5\r\n\r\n"]  # fmt: skip


@pytest.mark.parametrize("before", [*INTERIM, b"".join(INTERIM) * 3], ids=["100", "102", "103", "all"])
def test_interim_responses_are_skipped(before):
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(before)
            peer.answer(b"hello")

    with RawServer(script) as server:
        assert body_of(server.url) == body_of(server.url) == b"hello"
        assert server.connections == 1


@pytest.mark.parametrize("before", INTERIM)
def test_interim_responses_without_end_are_a_protocol_error(before):
    with RawServer(sends(before * 500)) as server:
        error, _ = failure_of(server.url)
    assert type(error) is ProtocolError


def test_body_larger_than_one_read_is_whole():
    body = bytes(range(256)) * 4096
    with RawServer(sends(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)) as server:
        assert body_of(server.url) == body


def test_small_compressed_body_may_be_large():
    body = b"a" * 10_000_000
    packed = gzip.compress(body)
    with RawServer(
        sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed), packed)
    ) as server:
        assert body_of(server.url) == body


def test_request_is_json_with_its_length():
    with RawServer(answers) as server, exchange(server.url) as answer:
        (request,) = server.requests
        assert request.line == "POST /v1/chat HTTP/1.1"
        assert request.headers["content-type"] == "application/json"
        assert json.loads(request.body) == {"a": "б"}
        assert (answer.status, answer.content_type) == (200, "")


def test_content_type_is_read_without_parameters():
    head = b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML ; charset=x\r\n\r\n"
    with RawServer(sends(head)) as server, exchange(server.url) as answer:
        assert answer.content_type == "text/html"


def test_error_body_is_read_up_to_a_limit(monkeypatch):
    monkeypatch.setattr(exchange_module, "MAX_ERROR_BODY", 10)
    with RawServer(hangs(b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n" + b"x" * 50)) as server:
        with exchange(server.url) as answer:
            assert (answer.status, answer.read_body()) == (500, b"x" * 10)
        server.wait_until_gone()


def test_error_body_that_is_cut_off_is_read_up_to_the_cut():
    head = b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n"
    with RawServer(sends(head, b"no")) as server, exchange(server.url) as answer:
        assert answer.read_body() == b"no"


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, 10**5000], ids=["nan", "object", "set", "digits"])
def test_invalid_json_is_a_usage_error_before_any_io(value):
    with RawServer(answers) as server:
        call = HTTPRequest("POST", server.url, json={"a": value})
        with pytest.raises(UsageError, match="JSON") as caught, Exchange(call, TimeLimits(1, 1), Cancellation()):
            pass
        assert caught.value.__context__ is None
        assert server.connections == 0


# Failures


@pytest.mark.parametrize(
    "head",
    [CHUNKED + b"100\r\n", CHUNKED, EVENTS + b"100\r\n", EVENTS, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"],
)
def test_body_that_ends_early_is_a_failed_connection_after_its_data(head):
    start = chunk(b"part") if head in (CHUNKED, EVENTS) else b"part"
    with RawServer(sends(head, start)) as server:
        error, came = failure_of(server.url)
    assert type(error) is ConnectionFailed
    assert "closed the connection before" in str(error)
    assert came == b"part"


def test_reset_in_the_body_is_a_failed_connection():
    got = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED + chunk(b"part"))
        peer.wait(got)
        peer.reset()

    with RawServer(script) as server, exchange(server.url) as answer:
        pieces = iter(answer)
        assert next(pieces) == b"part"
        got.set()
        with pytest.raises(ConnectionFailed, match="reset"):
            next(pieces)


def test_connection_closed_before_the_response_is_a_failed_connection():
    with RawServer(sends()) as server:
        error, _ = failure_of(server.url)
    assert type(error) is ConnectionFailed
    assert error.retryable


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9\r\n", b"hello\r\n\r\n", b"\r\n\r\n\r\n", b"HTTP/1.1 " + b"x" * 70_000,
     b"HTTP/9 200 OK\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ids=["ssh", "word", "blank", "long", "version", "status", "lengths"],
)  # fmt: skip
def test_response_that_is_not_http_is_a_protocol_error(answer):
    with RawServer(sends(answer)) as server:
        error, _ = failure_of(server.url)
    assert type(error) is ProtocolError
    assert str(error) == f"127.0.0.1:{server.port} does not speak HTTP."


def test_more_headers_than_a_mail_has_are_read():
    head = "".join(f"X-Policy-{number}: on\r\n" for number in range(500))
    with RawServer(sends(f"HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nOK".encode())) as server:
        assert body_of(server.url) == b"OK"


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (b"a: b\r\n" * 2000, "more than 1000 lines of headers"),
        (b"a:" + b"b" * 70_000, "a line is longer than 65536 bytes"),
    ],
    ids=["many", "long"],
)
def test_a_head_that_is_longer_than_is_read_is_told_as_such(headers, told):
    with RawServer(sends(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n")) as server:
        error, _ = failure_of(server.url)
    assert type(error) is ProtocolError
    assert str(error) == f"The response is malformed: {told}."


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_body_with_a_wrong_content_encoding_is_a_protocol_error(encoding):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 40\r\n\r\n".encode()
    with RawServer(sends(head, b"this is no compressed text, not at all.x")) as server:
        error, _ = failure_of(server.url)
    assert type(error) is ProtocolError
    assert "does not match its content encoding" in str(error)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_that_a_proxy_has_decompressed_is_read_though_the_header_is_still_there(encoding):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n"
    for body in (b"data: {}\n\n", b'{"a": 1}', b"[]", b": ping\n\n", b"<!doctype html>"):
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        for more, sent in ((f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunked)):
            with RawServer(sends(f"{head}{more}\r\n\r\n".encode(), sent)) as server:
                assert body_of(server.url) == body


def test_refused_connection_is_a_failed_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error, _ = failure_of(f"http://127.0.0.1:{port}")
    assert type(error) is ConnectionFailed
    assert str(error) == f"Connection to 127.0.0.1:{port} failed: Connection refused"


def test_unknown_host_is_a_failed_connection():
    error, _ = failure_of("http://nonexistent.invalid")
    assert type(error) is ConnectionFailed
    assert str(error).startswith("Connection to nonexistent.invalid failed: ")
    assert "object at" not in str(error)


@pytest.mark.parametrize("url", ["http://.example", "http://a..b", f"http://{'a' * 64}.example"])
def test_invalid_host_is_a_usage_error(url):
    error, _ = failure_of(url)
    assert isinstance(error, UsageError)


def test_error_ignores_the_exception_that_the_caller_is_handling():
    try:
        raise TimeoutError
    except TimeoutError:
        with pytest.raises(ConnectionFailed, match="closed the connection before"), RawServer(sends(CHUNKED)) as server:
            body_of(server.url)


# Time


def test_slow_connect_is_a_timeout():
    with full_port() as port, pytest.raises(ProviderTimeout, match=r"Connecting to .* timed out"):
        Exchange(
            HTTPRequest("GET", f"http://127.0.0.1:{port}"), TimeLimits(QUICK, PATIENCE), Cancellation()
        ).__enter__()


@pytest.mark.parametrize(
    "parts", [[], [b"HTTP/1.1 200 OK\r\n"], [CHUNKED], [CHUNKED, chunk(b"part")], [EVENTS], [EVENTS, chunk(b"part")]]
)
def test_silence_is_a_timeout(parts):
    with RawServer(hangs(*parts)) as server:
        error, came = failure_of(server.url, silence=QUICK)
        server.wait_until_gone()
    assert type(error) is ProviderTimeout
    assert "no data" in str(error)
    assert came == (b"part" if len(parts) == 2 else b"")


@pytest.mark.parametrize(
    ("head", "drop"),
    [(CHUNKED, chunk(b": ping\n\n")), (b"HTTP/1.1 200 OK\r\n\r\n", b"x"), (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
     (CHUNKED, b"0"), (EVENTS, chunk(b": ping\n\n")), (EVENTS, b"0")],
    ids=["chunks", "bytes", "header", "chunk-size", "events", "events-size"],
)  # fmt: skip
def test_endless_heartbeat_ends_with_the_total_time(head, drop):
    with RawServer(drips(head, drop)) as server:
        error, _ = failure_of(server.url, total=0.1, silence=PATIENCE)
        server.wait_until_gone()
    assert type(error) is ProviderTimeout
    assert "whole reply" in str(error)


def test_no_time_left_is_a_timeout_before_any_io():
    with RawServer(answers) as server:
        with pytest.raises(ProviderTimeout, match="whole reply"):
            body_of(server.url, total=-1)
        assert server.connections == 0


def test_infinite_timeouts_are_allowed():
    with RawServer(answers) as server:
        endless = TimeLimits(float("inf"), float("inf"), float("inf"))
        with Exchange(HTTPRequest("GET", server.url), endless, Cancellation()) as answer:
            assert b"".join(answer) == b"hello"
        assert body_of(server.url, total=1e12) == b"hello"


# Closing


@pytest.mark.parametrize("read", [True, False])
def test_leaving_the_block_closes_the_socket_at_once(read):
    with RawServer(hangs(CHUNKED, chunk(b"part"))) as server:
        with exchange(server.url) as answer:
            if read:
                assert next(iter(answer)) == b"part"
        server.wait_until_gone()


@pytest.mark.parametrize(
    "parts", [[], [CHUNKED], [CHUNKED, chunk(b"part")], [EVENTS, chunk(b"part")], [b"HTTP/1.1 200 OK\r\n\r\npart"]]
)
def test_blocked_exchange_is_cancelled_from_another_thread(parts):
    cancel = Cancellation()
    outcome: list[BaseException] = []

    def work(url: str) -> None:
        try:
            with exchange(url, cancel=cancel) as answer:
                for _ in answer:
                    pass
        except BaseException as error:  # noqa: BLE001  # looked at below
            outcome.append(error)

    with RawServer(hangs(*parts)) as server:
        worker = threading.Thread(target=work, args=(server.url,))
        worker.start()
        server.wait_for_request()
        cancel.cancel()
        worker.join(PATIENCE)
        server.wait_until_gone()
    assert [type(error) for error in outcome] == [Cancelled]


@pytest.mark.parametrize("how", ["cancel", "interrupt", "deadline"])
@pytest.mark.parametrize("phase", ["lookup", "connect"])
def test_lookup_and_connecting_end_at_once(monkeypatch, phase, how):
    blocked, release = threading.Event(), threading.Event()
    known = socket.getaddrinfo

    def lookup(*args: object, **named: object) -> object:
        blocked.set()
        if phase == "lookup":
            release.wait(2 * PATIENCE)
        return known(*args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    cancel = Cancellation()
    ended: list[BaseException] = []

    def stop() -> None:
        blocked.wait(PATIENCE)
        if how == "cancel":
            cancel.cancel()
        elif how == "interrupt":
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with full_port() as port:
        total = QUICK if how == "deadline" else 3 * PATIENCE
        limits = TimeLimits(2 * PATIENCE, 2 * PATIENCE, time.monotonic() + total)
        call = HTTPRequest("GET", f"http://127.0.0.1:{port}")
        worker = threading.Thread(target=stop)
        worker.start()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        began = time.monotonic()
        try:
            Exchange(call, limits, cancel).__enter__()
        except BaseException as error:  # noqa: BLE001  # looked at below
            ended.append(error)
        finally:
            signal.signal(signal.SIGINT, before)
            release.set()
        worker.join(PATIENCE)
        assert time.monotonic() - began < PATIENCE, "it waits until the connection is made"
    kinds = {"cancel": Cancelled, "interrupt": KeyboardInterrupt, "deadline": ProviderTimeout}
    assert [type(error) for error in ended] == [kinds[how]]


def test_tls_handshake_is_cancelled_from_another_thread():
    cancel = Cancellation()
    greeted = threading.Event()

    def script(peer: Peer) -> None:
        peer.sock.recv(1)
        greeted.set()
        peer.until_gone()

    with RawServer(script) as server:
        worker = threading.Thread(target=lambda: (greeted.wait(PATIENCE), cancel.cancel()))
        worker.start()
        with pytest.raises(Cancelled):
            exchange(server.url.replace("http:", "https:"), cancel=cancel).__enter__()
        server.wait_until_gone()
        worker.join()


def test_cancelled_exchange_opens_no_connection():
    cancel = Cancellation()
    cancel.cancel()
    with RawServer(answers) as server:
        with pytest.raises(Cancelled):
            exchange(server.url, cancel=cancel).__enter__()
        assert server.connections == 0


@pytest.fixture
def interruptible():
    """Let SIGINT raise KeyboardInterrupt, also where the tests run in the background: a shell has it ignored there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "parts",
    [[], [CHUNKED], [CHUNKED, chunk(b"part")], [EVENTS, chunk(b"part")]],
    ids=["headers", "body", "midway", "events"],
)
@pytest.mark.usefixtures("interruptible")
def test_interrupt_inside_a_read_closes_the_socket_while_the_server_is_silent(parts):
    ready = threading.Event()

    def script(peer: Peer) -> None:
        if not peer.request():
            return
        for part in parts:
            peer.send(part)
        if len(parts) == 2:
            peer.wait(ready)
        time.sleep(0.05)  # until the client blocks: a signal just before would wait with it
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        peer.until_gone()

    with RawServer(script) as server:
        with pytest.raises(KeyboardInterrupt), exchange(server.url, **FOR_EVER) as answer:  # noqa: PT012
            for _ in answer:
                ready.set()
        server.wait_until_gone()


# Reuse


def test_connection_is_reused_after_the_body():
    with RawServer(answers) as server:
        for _ in range(5):
            assert body_of(server.url) == b"hello"
        assert (server.connections, len(server.requests)) == (1, 5)


@pytest.mark.parametrize(
    "rest", [b"0\r\n\r\n", chunk(b"\n\n") + b"0\r\n\r\n", chunk(b"a") + chunk(b"b") + b"0\r\n\r\n"]
)
@pytest.mark.parametrize("head", [CHUNKED, EVENTS])
def test_connection_is_reused_after_finish(head, rest):
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(head + chunk(b"[DONE]"))
            peer.send(rest)

    with RawServer(script) as server:
        for _ in range(3):
            with exchange(server.url) as answer:
                next(iter(answer))
                answer.finish()
        assert server.connections == 1


@pytest.mark.parametrize("drop", [b"", chunk(b"x")])
def test_finish_does_not_wait_for_an_endless_body(drop):
    script = drips(CHUNKED + chunk(b"[DONE]"), drop) if drop else hangs(CHUNKED + chunk(b"[DONE]"))
    with RawServer(script) as server:

        def finish() -> None:
            with exchange(server.url, **FOR_EVER) as answer:
                next(iter(answer))
                answer.finish()

        worker = threading.Thread(target=finish, daemon=True)
        worker.start()
        worker.join(PATIENCE)
        assert not worker.is_alive(), "it waits for the end of the body"
        server.wait_until_gone()


@pytest.mark.parametrize(
    "first", [b"", CHUNKED + chunk(b"part"), CHUNKED + b"nonsense", EVENTS + b"nonsense\r\n", b"nonsense\r\n\r\n"]
)
def test_next_request_works_after_a_failed_one(first):
    def script(peer: Peer) -> None:
        if peer.number == 1:
            sends(first)(peer)
        else:
            answers(peer)

    with RawServer(script) as server:
        failure_of(server.url)
        assert body_of(server.url) == body_of(server.url) == b"hello"
        assert server.connections == 2


def test_next_request_works_after_one_that_was_closed_midway():
    def script(peer: Peer) -> None:
        if peer.number == 1:
            hangs(CHUNKED, chunk(b"part"))(peer)
        else:
            answers(peer)

    with RawServer(script) as server:
        with exchange(server.url) as answer:
            next(iter(answer))
        assert body_of(server.url) == b"hello"


def test_next_request_works_after_the_server_closed_an_idle_connection():
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b"hello")
        if peer.number == 1:
            peer.sock.shutdown(socket.SHUT_RDWR)
            peer.server.gone.release()
        else:
            answers(peer)

    with RawServer(script) as server:
        assert body_of(server.url) == b"hello"
        server.wait_until_gone()
        assert body_of(server.url) == b"hello"
        assert server.connections == 2


@pytest.mark.parametrize("how", ["end", "reset"])
def test_request_that_meets_a_connection_being_closed_is_sent_again(how):
    """A server closes a kept connection just as the next request leaves, which no look at the connection foresees."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b"hello")
        if peer.request() and how == "reset":
            peer.reset()

    with RawServer(script) as server:
        for _ in range(3):
            assert body_of(server.url) == b"hello"
        assert (server.connections, len(server.requests)) == (3, 5), "two of them were not answered"


def test_request_is_not_sent_again_on_a_new_connection_or_once_it_is_cancelled():
    cancel = Cancellation()

    def script(peer: Peer) -> None:
        peer.request()
        if peer.number == 1:
            peer.answer(b"hello")
            peer.request()
            cancel.cancel()

    with RawServer(script) as server:
        assert body_of(server.url) == b"hello"
        with pytest.raises(Cancelled), exchange(server.url, cancel=cancel):
            pass
        assert server.connections == 1
        failure_of(server.url)
        assert server.connections == 2


def test_late_cancel_does_not_affect_the_next_exchange_on_the_connection():
    got = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b"first")
        peer.request()
        peer.send(CHUNKED + chunk(b"second"))
        peer.wait(got)
        peer.send(b"0\r\n\r\n")

    cancel = Cancellation()
    with RawServer(script) as server, exchange(server.url, cancel=cancel) as before:
        assert next(iter(before)) == b"first"  # its connection is back in the pool; it has not noticed
        with exchange(server.url) as after:
            assert next(iter(after)) == b"second"
            cancel.cancel()
            before.close()
            got.set()
            assert list(after) == []
        assert server.connections == 1


def test_two_threads_stream_at_once():
    both = threading.Barrier(2)
    came: dict[str, list[bytes]] = {"a": [], "b": []}

    def script(peer: Peer) -> None:
        name = peer.request().headers["x-name"].encode()
        peer.send(CHUNKED)
        for n in range(20):
            both.wait(PATIENCE)
            peer.send(chunk(name + b"%d" % n))
        peer.send(b"0\r\n\r\n")

    def work(url: str, name: str) -> None:
        call = HTTPRequest("GET", url, headers={"x-name": name})
        with Exchange(call, TimeLimits(PATIENCE, PATIENCE), Cancellation()) as answer:
            came[name] += answer

    with RawServer(script) as server:
        workers = [threading.Thread(target=work, args=(server.url, name)) for name in came]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE)
    assert {name: b"".join(pieces).decode() for name, pieces in came.items()} == {
        name: "".join(f"{name}{n}" for n in range(20)) for name in came
    }


def test_exchange_leaks_no_thread_or_socket():
    with RawServer(hangs(CHUNKED, chunk(b"part"))) as server:
        threads = set(threading.enumerate())
        for _ in range(3):
            with exchange(server.url) as answer:
                next(iter(answer))
        timers = [t for t in set(threading.enumerate()) - threads if isinstance(t, threading.Timer)]
        for timer in timers:
            timer.join(PATIENCE)
        assert not any(timer.is_alive() for timer in timers)


def test_failure_is_told_where_no_file_is_left_to_open(monkeypatch):
    """A connection needs a file, and so does the module that says why it failed."""

    class NoFiles:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == f"{package}.translation":
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), name)

    package = exchange_module.__package__
    monkeypatch.delattr(f"{package}.translation", raising=False)
    monkeypatch.delitem(sys.modules, f"{package}.translation", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoFiles, *sys.meta_path])
    with socket.socket() as silent:  # bound, and not listening
        silent.bind(("127.0.0.1", 0))
        error, _unused = failure_of(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert isinstance(error, ConnectionFailed)
    assert os.strerror(errno.EMFILE) in str(error)
