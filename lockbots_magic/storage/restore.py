"""Reads saved notebooks. The one module here that touches files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..atomic_file import read_text
from ..conversation.conversation import Conversation
from ..conversation.history_entry import Entry, Past
from ..errors import RestoreWarning, UsageError
from .cell_binding import binding_of, is_portable
from .notebook_cells import Cell, cells_of, ids_of
from .replay import replayed
from .restore_warnings import remarks_on

LARGEST = 500_000_000
"""Bytes of a notebook."""


@dataclass(frozen=True)
class Restored:
    """The conversations of a notebook."""

    path: Path
    pasts: tuple[Past, ...]
    """The one with the latest entry last."""
    remarks: tuple[str, ...]
    """What a person should know, a sentence each."""
    cell_ids: frozenset[str]
    """The ids of its cells."""

    def lacks(self, cell_id: str | None) -> bool:
        """Whether a cell that runs is not in the file: then this is older than what is seen."""
        return bool(self.cell_ids) and is_portable(cell_id) and cell_id not in self.cell_ids


def restored(path: str | Path) -> Restored:
    """Rebuild the conversations of a saved notebook. Its values are only looked at; nothing in it runs.

    Raises:
        UsageError: the file can't be read, is no notebook, holds a record that is damaged or of a later release, or
            holds no conversation.
    """
    path = Path(path)
    notebook = _json(path)
    try:
        cells = cells_of(notebook)
        pasts = replayed(_entries(cells))
    except UsageError as error:
        raise UsageError(f"{path.name}: {error}") from None
    if not pasts:
        raise UsageError(f"{path.name} {_why_nothing(cells)}")
    ids = ids_of(notebook)
    binding = binding_of(cells, ids)
    remarks = remarks_on(cells, pasts, binding)
    return Restored(path, tuple(binding.applied(past) for past in pasts), tuple(remarks), frozenset(ids))


def read_conversation(path: str | Path, name: str | None = None) -> Conversation:
    """Read a conversation from the outputs of a saved notebook.

    What the notebook doesn't tell, or tells against expectation, is a `RestoreWarning`.

    Args:
        path: The notebook, an .ipynb file.
        name: Name of the conversation; by default the one with the latest turn.

    Returns:
        The conversation.

    Raises:
        UsageError: If the file can't be read, holds no conversation, or none of that name.

    Example:
        >>> conversation = read_conversation("talk.ipynb")  # doctest: +SKIP
    """
    notebook = restored(path)
    for remark in notebook.remarks:
        warnings.warn(remark, RestoreWarning, stacklevel=2)
    known = {past.owner.name: past for past in notebook.pasts}
    if name is not None and name not in known:
        raise UsageError(f"{path} holds no conversation {name!r}; it holds: {', '.join(known)}")
    return Conversation.from_past(notebook.pasts[-1] if name is None else known[name])


def own_path(environment: Mapping[str, str], names: Mapping[str, Any]) -> Path | None:
    """Return the notebook in which this kernel runs, as far as its front end tells; None if it does not.

    Args:
        environment: the kernel's. Jupyter servers set JPY_SESSION_NAME: the path, or, in old ones, the path below
            the server's root.
        names: the user's. VS Code sets ``__vsc_ipynb_file__``; ``_dh[0]`` is where the kernel began.
    """
    told = names.get("__vsc_ipynb_file__") or environment.get("JPY_SESSION_NAME")
    if not isinstance(told, str) or not told.endswith(".ipynb"):
        return None
    visited = names.get("_dh")
    began = Path(str(visited[0])) if isinstance(visited, Sequence) and visited else Path()
    path = Path(told)
    places = [path, began / path.name] if path.is_absolute() else [began / path.name, began / path]
    with suppress(OSError, ValueError):
        return next((place for place in places if place.is_file()), None)
    return None


def _json(path: Path) -> Any:
    is_too_large = False
    with suppress(OSError, ValueError, RuntimeError):  # reading tells what is wrong
        is_too_large = path.expanduser().stat().st_size > LARGEST
    if is_too_large:
        raise UsageError(f"{path} is too large for a notebook: more than {LARGEST:,} bytes")
    text = read_text(path)
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        hint = "; it holds marks of a merge that was not finished" if "\n<<<<<<< " in text else ""
        raise UsageError(f"{path} is no notebook: it is not JSON, or not whole{hint}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _entries(cells: Sequence[Cell]) -> list[Entry]:
    """The entries of all cells, each turn once."""
    known: dict[str, tuple[Any, Cell]] = {}
    entries = []
    for cell in cells:
        for found in cell.found:
            entry = found.record.entry
            if entry.turn is not None:
                data, first = known.setdefault(entry.turn.id, (found.data, cell))
                if data is not found.data and data != found.data:
                    raise UsageError(f"{first} and {cell} tell the same turn differently; clear the one that is wrong")
                if data is not found.data:
                    continue
            entries.append(entry)
    return [*entries, *_told_besides(cells, set(known))]


def _told_besides(cells: Sequence[Cell], known: set[str]) -> Iterator[Entry]:
    """The entries that outputs hold together: of turns not yet `known`, as the latest of these outputs tells them."""
    lists = [[record.entry for record in records] for cell in cells for records in cell.told]
    for entries in sorted(lists, key=lambda one: max((entry.made for entry in one), default=0.0), reverse=True):
        new = [entry for entry in entries if entry.turn is None or entry.turn.id not in known]
        known |= {entry.turn.id for entry in new if entry.turn}
        yield from new


def _why_nothing(cells: Sequence[Cell]) -> str:
    if any(cell.found or cell.told for cell in cells):
        return "holds no conversation: what was asked in it was asked outside every conversation, or deleted"
    return "holds no saved turns: its outputs were cleared, or never saved; run its %%chat cells again"
