"""Which model answers, and where: `status`, `use`, `providers`, `models`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ...cassette.active import environment_mode
from ...chat import Chat
from ...errors import AuthenticationError, LockbotsError, UsageError
from ...providers import names, provider_class, split_model
from ...providers.base import Provider
from ...providers.model_catalog import get_catalog
from ...rendering.table import Table
from ...version import __version__
from ..session import Lockbots
from .command import argument, command, counted, short

if TYPE_CHECKING:
    from ...cassette.cassette import Cassette


@command()
def status(session: Lockbots, _: Namespace) -> Table:
    """Show the model in use, the conversation, and the settings."""
    conversation = session.conversation()
    rows = [
        *_status_of_model(session),
        ("conversation", f"{conversation.name} ({counted(len(conversation), 'turn')})"),
        ("system prompt", short(conversation.system or session.system) or "none"),
        ("temperature", "the provider's own" if session.temperature is None else session.temperature),
        ("live output", session.live),
        *([("cassette", str(cassette))] if (cassette := _cassette(session)) else []),
        ("version", __version__),
    ]
    return Table(("setting", "value"), rows)


def _cassette(session: Lockbots) -> Cassette | str | None:
    try:
        return session.active_cassette()
    except UsageError as error:
        return str(error)


def _status_of_model(session: Lockbots) -> list[tuple[str, str]]:
    try:
        chat = session.chat()
        provider = chat.provider
    except LockbotsError as error:
        return [("model", session.model), ("problem", str(error))]
    credential = _credential(session, split_model(session.model)[0], provider)
    return [("model", _model_of(chat)), ("address", provider.base_url or "built in"), ("credential", credential)]


def _model_of(chat: Chat) -> str:
    model = chat.model or chat.provider.default_model
    return f"{chat.provider.name}:{model}" if model else f"{chat.provider.name}, whichever model the server lists first"


def _credential(session: Lockbots, name: str, provider: Provider) -> str:
    """Where the credential comes from; one that is missing is told only where it is needed."""
    source = session.credentials.source(name)
    if source != "missing":
        return source
    if environment_mode() == "replay":
        return "none needed"
    try:
        provider.ready()
    except AuthenticationError:
        return f"missing: %lockbots login {name}"
    return "none needed"


@command(
    argument("model", completer="model", help="provider:model, or a provider's name for its default model"),
    argument("--base-url", metavar="URL", completer="address", help="where the service is"),
)
def use(session: Lockbots, options: Namespace) -> str:
    """Talk to another model from now on."""
    chat = session.use(options.model, options.base_url)
    provider = chat.provider
    told = f"now talking to {_model_of(chat)}"
    if provider.base_url != provider.url:
        told += f", at {provider.base_url}"
    name = split_model(options.model)[0]
    if _credential(session, name, provider).startswith("missing"):
        told += f"; it needs a credential: %lockbots login {name}"
    return told


@command()
def providers(session: Lockbots, _: Namespace) -> Table:
    """List the providers, where each one is, and whether its credential is there."""
    rows = []
    for name in names():
        try:
            kind = provider_class(name)
        except UsageError as error:
            rows.append((name, str(error), ""))
            continue
        address = session.settings_of(name).get("base_url", kind.url) or "built in"
        rows.append((name, address, session.credentials.source(name)))
    return Table(("provider", "address", "credential"), rows)


@command(
    argument("provider", nargs="?", completer="provider", help="the one in use by default"),
    argument("--refresh", action="store_true", help="ask the server anew, whatever it said before"),
)
def models(session: Lockbots, options: Namespace) -> Table:
    """List the models of a provider; some ask their server, once."""
    name = options.provider or split_model(session.model)[0]
    provider, lists = session.chat(name).provider, get_catalog(session)
    known = () if options.refresh else lists.get(name, provider.base_url)
    listed = known or lists.fetch(name, provider)
    caption = f"as listed before; to ask the server anew: %lockbots models {name} --refresh" if known else ""
    rows = [
        (
            f"{name}:{m.id}",
            m.name,
            "" if m.max_length is None else m.max_length,
            "" if m.token_limit is None else m.token_limit,
        )
        for m in listed
    ]
    return Table(("model", "name", "most characters", "most tokens"), rows, caption)
