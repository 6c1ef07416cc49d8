"""Images and documents that go with a prompt, as they are given to `Chat`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..conversation.documents import DocumentRules, SentDocument
from ..errors import UsageError
from ..language import _
from ..late_pattern import late_pattern

_URL = late_pattern(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
"""Begin of an address; one letter is a drive of Windows."""


def as_documents(documents: Any) -> list[str | Path | SentDocument]:
    """Return documents as a list; one may be given alone."""
    alone = isinstance(documents, str | Path | SentDocument) or not isinstance(documents, Iterable)
    listed = [documents] if alone else [*documents]
    if wrong := [type(one).__name__ for one in listed if not isinstance(one, str | Path | SentDocument)]:
        raise UsageError(_("A document must be a file or a document of a turn, got {kind}.", kind=wrong[0]))
    return listed


def image_urls(images: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the URLs of images, and notes on what was changed in them; a text without a scheme is a file."""
    if isinstance(images, str | bytes | bytearray | Path) or not isinstance(images, Iterable):
        images = (images,)
    urls: list[str] = []
    notes: list[str] = []
    for image in images:
        if isinstance(image, str) and _URL.match(image):
            urls.append(image)
            continue
        from ..prompt.images import image_part  # noqa: PLC0415  # most prompts have no images

        part = image_part(image)
        urls += part.images
        notes += part.notes
    return tuple(urls), tuple(notes)


def attach(
    prompt: str, documents: Sequence[str | Path | SentDocument], rules: DocumentRules, images: Iterable[str]
) -> tuple[str, tuple[SentDocument, ...], tuple[str, ...]]:
    """Return a prompt with its files, see `attach_documents`."""
    if not documents:
        return prompt, (), ()
    from ..prompt.document_files import attach_documents  # noqa: PLC0415  # most prompts have no files

    return attach_documents(prompt, documents, rules, images)
