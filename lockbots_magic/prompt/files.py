"""`--file`: text files, notebooks and documents as parts of a prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from ..atomic_file import read_bytes
from ..conversation.documents import SentDocument
from ..errors import UsageError
from ..language import _
from ..security.pictures import picture_kind
from .documents import is_document, read_document, split_selection
from .local_files import decode_text, find_file, language_of
from .part import PromptPart
from .text import fence_code, to_one_line, truncate

MAX_LENGTH = 100_000
"""Characters of a file."""
MAX_NOTEBOOK_BYTES = 100_000_000
"""Bytes of a notebook, which is read whole."""
_BYTES = 4 * MAX_LENGTH + 4
"""Bytes for that many characters in any encoding, with a byte order mark."""


Chooser: TypeAlias = Callable[[Path, str], tuple[SentDocument | None, str]]
"""Says of a document and the selection of its pages how it goes, see `DocumentChooser.choose`."""


def as_text(path: Path, selection: str) -> tuple[SentDocument | None, str]:
    """Have a document go as its text."""
    return None, ""


def file_part(path: str | Path, choose: Chooser = as_text) -> PromptPart:
    """Convert a file: its name without the folder, and its text as a fenced block.

    A notebook becomes the Markdown and the code of its cells, without outputs; a PDF, Word, Excel, PowerPoint, HTML or
    Parquet file its text.

    Args:
        path: The file; `~` stands for the home directory. Pages, slides or sheets of a document follow a `#`:
            `report.pdf#3-5`, `book.xlsx#Sheet1`.
        choose: Says whether a document goes as the file, see `DocumentChooser.choose`; by default it goes as its text.

    Raises:
        UsageError: The file does not exist, can't be read, or is not text; the message says what to do.
    """
    path, selection = split_selection(path)
    file = find_file(path, _("`--file` takes a text file, a notebook or a document."))
    name = to_one_line(file.name)
    if is_document(file):
        sent, note = choose(file, selection)
        if sent:
            return PromptPart("", documents=(sent,))
        document = read_document(file, selection)
        title = f"{name} ({to_one_line(selection)})" if selection else name
        notes = (*([note] if note else []), *document.notes)
        return PromptPart(f"Document {title}:\n\n{document.text}", notes=notes).without_hidden_text(name).redact()
    if file.suffix.lower() == ".ipynb":
        cells = _convert_cells(_read_bytes(file, MAX_NOTEBOOK_BYTES), name)
        cut, notes = _limit_text(cells, name, len(cells))
        return PromptPart(f"Notebook {name}:\n\n{cut}", notes=notes).without_hidden_text(name).redact()
    text, encoding, is_whole = _read_text(file, name)
    cut, notes = _limit_text(text, name, len(text) if is_whole else None)
    if not encoding.startswith("utf"):
        notes = (*notes, _("{name}: read as {encoding} because it is not UTF-8", name=name, encoding=encoding))
    return (
        PromptPart(f"File {name}:\n{fence_code(cut, language_of(file))}", notes=notes)
        .without_hidden_text(name)
        .redact()
    )


def read_text(path: Path) -> str:
    """Return the whole text of a file.

    Raises:
        UsageError: The file can't be read, is not text, or is too long.
    """
    text, _unused, is_whole = _read_text(path, to_one_line(path.name))
    if not is_whole or len(text) > MAX_LENGTH:
        raise UsageError(
            _(
                "{name} is too long. The limit is {max_length:,} characters.",
                name=to_one_line(path.name),
                max_length=MAX_LENGTH,
            )
        )
    return text


def _read_text(file: Path, name: str) -> tuple[str, str, bool]:
    """Return the text, its encoding, and whether it is the whole file; the rest is beyond the limit."""
    data = _read_bytes(file, _BYTES)
    is_whole = len(data) <= _BYTES
    found = decode_text(data[:_BYTES], is_whole=is_whole)
    if found is None:
        hint = (
            _("It is an image: use `--image {name}`.", name=name) if picture_kind(data) else _("Only text can be sent.")
        )
        raise UsageError(_("{name} is not a text file. {hint}", name=name, hint=hint))
    text, encoding = found
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding, is_whole


def _read_bytes(file: Path, most: int) -> bytes:
    """Return the first `most` bytes, and one more if there are more."""
    try:
        return read_bytes(file, most + 1)
    except OSError as error:
        raise UsageError(
            _("Can't read {name}: {strerror}.", name=to_one_line(file.name), strerror=error.strerror)
        ) from error


def _limit_text(text: str, name: str, length: int | None) -> tuple[str, tuple[str, ...]]:
    if len(text) <= MAX_LENGTH and length is not None:
        return text, ()
    if length is None:
        note = _("{name}: only the first {max_length:,} characters were sent", name=name, max_length=MAX_LENGTH)
    else:
        note = _(
            "{name}: only the first {max_length:,} of {length:,} characters were sent",
            name=name,
            max_length=MAX_LENGTH,
            length=length,
        )
    return f"{truncate(text, MAX_LENGTH)}\n[… the file goes on]", (note,)


def _convert_cells(data: bytes, name: str) -> str:
    if len(data) > MAX_NOTEBOOK_BYTES:
        raise UsageError(_("{name} is too large. Clear its outputs.", name=name))
    try:
        notebook = json.loads(data)
        language = _notebook_language(notebook.get("metadata", {}))
        return "\n\n".join(_convert_cell(cell, language) for cell in notebook["cells"])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            _("{name} is not a notebook, or has an old format. Open it in Jupyter and save it.", name=name)
        ) from error


def _notebook_language(metadata: Any) -> str:
    language = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    return language if isinstance(language, str) and re.fullmatch(r"[\w+#.-]{1,20}", language) else "python"


def _convert_cell(cell: Any, language: str) -> str:
    source = "".join(cell["source"])
    return fence_code(source, language) if cell["cell_type"] == "code" else source
