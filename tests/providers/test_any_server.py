"""Servers made up at random: whatever the form of their replies, ends and errors, some rules hold.

A reply is complete only if it has a text and a natural end. The words of an error are never lost, the text before it
is kept, and no text is lost or doubled.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.errors import LockbotsError
from tests.effort import examples
from tests.rawserver import Peer, RawServer

DONE = b"data: [DONE]\n\n"
TEXTS = [[], ["Once "], ["Once ", "upon a ", "time"], ["Well", ", ", "maybe", " not", ".", " Ünï 🙂"]]
WORDS = "the backend is out of memory"

Chunk = dict[str, Any]


def choice(index: int = 0, finish: Any = None, **fields: Any) -> Chunk:
    return {"choices": [{"index": index, "finish_reason": finish, **fields}]}


STYLES: dict[str, Callable[[list[str]], list[Chunk]]] = {
    "deltas": lambda texts: [choice(delta={"content": text}) for text in texts],
    "parts": lambda texts: [choice(delta={"content": [{"type": "text", "text": text}]}) for text in texts],
    "snapshots": lambda texts: [choice(delta={"content": text}) for text in itertools.accumulate(texts)],
    "messages": lambda texts: [choice(message={"content": text}) for text in itertools.accumulate(texts)],
    "both": lambda texts: [choice(delta={"content": text}, message={"content": text}) for text in texts],
    "counted": lambda texts: [choice(197 + n, delta={"content": text}) for n, text in enumerate(texts)],
    "second": lambda texts: [choice(1, delta={"content": text}) for text in texts],
    "completion": lambda texts: [choice(text=text) for text in texts],
    "several": lambda texts: [
        {"choices": [{"index": 1, "delta": {"content": "MIXED"}}, {"index": 0, "delta": {"content": text}}]}
        for text in texts
    ],
    "repeated": lambda texts: [
        *(choice(delta={"content": text}) for text in texts),
        choice(message={"role": "assistant", "content": "".join(texts)}),
    ],
}

GOOD = ["stop", "STOP", "end_turn", "eos", "done", None]
LIMITS = ["length", "MAX_TOKENS", "model_length"]
BAD = ["error", "network_error", "content_filter", "SAFETY", "whatever else", 7, "insufficient_system_resource"]

ERRORS: list[Any] = [
    {"error": WORDS}, {"error": {"message": WORDS, "code": 500}}, {"detail": WORDS}, {"detail": [{"msg": WORDS}]},
    {"message": {"detail": [{"loc": ["body", "x"], "msg": WORDS}]}}, {"errors": [{"message": WORDS}]},
    [{"error": {"message": WORDS, "status": "INTERNAL"}}], {"object": "error", "message": WORDS},
    {"error": {"message": "Provider returned error", "metadata": {"raw": json.dumps({"error": WORDS})}}},
    {"code": 1113, "msg": WORDS}, {"base_resp": {"status_code": 9, "status_msg": WORDS}},
    {"error": {"oddity": {"x": [WORDS]}}},
]  # fmt: skip

FRAMES: dict[str, Callable[[Any], bytes]] = {
    "event": lambda value: b"data: " + json.dumps(value).encode() + b"\n\n",
    "type": lambda value: b"event: error\ndata: " + json.dumps(value).encode() + b"\n\n",
    "text": lambda value: b"event: error\ndata: " + WORDS.encode() + b"\n\n",
    "field": lambda value: b"error: " + json.dumps(value).encode() + b"\n\n",
    "bare": lambda value: json.dumps(value).encode() + b"\n",
    "pretty": lambda value: json.dumps(value, indent=2).encode() + b"\n\n",
    "choice": lambda value: event(choice(delta={}, error=value, finish="error")),
    "exception": lambda value: b"event: exception\ndata: " + json.dumps(value).encode() + b"\n\n",
    "in delta": lambda value: event(choice(delta={"error": value})),
    "groq": lambda value: event({**choice(delta={}), "x_groq": {"error": value}}),
    "beside": lambda value: event({**choice(delta={}), "error": value}),
    "no choices": lambda value: event({"choices": None, **(value if isinstance(value, dict) else {"error": value})}),
}


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


@dataclass(frozen=True)
class Server:
    """A server made up: the text that it sends, and how it ends."""

    texts: list[str]
    style: str
    finish: Any
    error: Any
    frame: str
    error_after: int
    done: bool
    beats: bool
    chunked: bool
    single: bool
    provider: str

    @property
    def sent(self) -> str:
        """The text that comes before the error, if there is one."""
        return "".join(self.texts if self.error is None else self.texts[: self.error_after])

    @property
    def body(self) -> list[bytes]:
        pieces = [event(chunk) for chunk in STYLES[self.style](self.texts)]
        index = {"counted": 197 + len(self.texts), "second": 1}.get(self.style, 0)
        if self.finish is not None:
            pieces.append(event(choice(index, delta={}, finish=self.finish)))
        if self.error is not None:
            pieces[self.error_after :] = [FRAMES[self.frame](self.error), *pieces[self.error_after :]]
        if self.done:
            pieces.append(DONE)
        if self.single and self.frame not in ("field", "bare", "pretty"):  # a single line break after each event
            pieces = [piece[:-1] for piece in pieces]
        return [piece for one in pieces for piece in ([one, b": ping\n\n"] if self.beats else [one])]

    def run(self, peer: Peer) -> None:
        """Answer one request."""
        peer.request()
        encoding = b"Transfer-Encoding: chunked" if self.chunked else b"Connection: close"
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + encoding + b"\r\n\r\n")
        pieces = [b"%x\r\n%s\r\n" % (len(p), p) for p in self.body] + [b"0\r\n\r\n"] if self.chunked else self.body
        peer.send(b"".join(pieces))


SERVERS = st.builds(
    Server,
    texts=st.sampled_from(TEXTS),
    style=st.sampled_from(sorted(STYLES)),
    finish=st.sampled_from([*GOOD, *LIMITS, *BAD]),
    error=st.none() | st.sampled_from(ERRORS),
    frame=st.sampled_from(sorted(FRAMES)),
    error_after=st.integers(0, 6),
    done=st.booleans(),
    beats=st.booleans(),
    chunked=st.booleans(),
    single=st.booleans(),
    provider=st.sampled_from(["openai", "llamacpp", "lockchat"]),
)


def ask(server: Server) -> tuple[str, str, str]:
    """Return the text that is kept of the reply, its status, and what is told of its end."""
    with RawServer(server.run) as raw:
        chat = Chat(f"{server.provider}:gpt-4", base_url=raw.url, auth="sk-test-0123456789", max_retries=0)
        with suppress(LockbotsError):
            chat.ask("hi")
        (turn,) = chat.conversation.turns
        return turn.reply, turn.status, turn.error


@settings(max_examples=examples(1200))
@given(SERVERS)
def test_no_error_is_lost_and_no_text_doubled(server):
    reply, status, told = ask(server)
    if server.error is not None:
        assert (reply, status) == (server.sent, "error")
        assert WORDS in told
        return
    natural = server.finish in GOOD and (server.finish is not None or server.done)
    assert reply == "".join(server.texts)
    assert (status == "complete") == (natural and bool(reply))
    assert bool(told) == (status != "complete")
    if server.finish in BAD:
        assert str(server.finish) in told


@settings(max_examples=examples(600))
@given(
    st.sampled_from(ERRORS) | st.just(f"<html><head><title>{WORDS}</title></head></html>") | st.just(WORDS),
    st.sampled_from([200, 400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 503, 529]),
    st.sampled_from(["application/json", "text/html", "text/event-stream", ""]),
    st.sampled_from(["openai", "gemini", "lockchat", "liaobots"]),
)
def test_a_refusal_is_told_in_its_words(error, status, kind, provider):
    body = (error if isinstance(error, str) else json.dumps(error)).encode()

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(body, f"{status} Odd", Content_Type=kind)

    with RawServer(script) as raw:
        chat = Chat(f"{provider}:gpt-4", base_url=raw.url, auth="sk-test-0123456789", max_retries=0)
        try:
            turn = chat.ask("hi")
        except LockbotsError as failure:
            told = str(failure)
        else:  # the early format of Liaobots is plain text
            assert (provider, status) == ("liaobots", 200)
            told = turn.reply
        assert WORDS in told or (provider == "liaobots" and "web page" in told)
