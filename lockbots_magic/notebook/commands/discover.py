"""Model servers on this machine: `discover`."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from ...conversation.messages import ModelInfo
from ...prompt.magic_line import quote_word
from ...providers import discovery
from ...rendering.table import Table
from ..session import Session
from .command import argument, command, excerpt
from .result import CommandResult, DisplayResult, TextResult

if TYPE_CHECKING:
    from ...providers.discovery import DiscoveredServer
    from ...providers.openai_compatible import Preset

MAX_NAMED = 5
"""Models named for each server."""

_TITLES = {"ollama": "Ollama", "lmstudio": "LM Studio", "llamacpp": "llama.cpp", "vllm": "vLLM"}
_WITHOUT_CREDENTIAL = ("openai", "vllm", "llamacpp", "lmstudio", "ollama")
"""Providers for a server of unknown kind: the first without a credential is taken, since it would be sent along."""
_PLAIN = re.compile(r"\w[\w.:/@+-]*")  # the name of a model must not suggest options
_NOTHING = (
    "No model server answers on this machine. Start one: `ollama serve`, LM Studio's local server, "
    "`llama-server -m FILE.gguf` or `vllm serve MODEL`. To look at another port: `%lockbots discover --port N`."
)


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text[:6]) < 65536):
        raise ArgumentTypeError(f"must be a port, 1 to 65535, got {text!r:.40}")
    return int(text)


@command(argument("--port", type=_port, action="append", default=[], metavar="N", help="Another port to look at."))
def discover(session: Session, options: Namespace) -> CommandResult:
    """Find model servers on this machine, and show how to use them."""
    found = discovery.discover(options.port)
    if not found:
        return TextResult(_NOTHING)
    rows = [_row(session, server, discovery.USUAL_PORTS.get(server.port)) for server in found]
    caption = "Names are guessed from the usual ports."
    return DisplayResult(Table(("server", "address", "models", "to use it"), rows, caption))


def _row(session: Session, server: DiscoveredServer, preset: Preset | None) -> tuple[str, str, str, str]:
    """Return the row of a server, and put its models into the catalog."""
    name = preset.name if preset else _provider_without_credential(session)
    line, address = f"%lockbots use {name}:{_first_usable(server.models)}", server.base_url
    if preset and address.startswith("http://127.") and _uses_default_address(session, preset):
        address = preset.url  # the provider's default address
    else:
        line += f" --base-url {address}"
    session.catalog.keep(name, address, [ModelInfo(model) for model in server.models])
    return _TITLES.get(name, name) if preset else "another", server.base_url, _format_models(server.models), line


def _provider_without_credential(session: Session) -> str:
    return next((name for name in _WITHOUT_CREDENTIAL if session.credentials.get(name) is None), "ollama")


def _uses_default_address(session: Session, preset: Preset) -> bool:
    """Return True if the provider uses its default address."""
    return bool(session.settings_of(preset.name).get("base_url", preset.url) == preset.url)


def _first_usable(models: tuple[str, ...]) -> str:
    return quote_word(next((model for model in models if _PLAIN.fullmatch(model)), "MODEL"))


def _format_models(models: tuple[str, ...]) -> str:
    more = len(models) - MAX_NAMED
    named = ", ".join(excerpt(model) for model in models[:MAX_NAMED]) or "none"
    return f"{named} and {more} more" if more > 0 else named
