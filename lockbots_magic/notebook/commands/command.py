"""What a command of `%lockbots` is, and what several of them need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ...conversation.history_entry import HistoryEntry
from ...rendering.notices import Page
from ...rendering.table import Table
from ...reply import Reply
from ..options import OptionParser
from ..session import Lockbots


class Marked(str):
    """A text that tells of turns taken away; the notebook is to remember that with it.

    Args:
        text: the text.
        entry: what is to be remembered.
    """

    __slots__ = ("entry",)
    entry: HistoryEntry

    def __new__(cls, text: str, entry: HistoryEntry) -> Marked:
        """Make the text, and hang the entry on it."""
        marked = super().__new__(cls, text)
        marked.entry = entry
        return marked


class Displayed(Protocol):
    """What shows itself, such as a widget."""

    def _ipython_display_(self) -> None: ...


@dataclass(frozen=True)
class Coded:
    """A reply whose code is to become a new cell."""

    reply: Reply


class Work(ABC):
    """What goes on for a while in the cell, shows itself there, and may set variables."""

    @abstractmethod
    def run(self, shell: Any) -> None:
        """Do it, and show what comes; `shell` is the running IPython."""

    @abstractmethod
    def end(self, shell: Any) -> None:
        """Show what came of it, however `run` has ended; a second call does no harm."""


Shown = str | Page | Table | Coded | Reply | Work | Displayed
SHORT = 60
"""Characters of a prompt or reply that a table shows."""


@dataclass(frozen=True)
class Command:
    """One command: what runs it, and the options it takes."""

    run: Callable[[Lockbots, Namespace], Shown]
    arguments: tuple[tuple[tuple[str, ...], dict[str, Any]], ...]
    text: str = ""
    """What help calls the text that the command takes behind a ``--``; it becomes the option `text`, verbatim."""

    @property
    def summary(self) -> str:
        """First paragraph of the help, on one line."""
        return " ".join((self.run.__doc__ or "").strip().partition("\n\n")[0].split())

    def options(self, name: str) -> OptionParser:
        """The parser of its options."""
        parser = OptionParser(f"%lockbots {name}", (self.run.__doc__ or "").strip())
        for flags, settings in self.arguments:
            parser.add_argument(*flags, **settings)
        if self.text:
            parser.usage = f"{parser.format_usage().removeprefix('usage: ').rstrip()} -- {self.text}".replace("%", "%%")
        return parser


COMMANDS: dict[str, Command] = {}


def argument(*flags: str, **settings: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Describe one option, as `argparse` takes it."""
    return flags, settings


def command(
    *arguments: tuple[tuple[str, ...], dict[str, Any]],
    text: str = "",
) -> Callable[[Callable[[Lockbots, Namespace], Shown]], Callable[[Lockbots, Namespace], Shown]]:
    """Add a function to `COMMANDS` under its own name.

    Args:
        arguments: its options, see `argument`.
        text: what help calls the text behind ``--``, if it takes one.
    """

    def add(run: Callable[[Lockbots, Namespace], Shown]) -> Callable[[Lockbots, Namespace], Shown]:
        COMMANDS[run.__name__.rstrip("_")] = Command(run, arguments, text)
        return run

    return add


def short(text: str) -> str:
    """Return the beginning of `text`, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"


def counted(number: int, noun: str, several: str = "") -> str:
    """Return the number with its noun, in the plural where that is due."""
    return f"{number} {noun if number == 1 else several or f'{noun}s'}"
