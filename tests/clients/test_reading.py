"""Bytes as the services send them: the official clients and this package read the same from each event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from tests.optional import need
from tests.rawserver import Peer, RawServer

from . import reading

RECORDINGS = Path(__file__).parent / "recordings"
"""Streams as the services send them, by dialect."""
CLIENTS = {"chat-completions": "openai", "responses": "openai", "messages": "anthropic"}


def serving(body: bytes) -> RawServer:
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(body, Content_Type="text/event-stream")

    return RawServer(script)


def read_with_client(dialect: str, url: str) -> Any:
    command = [sys.executable, reading.__file__, dialect, url]
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def read_with_chat(dialect: str, url: str) -> dict[str, Any]:
    turn = TurnAccumulator()
    deltas = list(turn.follow(Chat("openai:m", base_url=url, auth="none", dialect=dialect).stream("2 + 3?").deltas))
    assert turn.usage is not None
    return {
        "text": [delta.text for delta in deltas if delta.text],
        "reasoning": [delta.reasoning for delta in deltas if delta.reasoning],
        "calls": [[call.id, call.name, call.arguments] for delta in deltas for call in delta.calls],
        "end": turn.finish_reason,
        "tokens": [turn.usage.prompt_tokens, turn.usage.completion_tokens, turn.usage.cached_tokens],
    }


@pytest.mark.parametrize("dialect", CLIENTS)
def test_official_client_reads_the_same_from_each_event(dialect: str):
    need(CLIENTS[dialect])
    with serving((RECORDINGS / f"{dialect}.sse").read_bytes()) as server:
        url = f"{server.url}/v1"
        ours, theirs = read_with_chat(dialect, url), read_with_client(dialect, url)
    assert ours == theirs
    assert len(ours["text"]) > 10
    assert ours["calls"]
