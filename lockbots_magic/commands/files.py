"""Conversations in files: `save` and `load`, `export` and `import`."""

from __future__ import annotations

from argparse import Namespace

from .. import files
from ..errors import UsageError
from ..session import Lockbots
from .command import argument, command, counted


def _help(text: str) -> str:
    return text.replace("%", "%%")  # argparse fills in at percent signs


@command(argument("file", help="where to"))
def save(session: Lockbots, options: Namespace) -> str:
    """Write the current conversation to a JSON file, to load it again."""
    return f"saved: {files.save(session.conversation(), options.file)}"


@command(argument("file", help="one that save wrote"))
def load(session: Lockbots, options: Namespace) -> str:
    """Read a conversation from a file and go on with it."""
    conversation = session.add(files.load(options.file))
    return f"conversation: {conversation.name} ({counted(len(conversation), 'turn')})"


@command(argument("file", nargs="?", help=_help(f"where to: {files.listed(files.EXPORTS)}")))
def export(session: Lockbots, options: Namespace) -> str:
    """Write the current conversation for others: as Markdown, a page, a notebook or messages."""
    if not options.file:
        raise UsageError(f"name a file, by its ending: {files.listed(files.EXPORTS)}")
    written = files.write(session.conversation(), options.file)
    out = [
        *([f"{counted(written.failed, 'failed turn')} left out"] if written.failed else []),
        *([f"{counted(written.empty, 'turn')} without a reply left out"] if written.empty else []),
    ]
    return f"exported: {written.path} ({'; '.join([counted(written.turns, 'turn'), *out])})"


@command(argument("file", nargs="?", help=_help(f"which: {files.listed(files.IMPORTS)}")))
def import_(session: Lockbots, options: Namespace) -> str:
    """Read conversations that export, save or another program wrote, and go on with them."""
    if not options.file:
        raise UsageError(f"name a file, by its ending: {files.listed(files.IMPORTS)}")
    found = files.read(options.file)
    told = []
    for conversation in found.conversations:
        session.add(conversation)
        told.append(f"conversation: {conversation.name} ({counted(len(conversation), 'turn')})")
    return "\n".join([*told, *found.remarks])
