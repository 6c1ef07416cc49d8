"""Text of HTML: paragraphs, lists, and tables as Markdown. Scripts and styles are left out. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from .markdown_table import markdown_table

_SKIPPED = frozenset({"script", "style", "template", "noscript", "svg", "head", "object", "iframe"})
_SKIPPED |= {"audio", "video", "canvas"}  # what they hold is for browsers that can't show them
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav",
    "ol", "p", "pre", "section", "summary", "table", "tr", "ul",
})  # fmt: skip
_SECTION = re.compile(r"<!\[[^>]*>?")  # a marked section, which Python's parser may refuse
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}


def html_text(html: str) -> str:
    """Return the text that a browser would show.

    Example:
        >>> html_text("<p>A <b>bold</b> word</p><table><tr><th>a</th></tr><tr><td>1</td></tr></table>")
        'A bold word\\n\\n| a |\\n| --- |\\n| 1 |'
    """
    reader = _TextReader()
    reader.feed(_SECTION.sub("", html))
    reader.close()
    return reader.text()


class _TextReader(HTMLParser):
    """Collects lines; tables are collected by row and cell, the inner ones of nested tables as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._skipped: list[str] = []
        self._pre = 0
        self._rows: list[list[str]] | None = None
        self._before: list[str] = []
        """Pieces before the cell that is being read."""
        self._in_cell = False
        self._tables = 0

    def text(self) -> str:
        """Return the text so far, without the blank lines that empty elements leave."""
        self._end_table()
        text = re.sub(r"[^\S\n]+\n", "\n", "".join(self._pieces))
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag in _SKIPPED:
            self._skipped.append(tag)
        elif self._skipped:
            return
        elif tag == "table":
            self._tables += 1
            if self._tables == 1:
                self._begin_table()
        elif tag == "tr" and self._tables == 1 and self._rows is not None:
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th") and self._tables == 1 and self._rows is not None:
            self._begin_cell(dict(attrs))
        elif tag == "br":
            self._pieces.append(" " if self._in_cell else "\n")
        elif tag == "img" and (label := dict(attrs).get("alt")):
            self._pieces.append(f"[image: {label}]")
        elif tag in _BLOCKS:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        """End an element; an end without a beginning is ignored."""
        if self._skipped:
            if tag == self._skipped[-1]:
                self._skipped.pop()
            return
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        if tag == "table" and self._tables:
            self._tables -= 1
            if not self._tables:
                self._end_table()
        elif tag in ("td", "th") and self._tables == 1:
            self._end_cell()
        elif tag in _BLOCKS and self._tables == 0:
            self._pieces.append("" if tag == "li" else "\n" if tag == "dt" else "\n\n")

    def handle_data(self, data: str) -> None:
        """Add text; white space counts as one space outside `pre`."""
        if self._skipped or (self._rows is not None and not self._in_cell and not data.strip()):
            return
        if not self._pre or self._in_cell:
            data = re.sub(r"\s+", " ", data)
            if not self._pieces or self._pieces[-1].endswith((" ", "\n")):
                data = data.lstrip()
        self._pieces.append(data)

    def _break(self, tag: str) -> None:
        if self._in_cell:
            self._pieces.append(" ")
            return
        self._pre += tag == "pre"
        mark = f"{_HEADINGS[tag]} " if tag in _HEADINGS else "- " if tag == "li" else ""
        self._pieces.append(("\n" if tag == "li" else "\n\n") + mark)

    def _begin_table(self) -> None:
        self._pieces.append("\n\n")
        self._rows = []

    def _begin_cell(self, attributes: dict[str, str | None]) -> None:
        self._end_cell()
        if self._rows is not None and not self._rows:
            self._rows.append([])
        self._before, self._pieces, self._in_cell = self._pieces, [], True
        span = attributes.get("colspan") or ""
        self._span = min(int(span), 50) if span.isascii() and span.isdigit() else 1

    def _end_cell(self) -> None:
        if not self._in_cell or self._rows is None:
            return
        self._rows[-1] += ["".join(self._pieces), *[""] * (self._span - 1)]
        self._pieces, self._in_cell = self._before, False

    def _end_table(self) -> None:
        self._end_cell()
        table = markdown_table(self._rows or ())
        self._rows, self._tables = None, 0
        if table:
            self._pieces.append(f"{table}\n\n")
