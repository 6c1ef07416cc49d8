"""The commands of `%lockbots`. Each takes the session and its options, and returns what to show."""

from __future__ import annotations

import difflib
import getpass
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import helptext
from .chat import Chat
from .errors import AuthenticationError, Interrupted, LockbotsError, UsageError
from .messages import Turn
from .options import Options, literal, words
from .providers import names, provider_class, split_model
from .providers.base import Provider
from .providers.secrets import Secret
from .rendering.table import Table
from .reply import Reply
from .session import Lockbots
from .version import __version__

Shown = str | Table | Reply
SHORT = 60
"""Characters of a prompt or reply that a table shows."""


@dataclass(frozen=True)
class Command:
    """One command: what runs it, and the options it takes."""

    run: Callable[[Lockbots, Namespace], Shown]
    arguments: tuple[tuple[tuple[str, ...], dict[str, Any]], ...]

    def options(self, name: str) -> Options:
        """The parser of its options."""
        parser = Options(f"%lockbots {name}", (self.run.__doc__ or "").strip())
        for flags, settings in self.arguments:
            parser.add_argument(*flags, **settings)
        return parser


COMMANDS: dict[str, Command] = {}


def argument(*flags: str, **settings: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Describe one option, as `argparse` takes it."""
    return flags, settings


def command(
    *arguments: tuple[tuple[str, ...], dict[str, Any]],
) -> Callable[[Callable[[Lockbots, Namespace], Shown]], Callable[[Lockbots, Namespace], Shown]]:
    """Add a function to `COMMANDS` under its own name."""

    def add(run: Callable[[Lockbots, Namespace], Shown]) -> Callable[[Lockbots, Namespace], Shown]:
        COMMANDS[run.__name__.rstrip("_")] = Command(run, arguments)
        return run

    return add


def run(session: Lockbots, line: str) -> Shown:
    """Run one line of `%lockbots`; without a command it tells the status.

    Raises:
        UsageError: there is no such command, or its options are wrong.
        HelpRequested: `-h` was given.
    """
    name, *rest = words(line) or ["status"]
    if name in ("-h", "--help"):
        name = "help"
    if name.endswith("?") and not rest:  # as everywhere in IPython
        name, rest = name.rstrip("?"), ["-h"]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {name!r}; {hint}")
    known = COMMANDS[name]
    return known.run(session, known.options(name).parse(rest))


def summary() -> str:
    """The commands, a line each."""
    lines = [f"  {name:<10} {(c.run.__doc__ or '').strip()}" for name, c in COMMANDS.items()]
    return "\n".join(["Manage models, conversations, settings and credentials: %lockbots COMMAND", "", *lines])


@command()
def status(session: Lockbots, _: Namespace) -> Table:
    """Show the model in use, the conversation, and the settings."""
    conversation = session.conversation()
    rows = [
        *_status_of_model(session),
        ("conversation", f"{conversation.name} ({_count(len(conversation), 'turn')})"),
        ("system prompt", _short(conversation.system or session.system) or "none"),
        ("temperature", "the provider's own" if session.temperature is None else session.temperature),
        ("live output", session.live),
        ("version", __version__),
    ]
    return Table(("setting", "value"), rows)


def _status_of_model(session: Lockbots) -> list[tuple[str, str]]:
    try:
        chat = session.chat()
    except LockbotsError as error:
        return [("model", session.model), ("problem", str(error))]
    credential = _credential(session, split_model(session.model)[0], chat.provider)
    return [("model", _model_of(chat)), ("address", chat.provider.base_url or "built in"), ("credential", credential)]


def _model_of(chat: Chat) -> str:
    model = chat.model or chat.provider.default_model
    return f"{chat.provider.name}:{model}" if model else f"{chat.provider.name}, whichever model the server lists first"


def _credential(session: Lockbots, name: str, provider: Provider) -> str:
    """Where the credential comes from; one that is missing is told only where it is needed."""
    source = session.credentials.source(name)
    if source != "missing":
        return source
    try:
        provider.ready()
    except AuthenticationError:
        return f"missing: %lockbots login {name}"
    return "none needed"


@command(
    argument("model", help="provider:model, or a provider's name for its default model"),
    argument("--base-url", metavar="URL", help="where the service is"),
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


@command(argument("provider", nargs="?", help="the one in use by default"))
def models(session: Lockbots, options: Namespace) -> Table:
    """List the models of a provider; some ask their server."""
    name = options.provider or split_model(session.model)[0]
    listed = session.chat(name).provider.list_models()
    rows = [
        (
            f"{name}:{m.id}",
            m.name,
            "" if m.max_length is None else m.max_length,
            "" if m.token_limit is None else m.token_limit,
        )
        for m in listed
    ]
    return Table(("model", "name", "most characters", "most tokens"), rows)


@command(argument("-n", type=int, default=0, metavar="N", help="only the last N turns"))
def history(session: Lockbots, options: Namespace) -> Table:
    """Show the turns of the current conversation."""
    conversation = session.conversation()
    numbered = list(enumerate(conversation.turns, 1))[-options.n :]
    rows = [(n, _short(t.prompt), _short(t.reply), f"{t.provider}:{t.model}", _state(t)) for n, t in numbered]
    return Table(("#", "prompt", "reply", "model", "status"), rows, caption=f"conversation {conversation.name}")


@command(argument("count", nargs="?", type=int, default=1, help="how many turns, 1 by default"))
def undo(session: Lockbots, options: Namespace) -> str:
    """Take back the last turn of the current conversation."""
    removed = session.conversation().undo(options.count)
    return "taken back: " + ", ".join(repr(_short(t.prompt)) for t in removed)


@command()
def retry(session: Lockbots, _: Namespace) -> Reply:
    """Ask the last prompt again, with the model in use; the new reply takes the old one's place."""
    return session.chat().redo()


@command()
def clear(session: Lockbots, _: Namespace) -> str:
    """Forget the turns of the current conversation."""
    conversation = session.conversation()
    count = len(conversation)
    conversation.clear()
    return f"{conversation.name}: {_count(count, 'turn')} forgotten"


@command(argument("name", nargs="?", default="chat", help="its name"))
def new(session: Lockbots, options: Namespace) -> str:
    """Begin a new conversation and switch to it."""
    if options.name != "chat" and options.name in session.conversations:
        raise UsageError(f"there is a conversation {options.name!r} already: %lockbots switch {options.name}")
    session.current = session.conversation(session.free_name(options.name)).name
    return f"new conversation: {session.current}"


@command(argument("name", help="its name"))
def switch(session: Lockbots, options: Namespace) -> str:
    """Go on with another conversation."""
    conversation = session.switch(options.name)
    return f"conversation: {conversation.name} ({_count(len(conversation), 'turn')})"


@command(
    argument("name", nargs="?", help="the name of the copy"),
    argument("--at", type=int, metavar="N", help="copy the first N turns only"),
)
def fork(session: Lockbots, options: Namespace) -> str:
    """Copy the current conversation, and go on in the copy."""
    old = session.conversation()
    at = None
    if options.at is not None:
        if not 1 <= options.at <= len(old):
            raise UsageError(f"{old.name!r} has {_count(len(old), 'turn')}; --at takes one of their numbers")
        at = old.turns[options.at - 1].id
    copy = session.add(old.fork(options.name or f"{old.name}-fork", at))
    return f"conversation: {copy.name} ({_count(len(copy), 'turn')}, from {old.name})"


@command()
def list_(session: Lockbots, _: Namespace) -> Table:
    """List the conversations."""
    session.conversation()
    rows = [
        ("*" if c.name == session.current else "", c.name, len(c), _short(c.turns[-1].prompt) if c.turns else "")
        for c in session.conversations.values()
    ]
    return Table(("", "conversation", "turns", "last prompt"), rows)


@command(argument("name", help="its name"))
def delete(session: Lockbots, options: Namespace) -> str:
    """Forget a whole conversation."""
    session.delete(options.name)
    return f"deleted: {options.name}; now in {session.current}"


@command(argument("file", help="where to"))
def save(session: Lockbots, options: Namespace) -> str:
    """Write the current conversation to a JSON file."""
    return f"saved: {session.save(options.file)}"


@command(argument("file", help="one that save wrote"))
def load(session: Lockbots, options: Namespace) -> str:
    """Read a conversation from a file and go on with it."""
    conversation = session.load(options.file)
    return f"conversation: {conversation.name} ({_count(len(conversation), 'turn')})"


@command(
    argument("name", nargs="?", help="the setting; without one, all are listed"),
    argument("value", nargs="*", help="its new value"),
)
def set_(session: Lockbots, options: Namespace) -> Shown:
    """Change a setting for this kernel."""
    if not options.name:
        traits = session.class_traits(config=True)
        return Table(("setting", "value", ""), [(n, getattr(session, n), t.help) for n, t in sorted(traits.items())])
    if not options.value:
        raise UsageError(f"give a value: %lockbots set {options.name} VALUE")
    session.set(options.name, literal(" ".join(options.value)))
    return f"{options.name} = {getattr(session, options.name)}"


@command(
    argument("provider", help="whose credential"),
    argument("code", nargs="?", help="better not: it would be saved with the notebook"),
)
def login(session: Lockbots, options: Namespace) -> str:
    """Give a credential, typed hidden. It is kept in this kernel, and in the keyring where one is installed."""
    kind = provider_class(options.provider)
    secret = Secret.of(options.code or _asked(options.provider, kind.credential_variables()[-1]))
    if secret is None:
        raise UsageError("no credential was given; nothing has changed")
    kept = session.credentials.keep(options.provider, secret)
    if options.code:
        session.warn_of_written_credential()
    return f"credential for {options.provider} kept in {'the keyring' if kept else 'this kernel'}"


@command(argument("provider", help="whose credential"))
def logout(session: Lockbots, options: Namespace) -> str:
    """Forget a credential, in the keyring too."""
    provider_class(options.provider)
    known = session.credentials.forget(options.provider)
    return f"credential for {options.provider} {'forgotten' if known else 'was not kept'}"


@command(argument("topic", nargs="*", help="what about"))
def help_(session: Lockbots, options: Namespace) -> Shown:
    """Show the commands, or the help on a topic."""
    if options.topic:
        return _help_on(" ".join(options.topic))
    rows = [(name, (c.run.__doc__ or "").strip()) for name, c in COMMANDS.items()]
    return Table(
        ("%lockbots ...", "what it does"),
        rows,
        caption="%lockbots COMMAND -h  shows a command's options; %lockbots help TOPIC  tells more",
    )


def _help_on(topic: str) -> str:
    if topic in COMMANDS:
        return COMMANDS[topic].options(topic).format_help().rstrip()
    language = helptext.language_of(topic)
    section = helptext.topic(topic, language)
    if section is None:
        raise UsageError(f"there is no help on {topic!r}; there is on: {', '.join(helptext.topics(language))}")
    return f"{section.title}\n\n{section.body}"


def _asked(provider: str, variable: str) -> str:
    try:
        return getpass.getpass(f"credential for {provider}: ")
    except KeyboardInterrupt:
        raise Interrupted("no credential was given; nothing has changed") from None
    except (EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"nobody can be asked here; set {variable} in the environment instead") from error


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"


def _state(turn: Turn) -> str:
    return f"{turn.status}, stale" if turn.stale else turn.status


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
