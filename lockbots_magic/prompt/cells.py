"""`--cells 3-7`: cells of the notebook with their outputs, by execution number."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ..errors import UsageError
from ..language import _
from .images import MAX_TOTAL_BYTES, image_bytes
from .mime import bundle_part
from .part import ImageNumbering, PromptPart
from .text import (
    clean_terminal_output,
    fence_code,
    to_one_line,
    truncate,
    truncate_middle,
    without_run_details,
)
from .tracebacks import strip_paths
from .values import value_part

MAX_SOURCE_LENGTH = 20_000
"""Characters of a cell."""
MAX_OUTPUT_LENGTH = 4_000
"""Characters of an output, half from each end."""
MAX_OUTPUTS = 20
"""Outputs of a cell."""
MAX_LENGTH = 100_000
"""Characters of all cells together."""
MAX_IMAGES = 8
"""Images of all cells together."""

_GROUP = "Exception Group Traceback (most recent call last)"  # IPython prints it, besides storing it
_SELECTION = re.compile(r"\s*(\d{1,9})\s*(?:([-‐‑–—−])\s*(\d{1,9})?)?\s*")  # dashes as pasted


class DisplayLog(Protocol):
    """Displayed data of cells, by execution number."""

    def of(self, cell: int) -> list[tuple[int, Mapping[str, Any]]]:
        """Return what a cell displayed: how many pieces were printed before it, and its data by MIME type."""

    def cleared(self, cell: int) -> int:
        """Return how many of the pieces that a cell printed were cleared."""


class CellHistory:
    """The executed cells of a running IPython, from its history.

    Args:
        shell: The `InteractiveShell`.
        displays: Displayed data of cells. Without it, figures are known only if IPython keeps them.
        running: Whether a cell is running; it is left out.
        source: Source of the running cell, ``""`` if it is unknown. A cell run without history is not in the history.
    """

    def __init__(
        self, shell: Any, displays: DisplayLog | None = None, *, running: bool = True, source: str = ""
    ) -> None:
        self._shell = shell
        self._history = shell.history_manager
        self._displays = displays
        inputs = self._history.input_hist_raw
        is_last = running and (not source or inputs[-1:] == [source.rstrip("\n")])
        self._inputs: list[str] = inputs[:-1] if is_last else inputs[:]

    def numbers(self) -> list[int]:
        """Return the execution numbers of the cells."""
        return [number for number, source in enumerate(self._inputs) if number and source.strip()]

    def source(self, number: int) -> str:
        """Return the source of a cell as it was typed."""
        return self._inputs[number]

    def outputs(self, number: int) -> Iterator[str | Mapping[str, Any]]:
        """Yield the outputs of a cell: text as a terminal shows it, or a mapping of MIME type to data."""
        kept = getattr(self._history, "outputs", None)
        displays = self._displays.of(number) if self._displays else []
        cleared = self._displays.cleared(number) if self._displays else 0
        is_printed = False
        for output in _in_order(kept.get(number, ()) if kept is not None else (), displays, cleared):
            if not isinstance(output, str):
                yield output
                continue
            text = clean_terminal_output(output)
            is_printed |= _GROUP in text
            yield strip_paths(text) if _GROUP in text else text
        if kept is None and number in self._shell.user_ns.get("Out", {}):
            yield {"value": self._shell.user_ns["Out"][number]}
        error = getattr(self._history, "exceptions", {}).get(number)
        if error and not is_printed:
            yield strip_paths(clean_terminal_output("\n".join(error["traceback"])))


def _in_order(
    kept: Iterable[Any], displays: Sequence[tuple[int, Mapping[str, Any]]], cleared: int
) -> Iterator[str | Mapping[str, Any]]:
    """Yield the outputs of a cell in order: printed text, with the displays between its pieces, and the result.

    Args:
        kept: What IPython keeps: pieces of printed text, a result, and displays, unless there is a record of these.
        displays: The record, see `DisplayLog.of`.
        cleared: Number of pieces that are left out.
    """
    waiting, at = deque(displays), 0
    for output in kept:
        is_text = output.output_type.endswith("_stream")
        text: list[str] = []
        for piece in output.bundle.get("stream", ()) if is_text else (output.bundle,):
            if waiting and waiting[0][0] <= at:
                yield from ["".join(text)] if text else []
                text = []
            while waiting and waiting[0][0] <= at:
                yield waiting.popleft()[1]
            if at >= cleared and is_text:
                text.append(piece)
            elif at >= cleared and (output.output_type == "execute_result" or not displays):
                yield piece
            at += 1
        if text:
            yield "".join(text)
    yield from (bundle for _place, bundle in waiting)


def cells_part(selection: str, cells: CellHistory, *, images_before: int = 0) -> PromptPart:
    """Convert cells with their outputs.

    Args:
        selection: Execution numbers, such as "3-7", "3,5-6" or "3-" (up to the last cell).
        cells: The executed cells.
        images_before: Number of images that come first in the prompt.

    Raises:
        UsageError: `selection` is invalid, or names a missing cell; the message lists the cells there are.
    """
    numbers = _parse_selection(selection, cells.numbers())
    images = ImageNumbering(images_before)
    texts: list[str] = []
    notes: list[str] = []
    for at, number in enumerate(numbers):
        texts.append(_convert_cell(number, cells, images, notes))
        if sum(map(len, texts)) > MAX_LENGTH:
            texts.pop()
            texts.append(f"[cells {_format_numbers(numbers[at:])} are left out]")
            notes.append(
                _(
                    "cells {cells}: left out, more than {max_length:,} characters",
                    cells=_format_numbers(numbers[at:]),
                    max_length=MAX_LENGTH,
                )
            )
            break
    return PromptPart("\n\n".join(texts), tuple(images.urls), tuple(notes)).redact()


def _parse_selection(selection: str, existing: list[int]) -> list[int]:
    known = set(existing)
    chosen: list[int] = []
    for part in selection.split(","):
        span = _SELECTION.fullmatch(part)
        if span is None:
            raise UsageError(
                _(
                    "Invalid `--cells`: expected cell numbers such as 3-7 or 3,5-6, got {part!r}.",
                    part=to_one_line(part, 40),
                )
            )
        first = int(span[1])
        last = int(span[3]) if span[3] else max(existing, default=0) if span[2] else first
        if last < first:
            raise UsageError(
                _("Invalid `--cells {part}`: the first number is greater than the last.", part=to_one_line(part, 40))
            )
        missing = next((n for n in range(first, last + 1) if n not in known), None)
        if missing is not None:
            hint = (
                _("Cells with a number: {cells}.", cells=_format_numbers(existing))
                if existing
                else _("No cell has run yet.")
            )
            raise UsageError(_("There is no cell In [{missing}]. {hint}", missing=missing, hint=hint))
        chosen += range(first, last + 1)
    return [*dict.fromkeys(chosen)]


def _format_numbers(numbers: list[int]) -> str:
    """Format numbers as ranges: 1-3, 5."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def _convert_cell(number: int, cells: CellHistory, images: ImageNumbering, notes: list[str]) -> str:
    source = cells.source(number).strip("\n")
    if len(source) > MAX_SOURCE_LENGTH:
        notes.append(
            _(
                "cell {number}: only the first {max_source_length:,} of {n:,} characters were sent",
                number=number,
                max_source_length=MAX_SOURCE_LENGTH,
                n=len(source),
            )
        )
        source = truncate(source, MAX_SOURCE_LENGTH) + "\n[…]"
    language = "" if source.lstrip().startswith(("%%", "!")) else "python"
    parts = [f"In [{number}]:\n{fence_code(source, language)}"]
    outputs = [*cells.outputs(number)]
    if len(outputs) > MAX_OUTPUTS:
        notes.append(
            _(
                "cell {number}: only the last {max_outputs} of {n:,} outputs were sent",
                number=number,
                max_outputs=MAX_OUTPUTS,
                n=len(outputs),
            )
        )
    for output in outputs[-MAX_OUTPUTS:]:
        part = _convert_output(output)
        text, images_of = part.text, part.images
        notes += part.label_notes(_("cell {number}", number=number)).notes
        if images_of and len(images.urls) >= MAX_IMAGES:
            notes.append(
                _("cell {number}: image left out, more than {max_images} images", number=number, max_images=MAX_IMAGES)
            )
            text, images_of = "[an image]", ()
        if image_bytes((*images.urls, *images_of)) > MAX_TOTAL_BYTES:
            notes.append(
                _(
                    "cell {number}: image left out, more than {megabytes} MB of images",
                    number=number,
                    megabytes=MAX_TOTAL_BYTES // 1000000,
                )
            )
            text, images_of = "[an image]", ()
        if len(text) > MAX_OUTPUT_LENGTH:
            notes.append(
                _(
                    "cell {number}: only {max_output_length:,} of {n:,} characters of an output were sent",
                    number=number,
                    max_output_length=MAX_OUTPUT_LENGTH,
                    n=len(text),
                )
            )
        shown = images.add(images_of) if images_of else truncate_middle(text, MAX_OUTPUT_LENGTH)
        if shown.strip():
            parts.append(f"Out [{number}]:\n{shown if images_of or _needs_no_fence(output) else fence_code(shown)}")
    return "\n".join(parts)


def _needs_no_fence(output: str | Mapping[str, Any]) -> bool:
    """Whether the text of an output is Markdown: tables are, too."""
    return not isinstance(output, str) and ("text/markdown" in output or "value" in output)


def _convert_output(output: str | Mapping[str, Any]) -> PromptPart:
    if isinstance(output, str):
        return PromptPart(without_run_details(output))
    return value_part(output["value"]) if "value" in output else bundle_part(output)
