"""The cells of a notebook, and the records that their outputs hold. Pure: it takes what JSON says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..security.control_characters import printable
from ..security.links import unlinked
from .output_metadata import KEY, NewerRecordError, Record, parsed

FORMAT = 4
"""The major version of the notebook format."""
FIRST_WORDS = 40
"""Characters of a text that a message quotes."""

_CHAT = re.compile(r"\s*%%chat(?:\s|\Z)")
_ASKS_FOR_HELP = re.compile(r"\s*%%chat[^\n]*\s(?:-h|--help)(?:\s|\Z)")


@dataclass(frozen=True, eq=False)
class Found:
    """A record, and the output that holds it."""

    record: Record
    data: Any
    """The record as it stands there."""
    plain: str
    """The output as plain text."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell of code."""

    number: int
    """Its place among all cells, from 1 on."""
    id: str | None
    source: str
    found: tuple[Found, ...]
    has_reply: bool
    """Whether something was shown that is no error."""
    told: tuple[tuple[Record, ...], ...] = ()
    """What outputs tell that hold several records: turns that were not asked in this cell, as in a chat panel."""

    @property
    def is_chat(self) -> bool:
        """Whether it does nothing but ask."""
        return bool(_CHAT.match(self.source)) and not _ASKS_FOR_HELP.match(self.source)

    def __str__(self) -> str:
        return f"cell {self.number} ({quoted(_words(self.source))})"


def quoted(text: str) -> str:
    """Return the first words of `text`, on one line; nothing in it steers a terminal, or is a link."""
    line = " ".join(unlinked(printable(text)).split())
    return f'"{line if len(line) <= FIRST_WORDS else line[: FIRST_WORDS - 1] + "…"}"'


def cells_of(notebook: Any) -> list[Cell]:
    """Return the cells of code of a notebook, as JSON describes it.

    Raises:
        UsageError: it is no notebook, or of another format, or a record in it is damaged or of a later release; the
            message names the cell.
    """
    if isinstance(notebook, Mapping) and str(notebook.get("format", "")).startswith("lockbots-"):
        raise UsageError("this is a saved conversation, no notebook: %lockbots load  reads it")
    if not isinstance(notebook, Mapping) or type(notebook.get("nbformat")) is not int:
        raise UsageError("this is no notebook")
    if notebook["nbformat"] != FORMAT:
        hint = "open it in Jupyter and save it" if notebook["nbformat"] < FORMAT else "update lockbots-magic"
        raise UsageError(f"it is a notebook of format {notebook['nbformat']}, this release reads {FORMAT}; {hint}")
    if not isinstance(notebook.get("cells"), list):
        raise UsageError("the notebook is damaged: it has no cells")
    return [_cell(number, cell) for number, cell in enumerate(notebook["cells"], 1) if _is_code(number, cell)]


def ids_of(notebook: Mapping[str, Any]) -> list[str]:
    """The ids of all cells, of those that hold no code too; one that stands there twice, twice."""
    return [cell["id"] for cell in notebook["cells"] if isinstance(cell.get("id"), str)]


def _is_code(number: int, cell: Any) -> bool:
    if not isinstance(cell, Mapping):
        raise UsageError(f"the notebook is damaged: cell {number} is none")
    return cell.get("cell_type") == "code"


def _cell(number: int, cell: Mapping[str, Any]) -> Cell:
    outputs = cell.get("outputs", [])
    bare = Cell(number, _id(cell), _joined(cell.get("source")), (), False)
    if not isinstance(outputs, list) or not all(isinstance(output, Mapping) for output in outputs):
        raise UsageError(f"{bare}: its outputs are damaged; clear them, and restore again")
    shown = any(output.get("output_type") != "error" for output in outputs)
    return Cell(bare.number, bare.id, bare.source, tuple(_found(outputs, bare)), shown, tuple(_told(outputs, bare)))


def _id(cell: Mapping[str, Any]) -> str | None:
    return cell["id"] if isinstance(cell.get("id"), str) else None


def _found(outputs: Sequence[Mapping[str, Any]], cell: Cell) -> Iterator[Found]:
    for output, kept in _kept(outputs):
        if not _is_several(kept):
            data = output.get("data")
            plain = _joined(data.get("text/plain")) if isinstance(data, Mapping) else ""
            yield Found(_record(kept, cell), kept, plain)


def _told(outputs: Sequence[Mapping[str, Any]], cell: Cell) -> Iterator[tuple[Record, ...]]:
    for _, kept in _kept(outputs):
        if _is_several(kept):
            yield tuple(_record(one, cell) for one in kept)


def _kept(outputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Any]]:
    for output in outputs:
        metadata = output.get("metadata")
        if isinstance(metadata, Mapping) and KEY in metadata:
            yield output, metadata[KEY]


def _is_several(kept: Any) -> bool:
    return isinstance(kept, list) and bool(kept)


def _record(data: Any, cell: Cell) -> Record:
    try:
        return parsed(data)
    except NewerRecordError as error:
        raise UsageError(f"{cell}: {error}; update lockbots-magic") from None
    except (ValueError, RecursionError) as error:
        why = unlinked(printable(str(error)))
        raise UsageError(f"{cell}: what is saved with its output can't be used, {why:.200}; clear it") from None


def _joined(text: Any) -> str:
    """The text that a notebook holds as one, or as a list of lines."""
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else ""


def _words(source: str) -> str:
    """What a cell says first, behind the line of the magic."""
    first, _, rest = source.lstrip().partition("\n")
    return rest if _CHAT.match(first) and rest.strip() else first
