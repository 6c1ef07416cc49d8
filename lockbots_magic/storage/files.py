"""Conversations in files: save and load, export and import. The ending of a file name decides its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ..atomic_file import read_text, write_text
from ..conversation.conversation import Conversation
from ..conversation.saved_form import FORMAT
from ..errors import UsageError
from ..language import N_, _
from ..security.exits import clean_text_file
from . import export_cells, export_common, export_document, export_notebook, openai_messages
from .export_common import dump_json, parse_json, without_secrets
from .foreign_remarks import foreign_remarks
from .openai_messages import from_messages
from .restore import restore_notebook


@dataclass(frozen=True)
class ExportFormat:
    """A format for export."""

    description: str
    holds_all: bool
    """True if it also holds turns that are not part of the context: failed ones, and those without a reply."""

    def __str__(self) -> str:
        return self.description


EXPORT_FORMATS: Mapping[str, ExportFormat] = MappingProxyType(
    {
        ".md": ExportFormat("Markdown", holds_all=True),
        ".html": ExportFormat(N_("web page"), holds_all=True),
        ".ipynb": ExportFormat(N_("notebook of %%chat cells"), holds_all=False),
        ".json": ExportFormat(N_("OpenAI messages"), holds_all=False),
    }
)
"""Formats of `export_conversation`, by the ending of the file name."""
IMPORT_FORMATS: Mapping[str, str] = MappingProxyType(
    {".ipynb": N_("notebook with %%chat cells"), ".json": N_("OpenAI messages, or a file from %lockbots save")}
)
"""Formats of `import_conversations`, by the ending of the file name."""


@dataclass(frozen=True)
class ExportResult:
    """A written file, and what it lacks."""

    path: Path
    turns: int
    """Number of turns in the file."""
    failed: int = 0
    """Number of failed turns left out."""
    empty: int = 0
    """Number of turns without a reply left out."""
    remarks: tuple[str, ...] = ()
    """What the user should know, one line each."""


@dataclass(frozen=True)
class ImportResult:
    """The conversations of a file."""

    conversations: tuple[Conversation, ...]
    """At least one; the last one is to be continued."""
    remarks: tuple[str, ...] = ()
    """What the user should know, one line each."""


def save_conversation(conversation: Conversation, path: str | Path) -> Path:
    """Write a conversation with all details to a JSON file that `load_conversation` reads.

    Returns:
        The expanded path.

    Raises:
        UsageError: If the file can't be written, or a parameter of a turn is not JSON.
    """
    return write_text(path, dump_json(without_secrets(conversation).to_dict()))


def load_conversation(path: str | Path) -> Conversation:
    """Read a conversation that `save_conversation` wrote.

    Raises:
        UsageError: If the file can't be read or holds something else.
    """
    text = read_text(path)
    try:
        return Conversation.from_dict(parse_json(text))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def remarks_on_file(conversation: Conversation) -> tuple[str, ...]:
    """Return what the user should know of a conversation that a file brought, a sentence each."""
    return tuple(foreign_remarks(conversation.name, conversation.system, conversation.turns))


def export_conversation(conversation: Conversation, path: str | Path) -> ExportResult:
    """Write a conversation for other people or programs, in the format of the file name (`EXPORT_FORMATS`).

    Raises:
        UsageError: If the format is unknown or can't hold a parameter of a turn, or the file can't be written.
    """
    ending = _ending(path, EXPORT_FORMATS, "export")
    clean = without_secrets(conversation)
    written = write_text(path, _exporter(ending)(clean))
    left_out = [] if EXPORT_FORMATS[ending].holds_all else [t for t in clean.turns if not t.in_context]
    failed = sum(t.status == "error" for t in left_out)
    remarks = tuple(_export_remarks(ending, clean))
    return ExportResult(written, len(clean) - len(left_out), failed, len(left_out) - failed, remarks)


def import_conversations(path: str | Path) -> ImportResult:
    """Read conversations from a file (`IMPORT_FORMATS`).

    Raises:
        UsageError: If the file can't be read, or holds something else.
    """
    ending = _ending(path, IMPORT_FORMATS, "import")
    return _import_notebook(path) if ending == ".ipynb" else _import_json(path)


def list_formats(formats: Mapping[str, object], translate: Callable[[str], str] = N_) -> str:
    """Return `EXPORT_FORMATS` or `IMPORT_FORMATS` as text.

    Args:
        formats: One of them.
        translate: Applied to each description; by default they stay English.
    """
    return ", ".join(f"{ending} ({translate(str(description))})" for ending, description in formats.items())


def _ending(path: str | Path, formats: Mapping[str, object], command: str) -> str:
    ending = Path(path).suffix.lower()
    if ending not in formats:
        unknown = (
            _("Unknown file name ending {ending!r}.", ending=ending) if ending else _("The file name has no ending.")
        )
        raise UsageError(
            _(
                "{unknown} `%lockbots {command}` supports: {formats}.",
                unknown=unknown,
                command=command,
                formats=list_formats(formats, _),
            )
        )
    return ending


def _exporter(ending: str) -> Callable[[Conversation], str]:
    return {
        ".md": lambda conversation: clean_text_file(export_document.to_markdown(conversation)),
        ".html": lambda conversation: clean_text_file(export_document.to_html(conversation), is_html=True),
        ".ipynb": export_notebook.to_notebook,
        ".json": openai_messages.to_messages,
    }[ending]


def _export_remarks(ending: str, conversation: Conversation) -> Iterable[str]:
    if ending == ".ipynb":
        return export_cells.remarks_on(export_common.context_turns(conversation))
    return openai_messages.remarks_on(conversation) if ending == ".json" else ()


def _import_json(path: str | Path) -> ImportResult:
    text = read_text(path)
    remarks: tuple[str, ...] = ()
    try:
        data = parse_json(text)
        if isinstance(data, dict) and data.get("format") == FORMAT:
            conversation = Conversation.from_dict(data)
        else:
            conversation, remarks = from_messages(data, Path(path).stem)
        return ImportResult((conversation,), (*remarks, *remarks_on_file(conversation)))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _import_notebook(path: str | Path) -> ImportResult:
    """Return copies of its conversations: the cells of another notebook own no turns here."""
    notebook = restore_notebook(path)
    copies = [
        Conversation(one.info.name, system=one.info.system, turns=[replace(t, cell_id=None) for t in one.turns])
        for one in notebook.conversations
    ]
    return ImportResult(tuple(copies), notebook.remarks)
