"""Conversations in files: `save`, `load`, `export`, `import`."""

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
    remarks_on_file,
    save_conversation,
)
from ..session import Session
from .command import argument, command, count, sentence_list
from .result import CommandResult, TextResult


def _help(text: str) -> str:
    return text.replace("%", "%%")  # argparse formats help texts with %


@command(argument("file", completer="file", help="File to write."))
def save(session: Session, options: Namespace) -> CommandResult:
    """Save the current conversation to a JSON file, to be loaded again."""
    _check_not_own_notebook(session, options.file)
    return TextResult(f"Saved to {save_conversation(session.conversations.get(), options.file)}")


@command(argument("file", completer="file", help="File written by `save`."))
def load(session: Session, options: Namespace) -> CommandResult:
    """Load a conversation from a file and continue with it."""
    conversation = session.conversations.add(load_conversation(options.file))
    head = f"Conversation {conversation.name} ({count(len(conversation), 'turn')})."
    return TextResult("\n".join(filter(None, [head, sentence_list(list(remarks_on_file(conversation)))])))


@command(argument("file", completer="file", nargs="?", help=_help(f"File to write: {list_formats(EXPORT_FORMATS)}")))
def export(session: Session, options: Namespace) -> CommandResult:
    """Export the current conversation as Markdown, HTML, a notebook or JSON messages."""
    if not options.file:
        raise UsageError(f"File missing. Its ending sets the format: {list_formats(EXPORT_FORMATS)}.")
    _check_not_own_notebook(session, options.file)
    written = export_conversation(session.conversations.get(), options.file)
    counts = [
        count(written.turns, "turn"),
        *([f"{count(written.failed, 'failed turn')} left out"] if written.failed else []),
        *([f"{count(written.empty, 'turn')} without a reply left out"] if written.empty else []),
    ]
    text = f"Exported to {written.path} ({'; '.join(counts)})."
    return TextResult("\n".join(filter(None, [text, sentence_list(list(written.remarks))])))


@command(argument("file", completer="file", nargs="?", help=_help(f"File to read: {list_formats(IMPORT_FORMATS)}")))
def import_(session: Session, options: Namespace) -> CommandResult:
    """Import conversations written by `export`, `save` or another program, and continue with them."""
    if not options.file:
        raise UsageError(f"File missing. Its ending tells the format: {list_formats(IMPORT_FORMATS)}.")
    found = import_conversations(options.file)
    lines = []
    for conversation in found.conversations:
        session.conversations.add(conversation)
        lines.append(f"Conversation {conversation.name} ({count(len(conversation), 'turn')}).")
    return TextResult("\n".join(filter(None, [*lines, sentence_list(list(found.remarks))])))


def _check_not_own_notebook(session: Session, path: str) -> None:
    """Refuse to overwrite the notebook that the front end has open."""
    own = session.own_notebook()
    if own is not None and _is_same_file(own, path):
        raise UsageError(f"{path} is this notebook. Choose another file name.")


def _is_same_file(one: Path, other: str) -> bool:
    try:
        return one.samefile(Path(other).expanduser())
    except (OSError, RuntimeError, ValueError):  # it doesn't exist, or is no file name
        return False
