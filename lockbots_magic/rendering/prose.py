"""The toolkit's own words in Markdown, such as a page of the help."""

from __future__ import annotations

from collections.abc import Mapping

from ..plaintext import printable


class Prose:
    """A text of a paragraph or more; a front end picks the form it shows.

    Args:
        markdown: the text.
    """

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown

    def __repr__(self) -> str:
        return printable(self.markdown)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        from .forms import bundle  # noqa: PLC0415  # Markdown is needed by the first text, not by %load_ext
        from .html import render  # noqa: PLC0415  # as above

        return bundle(self.markdown, render(self.markdown))
