"""Limits act while bytes arrive: on bodies that never end, on bombs, on lists and errors. Over raw sockets."""

import gzip
import json
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation import turn_accumulator
from lockbots_magic.errors import HTTPStatusError, ProtocolError, ProviderError
from lockbots_magic.providers.http import codings, exchange
from lockbots_magic.providers.wire import call_pieces, json_text, model_list, reasoning_fields, sse
from tests.rawserver import RawServer, sends

MB = 1 << 20
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n%s\r\n"


def event(**delta):
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def head(media_type="text/event-stream", coding=""):
    return (HEAD % (media_type, f"Content-Encoding: {coding}\r\n" if coding else "")).encode()


def endless(piece, first=b"", kind="text/event-stream"):
    """Return a script that sends `piece` until the client goes."""

    def script(peer):
        if peer.request() is None:
            return
        peer.send(head(kind) + first)
        try:
            while True:
                peer.send(piece)
        except OSError:
            pass

    return script


def bomb(coding, size=600 * MB):
    """Return a short body that is a long reply once it is decompressed by each of the codings."""
    plain = event(content="word " * 3000)
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join([*(packer.compress(plain) for _ in range(size // len(plain))), packer.flush()])
    for _ in coding.split(", ")[1:]:
        body = gzip.compress(body)
    return body


@pytest.fixture
def peak():
    """Return a function that returns the most memory (bytes) that Python has used since."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def chat(server, **options):
    return Chat("openai:m", base_url=f"{server.url}/v1", max_retries=0, **options)


def test_endless_reply_ends_as_truncated(monkeypatch):
    monkeypatch.setattr(turn_accumulator, "MAX_REPLY", 100_000)
    for field in ("content", "reasoning_content"):
        with RawServer(endless(event(**{field: "word " * 20}))) as server:
            turn = chat(server).ask("hi")
        assert (turn.status, turn.finish_reason) == ("truncated", "reply_too_long")
        assert "16 million" in turn.error
        assert 99_000 < len(turn.reply) + len(turn.reasoning) <= 100_000


def test_endless_reply_of_tool_rounds_ends_as_truncated(monkeypatch):
    monkeypatch.setattr(turn_accumulator, "MAX_REPLY", 5_000)
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": json.dumps({"x": "y" * 1000})}}
    end = b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'

    def f(x: str) -> str:
        return x

    def script(peer):
        while peer.request():
            body = event(content="z" * 500, tool_calls=[call]) + end
            peer.answer(body, Content_Type="text/event-stream")

    with RawServer(script) as server:
        turn = chat(server).ask("hi", tools=[f])
    assert turn.finish_reason == "reply_too_long"
    assert 1 <= len(turn.calls) <= 3


@pytest.mark.parametrize(
    ("piece", "limits"),
    [
        (b"x" * 65536, [(sse, "MAX_EVENT")]),
        (b"data: " + b"x" * 1000 + b"\n", [(sse, "MAX_EVENT")]),
        (b"data:\n" * 1000, [(sse, "MAX_EVENT")]),
        (
            event(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "x" * 500}}]),
            [(call_pieces, "MAX_SIZE")],
        ),
        (event(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": ""}}]), [(call_pieces, "MAX_SIZE")]),
        (event(tool_calls=[{"id": "a", "function": {"name": "f", "arguments": "x"}}]), [(call_pieces, "MAX_SIZE")]),
    ],
    ids=range(6),
)
def test_what_never_ends_within_a_reply_is_an_error(monkeypatch, piece, limits):
    for module, name in limits:
        monkeypatch.setattr(module, name, 300_000)
    with (
        RawServer(endless(piece)) as server,
        pytest.raises(ProviderError, match=r"300000|too long|not an event stream"),
    ):
        chat(server).ask("hi")


def test_reasoning_to_return_is_bounded_and_joined(monkeypatch):
    details = [{"type": "reasoning.text", "index": 0, "text": "ab"}]
    reader = reasoning_fields.ReasoningReader()
    for _ in range(3):
        reader.feed({"reasoning_details": details})
    assert reader.returned(has_calls=True)["reasoning_details"][0]["text"] == "ababab"
    monkeypatch.setattr(reasoning_fields, "MAX_RETURNED", 500)
    for n in range(20):
        reader.feed({"reasoning_details": [{"type": "x", "deep": [str(n) * 20]}]})
    assert reader.returned(has_calls=True) == {}
    assert not reader._items


def test_json_of_very_many_values_is_not_read(monkeypatch, peak):
    text = "[" + "{}," * 8_000_000 + "{}]"
    before = peak()
    assert json_text.parse_json(text) is None
    assert json_text.split_json(text) == ([], text)
    assert peak() - before < 30 * MB


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "gzip, gzip, gzip"])
def test_bomb_ends_as_truncated_within_little_memory(coding, peak, monkeypatch):
    monkeypatch.setattr(turn_accumulator, "MAX_REPLY", 2_000_000)
    body = bomb(coding, 40 * MB)
    assert len(body) < MB / 10

    def script(peer):
        if peer.request():
            peer.send(head(coding=coding) + body)

    with RawServer(script) as server:
        turn = chat(server).ask("hi")
        assert peak() < 30 * MB
    assert turn.status == "truncated"
    assert 1_999_000 < len(turn.reply) <= 2_000_000


def test_bomb_as_a_list_of_models_or_an_error_is_bounded(peak):
    body = gzip.compress(gzip.compress(b"[" + b'"m",' * (20 * MB)))

    def script(peer):
        while request := peer.request():
            status = "500 Oh" if request.target.endswith("completions") else "200 OK"
            peer.answer(body, status, Content_Type="application/json", Content_Encoding="gzip, gzip")

    with RawServer(script) as server:
        peak()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with pytest.raises(ProtocolError, match="longer than"):
            chat(server).provider.list_models()
        with pytest.raises(ProviderError):
            chat(server).ask("hi")
        assert peak() - before < 60 * MB


def test_refusal_that_never_ends_is_told_by_what_came(monkeypatch):
    monkeypatch.setattr(exchange, "BODY_TIMEOUT", 0.2)
    release = threading.Event()

    def stall(peer, more):
        peer.request()
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n%b\r\nthe words so far" % more)
        peer.wait(release)

    for more in (b"", b"Connection: close\r\n"):
        with RawServer(partial(stall, more=more)) as server:
            settings = {"base_url": f"{server.url}/v1", "auth": "k-123456789", "max_retries": 0, "total_timeout": 3600}
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(Chat("openai:m", **settings).ask, "hi")
                try:
                    with pytest.raises(HTTPStatusError, match="the words so far"):
                        asked.result(timeout=60)  # else a TimeoutError: the time of the whole reply is waited for
                finally:
                    release.set()
        release.clear()


def test_endless_list_of_models_is_an_error(monkeypatch):
    monkeypatch.setattr(model_list, "MAX_LIST", 100_000)
    script = endless(b'"model",' * 100, b"[", "application/json")
    with RawServer(script) as server, pytest.raises(ProtocolError, match="longer than"):
        chat(server).provider.list_models()


def test_brotli_without_limits_is_neither_asked_for_nor_read(monkeypatch):
    class Old:
        class Decompressor: ...

    monkeypatch.setattr(codings, "_brotli", Old)
    codings.accepted_codings.cache_clear()
    try:
        assert "br" not in codings.accepted_codings().split(", ")

        def script(peer):
            if request := peer.request():
                assert "br" not in request.headers["accept-encoding"]
                peer.answer(b"x", Content_Encoding="gzip, BR")

        with RawServer(script) as server, pytest.raises(ProtocolError, match="pip install --upgrade brotli"):
            chat(server).ask("hi")
    finally:
        codings.accepted_codings.cache_clear()


def test_a_compression_that_nobody_asked_for_and_that_cannot_be_read_is_named(monkeypatch):
    monkeypatch.setattr(codings, "ACCEPT_ENCODING", "gzip,deflate")
    for coding in ("br", "zstd", "lzma"):
        monkeypatch.setattr(codings, "_brotli", None)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 4\r\n\r\n".encode()
        with (
            RawServer(sends(head, b"\x8b\x02\x80\x00")) as server,
            pytest.raises(ProtocolError, match=f"with {coding}, which was not asked for"),
        ):
            chat(server).ask("hi")


def test_cancelling_an_endless_reply_is_heard_at_once():
    with RawServer(endless(event(content="word " * 2000))) as server:
        reply = chat(server).stream("hi")
        read = threading.Event()

        def cancel():
            assert read.wait(30)
            reply.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        for n, _ in enumerate(reply):
            if n == 100:
                read.set()
        thread.join()
    assert reply.turn.status == "interrupted"
