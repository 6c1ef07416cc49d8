"""What goes into a prompt: text, pictures, and what should be known of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..security.secrets import redacted


@dataclass(frozen=True)
class Material:
    """A part of a prompt."""

    text: str
    images: tuple[str, ...] = ()
    """URLs: `data:image/png;base64,...`, or of the web."""
    notes: tuple[str, ...] = ()
    """What the reader should know, a line each, such as "df: 40 rows of 1,000,000"."""

    def named(self, name: str) -> Material:
        """Return this material; each note says that it is about `name`."""
        return replace(self, notes=tuple(f"{name}: {note}" for note in self.notes))

    def safe(self) -> Material:
        """Return this material without any credential that is in use; a note says so."""
        text = redacted(self.text)
        return self if text == self.text else replace(self, text=text, notes=(*self.notes, "a credential is left out"))


class Images:
    """Counts the pictures of a prompt as they come, so that its text can say where each belongs.

    Args:
        before: pictures of the prompt that come first.
    """

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self.urls: list[str] = []

    def marked(self, urls: tuple[str, ...]) -> str:
        """Add `urls`; return what stands for them in the text: `[image 1]`, `[image 2]`."""
        first = self._before + len(self.urls) + 1
        self.urls += urls
        return " ".join(f"[image {number}]" for number in range(first, first + len(urls)))
