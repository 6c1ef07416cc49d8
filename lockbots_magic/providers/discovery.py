"""The model servers that run on this machine. They are asked for their models, on loopback, and told nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..conversation.cancellation import Cancellation
from ..errors import LockbotsError
from .http.request import Call, Limits, is_loopback
from .openai_compatible import PRESETS

HOSTS = ("127.0.0.1", "[::1]")
"""Loopback, by number: what a name stands for is the resolver's to say."""
USUAL = {urlsplit(row.url).port or 0: row for row in PRESETS if is_loopback(urlsplit(row.url).hostname or "")}
"""The port that each server people run listens on -> its provider."""
CONNECT, SILENCE, WHOLE = 0.5, 1.0, 1.5
"""How long (s) a server may take to accept, to say something, and for all of it."""
LARGEST = 1 << 20
"""Bytes that a list of models may have."""
LONGEST_NAME = 200
"""Characters of a model's name."""
AT_ONCE = 64


@dataclass(frozen=True)
class Server:
    """One that answered as a model server does."""

    port: int
    address: str
    """Its base URL."""
    models: tuple[str, ...]
    """What it says it serves: text from outside."""


def discover(ports: Iterable[int] = ()) -> list[Server]:
    """Ask the usual ports and `ports`, all at once, for their models; return who answered, by port.

    No credential, cookie or proxy of anybody has a part in it. It takes at most `WHOLE` (s), give or take a moment.

    Args:
        ports: more ports to ask, 1 to 65535.
    """
    asked = [(port, f"http://{host}:{port}/v1") for port in dict.fromkeys((*USUAL, *ports)) for host in HOSTS]
    deadline = time.monotonic() + WHOLE
    with ThreadPoolExecutor(min(len(asked), AT_ONCE), "lockbots-discover") as pool:
        answers = list(pool.map(lambda one: _models_at(one[1], deadline), asked))
    found: dict[int, Server] = {}
    for (port, address), models in zip(asked, answers, strict=True):
        if models is not None:
            found.setdefault(port, Server(port, address, models))  # one server often listens on both
    return [found[port] for port in sorted(found)]


def _models_at(address: str, deadline: float) -> tuple[str, ...] | None:
    """Return what the server at `address` serves; None if no model server is there, as far as it lets on in time."""
    from .http.client import Exchange  # noqa: PLC0415  # whoever talks has it; %load_ext does not wait for it

    call = Call("GET", f"{address}/models", headers={"accept": "application/json"})
    body = b""
    try:
        with Exchange(call, Limits(CONNECT, SILENCE, deadline), Cancellation()) as exchange:
            if exchange.status != 200:
                return None
            for piece in exchange:
                body += piece
                if len(body) > LARGEST:
                    return None
    except LockbotsError:
        return None
    return parsed(body)


def parsed(body: bytes) -> tuple[str, ...] | None:
    """Read a list of models as the API reference has it; None if `body` is anything else. Pure."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    rows = answer.get("data", "missing")
    if rows is None or rows == []:  # Ollama says null while it has no model
        return () if answer.get("object") == "list" else None
    if not isinstance(rows, list) or not all(_is_model(row) for row in rows):
        return None
    return tuple(dict.fromkeys(row["id"] for row in rows if len(row["id"]) <= LONGEST_NAME))


def _is_model(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and bool(row["id"])
