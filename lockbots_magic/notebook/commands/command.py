"""Commands of `%lockbots`: their registry, and text helpers that several of them need."""

from __future__ import annotations

import inspect
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...conversation.conversation import Conversation
from ...language import N_, _, ngettext
from ...prompt.text import to_one_line
from ..option_parser import OptionParser, argument_name
from ..session import Session
from .result import CommandResult

Handler: TypeAlias = Callable[[Session, Namespace], CommandResult]
Argument: TypeAlias = tuple[tuple[str, ...], dict[str, Any]]

GROUPS = {
    **dict.fromkeys(("models", "discover", "check"), N_("Models")),
    **dict.fromkeys(("conversations", "notebooks", "files"), N_("Conversations")),
    **dict.fromkeys(("replies", "compare", "panels", "tools", "usage"), N_("Replies")),
    "recording": N_("Recordings"),
    "settings": N_("Settings and help"),
}
"""Title of the group of each module's commands; `help` shows them in the order of `COMMANDS`."""
MAX_EXCERPT = 60
"""Characters of a prompt or reply that a table shows."""


@dataclass(frozen=True)
class Command:
    """A command: its handler and its arguments."""

    run: Handler
    arguments: tuple[Argument, ...]
    text: str = ""
    """Name in the help of the text behind the options, if there is one; it becomes the option `text`, verbatim."""
    make_is_argument: Callable[[], Callable[[str], bool]] | None = None
    """Returns what tells whether a word is an argument; the first that is none starts the text. None: ``--`` does."""
    needs_text: bool = True
    """Whether the text may not be left out."""

    @property
    def group(self) -> str:
        """Title of its group in the list of commands, in English: that of its module."""
        return GROUPS.get(self.run.__module__.rpartition(".")[2], N_("More"))

    @property
    def summary(self) -> str:
        """First paragraph of the help, on one line, in English."""
        return " ".join(self.help.partition("\n\n")[0].split())

    @property
    def help(self) -> str:
        """Help without the options, in English."""
        return inspect.cleandoc(self.run.__doc__ or "")

    def options(self, name: str) -> OptionParser:
        """Return the parser of its options."""
        parser = OptionParser(f"%lockbots {name}", self.help)
        for flags, settings in self.arguments:
            parser.add_argument(*flags, **settings)
        if self.text:
            parser.set_usage_end(self.usage_end)
        return parser

    @property
    def usage_end(self) -> str:
        """What its usage has for the text, in the current language; ``""`` if it takes none."""
        if not self.text:
            return ""
        end = f"{'[--]' if self.make_is_argument else '--'} {argument_name(self.text)}"
        return end if self.needs_text else f"[{end}]"


COMMANDS: dict[str, Command] = {}
"""Commands by name, in the order of the help."""


def argument(*flags: str, **settings: Any) -> Argument:
    """Describe an argument, as `OptionParser.add_argument` takes it."""
    return flags, settings


def command(
    *arguments: Argument,
    text: str = "",
    make_is_argument: Callable[[], Callable[[str], bool]] | None = None,
    needs_text: bool = True,
) -> Callable[[Handler], Handler]:
    """Register a function in `COMMANDS` under its own name; its docstring is the help.

    Args:
        *arguments: Its arguments, see `argument`.
        text: Name in the help of the text behind the options, if it takes one.
        make_is_argument: See `Command`.
        needs_text: See `Command`.
    """

    def register(run: Handler) -> Handler:
        COMMANDS[run.__name__.rstrip("_")] = Command(run, arguments, text, make_is_argument, needs_text)
        return run

    return register


def excerpt(text: str) -> str:
    """Return the beginning of `text` on one line, redacted: the cut may leave half a credential."""
    return to_one_line(text, MAX_EXCERPT)


def count_turns(number: int) -> str:
    """Return a number of turns, such as ``2 turns``."""
    return ngettext("{n} turn", "{n} turns", number)


def describe(conversation: Conversation) -> str:
    """Return a sentence with the name of a conversation and its number of turns."""
    return _("Conversation {name} ({turns}).", name=conversation.name, turns=count_turns(len(conversation)))


def sentence_list(lines: list[str]) -> str:
    """Return lines as a list in plain text."""
    return "\n".join(f"- {line}" for line in lines)
