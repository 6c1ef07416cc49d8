"""The page on Markdown and values that are supported, made of the examples that tests check: `make docs` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.prompt import value_examples
from tests.rendering import markdown_examples

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "markdown-and-values.md"

HEAD = """# Markdown and values

What replies may hold, and what values become in a prompt. This page is generated from the examples that the tests
check; change those in `tests/rendering/markdown_examples.py` and `tests/prompt/value_examples.py`, and run `make docs`.

## Markdown in replies

Cells, panel, exports and terminal follow one set of rules: CommonMark, tables, task lists, footnotes and formulas, with
raw HTML off. The HTML below is what a cell shows, without the element around it.
"""
VALUES = """## Values in prompts

`{{ expression }}` puts a value into a prompt of `%%chat`. Below is the text that is sent for it, and the note that the
cell shows if something was left out.
"""


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for title, markdown in markdown_examples.GROUPS.items():
        parts += [f"### {title}\n", *map(_markdown, markdown)]
    parts.append(VALUES)
    for title, values in value_examples.GROUPS.items():
        parts += [f"### {title}\n", *map(_value, values)]
    return "\n".join(parts)


def _markdown(example: markdown_examples.MarkdownExample) -> str:
    return (
        f"{example.what}\n\n{_block(example.markdown, 'markdown')}\n\n{_block(chr(10).join(example.wanted), 'html')}\n"
    )


def _value(example: value_examples.ValueExample) -> str:
    parts = [example.what, _block(example.code, "python")]
    if example.sent:
        parts.append(_block(example.sent, "text"))
    if example.images:
        parts.append(f"Sent as {'an image' if example.images == 1 else f'{example.images} images'}.")
    parts += [f"Note: {note}" for note in example.notes]
    return "\n\n".join(parts) + "\n"


def _block(text: str, language: str) -> str:
    fence = "`" * (4 if "```" in text else 3)
    return f"{fence}{language}\n{text}\n{fence}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
