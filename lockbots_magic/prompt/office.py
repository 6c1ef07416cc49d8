"""Text of Word documents and of slides, from the objects of python-docx and python-pptx. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..language import ngettext
from .markdown_table import markdown_table

MAX_GROUP_DEPTH = 10
"""Depth of groups of shapes."""

_HEADING = re.compile(r"Heading ([1-6])")


def read_word(document: Any) -> tuple[str, tuple[str, ...]]:
    """Return the paragraphs and tables of a document of python-docx, as Markdown, and notes on what was left out."""
    blocks = [
        _word_table(block) if hasattr(block, "rows") else _paragraph(block) for block in document.iter_inner_content()
    ]
    pictures = len(document.inline_shapes)
    return "\n\n".join(filter(None, blocks)), _note_pictures(pictures)


def read_slides(slide: Any) -> tuple[str, tuple[str, ...]]:
    """Return the text of a slide of python-pptx with its speaker's notes, and notes on what was left out."""
    texts: list[str] = []
    pictures = 0
    for shape in _shapes(slide.shapes):
        if getattr(shape, "has_table", False):
            texts.append(_word_table(shape.table))
        elif shape.has_text_frame and shape.text_frame.text.strip():
            is_title = slide.shapes.title is not None and shape.shape_id == slide.shapes.title.shape_id
            texts.append(("# " if is_title else "") + shape.text_frame.text.strip())
        elif getattr(shape, "has_chart", False) or hasattr(shape, "image"):
            pictures += 1
    if slide.has_notes_slide and (said := slide.notes_slide.notes_text_frame.text.strip()):
        texts.append(f"Speaker's notes: {said}")
    return "\n\n".join(texts), _note_pictures(pictures)


def _paragraph(paragraph: Any) -> str:
    text: str = paragraph.text.strip()
    style = paragraph.style.name if paragraph.style is not None else ""
    if text and (heading := _HEADING.match(style or "")):
        return f"{'#' * int(heading[1])} {text}"
    return f"- {text}" if text and (style or "").startswith("List") else text


def _word_table(table: Any) -> str:
    return markdown_table([[cell.text for cell in row.cells] for row in table.rows])


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < MAX_GROUP_DEPTH:
            yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _note_pictures(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        ngettext(
            "{n:,} picture left out; send them by `--image`",
            "{n:,} pictures left out; send them by `--image`",
            count,
        ),
    )
