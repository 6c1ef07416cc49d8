"""A chat-completions server on this machine whose models are the vectors: `batch-17` streams batch 17."""

from __future__ import annotations

import json
import time

from tests.hostile import BATCHES
from tests.hostile.names import NAMES, REFUSALS
from tests.rawserver import Peer, RawServer

PAUSE = 0.015
"""Seconds after each piece."""
PAUSE_BEFORE_END = 0.015
"""Additional seconds for the page to draw an unfinished reply."""
PAUSE_BEFORE_FIRST = 2.0
"""Seconds before the first batch begins: as on a slow machine, its cell shows the line that waits for the text."""
CUT_SHORT = ("layout", "covers", "notices")
"""Families whose replies end without an end mark: the notice below them must stay visible."""


def hostile_server() -> RawServer:
    """Return the server as a context manager."""
    return RawServer(_converse)


def _converse(peer: Peer) -> None:
    while request := peer.request():
        if request.target.endswith("/models"):
            peer.answer(json.dumps({"data": [{"id": name} for name in NAMES]}).encode())
            continue
        kind, _, number = json.loads(request.body)["model"].partition("-")
        if kind == "batch":
            _stream(peer, int(number))
            return
        if kind == "refusal":
            peer.answer(json.dumps({"error": {"message": REFUSALS[int(number)]}}).encode(), "400 Bad Request")
            continue
        peer.answer(json.dumps({"choices": [{"message": {"content": "harmless"}}]}).encode())


def _stream(peer: Peer, number: int) -> None:
    batch = BATCHES[number]
    if number == 0:
        time.sleep(PAUSE_BEFORE_FIRST)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    for piece in batch.pieces:
        peer.send(_event({"delta": {"content": piece}}))
        time.sleep(PAUSE)
    time.sleep(PAUSE_BEFORE_END)
    if batch.family not in CUT_SHORT:
        peer.send(_event({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n")


def _event(choice: dict[str, object]) -> bytes:
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
