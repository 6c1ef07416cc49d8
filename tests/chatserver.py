"""A chat-completions server whose replies are scripted: what it was asked, and what it says, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.rawserver import Peer, RawServer

Body = dict[str, Any]
Script = Callable[[int, Body], "bytes | tuple[str, Body]"]
"""Takes the number of the request, from 1, and its body; returns an event stream, or a status with a JSON body."""


def delta(finish_reason: str | None = None, **fields: Any) -> Body:
    """Return a chunk of a reply."""
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def events(*chunks: Body) -> bytes:
    """Return an event stream."""
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def say(text: str, finish_reason: str = "stop") -> bytes:
    """Return the event stream of a text."""
    return events(delta(content=text), delta(finish_reason))


def in_turn(*answers: bytes | tuple[str, Body]) -> Script:
    """Return a script that gives the answers in turn, the last one again and again."""
    return lambda number, body: answers[min(number, len(answers)) - 1]


@contextmanager
def chat_server(script: Script) -> Iterator[tuple[str, list[Body]]]:
    """Serve `script`; give its base URL and the bodies of the requests so far."""
    bodies: list[Body] = []

    def answer(peer: Peer) -> None:
        while request := peer.request():  # a connection that is kept may be used again at any time
            if not request.body:  # a request for the list of models
                peer.answer(b'{"object": "list", "data": [{"id": "m"}]}', Content_Type="application/json")
                continue
            bodies.append(json.loads(request.body))
            answered = script(len(bodies), bodies[-1])
            if isinstance(answered, bytes):
                peer.answer(answered, Content_Type="text/event-stream")
            else:
                peer.answer(json.dumps(answered[1]).encode(), answered[0], Content_Type="application/json")

    with RawServer(answer) as server:
        yield f"{server.url}/v1", bodies
