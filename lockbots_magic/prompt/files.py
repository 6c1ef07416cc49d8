"""`--file`: the text of a file, named and fenced."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .decoding import decoded
from .images import kind_of
from .material import Material
from .paths import file_of
from .text import begun, fenced, one_line

CHARACTERS = 100_000
"""Of a file."""
LARGEST_NOTEBOOK = 100_000_000
"""Bytes of a notebook: it is read whole."""
_BYTES = 4 * CHARACTERS + 4
"""Bytes that hold so many characters in any encoding, with a byte order mark."""

_LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "ts": "typescript", "rs": "rust",
    "rb": "ruby", "sh": "bash", "yml": "yaml", "md": "markdown", "h": "c", "hpp": "cpp", "cc": "cpp", "kt": "kotlin",
    "cs": "csharp", "jl": "julia", "tex": "latex", "htm": "html", "ps1": "powershell", "txt": "", "log": "",
}  # fmt: skip
"""How Markdown calls languages whose files end otherwise."""


def from_file(path: str | Path) -> Material:
    """Return the text of a file: its name without the folder, and a fenced block.

    Of a notebook it is the Markdown and the code of its cells, without outputs.

    Args:
        path: the file; `~` is the user's own folder.

    Raises:
        UsageError: there is no such file, it can't be read, or it holds no text; the message says what to do.
    """
    file = file_of(path, "--file takes a text file")
    name = one_line(file.name)
    if file.suffix.lower() == ".ipynb":
        cells = _cells(_read(file, LARGEST_NOTEBOOK), name)
        cut, notes = _bounded(cells, name, len(cells))
        return Material(f"Notebook {name}:\n\n{cut}", notes=notes).safe()
    text, encoding, is_whole = _text(file, name)
    cut, notes = _bounded(text, name, len(text) if is_whole else None)
    if not encoding.startswith("utf"):
        notes = (*notes, f"{name}: read as {encoding}, since it is no UTF-8")
    return Material(f"File {name}:\n{fenced(cut, _language(file))}", notes=notes).safe()


def text_of(path: Path) -> str:
    """Return the text of a file, all of it.

    Raises:
        UsageError: it can't be read, holds no text, or is too long.
    """
    text, _, is_whole = _text(path, one_line(path.name))
    if not is_whole or len(text) > CHARACTERS:
        raise UsageError(f"{one_line(path.name)} is too long: it may have {CHARACTERS:,} characters")
    return text


def _text(file: Path, name: str) -> tuple[str, str, bool]:
    """The text, its encoding, and whether it is the whole file; what is left of it is beyond what may be shown."""
    data = _read(file, _BYTES)
    is_whole = len(data) <= _BYTES
    found = decoded(data[:_BYTES], is_whole=is_whole)
    if found is None:
        hint = f"it is a picture: --image {name}" if kind_of(data) else "only text can be sent"
        raise UsageError(f"{name} holds no text; {hint}")
    text, encoding = found
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding, is_whole


def _read(file: Path, most: int) -> bytes:
    """The first bytes, one more than `most` if there are more."""
    try:
        with file.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        raise UsageError(f"{one_line(file.name)} can't be read: {error.strerror}") from error


def _bounded(text: str, name: str, length: int | None) -> tuple[str, tuple[str, ...]]:
    if len(text) <= CHARACTERS and length is not None:
        return text, ()
    whole = "more" if length is None else f"{length:,}"
    return f"{begun(text, CHARACTERS)}\n[… the file goes on]", (f"{name}: first {CHARACTERS:,} characters of {whole}",)


def _language(file: Path) -> str:
    suffix = file.suffix[1:].lower()
    return _LANGUAGES.get(suffix, suffix if re.fullmatch(r"[a-z0-9+]{1,10}", suffix) else "")


def _cells(data: bytes, name: str) -> str:
    if len(data) > LARGEST_NOTEBOOK:
        raise UsageError(f"{name} is too large; clear its outputs")
    try:
        notebook = json.loads(data)
        language = _named_language(notebook.get("metadata", {}))
        return "\n\n".join(_cell(cell, language) for cell in notebook["cells"])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{name} is no notebook, or one of an old format; open it in Jupyter and save it") from error


def _named_language(metadata: Any) -> str:
    language = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language")
    return language if isinstance(language, str) and re.fullmatch(r"[\w+#.-]{1,20}", language) else "python"


def _cell(cell: Any, language: str) -> str:
    source = "".join(cell["source"])
    return fenced(source, language) if cell["cell_type"] == "code" else source
