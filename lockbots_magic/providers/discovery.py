"""Discovery of the model servers on this machine: asks loopback ports for their list of models.

Wire facts: the OpenAI API reference, "List models"; llama-server answers 503 while it loads its model.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ModelInfo
from ..errors import LockbotsError, ProtocolError
from .http import HTTPRequest, TimeLimits, open_exchange
from .local_servers import KINDS, SHARED_PORTS, ServerKind, kind_of_owner
from .wire.charset import as_utf8
from .wire.json_text import parse_json
from .wire.model_list import parse_model_list

HOSTS = ("127.0.0.1", "[::1]")
"""Loopback addresses, by number: a name may resolve to another machine."""
USUAL_PORTS: dict[int, ServerKind | None] = {port: kind for kind in KINDS for port in kind.ports}
"""Usual port -> the kind of server; None where several use it."""
USUAL_PORTS |= dict.fromkeys(SHARED_PORTS)
CONNECT_TIMEOUT, SILENCE_TIMEOUT, TOTAL_TIMEOUT = 0.5, 1.0, 1.5
"""Time (s) to connect, without data, and for everything."""
MAX_BODY = 1 << 20
"""Bytes of a list of models."""
MAX_MODEL_NAME = 200
"""Characters of a model's name."""
MAX_THREADS = 64

State = Literal["ready", "locked", "loading"]
"""Whether a server lists its models, wants a key first, or is still loading."""
_STATES: dict[int, State] = {401: "locked", 403: "locked", 503: "loading"}


@dataclass(frozen=True)
class DiscoveredServer:
    """A model server that answered."""

    port: int
    base_url: str
    models: tuple[ModelInfo, ...] = ()
    """Models that it lists; ids and owners are untrusted text."""
    state: State = "ready"

    @property
    def kind(self) -> ServerKind | None:
        """The kind that the server names itself, else that of the port; None if neither is known."""
        return kind_of_owner(self.models) or USUAL_PORTS.get(self.port)


@dataclass(frozen=True)
class _Target:
    port: int
    base_url: str
    named: bool
    """Whether the user named the port, so that a refusal in any form is told."""


def discover(ports: Iterable[int] = ()) -> list[DiscoveredServer]:
    """Ask the usual ports and `ports` for their models, concurrently; return the servers that answered, by port.

    No credential, cookie or proxy is used. It takes about `TOTAL_TIMEOUT` (s) at most.

    Args:
        ports: Additional ports, 1 to 65535.
    """
    named = set(ports)
    targets = [
        _Target(port, f"http://{host}:{port}/v1", port in named)
        for port in sorted({*USUAL_PORTS, *named})
        for host in HOSTS
    ]
    if not targets:
        return []
    deadline = time.monotonic() + TOTAL_TIMEOUT
    with ThreadPoolExecutor(min(len(targets), MAX_THREADS), "lockbots-discover") as pool:
        answers = list(pool.map(lambda target: _ask(target, deadline), targets))
    found: dict[int, DiscoveredServer] = {}
    for server in filter(None, answers):
        found.setdefault(server.port, server)  # one server often listens on both addresses
    return list(found.values())


def _ask(target: _Target, deadline: float) -> DiscoveredServer | None:
    """Return the server at `target`; None if no model server answers there in time."""
    request = HTTPRequest("GET", f"{target.base_url}/models", headers={"accept": "application/json"})
    limits = TimeLimits(CONNECT_TIMEOUT, SILENCE_TIMEOUT, deadline)
    body = b""
    try:
        with open_exchange(request, limits, Cancellation()) as exchange:
            if state := _STATES.get(exchange.status):
                refusal = exchange.read_body()
                is_known = target.named or _is_json_object(refusal)  # other web servers refuse with a page, or nothing
                return DiscoveredServer(target.port, target.base_url, state=state) if is_known else None
            if exchange.status != 200:
                return None
            for piece in as_utf8(exchange, exchange.charset):
                body += piece
                if len(body) > MAX_BODY:
                    return None
    except LockbotsError:
        return None
    models = models_in(body)
    return None if models is None else DiscoveredServer(target.port, target.base_url, models)


def models_in(body: bytes) -> tuple[ModelInfo, ...] | None:
    """Return the models that a response lists; None if it can be anything else. Pure."""
    try:
        listed = parse_model_list(body)
    except ProtocolError:
        return None
    if not (listed.models or listed.is_marked):  # Ollama marks the null that it sends while it has no model
        return None
    return tuple(model for model in listed.models if len(model.id) <= MAX_MODEL_NAME)


def _is_json_object(body: bytes) -> bool:
    return isinstance(parse_json(body.decode("utf-8", "replace")), dict)
