"""Which model servers run on this machine: `discover`."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from ...conversation.messages import ModelInfo
from ...prompt.magic_line import quote_word
from ...providers.model_catalog import get_catalog
from ...rendering.table import Table
from ..session import Lockbots
from .command import argument, command, short

if TYPE_CHECKING:
    from ...providers.discovery import DiscoveredServer
    from ...providers.openai_compatible import Preset

SHOWN = 5
"""Models that are named for each server."""

_TITLES = {"ollama": "Ollama", "lmstudio": "LM Studio", "llamacpp": "llama.cpp", "vllm": "vLLM"}
_WITHOUT_CREDENTIAL = ("openai", "vllm", "llamacpp", "lmstudio", "ollama")
"""Who may ask a server of no known kind, the first for whom no credential is at hand: it would be sent along."""
_PLAIN = re.compile(r"\w[\w.:/@+-]*")  # what a server calls a model suggests no options
_NOTHING = (
    "no model server answers on this machine. Start one:  ollama serve,  LM Studio's local server,  "
    "llama-server -m FILE.gguf  or  vllm serve MODEL;  for one on a port of its own:  %lockbots discover --port N"
)


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text[:6]) < 65536):
        raise ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r:.40}")
    return int(text)


@command(argument("--port", type=_port, action="append", default=[], metavar="N", help="look there too; repeatable"))
def discover(session: Lockbots, options: Namespace) -> Table | str:
    """Find the model servers that run on this machine, and say how to use them."""
    from ...providers import discovery  # noqa: PLC0415  # few look; %load_ext does not wait for it

    found = discovery.discover(options.port)
    if not found:
        return _NOTHING
    rows = [_row(session, server, discovery.USUAL_PORTS.get(server.port)) for server in found]
    caption = "each is called by what its port is usual for"
    return Table(("server", "address", "models", "to use it"), rows, caption)


def _row(session: Lockbots, server: DiscoveredServer, preset: Preset | None) -> tuple[str, str, str, str]:
    """What to say of a server; its models are remembered on the way."""
    name = preset.name if preset else _asking(session)
    line, address = f"%lockbots use {name}:{_first(server.models)}", server.base_url
    if preset and address.startswith("http://127.") and _is_at(session, preset):
        address = preset.url  # where the provider looks by itself
    else:
        line += f" --base-url {address}"
    get_catalog(session).keep(name, address, [ModelInfo(model) for model in server.models])
    return _TITLES.get(name, name) if preset else "another", server.base_url, _named(server.models), line


def _asking(session: Lockbots) -> str:
    return next((name for name in _WITHOUT_CREDENTIAL if session.credentials.get(name) is None), "ollama")


def _is_at(session: Lockbots, preset: Preset) -> bool:
    """Whether the provider asks at its usual address when nobody says otherwise."""
    return bool(session.settings_of(preset.name).get("base_url", preset.url) == preset.url)


def _first(models: tuple[str, ...]) -> str:
    return quote_word(next((model for model in models if _PLAIN.fullmatch(model)), "MODEL"))


def _named(models: tuple[str, ...]) -> str:
    more = len(models) - SHOWN
    named = ", ".join(short(model) for model in models[:SHOWN]) or "none yet"
    return f"{named} and {more} more" if more > 0 else named
