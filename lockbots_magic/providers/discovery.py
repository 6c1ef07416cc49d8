"""Discovery of the model servers on this machine: asks loopback ports for their list of models.

Wire facts: the OpenAI API reference, "List models".
"""

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
from .http import HTTPRequest, TimeLimits, open_exchange
from .http.request import is_loopback
from .openai_compatible import PRESETS

HOSTS = ("127.0.0.1", "[::1]")
"""Loopback addresses, by number: a name may resolve to another machine."""
USUAL_PORTS = {urlsplit(row.url).port or 0: row for row in PRESETS if is_loopback(urlsplit(row.url).hostname or "")}
"""Default port of each local model server -> its provider."""
CONNECT_TIMEOUT, SILENCE_TIMEOUT, TOTAL_TIMEOUT = 0.5, 1.0, 1.5
"""Time (s) to connect, without data, and for everything."""
MAX_BODY = 1 << 20
"""Bytes of a list of models."""
MAX_MODEL_NAME = 200
"""Characters of a model's name."""
MAX_THREADS = 64


@dataclass(frozen=True)
class DiscoveredServer:
    """A model server that answered."""

    port: int
    base_url: str
    models: tuple[str, ...]
    """Ids of the models that it lists; untrusted text."""


def discover(ports: Iterable[int] = ()) -> list[DiscoveredServer]:
    """Ask the usual ports and `ports` for their models, concurrently; return the servers that answered, by port.

    No credential, cookie or proxy is used. It takes about `TOTAL_TIMEOUT` (s) at most.

    Args:
        ports: Additional ports, 1 to 65535.
    """
    targets = [(port, f"http://{host}:{port}/v1") for port in dict.fromkeys((*USUAL_PORTS, *ports)) for host in HOSTS]
    deadline = time.monotonic() + TOTAL_TIMEOUT
    with ThreadPoolExecutor(min(len(targets), MAX_THREADS), "lockbots-discover") as pool:
        lists = list(pool.map(lambda target: _fetch_models(target[1], deadline), targets))
    found: dict[int, DiscoveredServer] = {}
    for (port, base_url), models in zip(targets, lists, strict=True):
        if models is not None:
            found.setdefault(
                port, DiscoveredServer(port, base_url, models)
            )  # one server often listens on both addresses
    return [found[port] for port in sorted(found)]


def _fetch_models(base_url: str, deadline: float) -> tuple[str, ...] | None:
    """Return the models of the server at `base_url`; None if no model server answers there in time."""
    request = HTTPRequest("GET", f"{base_url}/models", headers={"accept": "application/json"})
    limits = TimeLimits(CONNECT_TIMEOUT, SILENCE_TIMEOUT, deadline)
    body = b""
    try:
        with open_exchange(request, limits, Cancellation()) as exchange:
            if exchange.status != 200:
                return None
            for piece in exchange:
                body += piece
                if len(body) > MAX_BODY:
                    return None
    except LockbotsError:
        return None
    return parse_model_list(body)


def parse_model_list(body: bytes) -> tuple[str, ...] | None:
    """Return the ids of a list of models; None if `body` is anything else. Pure."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    rows = value.get("data", "missing")
    if rows is None or rows == []:  # Ollama sends null while it has no model
        return () if value.get("object") == "list" else None
    if not isinstance(rows, list) or not all(_is_model(row) for row in rows):
        return None
    return tuple(dict.fromkeys(row["id"] for row in rows if len(row["id"]) <= MAX_MODEL_NAME))


def _is_model(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and bool(row["id"])
