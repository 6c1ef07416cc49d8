"""Run a line of `%lockbots`."""

from __future__ import annotations

import difflib
import re

from ...errors import UsageError
from ...language import _
from ...prompt.magic_line import split_words
from ..option_parser import HelpRequested
from ..session import Session
from .command import COMMANDS, Command
from .result import CommandResult, TextResult


def run(session: Session, line: str, cell: str | None = None) -> CommandResult:
    """Run one line of `%lockbots`; an empty line shows the status.

    Args:
        session: State of the magics.
        line: The line.
        cell: The prompt below `%%lockbots`, for a command that takes one.

    Raises:
        UsageError: If the command is unknown, or its options are invalid.
    """
    name, *words = split_words(line) or ["status"]
    if name in ("-h", "--help"):
        name = "help"
    if name.endswith("?") and not words:  # as everywhere in IPython
        name, words = name.rstrip("?"), ["-h"]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = _("Did you mean {near!r}?", near=near[0]) if near else _("Commands: {names}.", names=", ".join(COMMANDS))
        raise UsageError(_("Unknown command {name!r}. {hint}", name=name, hint=hint))
    command = COMMANDS[name]
    text = ""
    if command.text and (parts := _split_text(line) or _split_prose(command, name, line)):
        words, text = parts
    if cell is not None and cell.strip():
        if not command.text:
            raise UsageError(
                _("`%lockbots {name}` takes no text below it. Write it with one % in a cell of its own.", name=name)
            )
        text = "\n\n".join(filter(None, [text, cell.strip("\n")]))
    try:
        options = command.options(name).parse(words)
    except HelpRequested as help_text:
        return TextResult(str(help_text))
    options.text = text
    return command.run(session, options)


def _split_prose(command: Command, name: str, line: str) -> tuple[list[str], str] | None:
    """Return the words after the command, and the text that begins without ``--``."""
    if command.make_is_argument is None:
        return None
    arguments = line[line.index(name) + len(name) :]
    return command.options(name).split_text(arguments, command.make_is_argument())


def summarize() -> str:
    """Return the commands, one per line."""
    lines = [f"  {name:<10} {_(command.summary)}" for name, command in COMMANDS.items()]
    return "\n".join([_("Manage models, conversations, settings and credentials: %lockbots COMMAND"), "", *lines])


def _split_text(line: str) -> tuple[list[str], str] | None:
    """Return the words after the command, and the text after the first ``--``, which is taken verbatim.

    None if there is no ``--``; one in quotes doesn't count.
    """
    whole = split_words(line)
    for dashes in re.finditer(r"(?<!\S)--(?!\S)", line):
        before = split_words(line[: dashes.start()])
        if whole[: len(before) + 1] == [*before, "--"]:
            return before[1:], line[dashes.end() :].strip()
    return None
