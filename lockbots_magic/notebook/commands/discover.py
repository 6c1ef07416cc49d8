"""Model servers on this machine: `discover`."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...conversation.model_names import display_names
from ...language import N_, _, pgettext
from ...prompt.magic_line import quote_word
from ...providers import discovery, provider_class
from ...providers.presets import PRESETS
from ...rendering.table import Table
from ..session import Session
from .command import argument, command, excerpt
from .result import CommandResult, DisplayResult, TextResult

if TYPE_CHECKING:
    from ...providers.discovery import DiscoveredServer

MAX_NAMED = 5
"""Models named for each server."""

_WITHOUT_CREDENTIAL = ("openai", "vllm", "llamacpp", "lmstudio", "ollama")
"""Providers for a server of unknown kind: the first without a credential is taken, since it would be sent along."""
_ADDRESSES = {row.name: row.url for row in PRESETS}
_PLAIN = re.compile(r"\w[\w.:/@+()-]*(?: [\w(][\w.:/@+()-]*)*")  # the name of a model must not suggest options
_STATES = {"locked": N_("wants a key"), "loading": N_("is loading; try again in a moment")}
_NOTHING = N_(
    "No model server answers on this machine. Start one: `ollama serve`, LM Studio's local "
    "server, `llama-server -m FILE.gguf` or `vllm serve MODEL`. To look at another port: "
    "`%lockbots discover --port N`."
)


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text[:6]) < 65536):
        raise ArgumentTypeError(_("must be a port, 1 to 65535, got {text!r:.40}", text=text))
    return int(text)


@command(argument("--port", type=_port, action="append", default=[], metavar="N", help="Another port to look at."))
def discover(session: Session, options: Namespace) -> CommandResult:
    """Find model servers on this machine, and show how to use them."""
    found = discovery.discover(options.port)
    if not found:
        return TextResult(_(_NOTHING))
    names = [_provider_for(session, server) for server in found]
    rows = [_row(session, server, name) for server, name in zip(found, names, strict=True)]
    remarks = [_("Names are those that the servers give themselves, or guessed from the usual ports.")]
    locked = dict.fromkeys(name for server, name in zip(found, names, strict=True) if server.state == "locked")
    if locked:
        logins = _(" or ").join(f"`%lockbots login {name}`" for name in locked)
        remarks.append(_("A server that wants a key: run {logins} before its line.", logins=logins))
    return DisplayResult(Table((_("server"), _("address"), _("models"), _("to use it")), rows, " ".join(remarks)))


def _row(session: Session, server: DiscoveredServer, name: str) -> tuple[str, str, str, str]:
    """Return the row of a server, and put its models into the catalog."""
    address = server.base_url
    shown = display_names([model.id for model in server.models])
    model = f":{_first_usable(server, shown)}" if server.state == "ready" else ""
    line = f"%lockbots use {quote_word(f'{name}{model}')}"
    if _is_default_address(session, name, server):
        address = _ADDRESSES[name]
    else:
        line += f" --base-url {address}"
    if server.state == "ready":
        session.catalog.keep(name, address, server.models)
    title = server.kind.title if server.kind else pgettext("a server", "another")
    return title, server.base_url, _(_STATES[server.state]) if server.state in _STATES else _format_models(shown), line


def _provider_for(session: Session, server: DiscoveredServer) -> str:
    """Return the provider to use a server with; at an unusual port one whose credential it would not be sent."""
    kind = server.kind
    is_usual = kind is not None and discovery.USUAL_PORTS.get(server.port) == kind
    if kind and kind.provider and (is_usual or session.credentials.get(kind.provider) is None):
        return kind.provider
    names = _WITHOUT_CREDENTIAL if server.state == "ready" else _WITHOUT_CREDENTIAL[1:]  # the others need no model
    return next((name for name in names if session.credentials.get(name) is None), "ollama")


def _is_default_address(session: Session, name: str, server: DiscoveredServer) -> bool:
    """Return True if the provider's default address leads to the server, and the provider uses it."""
    default = _ADDRESSES[name]
    leads_there = server.base_url.replace("127.0.0.1", "localhost") == default
    return leads_there and session.address_of(name)[0] == provider_class(name).url


def _first_usable(server: DiscoveredServer, shown: Sequence[str]) -> str:
    """Return the first chat model whose name can stand in a line."""
    names = [name for model, name in zip(server.models, shown, strict=True) if not model.kind]
    return next((name for name in names if _PLAIN.fullmatch(name)), "MODEL")


def _format_models(shown: Sequence[str]) -> str:
    more = len(shown) - MAX_NAMED
    named = ", ".join(excerpt(name) for name in shown[:MAX_NAMED]) or pgettext("models", "none")
    return _("{named} and {more} more", named=named, more=more) if more > 0 else named
