"""`--cells 3-7`: cells of the notebook with their outputs, by the number of their execution."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ..errors import UsageError
from .images import KINDS, LARGEST_TOTAL, image_from, size_of
from .material import Images, Material
from .text import as_shown, begun, fenced, one_line, shortened
from .tracebacks import without_paths
from .values import material_of

LONGEST_SOURCE = 20_000
"""Characters of a cell."""
LONGEST_OUTPUT = 4_000
"""Characters of an output: its beginning and its end."""
MOST_OUTPUTS = 20
"""Outputs of a cell."""
CHARACTERS = 100_000
"""Of all cells together."""
MOST_IMAGES = 8
"""Of all cells together."""

_SELECTION = re.compile(r"\s*(\d{1,9})\s*(?:(-)\s*(\d{1,9})?)?\s*")


class DisplayLog(Protocol):
    """What cells displayed, by the number of their execution."""

    def of(self, cell: int) -> list[Mapping[str, Any]]:
        """Return what a cell displayed: MIME type -> data."""


class CellHistory:
    """The cells that ran in a running IPython, as it remembers them.

    Args:
        shell: the `InteractiveShell`.
        displays: what cells displayed. Without it figures are known only where IPython keeps them.
        running: whether a cell runs, the one that asks: it is left out.
        source: what it runs, ``""`` if that is not known. A cell that runs without becoming history is none of them.
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
        """Return the numbers of the cells there are."""
        return [number for number, source in enumerate(self._inputs) if number and source.strip()]

    def source(self, number: int) -> str:
        """Return the cell as it was typed."""
        return self._inputs[number]

    def outputs(self, number: int) -> Iterator[str | Mapping[str, Any]]:
        """Yield what the cell showed: text as a terminal shows it, or MIME type -> data."""
        kept = getattr(self._history, "outputs", None)
        displays = self._displays.of(number) if self._displays else []
        for output in kept.get(number, ()) if kept is not None else ():
            if output.output_type.endswith("_stream"):
                yield as_shown("".join(output.bundle.get("stream", ())))
            elif output.output_type == "execute_result":
                yield from displays
                displays = []
                yield output.bundle
            elif not displays:
                yield output.bundle
        yield from displays
        if kept is None and number in self._shell.user_ns.get("Out", {}):
            yield {"value": self._shell.user_ns["Out"][number]}
        if error := getattr(self._history, "exceptions", {}).get(number):
            yield without_paths(as_shown("\n".join(error["traceback"])))


def from_cells(selection: str, cells: CellHistory, *, images_before: int = 0) -> Material:
    """Return cells with what they showed.

    Args:
        selection: numbers of cells, such as "3-7", "3,5-6" or "3-", which goes to the last one.
        cells: those there are.
        images_before: how many images the prompt has already: they are counted on.

    Raises:
        UsageError: `selection` is none, or names a cell that is not there; the message says which there are.
    """
    numbers = _selected(selection, cells.numbers())
    images = Images(images_before)
    texts: list[str] = []
    notes: list[str] = []
    for at, number in enumerate(numbers):
        texts.append(_cell(number, cells, images, notes))
        if sum(map(len, texts)) > CHARACTERS:
            texts.pop()
            texts.append(f"[cells {_spans(numbers[at:])} are left out]")
            notes.append(f"cells {_spans(numbers[at:])}: left out, over {CHARACTERS:,} characters")
            break
    return Material("\n\n".join(texts), tuple(images.urls), tuple(notes)).safe()


def _selected(selection: str, there: list[int]) -> list[int]:
    known = set(there)
    chosen: list[int] = []
    for part in selection.split(","):
        span = _SELECTION.fullmatch(part)
        if span is None:
            raise UsageError(f"--cells takes numbers of cells, such as 3-7 or 3,5-6, not {one_line(part, 40)!r}")
        first = int(span[1])
        last = int(span[3]) if span[3] else max(there, default=0) if span[2] else first
        if last < first:
            raise UsageError(f"--cells {one_line(part, 40)}: the first cell comes after the last")
        missing = next((n for n in range(first, last + 1) if n not in known), None)
        if missing is not None:
            is_there = f"there are {_spans(there)}" if there else "none has run yet"
            raise UsageError(f"there is no cell In [{missing}]; {is_there}")
        chosen += range(first, last + 1)
    return [*dict.fromkeys(chosen)]


def _spans(numbers: list[int]) -> str:
    """Numbers as people write them: 1-3, 5."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def _cell(number: int, cells: CellHistory, images: Images, notes: list[str]) -> str:
    source = cells.source(number).strip("\n")
    if len(source) > LONGEST_SOURCE:
        notes.append(f"cell {number}: first {LONGEST_SOURCE:,} characters of {len(source):,}")
        source = begun(source, LONGEST_SOURCE) + "\n[…]"
    language = "" if source.lstrip().startswith(("%%", "!")) else "python"
    parts = [f"In [{number}]:\n{fenced(source, language)}"]
    outputs = [*cells.outputs(number)]
    if len(outputs) > MOST_OUTPUTS:
        notes.append(f"cell {number}: last {MOST_OUTPUTS} outputs of {len(outputs):,}")
    for output in outputs[-MOST_OUTPUTS:]:
        text, images_of = _output(output)
        if images_of and len(images.urls) >= MOST_IMAGES:
            notes.append(f"cell {number}: an image left out, there are {MOST_IMAGES}")
            text, images_of = "[an image]", ()
        if size_of((*images.urls, *images_of)) > LARGEST_TOTAL:
            notes.append(f"cell {number}: an image left out, over {LARGEST_TOTAL // 1_000_000} MB of images")
            text, images_of = "[an image]", ()
        if len(text) > LONGEST_OUTPUT:
            notes.append(f"cell {number}: {LONGEST_OUTPUT:,} characters of an output of {len(text):,}")
        shown = images.marked(images_of) if images_of else shortened(text, LONGEST_OUTPUT)
        if shown.strip():
            parts.append(f"Out [{number}]:\n{shown if images_of or _is_markdown(output) else fenced(shown)}")
    return "\n".join(parts)


def _is_markdown(output: str | Mapping[str, Any]) -> bool:
    return not isinstance(output, str) and ("text/markdown" in output or "value" in output)


def _output(output: str | Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text of an output, or its picture."""
    if isinstance(output, str):
        return output, ()
    if "value" in output:
        material = material_of(output["value"])
        return material.text, material.images
    for kind in KINDS:
        if data := output.get(f"image/{kind}"):
            return _image(data)
    for kind in ("text/markdown", "text/plain", "text/latex"):
        if kind in output:
            return as_shown(_joined(output[kind])), ()
    return "", ()  # nothing that a model can read, such as a page's own form of it


def _image(data: Any) -> tuple[str, tuple[str, ...]]:
    """A picture in bytes or base64; one that can't be sent is no reason to send nothing."""
    try:
        return "", (image_from(data if isinstance(data, bytes) else base64.b64decode(_joined(data))),)
    except ValueError:  # a UsageError, or what is no base64
        return "[an image that can't be sent]", ()


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list | tuple) else str(text)
