"""The model in use, and where it is: `status`, `use`, `providers`, `models`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from ...cassette.active import environment_mode
from ...chat import Chat
from ...conversation.messages import ModelInfo
from ...conversation.model_names import display_name, display_names
from ...errors import AuthenticationError, LockbotsError, UsageError
from ...language import SOURCE, _, current_language, ngettext, pgettext
from ...providers import displaced, names, provider_class, split_model
from ...providers.address import display_address
from ...providers.base import Provider
from ...providers.dialects import CHAT_COMPLETIONS, DEFAULT_DIALECT, DIALECTS
from ...providers.dialects.base import Dialect
from ...providers.headers import parse_header_line
from ...providers.model_process import ModelProcess, running_processes
from ...providers.wire.model_list import ModelList
from ...rendering.table import Table
from ...version import __version__
from ..session import Session
from .command import argument, command, count_turns, excerpt
from .result import CommandResult, DisplayResult, TextResult


@command()
def status(session: Session, _options: Namespace) -> CommandResult:
    """Show the model in use, the conversation and the settings."""
    conversation = session.conversations.get()
    temperature = session.settings.temperature
    rows = [
        *_model_rows(session),
        (_("conversation"), f"{conversation.name} ({count_turns(len(conversation))})"),
        (_("system prompt"), excerpt(conversation.system or session.settings.system) or pgettext("a prompt", "none")),
        (_("temperature"), _("provider's default") if temperature is None else temperature),
        (_("live output"), session.settings.live),
        *([(_("language"), code)] if (code := current_language()) != SOURCE else []),
        *map(_describe_process, running_processes()),
        *([(_("cassette"), cassette)] if (cassette := _describe_cassette(session)) else []),
        (_("version"), __version__),
    ]
    return DisplayResult(Table((_("setting"), _("value")), rows))


def _describe_cassette(session: Session) -> str:
    try:
        cassette = session.active_cassette()
    except UsageError as error:
        return str(error)
    return str(cassette) if cassette else ""


def _describe_process(process: ModelProcess) -> tuple[str, str]:
    """Return what a local model takes of this machine."""
    size, settings = process.memory(), process.settings
    parts = [
        *([] if size is None else [_("{size:,.0f} MB of memory", size=size / 2**20)]),
        ngettext("{n} thread", "{n} threads", settings.threads),
        _("context {n:,} tokens", n=settings.context),
        _("process {pid}", pid=process.pid),
    ]
    return _("local model"), f"{process.name}: {', '.join(parts)}"


def _model_rows(session: Session) -> list[tuple[str, str]]:
    try:
        chat = session.chat()
        provider = chat.provider
    except LockbotsError as error:
        return [(_("model"), session.settings.model), (_("problem"), str(error))]
    credential = _describe_credential(session, split_model(session.settings.model)[0], provider)
    headers = ", ".join((*provider.headers.plain, *provider.headers.secret))
    return [
        (_("model"), _format_model(session, chat)),
        (_("address"), _format_address(provider)),
        *([(_("dialect"), dialect)] if (dialect := _dialect_of(provider)) not in ("", CHAT_COMPLETIONS) else []),
        (_("credential"), credential),
        *([(_("headers"), headers)] if headers else []),
    ]


def _format_address(provider: Provider) -> str:
    """Return the address without what may hold a secret, and the environment variable that names it."""
    if not provider.base_url:
        return _("built in")
    variable = provider.base_url_variable
    return display_address(provider.base_url) + (_(" (from {variable})", variable=variable) if variable else "")


def _dialect_of(provider: Provider) -> str:
    """Return the dialect of requests; empty for a provider that has none to choose from."""
    dialect = getattr(provider, "dialect", None)
    return dialect.name if isinstance(dialect, Dialect) else ""


def _format_model(session: Session, chat: Chat) -> str:
    model = display_name(chat.model or chat.provider.default_model)
    return f"{chat.provider.name}:{model}" if model else f"{chat.provider.name} ({_find_default(session, chat)})"


def _find_default(session: Session, chat: Chat) -> str:
    """Return where the default model of a provider comes from, if it has none of its own."""
    with suppress(UsageError):  # a cassette that can't be used; the next prompt says so
        cassette = session.active_cassette()
        if cassette is not None and cassette.mode == "replay":
            return _("the model of the recording")
    return _("the first model that the server lists") if chat.provider.base_url else _("the first model file found")


def _describe_credential(session: Session, name: str, provider: Provider) -> str:
    """Return where the credential comes from; "missing" only where one is needed."""
    source = session.credentials.source(name, provider.base_url)
    if source == "missing" and provider.headers.secret:
        return _("in a header")
    if source != "missing":
        return _(source)
    if environment_mode() == "replay":
        return _("not needed")
    try:
        provider.ready()
    except AuthenticationError:
        return _say_missing(name)
    return _("not needed")


def _say_missing(provider: str) -> str:
    return _("missing; to log in: %lockbots login {name}", name=provider)


@command(
    argument("model", completer="model", help="provider:model, or a provider's name for its default model."),
    argument(
        "--base-url",
        metavar="URL",
        completer="address",
        help="Base URL of the service, kept until another is given; `default` returns to the provider's own.",
    ),
    argument(
        "--dialect",
        choices=(*DIALECTS, DEFAULT_DIALECT),
        help="API that the service speaks, kept until another one or a base URL is given; `default` is its own.",
    ),
    argument(
        "--header",
        metavar="NAME: VALUE",
        action="append",
        help='Header of each request, such as "X-Dept: 7"; a credential is named by its variable: "X-Api-Key: $NAME".',
    ),
)
def use(session: Session, options: Namespace) -> CommandResult:
    """Use another model from now on."""
    name = split_model(options.model)[0]
    headers = dict(map(parse_header_line, options.header)) if options.header else None
    before = ""
    with suppress(UsageError):  # an invalid one, which this line may replace
        before = session.address_of(name)[0]
    chat = session.use(options.model, options.base_url, headers, options.dialect)
    provider = chat.provider
    text = _("Using {model}", model=_format_model(session, chat))
    if provider.base_url and (provider.base_url != provider.url or provider.base_url != before):
        text += _(" at {address}", address=_format_address(provider))
        if session.keeps_address(name) and not options.base_url:
            text += _(
                ", as before (to leave that address: `%lockbots use {name} --base-url default`)",
                name=name,
            )
    if options.dialect:
        text += _(", dialect {dialect}", dialect=_dialect_of(provider))
    if _describe_credential(session, name, provider) == _say_missing(name):
        return TextResult(
            _("{text}. The credential is missing; to log in: %lockbots login {name}", text=text, name=name)
        )
    return TextResult(f"{text}.")


@command()
def providers(session: Session, _options: Namespace) -> CommandResult:
    """List the providers, their addresses and where their credentials come from."""
    rows = [_describe_registered(session, name) for name in names()]
    unused = [_("{name} of {package}", name=name, package=package) for name, package in displaced()]
    caption = _("Not used, as another provider has the name: {names}", names=", ".join(unused)) if unused else ""
    return DisplayResult(Table((_("provider"), _("address"), _("credential")), rows, caption))


def _missing_address(name: str) -> str:
    return _("not set") if provider_class(name).base_url_env else _("built in")


def _describe_registered(session: Session, name: str) -> tuple[str, str, str]:
    """Return name, address and credential of a provider; in place of the address, why a plug-in can't be used."""
    try:
        address, variable = session.address_of(name)
        shown = display_address(address) + (_(" (from {variable})", variable=variable) if variable else "")
        return name, shown or _missing_address(name), _(session.credentials.source(name, address))
    except UsageError as error:
        return name, str(error), ""
    except Exception as error:  # noqa: BLE001  # a plug-in that looks for its credential may raise anything
        return name, f"{type(error).__name__}: {error}", ""


@command(
    argument("provider", nargs="?", completer="provider", help="Provider; by default the one in use."),
    argument("--refresh", action="store_true", help="Ask the server again."),
)
def models(session: Session, options: Namespace) -> CommandResult:
    """List the models of a provider; some ask their server, once."""
    name = options.provider or split_model(session.settings.model)[0]
    provider, catalog = session.chat(name).provider, session.catalog
    known = () if options.refresh else catalog.get(name, provider.base_url)
    listed = ModelList(known) if known else catalog.fetch(name, provider)
    remarks = (
        [_("From an earlier answer; to ask the server again: %lockbots models {name} --refresh", name=name)]
        if known
        else []
    )
    if not listed.models:
        remarks.append(_("The server lists no model. Load one there."))
    if listed.skipped:
        remarks.append(_count_skipped(listed.skipped))
    return DisplayResult(_model_table(name, listed.models, "; ".join(remarks)))


def _count_skipped(number: int) -> str:
    return ngettext(
        "{n} row of the server's list left out: without the id of a model",
        "{n} rows of the server's list left out: without the id of a model",
        number,
    )


def _model_table(provider: str, listed: Sequence[ModelInfo], caption: str) -> Table:
    """Return a table of models; it has a column for what they are for if some are not for chat."""
    headings: tuple[str, ...] = (_("model"), _("name"), _("max characters"), _("max tokens"))
    rows: list[tuple[str, ...]] = [
        (f"{provider}:{shown}", "" if model.name == shown else _(model.name), *_limits(model))
        for model, shown in zip(listed, display_names([one.id for one in listed]), strict=True)
    ]
    if any(model.kind for model in listed):
        headings = (*headings, pgettext("a model", "for"))
        rows = [(*row, model.kind or "chat") for row, model in zip(rows, listed, strict=True)]
    return Table(headings, rows, caption)


def _limits(model: ModelInfo) -> tuple[str, str]:
    return _limit(model.max_length), _limit(model.token_limit)


def _limit(value: int | None) -> str:
    return "" if value is None else str(value)
