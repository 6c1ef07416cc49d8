"""The commands of `%lockbots`. Each takes the session and its options, and returns what to show."""

from __future__ import annotations

import difflib
import re

from ...errors import UsageError
from ...prompt.magic_line import split_words
from ...rendering.notices import Page
from ..session import Lockbots

from . import models, discover, conversations, replies, compare, usage, notebooks, files, recording, panels, settings  # isort: skip  # noqa: F401  # each adds its commands; help lists them so
from .command import COMMANDS, Coded, Marked, Shown, Work

__all__ = ["COMMANDS", "Coded", "Marked", "Page", "Shown", "Work", "run", "summary"]


def run(session: Lockbots, line: str) -> Shown:
    """Run one line of `%lockbots`; without a command it tells the status.

    Raises:
        UsageError: there is no such command, or its options are wrong.
        HelpRequested: `-h` was given.
    """
    name, *rest = split_words(line) or ["status"]
    if name in ("-h", "--help"):
        name = "help"
    if name.endswith("?") and not rest:  # as everywhere in IPython
        name, rest = name.rstrip("?"), ["-h"]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {name!r}; {hint}")
    known = COMMANDS[name]
    text = ""
    if known.text and (parted := _parted(line)):
        rest, text = parted
    options = known.options(name).parse(rest)
    options.text = text
    return known.run(session, options)


def _parted(line: str) -> tuple[list[str], str] | None:
    """Return the words behind the command and the text behind the first ``--``, in which nothing means anything.

    None if there is no ``--``; one in quotes is none.
    """
    whole = split_words(line)
    for dashes in re.finditer(r"(?<!\S)--(?!\S)", line):
        before = split_words(line[: dashes.start()])
        if whole[: len(before) + 1] == [*before, "--"]:
            return before[1:], line[dashes.end() :].strip()
    return None


def summary() -> str:
    """The commands, a line each."""
    lines = [f"  {name:<10} {c.summary}" for name, c in COMMANDS.items()]
    return "\n".join(["Manage models, conversations, settings and credentials: %lockbots COMMAND", "", *lines])
