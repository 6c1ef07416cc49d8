"""Conversations in files: `save`, `load`, `export`, `import`."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...language import _, ngettext
from ...storage.export_document import CONTENT_SECURITY_POLICY
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
from .command import argument, command, count_turns, describe, sentence_list
from .result import CommandResult, TextResult

_HEADING = re.compile("^## (?:You|Вы|System prompt|Системный промпт)$", re.MULTILINE)
"""Heading above each prompt of an export as Markdown, and above the system prompt, in any language."""


def _help(text: str) -> str:
    return text.replace("%", "%%")  # argparse formats help texts with %


@command(argument("file", completer="file", help="File to write."))
def save(session: Session, options: Namespace) -> CommandResult:
    """Save the current conversation to a JSON file, to be loaded again."""
    _check_not_own_notebook(session, options.file)
    _check_not_other_content(options.file, is_export=False)
    return TextResult(_("Saved to {path}", path=save_conversation(session.conversations.get(), options.file)))


@command(argument("file", completer="file", help="File written by `save`."))
def load(session: Session, options: Namespace) -> CommandResult:
    """Load a conversation from a file and continue with it."""
    conversation = session.conversations.add(load_conversation(options.file))
    return TextResult(
        "\n".join(filter(None, [describe(conversation), sentence_list(list(remarks_on_file(conversation)))]))
    )


@command(argument("file", completer="file", nargs="?", help=_help(f"File to write: {list_formats(EXPORT_FORMATS)}")))
def export(session: Session, options: Namespace) -> CommandResult:
    """Export the current conversation as Markdown, HTML, a notebook or JSON messages."""
    if not options.file:
        raise UsageError(
            _("File missing. Its ending sets the format: {formats}.", formats=list_formats(EXPORT_FORMATS, _))
        )
    _check_not_own_notebook(session, options.file)
    _check_not_other_content(options.file, is_export=True)
    written = export_conversation(session.conversations.get(), options.file)
    counts = [
        count_turns(written.turns),
        *([_count_failed(written.failed)] if written.failed else []),
        *([_count_empty(written.empty)] if written.empty else []),
    ]
    text = _("Exported to {path} ({counts}).", path=written.path, counts="; ".join(counts))
    return TextResult("\n".join(filter(None, [text, sentence_list(list(written.remarks))])))


def _count_failed(number: int) -> str:
    return ngettext("{n} failed turn left out", "{n} failed turns left out", number)


def _count_empty(number: int) -> str:
    return ngettext("{n} turn without a reply left out", "{n} turns without a reply left out", number)


@command(argument("file", completer="file", nargs="?", help=_help(f"File to read: {list_formats(IMPORT_FORMATS)}")))
def import_(session: Session, options: Namespace) -> CommandResult:
    """Import conversations written by `export`, `save` or another program, and continue with them."""
    if not options.file:
        raise UsageError(
            _("File missing. Its ending tells the format: {formats}.", formats=list_formats(IMPORT_FORMATS, _))
        )
    found = import_conversations(options.file)
    lines = []
    for conversation in found.conversations:
        session.conversations.add(conversation)
        lines.append(describe(conversation))
    return TextResult("\n".join(filter(None, [*lines, sentence_list(list(found.remarks))])))


def _check_not_own_notebook(session: Session, path: str) -> None:
    """Refuse to overwrite the notebook that the front end has open."""
    own = session.own_notebook()
    if own is not None and _is_same_file(own, path):
        raise UsageError(_("{path} is this notebook. Choose another file name.", path=path))


def _check_not_other_content(path: str, *, is_export: bool) -> None:
    """Refuse to overwrite a file that neither `save` nor, if `is_export`, an export in this format has written."""
    try:
        target = Path(path).expanduser()
        if not target.is_file() or not target.stat().st_size:
            return
    except (OSError, RuntimeError, ValueError):  # no file name: writing it says so
        return
    is_ours = True
    try:
        if is_export:
            is_ours = _is_export(target)
        else:
            load_conversation(target)
    except (UsageError, OSError, ValueError, LookupError, TypeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise UsageError(_("{path} holds something else. Choose another file name, or delete that file.", path=path))


def _is_export(path: Path) -> bool:
    """Tell whether a file looks like an export in the format of its name; raise any error of reading it otherwise."""
    ending, text = path.suffix.lower(), path.read_text("utf-8")
    if ending == ".ipynb":
        return _holds_magics_alone(json.loads(text))
    if ending == ".json":
        return text.strip() == "[]" or bool(import_conversations(path).conversations)
    if ending == ".html":
        return CONTENT_SECURITY_POLICY in text
    return ending != ".md" or (text.startswith("# ") and (text.count("\n") == 1 or _HEADING.search(text) is not None))


def _holds_magics_alone(notebook: Any) -> bool:
    sources = ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    return all(source.startswith("%") for source in sources)


def _is_same_file(one: Path, other: str) -> bool:
    try:
        return one.samefile(Path(other).expanduser())
    except (OSError, RuntimeError, ValueError):  # it doesn't exist, or is no file name
        return False
