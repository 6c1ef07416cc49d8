"""Restores the conversations of a saved notebook."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic_file import read_text
from ..conversation.conversation import Conversation
from ..conversation.history_entry import HistoryEntry, RestoredConversation
from ..errors import RestoreWarning, UsageError
from ..language import _
from ..security.exits import clean_printed
from .cell_binding import bind_cells, is_portable
from .export_common import refuse_constant
from .notebook_cells import CodeCell, TurnOutput, cell_ids, code_cells
from .rebuild import rebuild_conversations
from .restore_remarks import remarks_on


@dataclass(frozen=True)
class RestoredNotebook:
    """The conversations of a notebook."""

    path: Path
    conversations: tuple[RestoredConversation, ...]
    """The one with the latest change last."""
    remarks: tuple[str, ...]
    """What the user should know, a sentence each."""
    cell_ids: frozenset[str]
    """Ids of its cells."""

    def lacks(self, cell_id: str | None) -> bool:
        """Return whether the file lacks a cell that runs: then it is older than the notebook in the front end."""
        return bool(self.cell_ids) and is_portable(cell_id) and cell_id not in self.cell_ids


def restore_notebook(path: str | Path) -> RestoredNotebook:
    """Restore the conversations of a saved notebook. Nothing in it runs.

    Raises:
        UsageError: If the file can't be read, is not a notebook, holds no conversation, or holds a record that is
            damaged or of a later release.
    """
    path = Path(path)
    notebook = _read_json(path)
    try:
        cells = code_cells(notebook)
        conversations = rebuild_conversations(_entries(cells))
    except UsageError as error:
        raise UsageError(f"{path.name}: {error}") from None
    if not conversations:
        raise UsageError(f"{path.name} {_why_nothing(cells)}")
    ids = cell_ids(notebook)
    binding = bind_cells(cells, ids)
    remarks = remarks_on(cells, conversations, binding)
    return RestoredNotebook(path, tuple(map(binding.apply, conversations)), tuple(remarks), frozenset(ids))


def read_conversation(path: str | Path, name: str | None = None) -> Conversation:
    """Read a conversation from the outputs of a saved notebook.

    What is missing, edited or ambiguous is a `RestoreWarning`.

    Args:
        path: The notebook, an .ipynb file.
        name: Name of the conversation; by default the one with the latest change.

    Returns:
        The conversation.

    Raises:
        UsageError: If the file can't be read, holds no conversation, or none of that name.

    Example:
        >>> conversation = read_conversation("talk.ipynb")  # doctest: +SKIP
    """
    notebook = restore_notebook(path)
    for remark in notebook.remarks:
        warnings.warn(clean_printed(remark), RestoreWarning, stacklevel=2)
    known = {one.info.name: one for one in notebook.conversations}
    if name is not None and name not in known:
        raise UsageError(
            _("{path} holds no conversation {name!r}. It holds: {names}.", path=path, name=name, names=", ".join(known))
        )
    return Conversation.from_restored(notebook.conversations[-1] if name is None else known[name])


def find_own_notebook(environment: Mapping[str, str], names: Mapping[str, Any]) -> Path | None:
    """Return the notebook in which this kernel runs; None if the front end doesn't tell.

    Args:
        environment: Environment of the kernel. Jupyter servers set JPY_SESSION_NAME: the path, or in old versions the
            path relative to the server's root.
        names: The user's namespace. VS Code sets ``__vsc_ipynb_file__``; ``_dh[0]`` is the folder of the kernel.
    """
    given = names.get("__vsc_ipynb_file__") or environment.get("JPY_SESSION_NAME")
    if not isinstance(given, str) or not given.endswith(".ipynb"):
        return None
    visited = names.get("_dh")
    folder = Path(str(visited[0])) if isinstance(visited, Sequence) and visited else Path()
    path = Path(given)
    candidates = [path, folder / path.name] if path.is_absolute() else [folder / path.name, folder / path]
    with suppress(OSError, ValueError):
        return next((one for one in candidates if one.is_file()), None)
    return None


def _read_json(path: Path) -> Any:
    text = read_text(path)
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError, MemoryError):
        hint = _(" It holds the marks of an unfinished merge.") if "\n<<<<<<< " in text else ""
        raise UsageError(
            _("{path} is not a notebook: its content is not JSON, or incomplete.{hint}", path=path, hint=hint)
        ) from None


def _entries(cells: Sequence[CodeCell]) -> list[HistoryEntry]:
    """Return the entries of all cells, each turn once: of a copied output, the one that nobody has edited."""
    turns: dict[str, tuple[TurnOutput, CodeCell]] = {}
    others = []
    for cell in cells:
        for output in cell.turn_outputs:
            entry = output.record.entry
            if entry.turn is None:
                others.append(entry)
                continue
            known, first = turns.setdefault(entry.turn.id, (output, cell))
            if known.data != output.data:
                raise UsageError(
                    _(
                        "{first} and {cell} hold the same turn with different content. Clear one.",
                        first=first,
                        cell=cell,
                    )
                )
            if known.is_altered and not output.is_altered:
                turns[entry.turn.id] = output, cell
    entries = [*(output.record.entry for output, _cell in turns.values()), *others]
    return [*entries, *_panel_entries(cells, {entry.serial for entry in entries})]


def _panel_entries(cells: Sequence[CodeCell], known: set[int]) -> Iterator[HistoryEntry]:
    """Yield the entries of panels, without turns that are `known`; of several panels the latest comes first."""
    lists = [[record.entry for record in records] for cell in cells for records in cell.panel_records]
    for entries in sorted(lists, key=lambda one: max((entry.made for entry in one), default=0.0), reverse=True):
        new = [entry for entry in entries if entry.turn is None or entry.serial not in known]
        known |= {entry.serial for entry in new}
        yield from new


def _why_nothing(cells: Sequence[CodeCell]) -> str:
    if any(cell.turn_outputs or cell.panel_records for cell in cells):
        return _("holds no conversation: its prompts were sent outside conversations, or it was deleted.")
    if any(cell.is_chat and cell.has_reply for cell in cells):
        return _(
            "holds replies, but not the metadata of their outputs, in which the turns are: a program such as "
            "nbstripout removed them, or another tool wrote them. Run its %%chat cells again."
        )
    return _("holds no saved turns: its outputs were cleared or never saved. Run its %%chat cells again.")
