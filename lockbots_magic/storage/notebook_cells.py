"""Code cells of a saved notebook, with the records in their outputs. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..conversation.ordering import OrderReader
from ..errors import UsageError
from ..language import _
from ..prompt.magic_line import cell_magic_start
from ..security.control_characters import printable, replace_surrogates
from ..security.links import unlinked
from .output_metadata import KEY, NewerRecordError, OutputRecord, digest, parse_record
from .reply_form import FORMS, place_of, reply_in, with_reply

FORMAT = 4
"""Major version of the notebook format."""
MAX_QUOTED = 40
"""Most characters of a text that a message quotes."""

_CHAT = re.compile(r"\s*%%chat(?:\s|\Z)")
_ASKS_FOR_HELP = re.compile(r"\s*%%chat[^\n]*\s(?:-h|--help)(?:\s|\Z)")


@dataclass(frozen=True, eq=False)
class TurnOutput:
    """An output that holds one record."""

    record: OutputRecord
    data: Any
    """The record as JSON."""
    reply: str
    """The reply as the output shows it now."""

    @property
    def holds_reply(self) -> bool:
        """Whether the record leaves the reply to the output."""
        return place_of(self.data) is not None

    @property
    def is_altered(self) -> bool:
        """Whether the output was edited since."""
        return self.record.shown != digest(self.reply)


@dataclass(frozen=True, eq=False)
class CodeCell:
    """A code cell."""

    number: int
    """Position among all cells, from 1."""
    id: str | None
    source: str
    turn_outputs: tuple[TurnOutput, ...]
    """Outputs with one record: of a turn asked in this cell, or of a command."""
    has_reply: bool
    """True if there is an output other than an error."""
    panel_records: tuple[tuple[OutputRecord, ...], ...] = ()
    """Records of outputs that hold several: of turns not asked in this cell, as in a chat panel."""

    @property
    def is_chat(self) -> bool:
        """Whether the cell is a prompt and nothing else."""
        start = cell_magic_start(self.source)
        return bool(_CHAT.match(self.source, start)) and not _ASKS_FOR_HELP.match(self.source, start)

    def __str__(self) -> str:
        return _("cell {number} ({words})", number=self.number, words=quoted(_first_words(self.source)))


def quoted(text: str) -> str:
    """Return the first words of `text` in quotes, on one line, without control characters and links."""
    line = " ".join(unlinked(printable(replace_surrogates(text))).split())
    return f'"{line if len(line) <= MAX_QUOTED else line[: MAX_QUOTED - 1] + "…"}"'


def code_cells(notebook: Any) -> list[CodeCell]:
    """Return the code cells of a notebook.

    Args:
        notebook: The notebook, parsed from JSON.

    Raises:
        UsageError: If it is not a notebook, or of another format, or a record in it is damaged or of a later release;
            the message names the cell.
    """
    if isinstance(notebook, Mapping) and str(notebook.get("format", "")).startswith("lockbots-"):
        raise UsageError(_("this is a saved conversation, not a notebook. Run `%lockbots load` to read it."))
    if not isinstance(notebook, Mapping) or type(notebook.get("nbformat")) is not int:
        raise UsageError(_("this is not a notebook."))
    if notebook["nbformat"] != FORMAT:
        hint = _("Open it in Jupyter and save it.") if notebook["nbformat"] < FORMAT else _("Update lockbots-magic.")
        raise UsageError(
            _(
                "the notebook has format {given}, this release reads format {known}. {hint}",
                given=str(notebook["nbformat"])[:20],
                known=FORMAT,
                hint=hint,
            )
        )
    if not isinstance(notebook.get("cells"), list):
        raise UsageError(_("the notebook is damaged: it has no list of cells."))
    orders = OrderReader()
    return [_cell(number, cell, orders) for number, cell in enumerate(notebook["cells"], 1) if _is_code(number, cell)]


def cell_ids(notebook: Mapping[str, Any]) -> list[str]:
    """Return the ids of all cells, not only of code cells, with repetitions."""
    return [cell["id"] for cell in notebook["cells"] if isinstance(cell.get("id"), str)]


def _is_code(number: int, cell: Any) -> bool:
    if not isinstance(cell, Mapping):
        raise UsageError(_("the notebook is damaged: cell {number} is not an object.", number=number))
    return cell.get("cell_type") == "code"


def _cell(number: int, cell: Mapping[str, Any], orders: OrderReader) -> CodeCell:
    outputs = cell.get("outputs", [])
    bare = CodeCell(number, _id(cell), _join_lines(cell.get("source")), (), False)
    if not isinstance(outputs, list) or not all(isinstance(output, Mapping) for output in outputs):
        raise UsageError(_("{bare}: its outputs are damaged. Clear them, save, and restore again.", bare=bare))
    shown = any(output.get("output_type") != "error" for output in outputs)
    return replace(
        bare,
        turn_outputs=tuple(_turn_outputs(outputs, bare, orders)),
        has_reply=shown,
        panel_records=tuple(_panel_records(outputs, bare, orders)),
    )


def _id(cell: Mapping[str, Any]) -> str | None:
    return cell["id"] if isinstance(cell.get("id"), str) else None


def _turn_outputs(outputs: Sequence[Mapping[str, Any]], cell: CodeCell, orders: OrderReader) -> Iterator[TurnOutput]:
    for output, kept in _with_metadata(outputs):
        if not _is_several(kept):
            data = output.get("data")
            forms = {kind: _join_lines(data.get(kind)) for kind in FORMS} if isinstance(data, Mapping) else {}
            reply = reply_in(kept, forms)
            yield TurnOutput(_record(with_reply(kept, reply), cell, orders), kept, reply)


def _panel_records(
    outputs: Sequence[Mapping[str, Any]], cell: CodeCell, orders: OrderReader
) -> Iterator[tuple[OutputRecord, ...]]:
    for _output, kept in _with_metadata(outputs):
        if _is_several(kept):
            yield tuple(_record(one, cell, orders) for one in kept)


def _with_metadata(outputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Any]]:
    for output in outputs:
        metadata = output.get("metadata")
        if isinstance(metadata, Mapping) and KEY in metadata:
            yield output, metadata[KEY]


def _is_several(kept: Any) -> bool:
    return isinstance(kept, list) and bool(kept)


def _record(data: Any, cell: CodeCell, orders: OrderReader) -> OutputRecord:
    try:
        return parse_record(data, orders.parse)
    except NewerRecordError as error:
        raise UsageError(_("{cell}: {error}. Update lockbots-magic.", cell=cell, error=error)) from None
    except (ValueError, RecursionError) as error:
        reason = unlinked(printable(str(error)))
        raise UsageError(
            _(
                "{cell}: can't use the metadata of its output, {reason:.200}. Clear the output.",
                cell=cell,
                reason=reason,
            )
        ) from None


def _join_lines(text: Any) -> str:
    """Return a text that a notebook holds as one, or as a list of lines."""
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        return "".join(text)
    return text if isinstance(text, str) else ""


def _first_words(source: str) -> str:
    """Return the text of a cell after the line of the magic."""
    first, _, rest = source.lstrip().partition("\n")
    return rest if _CHAT.match(first) and rest.strip() else first
