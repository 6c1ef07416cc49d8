"""How replies end over real sockets: empty ones, heartbeats after the end, and limits."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import ProtocolError, ProviderError
from lockbots_magic.providers import response
from tests.providers.speakers import SPEAKERS, Speaker
from tests.rawserver import Peer, RawServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CLOSE = HEAD + b"Connection: close\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def chunk(finish: str | None = None, **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def whole(content: str | None, finish: str = "stop") -> bytes:
    message = {"role": "assistant", "content": content}
    return json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": finish}]}).encode()


def answering(*bodies: bytes) -> RawServer:
    """Return a server that answers each request with the next body, and further ones with the last."""
    answers = itertools.chain(bodies, itertools.repeat(bodies[-1]))

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CLOSE + next(answers))

    return RawServer(script)


def chat_with(server: RawServer, **settings: Any) -> Chat:
    return Chat("openai:m", base_url=server.url, auth="sk-test-0123456789", backoff=0.001, **settings)


EMPTY = [
    b"", b"\r\n", DONE, chunk("stop"), chunk("stop") + DONE, chunk(role="assistant", content="") + chunk("stop") + DONE,
    b": ping\n\n" + DONE, b'data: {"choices": []}\n\n' + DONE, whole(""), whole(None), b'{"choices": []}',
    b'data: {"type": "ping"}\n\n' + DONE, b": ping", b"data: []\n\n" + DONE, chunk("tool_calls") + DONE,
]  # fmt: skip


@pytest.mark.parametrize("dialect", SPEAKERS)
def test_comments_that_keep_the_connection_open_may_precede_one_whole_reply(dialect):
    speaker = SPEAKERS[dialect]
    comments = (b": ping\n\n", b":\r\n: OPENROUTER PROCESSING\r\n\r\n" * 3, b"\n: a {\r: b\n\n\n")
    for whole in (json.dumps(speaker.whole("Yes.")), json.dumps(speaker.whole("Yes."), indent=2)):
        for comment, size in itertools.product(comments, (1, 1000)):
            body = comment + whole.encode()

            def script(peer: Peer, body: bytes = body, size: int = size) -> None:
                peer.request()
                peer.send(CLOSE)
                for at in range(0, len(body), size):
                    peer.send(body[at : at + size])

            with RawServer(script) as server:
                assert chat_with(server, dialect=dialect, max_retries=0).ask("hi").reply == "Yes."


def frames(speaker: Speaker) -> list[bytes]:
    """Return the events of a reply, without the blank lines between them."""
    return [part for part in speaker.say("Hello ", "you.").split(b"\n\n") if part.strip()]


def data_of(event: bytes) -> bytes:
    return event.partition(b"data: ")[2]


def is_json(event: bytes) -> bool:
    return data_of(event).startswith(b"{")


FRAMINGS: dict[str, Callable[[list[bytes]], bytes]] = {
    "chunks without a line break": lambda parts: b"data: " + b"".join(map(data_of, parts)) + b"\n\n",
    "chunks on one line": lambda parts: b"data: " + b" data: ".join(map(data_of, parts)) + b"\n\n",
    "a comma behind each": lambda parts: b"".join(b"data: " + data_of(p) + b",\n\n" for p in parts if is_json(p)),
    "encoded twice": lambda parts: b"".join(
        b"data: " + json.dumps(data_of(p).decode()).encode() + b"\n\n" for p in parts if is_json(p)
    ),
    "lists of one": lambda parts: b"".join(b"data: [" + data_of(p) + b"]\n\n" for p in parts if is_json(p)),
    "one list": lambda parts: b"[" + b",\n".join(data_of(p) for p in parts if is_json(p)) + b"]",
    "lines of JSON": lambda parts: b"\n".join(map(data_of, parts)),
    "indented JSON": lambda parts: (
        b"\n\n".join(b"data: " + json.dumps(json.loads(data_of(p)), indent=1).encode() for p in parts if is_json(p))
        + b"\n\n"
    ),
    "raw line breaks": lambda parts: b"\n\n".join(parts).replace(b"Hello ", b"Hello\n") + b"\n\n",
    "indented fields": lambda parts: b"\n\n".join(b"  " + p.replace(b"\n", b"\n  ") for p in parts) + b"\n\n",
    "capitals": lambda parts: b"\n\n".join(p.replace(b"data: ", b"Data: ") for p in parts) + b"\n\n",
}


@pytest.mark.parametrize("dialect", SPEAKERS)
def test_events_that_are_framed_in_an_unusual_way_are_read(dialect):
    parts = frames(SPEAKERS[dialect])
    for name, framing in FRAMINGS.items():
        with answering(framing(parts)) as server:
            turn = chat_with(server, dialect=dialect, max_retries=0).ask("hi")
            assert (turn.reply.replace("\n", " "), turn.status) == ("Hello you.", "complete"), name


def test_liaobots_frames_events_in_unusual_ways_too():
    one, two = b'{"content": "Hello "}', b'{"content": "you."}'
    for body in (b"data: " + one + two + b"[DONE]\n\n", b"data: " + one + b"data: " + two + b"\n\ndata: [DONE]\n\n"):
        with answering(body) as server:
            chat = Chat("liaobots:gpt-4", base_url=server.url, auth="x-test-0123456789", max_retries=0)
            assert chat.ask("hi").reply == "Hello you."


@pytest.mark.parametrize("dialect", SPEAKERS)
def test_an_error_behind_an_event_that_was_not_finished_is_told(dialect):
    half = SPEAKERS[dialect].half("Hello ", "you.")
    error = b'data: {"type": "error", "error": {"type": "upstream_error", "message": "no memory left"}}\n\n'
    for cut in (b'data: {"type": "x", "choices": [{"de', b'data: {"choices": [{"de\n', b'data: {"choices": [{"de\n\n'):
        with answering(half + cut + error) as server, pytest.raises(ProviderError, match="no memory left") as caught:
            chat_with(server, dialect=dialect, max_retries=0).ask("hi")
        assert caught.value.partial == "Hello you."
    for behind in (b"", b": ping\n\n", DONE, half):
        with (
            answering(half + b'data: {"choices": [{"de\n\n' + behind) as server,
            pytest.raises(ProviderError) as caught,
        ):
            chat_with(server, dialect=dialect, max_retries=0).ask("hi")
        assert caught.value.partial == "Hello you."


def test_words_before_the_end_mark_tell_why_a_reply_broke_off():
    line = b"upstream error: no memory left\n\n"
    with (
        answering(chunk(content="Hello") + line + DONE) as server,
        pytest.raises(ProviderError, match="no memory left"),
    ):
        chat_with(server, max_retries=0).ask("hi")
    for body in (chunk("stop", content="Hello") + line + DONE, chunk(content="Hello") + b"bye\n\n" + DONE):
        with answering(body) as server:
            assert chat_with(server, max_retries=0).ask("hi").status == "complete"


def test_json_that_is_no_text_of_json_is_the_reply():
    value = {"name": "Rome", "people": 3}
    call = {"id": "a", "type": "function", "function": {"name": "json_tool_call", "arguments": json.dumps(value)}}
    for message in ({"content": value}, {"content": None, "parsed": value}, {"content": None, "tool_calls": [call]}):
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
        with answering(body) as server:
            reply = chat_with(server, max_retries=0).ask("hi", schema={"type": "object"}).reply
            assert json.loads(reply) == value, message


def test_tags_around_reasoning_in_a_field_of_its_own_are_no_part_of_it():
    chunks = (
        chunk(reasoning_content="<think>\nTwo"),
        chunk(reasoning_content=" <b>"),
        chunk(reasoning_content="</think>"),
    )
    with answering(b"".join(chunks) + chunk("stop", content="Four.") + DONE) as server:
        turn = chat_with(server, max_retries=0).ask("hi")
        assert (turn.reasoning, turn.reply) == ("Two <b>", "Four.")


def test_text_before_what_is_cut_or_no_json_is_kept():
    first = json.dumps({"choices": [{"delta": {"content": "Hello"}}]}).encode()
    for rest, words in ((b'{"choices": [{"de', "cut short"), (b"backend crashed", "backend crashed")):
        with answering(first + b"\n" + rest) as server, pytest.raises(ProviderError, match=words) as caught:
            chat_with(server, max_retries=0).ask("hi")
        assert caught.value.partial == "Hello"


def test_an_error_or_a_page_after_comments_is_told():
    for body, words in ((b'{"error": {"message": "no memory left"}}', "no memory left"), (b"<html>", "web page")):
        with answering(b": ping\n\n" + body) as server, pytest.raises(ProviderError, match=words):
            chat_with(server, max_retries=0).ask("hi")


@pytest.mark.parametrize("body", EMPTY)
def test_an_empty_reply_is_tried_again_and_then_an_error(body):
    with answering(body) as server:
        chat = chat_with(server)
        with pytest.raises(ProtocolError):
            chat.ask("hi")
        assert len(server.requests) == 3
        assert chat.conversation.turns[0].status == "error"
    with answering(body, chunk(content="hello") + DONE) as server:
        assert chat_with(server).ask("hi").reply == "hello"


def test_a_reply_of_white_space_is_an_error_that_keeps_it():
    with answering(chunk(content=" \n") + chunk("stop") + DONE) as server:
        with pytest.raises(ProtocolError, match="empty") as caught:
            chat_with(server).ask("hi")
        assert (caught.value.partial, len(server.requests)) == (" \n", 1)


@pytest.mark.parametrize(("reason", "tries"), [("content_filter", 1), ("SAFETY", 1), ("network_error", 3), ("odd", 3)])
def test_a_failure_without_a_word_is_an_error_in_the_word_of_the_server(reason, tries):
    with answering(chunk(reason) + DONE) as server:
        with pytest.raises(ProviderError, match=reason):
            chat_with(server).ask("hi")
        assert len(server.requests) == tries


@pytest.mark.parametrize(("body", "params", "words"), [
    (chunk("length", content="One"), {"max_tokens": 200}, "stopped at your max_tokens=200"),
    (chunk("length", content="One"), {}, "server's limit of length (length)"),
    (chunk("length", content=""), {"max_tokens": 1}, "stopped at your max_tokens=1"),
    (chunk("length", reasoning_content="Hm"), {"max_tokens": 9}, "still reasoning when it reached your max_tokens=9"),
    (chunk("length", reasoning_content="Hm"), {}, "still reasoning"),
    (chunk("stop", reasoning_content="Hm"), {}, "only reasoned"),
    (chunk("stop", refusal="I can't."), {}, "refused"),
    (chunk("network_error", content="One"), {}, 'with "network_error"'),
    (chunk(content="One"), {}, "closed early"),
])  # fmt: skip
def test_a_reply_cut_short_is_marked_and_says_why(body, params, words):
    with answering(body) as server:
        turn = chat_with(server).ask("hi", **params)
        assert turn.status == "truncated"
        assert words in turn.error
        assert len(server.requests) == 1


@pytest.mark.parametrize("beat", [b": ping\n\n", b"data:\n\n", b'data: {"choices": []}\n\n', b""])
@pytest.mark.parametrize("head", [CLOSE, CHUNKED])
def test_heartbeats_or_silence_after_the_finish_reason_end_the_reply(monkeypatch, beat, head):
    monkeypatch.setattr(response, "END_TIMEOUT", 0.05)

    def framed(data: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(data), data) if head is CHUNKED else data

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head + framed(chunk(content="All said.") + chunk("stop")))
        with suppress(OSError):
            while beat:
                peer.send(framed(beat))
        peer.until_gone()

    with RawServer(script) as server:
        turn = chat_with(server).ask("hi")
        assert (turn.reply, turn.status) == ("All said.", "complete")


def test_what_comes_after_the_finish_reason_is_still_read(monkeypatch):
    monkeypatch.setattr(response, "END_TIMEOUT", 30.0)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CLOSE + chunk("stop", content="a"))
        peer.send(b": ping\n\n")
        peer.send(chunk("stop", content="b"))
        peer.send(b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n' + DONE)

    with RawServer(script) as server:
        turn = chat_with(server).ask("hi")
        assert turn.reply == "ab"
        assert turn.usage is not None
        assert turn.usage.prompt_tokens == 3


DIALECT_BODIES = {
    "chat-completions": json.loads(whole("All said.")),
    "responses": {
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "All said."}]}],
    },
    "messages": {
        "type": "message",
        "content": [{"type": "text", "text": "All said."}],
        "stop_reason": "end_turn",
    },
}


@pytest.mark.parametrize("dialect", DIALECT_BODIES)
def test_json_cut_short_is_told_as_such_and_asked_again(dialect):
    body = json.dumps(DIALECT_BODIES[dialect]).encode()
    settings = {"dialect": dialect, "stream": False}
    for cut in (body[:-1], body[: len(body) // 2], body[:10]):
        with answering(cut) as server:
            with pytest.raises(ProtocolError, match="cut short in the middle of its JSON"):
                chat_with(server, **settings).ask("hi")
            assert len(server.requests) == 3
        with answering(cut, body) as server:
            assert chat_with(server, **settings).ask("hi").reply == "All said."
    with answering(b'{"choices" 1}') as server, pytest.raises(ProtocolError, match="JSON"):
        chat_with(server, **settings).ask("hi")


def test_done_is_a_natural_end():
    with answering(chunk(content="All said.") + chunk("done") + DONE) as server:
        turn = chat_with(server).ask("hi")
        assert (turn.reply, turn.status) == ("All said.", "complete")


def test_prompt_that_the_server_sends_back_is_no_reply():
    with answering(chunk(role="user", content="hi") + chunk(role="assistant", content="All said.") + DONE) as server:
        assert chat_with(server).ask("hi").reply == "All said."


def test_call_that_no_tool_was_offered_for_is_told():
    call = {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    with answering(chunk(tool_calls=[call]) + chunk("tool_calls") + DONE) as server:
        turn = chat_with(server).ask("hi")
        assert (turn.status, turn.error) == ("truncated", "The model asked for a tool call, but no tools were offered.")
