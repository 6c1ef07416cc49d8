"""Documents as text: PDF, Word, Excel, PowerPoint, HTML and Parquet, by the libraries of the extra `documents`."""

from __future__ import annotations

import importlib
import logging
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..atomic_file import read_bytes
from ..conversation.documents import PDF
from ..errors import UsageError
from ..language import N_, _
from .data_frames import parquet_part
from .html_text import html_text
from .local_files import decode_text
from .office import read_slides, read_word
from .sheets import read_sheets
from .text import to_one_line, truncate

MAX_LENGTH = 100_000
"""Characters of a document's text."""
MAX_BYTES = 100_000_000
"""Bytes of a document, and of a PDF or an HTML page that is read whole."""
MAX_UNPACKED_BYTES = 500_000_000
"""Bytes of an office document when unpacked: it is a zip archive, which may be small and hold much."""


_QUIET = logging.NullHandler()
"""Keeps warnings of readers, which quote the document, off the notebook, unless the user has set up logging."""


class MissingLibraryError(UsageError):
    """The library that reads a document is not installed."""


class DocumentSection(NamedTuple):
    """A part of a document that can be chosen: a page, a sheet, a slide, or all of it."""

    title: str
    """Such as "page 3"; `""` if the document has no parts."""
    text: str
    notes: tuple[str, ...] = ()
    label: str = ""
    """The title in notes, for people."""


@dataclass(frozen=True)
class Document:
    """The text of a document, and what was left out of it."""

    path: Path
    media_type: str
    text: str
    notes: tuple[str, ...] = ()
    selection: str = ""
    """What was chosen of it, such as "3-5"; the file holds more."""
    pages: int | None = None
    """Pages of the file, if it has pages that can be counted."""


class _Format(NamedTuple):
    """How documents of one format are read."""

    media_type: str
    library: str
    package: str
    """What installs the library."""
    read: Callable[[Any, Path, str], Iterable[DocumentSection]]
    """Takes the library, the file and the selection."""


_OLD = {".doc": "Word (.docx)", ".xls": "Excel (.xlsx)", ".ppt": "PowerPoint (.pptx)", ".odt": "Word (.docx)",
        ".rtf": "Word (.docx)", ".ods": "Excel (.xlsx)", ".odp": "PowerPoint (.pptx)", ".epub": "PDF"}  # fmt: skip


def is_document(path: Path) -> bool:
    """Whether the suffix is one of a document that is read here, or of an older format that is refused here."""
    return path.suffix.lower() in _FORMATS or path.suffix.lower() in _OLD


def media_type_of(path: Path) -> str:
    """Return the media type of a document that is read here; `""` for any other file."""
    kind = _FORMATS.get(path.suffix.lower())
    return kind.media_type if kind else ""


def split_selection(path: str | Path) -> tuple[str | Path, str]:
    """Split "report.pdf#3-5" into the path and the selection; a file of that very name comes first.

    Example:
        >>> split_selection("report.pdf#3-5"), split_selection("a#b.txt")
        (('report.pdf', '3-5'), ('a#b.txt', ''))
    """
    before, mark, selection = str(path).rpartition("#")
    if not mark or not is_document(Path(before)) or Path(path).expanduser().exists():
        return path, ""
    return before, selection.strip()


def read_document(path: Path, selection: str = "") -> Document:
    """Read the text of a document, up to `MAX_LENGTH`.

    Args:
        path: The file; see `is_document`.
        selection: Pages or slides such as "3-5,8", names of sheets such as "Sheet1", `""` for all.

    Raises:
        UsageError: It can't be read, or has no such part; a library is missing; the message says what to do.
    """
    name, suffix = to_one_line(path.name), path.suffix.lower()
    if suffix in _OLD:
        raise UsageError(
            _("{name} has an old format that can't be read. Save it as {old}.", name=name, old=_OLD[suffix])
        )
    kind = _FORMATS[suffix]
    _check_size(path, name)
    library = _load(kind, name)
    with _errors_of_readers(path):
        text, notes = _collect(kind.read(library, path, selection), name)
    pages = len(library.PdfReader(path).pages) if kind.media_type == PDF else None
    return Document(path, kind.media_type, text, notes, selection, pages)


def read_whole_text(path: Path) -> str:
    """Return all text of a document, however long, to search in it: of HTML the source, which holds more than is seen.

    Raises:
        UsageError: As for `read_document`.
    """
    name, kind = to_one_line(path.name), _FORMATS[path.suffix.lower()]
    if not kind.library:
        found = decode_text(read_bytes(path, MAX_BYTES))
        return found[0] if found else ""
    library = _load(kind, name)
    with _errors_of_readers(path):
        return "\n\n".join(section.text for section in kind.read(library, path, ""))


@contextmanager
def _errors_of_readers(path: Path) -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # readers of damaged files raise anything
        said = str(error).replace(str(path), path.name)  # in a panel the folder is a temporary one
        why = to_one_line(f"{type(error).__name__}: {said}", 200).removesuffix(": ")
        name = to_one_line(path.name)
        raise UsageError(
            _("Can't read {name}: it may be damaged, or not what its name says ({why}).", name=name, why=why)
        ) from error


def _collect(sections: Iterable[DocumentSection], name: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of sections up to the limit, and notes: those after it are not read."""
    texts: list[str] = []
    notes: list[str] = []
    length = 0
    for section in sections:
        if length > MAX_LENGTH:
            title = section.label or _("the rest")
            notes.append(_("{name}: {title} and what follows were left out", name=name, title=title))
            break
        texts.append(f"[{section.title}]\n{section.text}" if section.title else section.text)
        notes += [f"{name}: {section.label + ': ' if section.label else ''}{note}" for note in section.notes]
        length += len(texts[-1])
    text = "\n\n".join(texts).strip()
    if len(text) > MAX_LENGTH:
        notes.insert(
            0,
            _(
                "{name}: only the first {max_length:,} characters of its text were sent",
                name=name,
                max_length=MAX_LENGTH,
            ),
        )
        text = f"{truncate(text, MAX_LENGTH)}\n[… the document goes on]"
    if not text.strip():
        notes.append(_("{name}: no text was found; if it is a scan, send its pages as images", name=name))
    return text, tuple(notes)


def _check_size(path: Path, name: str) -> None:
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(entry.file_size for entry in archive.infolist()) * MAX_BYTES // MAX_UNPACKED_BYTES)
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(
            _("Can't read {name}: {error}.", name=name, error=getattr(error, "strerror", None) or error)
        ) from error
    if size > MAX_BYTES:
        raise UsageError(
            _(
                "{name} is too large. The limit is {megabytes} MB: send a part of it.",
                name=name,
                megabytes=MAX_BYTES // 1000000,
            )
        )


def _load(kind: _Format, name: str) -> Any:
    if not kind.library:
        return None
    logging.getLogger(kind.library).addHandler(_QUIET)
    try:
        return importlib.import_module(kind.library)
    except ImportError as error:
        raise MissingLibraryError(
            _(
                "Reading {name} needs {package}: install the extra `documents` of lockbots-magic, or "
                "run `%pip install {package}`.",
                name=name,
                package=kind.package,
            )
        ) from error


_INVALID = {
    "page": N_("Invalid pages {part!r}: expected numbers such as 3 or 3-5."),
    "slide": N_("Invalid slides {part!r}: expected numbers such as 3 or 3-5."),
}
_MISSING = {
    "page": N_("There is no page {part}: there are {count:,}."),
    "slide": N_("There is no slide {part}: there are {count:,}."),
}


def _choose(selection: str, count: int, what: str) -> list[int]:
    """Return the numbers, from 1, of the chosen pages or slides."""
    chosen: list[int] = []
    for part in selection.split(",") if selection else [f"1-{count}"]:
        first, dash, last = (text.strip() for text in part.partition("-"))
        if not first.isdecimal() or not (last.isdecimal() or not last) or len(first + last) > 12:
            raise UsageError(_(_INVALID[what], part=to_one_line(part, 40)))
        begin, end = int(first), int(last) if last else count if dash else int(first)
        if count and not 1 <= begin <= end <= count:
            raise UsageError(_(_MISSING[what], part=to_one_line(part, 40), count=count))
        chosen += range(begin, end + 1) if count else []
    return [*dict.fromkeys(chosen)]


def _refuse_selection(selection: str, kind: str) -> None:
    if selection:
        raise UsageError(
            _(
                "No part can be chosen of {kind}: leave out #{selection}.",
                kind=kind,
                selection=to_one_line(selection, 40),
            )
        )


def _read_pdf(pypdf: Any, path: Path, selection: str) -> Iterator[DocumentSection]:
    reader = pypdf.PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        raise UsageError(_("{name} is encrypted. Save it without a password.", name=to_one_line(path.name)))
    for number in _choose(selection, len(reader.pages), "page"):
        text = reader.pages[number - 1].extract_text().strip()
        yield DocumentSection(
            f"page {number}",
            text,
            () if text else (_("it has no text; if it is a scan, send it as an image"),),
            _("page {number}", number=number),
        )


def _read_slides(pptx: Any, path: Path, selection: str) -> Iterator[DocumentSection]:
    slides = pptx.Presentation(str(path)).slides
    for number in _choose(selection, len(slides), "slide"):
        yield DocumentSection(f"slide {number}", *read_slides(slides[number - 1]), _("slide {number}", number=number))


def _read_word(docx: Any, path: Path, selection: str) -> Iterator[DocumentSection]:
    _refuse_selection(selection, _("a Word document, which has no pages before it is printed"))
    yield DocumentSection("", *read_word(docx.Document(str(path))))


def _read_book(openpyxl: Any, path: Path, selection: str) -> Iterator[DocumentSection]:
    for name, text, notes in read_sheets(openpyxl, path, selection, MAX_LENGTH):
        yield DocumentSection(f"sheet {name}", text, notes, _("sheet {name}", name=name))


def _read_page(_unused: Any, path: Path, selection: str) -> Iterator[DocumentSection]:
    _refuse_selection(selection, _("an HTML page"))
    found = decode_text(read_bytes(path, MAX_BYTES))
    if found is None:
        raise UsageError(_("{name} is not a text file.", name=to_one_line(path.name)))
    note = _("its text was sent; `{{ open('…').read() }}` sends its source")
    yield DocumentSection("", html_text(found[0]), (note,))


def _read_parquet(parquet: Any, path: Path, selection: str) -> Iterator[DocumentSection]:
    _refuse_selection(selection, _("a Parquet file"))
    with parquet.ParquetFile(path) as file:
        part = parquet_part(file)
    yield DocumentSection("", part.text, part.notes)


_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_FORMATS: dict[str, _Format] = {
    ".pdf": _Format(PDF, "pypdf", "pypdf", _read_pdf),
    ".docx": _Format(f"{_OPEN_XML}.wordprocessingml.document", "docx", "python-docx", _read_word),
    ".xlsx": _Format(f"{_OPEN_XML}.spreadsheetml.sheet", "openpyxl", "openpyxl", _read_book),
    ".xlsm": _Format("application/vnd.ms-excel.sheet.macroEnabled.12", "openpyxl", "openpyxl", _read_book),
    ".pptx": _Format(f"{_OPEN_XML}.presentationml.presentation", "pptx", "python-pptx", _read_slides),
    ".html": _Format("text/html", "", "", _read_page),
    ".htm": _Format("text/html", "", "", _read_page),
    ".parquet": _Format("application/vnd.apache.parquet", "pyarrow.parquet", "pyarrow", _read_parquet),
}
