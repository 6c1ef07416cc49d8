"""Settings, credentials and help."""

from __future__ import annotations

import getpass
from argparse import Namespace

from ...errors import Interrupted, UsageError
from ...help import search as helptext
from ...prompt.magic_line import parse_literal
from ...providers import provider_class
from ...providers.validation import wrap_credential
from ...rendering.notices import Page
from ...rendering.table import Table
from ..session import Lockbots
from .command import COMMANDS, Shown, argument, command


@command(
    argument("name", nargs="?", completer="setting", help="the setting; without one, all are listed"),
    argument("value", nargs="*", completer="setting_value", help="its new value"),
)
def set_(session: Lockbots, options: Namespace) -> Shown:
    """Change a setting for this kernel."""
    if not options.name:
        traits = session.class_traits(config=True)
        return Table(("setting", "value", ""), [(n, getattr(session, n), t.help) for n, t in sorted(traits.items())])
    if not options.value:
        raise UsageError(f"give a value: %lockbots set {options.name} VALUE")
    session.set(options.name, parse_literal(" ".join(options.value)))
    return f"{options.name} = {getattr(session, options.name)}"


@command(
    argument("provider", completer="provider", help="whose credential"),
    argument("code", nargs="?", help="better not: it would be saved with the notebook"),
)
def login(session: Lockbots, options: Namespace) -> str:
    """Give a credential, typed hidden. It is kept in this kernel, and in the keyring where one is installed."""
    kind = provider_class(options.provider)
    secret = wrap_credential(options.code or _asked(options.provider, kind.credential_variables()[-1]))
    if secret is None:
        raise UsageError("no credential was given; nothing has changed")
    kept = session.credentials.keep(options.provider, secret)
    if options.code:
        session.cells.warn_of_written_credential()
    return f"credential for {options.provider} kept in {'the keyring' if kept else 'this kernel'}"


@command(argument("provider", completer="provider", help="whose credential"))
def logout(session: Lockbots, options: Namespace) -> str:
    """Forget a credential, in the keyring too."""
    provider_class(options.provider)
    known = session.credentials.forget(options.provider)
    return f"credential for {options.provider} {'forgotten' if known else 'was not kept'}"


def _asked(provider: str, variable: str) -> str:
    try:
        return getpass.getpass(f"credential for {provider}: ")
    except KeyboardInterrupt:
        raise Interrupted("no credential was given; nothing has changed") from None
    except (EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"nobody can be asked here; set {variable} in the environment instead") from error


@command(argument("topic", nargs="*", completer="topic", help="what about"))
def help_(session: Lockbots, options: Namespace) -> Shown:
    """Show the commands, or the help on a topic."""
    if options.topic:
        return _help_on(" ".join(options.topic))
    rows = [(name, c.summary) for name, c in COMMANDS.items()]
    return Table(
        ("%lockbots ...", "what it does"),
        rows,
        caption="%lockbots COMMAND -h  shows its options; %lockbots help TOPIC  tells more; help topics  lists them",
    )


def _help_on(topic: str) -> Shown:
    language = helptext.detect_language(topic)
    if topic in ("topics", "темы"):
        return Table(("%lockbots help ...",), [(title,) for title in helptext.list_titles(language)])
    section = helptext.find_section(topic, language)
    if topic in COMMANDS:
        more = f"\n\nmore:  %lockbots help {section.title}" if section else ""
        return COMMANDS[topic].options(topic).format_help().rstrip() + more
    if section is None:
        raise UsageError(f"there is no help on {topic!r}; there is on: {', '.join(helptext.list_titles(language))}")
    return Page(section.page)
