"""Conversations as files: which form, the ending of the name says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ..atomic_file import read_text, write_text
from ..conversation.conversation import Conversation
from ..errors import UsageError


@dataclass(frozen=True)
class Form:
    """One form of a conversation in a file."""

    what: str
    """A few words."""
    whole: bool
    """Whether it shows turns that no model is told of: those that failed, or have no reply."""

    def __str__(self) -> str:
        return self.what


EXPORTS: Mapping[str, Form] = MappingProxyType(
    {
        ".md": Form("Markdown, to read anywhere", whole=True),
        ".html": Form("a page for the browser", whole=True),
        ".ipynb": Form("a notebook of %%chat cells", whole=False),
        ".json": Form("messages as OpenAI has them", whole=False),
    }
)
"""What `write` writes, by the ending."""
IMPORTS: Mapping[str, str] = MappingProxyType(
    {".ipynb": "a notebook with %%chat cells", ".json": "messages as OpenAI has them, or what %lockbots save wrote"}
)
"""What `read` reads, by the ending."""


@dataclass(frozen=True)
class Written:
    """What has become of a conversation."""

    path: Path
    turns: int
    """How many turns stand in the file."""
    failed: int = 0
    """How many turns were left out because they failed."""
    empty: int = 0
    """How many were left out because they have no reply."""
    remarks: tuple[str, ...] = ()
    """What the reader should know, a line each."""


@dataclass(frozen=True)
class Found:
    """What a file holds."""

    conversations: tuple[Conversation, ...]
    """At least one; the last is the one to go on with."""
    remarks: tuple[str, ...] = ()
    """What the reader should know, a line each."""


def save(conversation: Conversation, path: str | Path) -> Path:
    """Write all that is known of `conversation`, as JSON, and return where.

    Raises:
        UsageError: the file can't be written, or a parameter of a turn is no JSON.
    """
    from . import export_common as turns  # noqa: PLC0415  # as above
    from . import native_json as saved  # noqa: PLC0415  # few read and write files; %load_ext does not wait for them

    return write_text(path, saved.text(turns.without_secrets(conversation)))


def load(path: str | Path) -> Conversation:
    """Read a conversation that `save` wrote.

    Raises:
        UsageError: the file can't be read, or holds something else.
    """
    from . import native_json as saved  # noqa: PLC0415  # as above

    text = read_text(path)
    try:
        return saved.conversation_of(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def write(conversation: Conversation, path: str | Path) -> Written:
    """Write `conversation` for others, in the form that the ending of `path` asks for (see `EXPORTS`).

    Raises:
        UsageError: there is no such form, it can't hold a parameter of a turn, or the file can't be written.
    """
    from . import export_common as turns  # noqa: PLC0415  # as above

    ending = _ending(path, EXPORTS, "%lockbots export writes")
    clean = turns.without_secrets(conversation)
    where = write_text(path, _writer(ending)(clean))
    out = [] if EXPORTS[ending].whole else [t for t in clean.turns if not t.in_context]
    failed = sum(t.status == "error" for t in out)
    return Written(where, len(clean) - len(out), failed, len(out) - failed, tuple(_remarks(ending, clean)))


def read(path: str | Path) -> Found:
    """Read conversations from a file (see `IMPORTS`).

    Raises:
        UsageError: the file can't be read, or holds something else.
    """
    ending = _ending(path, IMPORTS, "%lockbots import reads")
    return _read_notebook(path) if ending == ".ipynb" else _read_json(path)


def listed(endings: Mapping[str, object]) -> str:
    """Return `EXPORTS` or `IMPORTS` in words."""
    return ", ".join(f"{ending} ({what})" for ending, what in endings.items())


def _ending(path: str | Path, known: Mapping[str, object], does: str) -> str:
    ending = Path(path).suffix.lower()
    if ending not in known:
        raise UsageError(f"the name of a file says by its ending what is in it; {does}: {listed(known)}")
    return ending


def _writer(ending: str) -> Callable[[Conversation], str]:
    from . import export_html as page  # noqa: PLC0415  # as above
    from . import export_markdown as markdown  # noqa: PLC0415  # as above
    from . import export_notebook as notebook  # noqa: PLC0415  # as above
    from . import openai_messages as messages  # noqa: PLC0415  # as above

    return {".md": markdown.text, ".html": page.text, ".ipynb": notebook.text, ".json": messages.text}[ending]


def _remarks(ending: str, conversation: Conversation) -> Iterable[str]:
    from . import export_cells as cells  # noqa: PLC0415  # as above
    from . import export_common as turns  # noqa: PLC0415  # as above
    from . import openai_messages as messages  # noqa: PLC0415  # as above

    if ending == ".ipynb":
        return cells.remarks_on(turns.told(conversation))
    return messages.remarks_on(conversation) if ending == ".json" else ()


def _read_json(path: str | Path) -> Found:
    from . import json_file as as_json  # noqa: PLC0415  # as above
    from . import native_json as saved  # noqa: PLC0415  # as above
    from . import openai_messages as messages  # noqa: PLC0415  # as above

    text = read_text(path)
    try:
        data = as_json.value_of(text)
        if saved.is_saved(data):
            return Found((Conversation.from_dict(data),))
        conversation, remarks = messages.conversation_of(data, Path(path).stem)
        return Found((conversation,), remarks)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _read_notebook(path: str | Path) -> Found:
    """Its conversations as copies: the cells of another notebook do not own their turns here."""
    from .restore import restore_notebook  # noqa: PLC0415  # as above

    notebook = restore_notebook(path)
    copies = [
        Conversation(one.info.name, system=one.info.system, turns=[replace(t, cell_id=None) for t in one.turns])
        for one in notebook.conversations
    ]
    return Found(tuple(copies), notebook.remarks)
