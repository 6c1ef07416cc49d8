"""Settings, credentials and help: `set`, `login`, `logout`, `help`."""

from __future__ import annotations

import difflib
import getpass
from argparse import Namespace

from ...errors import Interrupted, UsageError
from ...help import search
from ...help.sections import list_groups, page_languages
from ...language import _, available_languages, catalogue
from ...prompt.magic_line import parse_literal
from ...providers import provider_class
from ...providers.address import display_address
from ...providers.validation import wrap_credential
from ...rendering.grouped_list import GroupedList
from ...rendering.notices import Page
from ...rendering.table import Table
from ...tools.approval import describe_policy
from ..session import Session
from .command import COMMANDS, argument, command
from .result import CommandResult, DisplayResult, PageResult, TextResult


@command(
    argument("name", nargs="?", completer="setting", help="Setting to change; without one, all are listed."),
    argument("value", nargs="*", completer="setting_value", help="New value; without one, the setting is shown."),
)
def set_(session: Session, options: Namespace) -> CommandResult:
    """Change a setting for this kernel."""
    if not options.name:
        rows = [(name, value, _(text)) for name, value, text in session.settings.rows()]
        return DisplayResult(Table((_("setting"), _("value"), ""), rows))
    if not options.value:
        described = _(session.settings.find(options.name).help)
        return TextResult(f"{_describe_setting(session, options.name)}\n{described}")
    session.configure(options.name, parse_literal(" ".join(options.value)))
    return TextResult(_describe_setting(session, options.name))


def _describe_setting(session: Session, name: str) -> str:
    value = getattr(session.settings, name)
    return f"{name} = {describe_policy(value) if name == 'approve' else value}"


@command(
    argument("provider", completer="provider", help="Provider of the credential."),
    argument("code", nargs="?", help="Not recommended: it is saved with the notebook."),
)
def login(session: Session, options: Namespace) -> CommandResult:
    """Enter a credential, hidden. It is kept by this kernel, and in the keyring if one is installed."""
    kind = provider_class(options.provider)
    secret = wrap_credential(options.code or _ask(options.provider, kind.credential_variables()[-1]))
    if secret is None:
        raise UsageError(_("No credential entered; nothing was changed."))
    address = session.address_of(options.provider)[0]
    in_keyring = session.credentials.keep(options.provider, secret, address)
    if options.code:
        session.cells.warn_of_written_credential()
    target = (
        options.provider
        if address in ("", kind.url)
        else _("{model} at {address}", model=options.provider, address=display_address(address))
    )
    return TextResult(
        _("Credential for {target} saved in the keyring.", target=target)
        if in_keyring
        else _("Credential for {target} saved in this kernel.", target=target)
    )


@command(argument("provider", completer="provider", help="Provider of the credential."))
def logout(session: Session, options: Namespace) -> CommandResult:
    """Delete a credential, also from the keyring."""
    provider_class(options.provider)
    known = session.credentials.forget(options.provider, session.address_of(options.provider)[0])
    return TextResult(
        _("Deleted the credential for {provider}.", provider=options.provider)
        if known
        else _("There is no saved credential for {provider}.", provider=options.provider)
    )


def _ask(provider: str, variable: str) -> str:
    try:
        return getpass.getpass(_("Credential for {provider}: ", provider=provider))
    except KeyboardInterrupt:
        raise Interrupted(_("No credential entered; nothing was changed.")) from None
    except (EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(
            _("Input is not possible here. Set {variable} in the environment instead.", variable=variable)
        ) from error


@command(argument("topic", nargs="*", completer="topic", help="Topic to look up."))
def help_(session: Session, options: Namespace) -> CommandResult:
    """Show the commands, or the help on a topic."""
    if options.topic:
        return _help_on(" ".join(options.topic))
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, one in COMMANDS.items():
        groups.setdefault(_(one.group), []).append((name, _(one.summary)))
    caption = _(
        "%lockbots COMMAND, and %%chat for a prompt. Options: %lockbots COMMAND -h, %%chat -h. "
        "Topics: %lockbots help topics."
    )
    return DisplayResult(GroupedList(groups, caption))


def _help_on(topic: str) -> CommandResult:
    languages = page_languages(topic)
    if topic in {catalogue(code).pgettext("word after `%lockbots help`", "topics") for code in available_languages()}:
        groups = {group: [(title, "") for title in titles] for group, titles in list_groups(languages[0]).items()}
        return DisplayResult(GroupedList(groups, _("%lockbots help TOPIC; the first words of a title will do.")))
    section = search.find_page(topic, languages)
    if topic in COMMANDS:
        more = "\n\n" + _("More: %lockbots help {title}", title=section.title) if section else ""
        return TextResult(COMMANDS[topic].options(topic).format_help().rstrip() + more)
    if section is None:
        raise UsageError(
            _("Unknown help topic {topic!r:.80}. {hint}", topic=topic, hint=_suggest_topics(topic, languages[0]))
        )
    return PageResult(Page(section.page))


def _suggest_topics(topic: str, language: str) -> str:
    near = [*difflib.get_close_matches(topic, COMMANDS, 1), *search.suggest_titles(topic, language)]
    if not near:
        return _("To list the topics: `%lockbots help topics`.")
    return _(
        "Did you mean {names}? All topics: `%lockbots help topics`.", names=_(" or ").join(repr(one) for one in near)
    )
