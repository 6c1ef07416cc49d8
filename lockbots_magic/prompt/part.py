"""Parts of a prompt, and the recognition of the values they are made from."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from ..conversation.documents import SentDocument
from ..language import _
from ..late_dataclass import late_dataclass
from ..security.hidden_text import without_hidden_text
from ..security.redaction import redacted


@late_dataclass(frozen=True)
class PromptPart:
    """Text, images and documents for a prompt, and notes about what was left out of them."""

    text: str
    images: tuple[str, ...] = ()
    """URLs: `data:image/png;base64,...`, or addresses on the web."""
    notes: tuple[str, ...] = ()
    """Notes for the user, one line each, such as "df: only 40 of 344 rows were sent (first and last 20)"."""
    documents: tuple[SentDocument, ...] = ()
    """Documents that go as parts of their own; their text is not in `text`."""

    def label_notes(self, name: str) -> PromptPart:
        """Return this part with notes that start with `name`."""
        return replace(self, notes=tuple(f"{name}: {note}" for note in self.notes))

    def redact(self) -> PromptPart:
        """Return this part without credentials in use; a note says so if there were any."""
        text = redacted(self.text)
        if text == self.text:
            return self
        return replace(self, text=text, notes=(*self.notes, _("a credential was removed")))

    def without_hidden_text(self, name: str) -> PromptPart:
        """Return this part without text that nobody sees and a model reads; a note says so if there was any.

        Args:
            name: What the foreign text is called in the note.
        """
        text = without_hidden_text(self.text)
        if text == self.text:
            return self
        hidden = len(self.text) - len(text)
        note = _("{name}: {n:,} invisible characters, which may be instructions, were left out", name=name, n=hidden)
        return replace(self, text=text, notes=(*self.notes, note))


class ImageNumbering:
    """Numbers the images of a prompt, so that its text can refer to each.

    Args:
        before: Number of images that come first in the prompt.
    """

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self.urls: list[str] = []

    def add(self, urls: tuple[str, ...]) -> str:
        """Add `urls`; return the references that stand for them in the text: `[image 1] [image 2]`."""
        first = self._before + len(self.urls) + 1
        self.urls += urls
        return " ".join(f"[image {number}]" for number in range(first, first + len(urls)))


def is_instance_of(value: Any, *kinds: str) -> bool:
    """Whether `value` is an instance of one of `kinds`, each written as "package.module.Class".

    Nothing is imported for it: a library that is not imported has no instances.
    """
    return any(isinstance(value, kind) for kind in map(_find_class, kinds) if kind is not None)


def _find_class(name: str) -> type | None:
    module, _unused, attribute = name.rpartition(".")
    kind = getattr(sys.modules.get(module), attribute, None)
    return kind if isinstance(kind, type) else None


def get_method(value: Any, name: str) -> Any:
    """Return the method `name`, None if the class has none: some values claim to have every attribute."""
    return getattr(value, name) if callable(getattr(type(value), name, None)) else None
