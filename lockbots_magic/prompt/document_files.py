"""Documents as files of a prompt: which of them go as they are, and which as their text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from pathlib import Path

from ..atomic_file import read_bytes
from ..conversation.documents import PDF, DocumentBudget, DocumentRules, SentDocument, split_documents
from ..errors import UsageError
from ..language import N_, _
from ..security.redaction import redacted
from .documents import MAX_BYTES, Document, MissingLibraryError, media_type_of, read_document, read_whole_text
from .files import file_part
from .part import PromptPart
from .text import to_one_line

LEAVES_OUT = N_("its text was sent, without a credential that it holds")


class DocumentChooser:
    """Chooses how each document of one prompt goes: as the file, or as its text, which is the default.

    The file goes where the service takes files of its type and nothing speaks against it: a selection of pages, a
    credential in its text, or the limits of one request.

    Args:
        rules: What the service takes.
        images: URLs of images that go along.
        is_clean: Tells whether a text may leave this machine as it is.
    """

    def __init__(
        self, rules: DocumentRules, images: Iterable[str] = (), is_clean: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._rules = rules
        self._budget = DocumentBudget(rules, images)
        self._is_clean = is_clean

    def choose(self, path: Path, selection: str = "") -> tuple[SentDocument | None, str]:
        """Return the document that goes as a part of its own, or None, and why not if that is worth a note.

        Args:
            path: The file.
            selection: Pages, slides or sheets; `""` for all.

        Raises:
            UsageError: It can't be read; or the user wants files sent as files, and this one can't be.
        """
        name, media_type = to_one_line(path.name), media_type_of(path)
        as_file = media_type in self._rules.media_types
        if not as_file and not (self._rules.insists and self._rules.takes_text):
            return None, self._refuse(name, _("the service takes no such file")) if self._rules.insists else ""
        if selection:
            return None, self._refuse(name, _("the file holds more than was chosen")) if self._rules.insists else ""
        document = _read(path)
        if not self._may_leave(document.text) or (
            as_file and document.notes and not self._may_leave(read_whole_text(path))
        ):  # a note tells of what is not in the text, but in the file
            return None, f"{name}: {_(LEAVES_OUT)}"
        url = _data_url(path, media_type) if as_file else ""
        sent = SentDocument(name, media_type, document.text, url, document.pages)
        if problem := self._budget.add(sent):
            return None, self._refuse(name, problem) or _(
                "{name}: its text was sent, because {problem}", name=name, problem=problem
            )
        return sent, ""

    def _may_leave(self, text: str) -> bool:
        return redacted(text) == text and self._is_clean(text)

    def _refuse(self, name: str, why: str) -> str:
        """Raise `UsageError` if the user wants the file itself sent; return `""` otherwise."""
        if self._rules.insists:
            raise UsageError(
                _(
                    "{name} can't be sent as a file: {why}. Its text can: `send_documents` = auto or text.",
                    name=name,
                    why=why,
                )
            )
        return ""


def attach_documents(
    prompt: str, documents: Iterable[str | Path | SentDocument], rules: DocumentRules, images: Iterable[str] = ()
) -> tuple[str, tuple[SentDocument, ...], tuple[str, ...]]:
    """Return a prompt with its files: their text before it, the documents apart, and notes on what was cut.

    Args:
        prompt: The prompt.
        documents: Files, as `files.file_part` takes them, and documents of other prompts.
        rules: What the service takes.
        images: URLs of images that go along.

    Raises:
        UsageError: A file can't be read; or the user wants files sent as files, and one can't be.
    """
    images = tuple(images)
    chooser = DocumentChooser(rules, images)
    parts = [
        PromptPart("", documents=(one,)) if isinstance(one, SentDocument) else file_part(one, chooser.choose)
        for one in documents
    ]
    attached = [document for part in parts for document in part.documents]
    kept, text = split_documents(attached, DocumentBudget(rules, images), rules)
    texts = [text, *(part.text for part in parts), prompt]
    return "\n\n".join(filter(None, texts)), kept, tuple(note for part in parts for note in part.notes)


def _read(path: Path) -> Document:
    """Return the text of a document; without it if the library that reads it is missing, as the service reads it."""
    try:
        return read_document(path)
    except MissingLibraryError:
        if media_type_of(path) == PDF and b"%PDF-" not in read_bytes(path, 1024):
            raise UsageError(_("{name} is not a PDF.", name=to_one_line(path.name))) from None
        return Document(path, media_type_of(path), "")


def _data_url(path: Path, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(read_bytes(path, MAX_BYTES)).decode('ascii')}"
