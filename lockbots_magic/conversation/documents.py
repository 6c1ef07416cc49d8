"""Documents that go with a prompt as files, and how many of them a service takes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from ..language import _, ngettext
from ..late_dataclass import late_dataclass
from ..late_pattern import late_pattern

PDF = "application/pdf"
DocumentMode = Literal["auto", "native", "text"]
DOCUMENT_MODES: tuple[DocumentMode, ...] = ("auto", "native", "text")
"""How documents are sent: as files where the service takes them, as files or not at all, or as text."""
DIGEST = "sha256:"
"""How the digest of a file begins, where the file itself is not kept."""
MAX_NAME = 200
"""Length (characters) to which the name of a document is cut, in a file."""
MAX_PAGES = 1_000_000

_OFFICE = "application/vnd.openxmlformats-officedocument"
FILE_TYPES = frozenset(
    {
        PDF,
        f"{_OFFICE}.wordprocessingml.document",
        f"{_OFFICE}.spreadsheetml.sheet",
        f"{_OFFICE}.presentationml.presentation",
        "text/html",
    }
)
"""Media types of the files that services take."""
_BASE64 = late_pattern(r"[A-Za-z0-9+/]*={0,2}")


@late_dataclass(frozen=True)
class SentDocument:
    """A document that goes with a prompt as a part of its own.

    Example:
        >>> SentDocument("report.pdf", PDF, "Sales rose.").as_text()
        'Document report.pdf:\\n\\nSales rose.'
    """

    name: str
    """Name of the file, without its folder."""
    media_type: str
    text: str = ""
    """Its text, which goes where the file is not taken; ``""`` if it could not be read."""
    url: str = ""
    """The whole file, ``data:application/pdf;base64,...``; ``sha256:...`` where it was not kept; ``""`` for one of
    which only the text is sent."""
    pages: int | None = None

    @property
    def has_file(self) -> bool:
        """Whether the file itself is at hand."""
        return self.url.startswith("data:")

    @property
    def size(self) -> int:
        """Size (bytes) of the file, about; 0 without one."""
        return (len(self.url) - self.url.find(",") - 1) * 3 // 4 if self.has_file else 0

    @property
    def label(self) -> str:
        """Name, pages and size, such as "report.pdf (12 pages, 1.2 MB)"."""
        pages = [] if self.pages is None else [ngettext("{n:,} page", "{n:,} pages", self.pages)]
        size = (
            _("{megabytes:.1f} MB", megabytes=self.size / 1e6)
            if self.size >= 50_000
            else _("{kilobytes} kB", kilobytes=max(1, round(self.size / 1e3)))
        )
        parts = [*pages, size if self.has_file else _("its text")]
        return f"{self.name} ({', '.join(parts)})"

    @property
    def digest(self) -> str:
        """What stands for the content where it is not kept."""
        if self.url.startswith(DIGEST):
            return self.url
        return f"{DIGEST}{hashlib.sha256((self.url or self.text).encode('utf-8', 'replace')).hexdigest()}"

    def as_text(self) -> str:
        """Return what a prompt holds in place of the file."""
        return f"Document {self.name}:\n\n{self.text}"

    def without_file(self) -> SentDocument:
        """Return the document with the digest of its file in place of the file."""
        return replace(self, url=self.digest) if self.has_file else self

    def to_dict(self) -> dict[str, Any]:
        """Return the document as JSON; fields at their defaults are left out."""
        return {name: value for name, value in vars(self).items() if value not in ("", None)}

    @classmethod
    def from_dict(cls, data: Any) -> SentDocument:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: If `data` is something else.
        """
        if not isinstance(data, Mapping):
            raise ValueError(_("a document of a turn must be an object, got {data!r:.40}", data=data))
        texts = {name: data.get(name, "") for name in ("name", "media_type", "text", "url")}
        pages = data.get("pages")
        if not all(isinstance(text, str) for text in texts.values()):
            raise ValueError(_("a document of a turn is malformed: {data!r:.60}", data=data))
        if pages is not None and (type(pages) is not int or not 0 <= pages <= MAX_PAGES):
            raise ValueError(_("pages of a document can't be {pages!r:.40}", pages=pages))
        return cls(**{**texts, "name": texts["name"][:MAX_NAME]}, pages=pages)


@late_dataclass(frozen=True)
class DocumentRules:
    """What a service takes of documents."""

    media_types: frozenset[str] = frozenset()
    """Types of files that it takes."""
    takes_text: bool = False
    """Whether a document may also be text with a title."""
    max_data: int = 0
    """Size (characters of base64) of all files and images of one request."""
    max_pages: int | None = None
    """Pages of all documents of one request."""
    insists: bool = False
    """True if the user wants files sent as files: none becomes text."""

    def takes(self, document: SentDocument) -> bool:
        """Whether the service takes a document as a part of its own."""
        return document.media_type in self.media_types if document.has_file else self.takes_text and bool(document.text)


NO_DOCUMENTS = DocumentRules()
"""Of a service that takes text only."""


class DocumentBudget:
    """Counts the files of one request.

    Args:
        rules: What the service takes.
        images: URLs of images that go along.
    """

    def __init__(self, rules: DocumentRules, images: Iterable[str] = ()) -> None:
        self._rules = rules
        self._room = rules.max_data
        self._pages = rules.max_pages
        self.add_images(images)

    def add_images(self, images: Iterable[str]) -> None:
        """Count further images."""
        self._room -= sum(len(url) for url in images if url[:5].lower() == "data:")

    def add(self, document: SentDocument) -> str:
        """Count a document if there is room for it; else return why there is none."""
        room = self._room - len(document.url if document.has_file else "")
        pages = None if self._pages is None else self._pages - (document.pages or 0)
        if room < 0:
            return _(
                "the service takes at most {megabytes} MB of files with one request",
                megabytes=self._rules.max_data * 3 // 4 // 1000000,
            )
        if pages is not None and pages < 0:
            return _("the service takes at most {max_pages} pages with one request", max_pages=self._rules.max_pages)
        self._room, self._pages = room, pages
        return ""


def split_documents(
    documents: Iterable[SentDocument], budget: DocumentBudget, rules: DocumentRules
) -> tuple[tuple[SentDocument, ...], str]:
    """Return the documents that go as parts of their own, and the text of the others."""
    kept: list[SentDocument] = []
    texts: list[str] = []
    for document in documents:
        if rules.takes(document) and not budget.add(document):
            kept.append(document)
        else:
            texts.append(document.as_text())
    return tuple(kept), "\n\n".join(texts)


def checked_document(document: SentDocument) -> SentDocument:
    """Return a document out of a file as it may be sent again: its file only if it is one, of a type services take."""
    head, comma, data = document.url.partition(",")
    is_file = document.media_type in FILE_TYPES and head == f"data:{document.media_type};base64" and bool(comma)
    if not document.url or (is_file and _BASE64.fullmatch(data)):
        return document
    return document if document.url.startswith(DIGEST) else replace(document, url="")
