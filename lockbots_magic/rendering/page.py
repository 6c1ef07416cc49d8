"""The toolkit's own words in Markdown, such as a page of the help."""

from __future__ import annotations

from collections.abc import Mapping


class Page(str):
    """A text in Markdown, of a paragraph or more."""

    __slots__ = ()

    def forms(self) -> Mapping[str, str]:
        """Return the forms that front ends choose from."""
        from .html import render  # noqa: PLC0415  # as above
        from .mime_bundle import bundle  # noqa: PLC0415  # Markdown is needed by the first text, not by %load_ext

        return bundle(self, render(self))
