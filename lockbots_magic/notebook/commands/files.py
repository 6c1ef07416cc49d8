"""Conversations in files: `save` and `load`, `export` and `import`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ...errors import UsageError
from ...storage.files import (
    EXPORT_FORMATS,
    IMPORT_FORMATS,
    export_conversation,
    import_conversations,
    list_formats,
    load_conversation,
    save_conversation,
)
from ..session import Lockbots
from .command import argument, command, counted


def _help(text: str) -> str:
    return text.replace("%", "%%")  # argparse fills in at percent signs


@command(argument("file", completer="file", help="where to"))
def save(session: Lockbots, options: Namespace) -> str:
    """Write the current conversation to a JSON file, to load it again."""
    _check_is_elsewhere(session, options.file)
    return f"saved: {save_conversation(session.conversation(), options.file)}"


@command(argument("file", completer="file", help="one that save wrote"))
def load(session: Lockbots, options: Namespace) -> str:
    """Read a conversation from a file and go on with it."""
    conversation = session.add(load_conversation(options.file))
    return f"conversation: {conversation.name} ({counted(len(conversation), 'turn')})"


@command(argument("file", completer="file", nargs="?", help=_help(f"where to: {list_formats(EXPORT_FORMATS)}")))
def export(session: Lockbots, options: Namespace) -> str:
    """Write the current conversation for others: as Markdown, a page, a notebook or messages."""
    if not options.file:
        raise UsageError(f"name a file, by its ending: {list_formats(EXPORT_FORMATS)}")
    _check_is_elsewhere(session, options.file)
    written = export_conversation(session.conversation(), options.file)
    out = [
        *([f"{counted(written.failed, 'failed turn')} left out"] if written.failed else []),
        *([f"{counted(written.empty, 'turn')} without a reply left out"] if written.empty else []),
    ]
    told = f"exported: {written.path} ({'; '.join([counted(written.turns, 'turn'), *out])})"
    return "\n".join([told, *(f"- {remark}" for remark in written.remarks)])


@command(argument("file", completer="file", nargs="?", help=_help(f"which: {list_formats(IMPORT_FORMATS)}")))
def import_(session: Lockbots, options: Namespace) -> str:
    """Read conversations that export, save or another program wrote, and go on with them."""
    if not options.file:
        raise UsageError(f"name a file, by its ending: {list_formats(IMPORT_FORMATS)}")
    found = import_conversations(options.file)
    told = []
    for conversation in found.conversations:
        session.add(conversation)
        told.append(f"conversation: {conversation.name} ({counted(len(conversation), 'turn')})")
    return "\n".join([*told, *(f"- {remark}" for remark in found.remarks)])


def _check_is_elsewhere(session: Lockbots, path: str) -> None:
    """What the front end has open is not to be replaced under its hands."""
    own = session.own_notebook()
    if own is not None and _is_same(own, path):
        raise UsageError(f"{path} is the notebook in which this runs; give another name")


def _is_same(one: Path, other: str) -> bool:
    try:
        return one.samefile(Path(other).expanduser())
    except (OSError, RuntimeError, ValueError):  # it is not there, or no name at all
        return False
