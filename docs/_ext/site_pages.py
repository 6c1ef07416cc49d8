"""Sphinx extension: the help of the package as pages of the site, and the language of cells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from IPython.lib.lexers import IPython3Lexer
from sphinx.application import Sphinx

from docs import generate

_SEARCH_WORDS = re.compile(r"^(?:keywords|no): .*\n", re.MULTILINE)
_HEADING = re.compile(r"^(?=#+ )", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_lexer("python", IPython3Lexer)  # examples are cells: Python and magics
    app.connect("source-read", read_help)
    app.connect("source-read", list_other_pages)
    app.connect("build-finished", write_llms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_help(_: Sphinx, name: str, source: list[str]) -> None:
    """Make a help file a page: without the words for its search, its groups below its title."""
    if name.startswith("lockbots_magic/help/"):
        source[0] = help_page(source[0])


def list_other_pages(app: Sphinx, name: str, source: list[str]) -> None:
    """List the pages of a folder that its index does not name, so that none is out of reach."""
    path = Path(app.srcdir) / f"{name}.md"
    if path.name != "index.md" or ":glob:" in source[0] or path.parent.name == "docs":
        return
    others = [one.stem for one in sorted(path.parent.glob("*.md")) if f"\n{one.stem}\n" not in source[0]]
    if listed := [one for one in others if one != "index"]:
        source[0] += "\n```{toctree}\n:maxdepth: 1\n:caption: More\n\n" + "\n".join(listed) + "\n```\n"


def write_llms(app: Sphinx, error: Exception | None) -> None:
    """Write the list of pages for language models beside the pages."""
    if error is None:
        (Path(app.outdir) / "llms.txt").write_text(generate.llms_page(), encoding="utf-8")


def help_page(text: str) -> str:
    """Return the text of a help file as a page with one title."""
    title, _, rest = _SEARCH_WORDS.sub("", text).partition("\n")
    blocks = [*_FENCED.findall(rest), ""]
    prose = (_HEADING.sub("#", part) for part in _FENCED.split(rest))
    return f"{title}\n{''.join(part for pair in zip(prose, blocks, strict=True) for part in pair)}"
