"""Safe Markdown: a reply rewritten from its tokens, so that no parser finds anything active in it. Pure.

Saved notebooks and exports are read by many parsers (JupyterLab's marked, nbconvert's mistune, pandoc, GitHub), some of
which allow raw HTML, raw TeX or attributes. Only the few constructs below are written as markup; everything else is
text, and escaped as such. No writer of Markdown that we know of knows that JupyterLab takes TeX, `\\[` included, out of
the source before it parses it; `misreading` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from ..markdown import parse
from ..time_budget import MAX_SECONDS, at_most, check_length, check_time
from .formula import plain_formula
from .inline import inline, label
from .misreading import tears_code
from .tree import BlockNode, block_tree

_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,40}")
_DRAWN = ("mermaid",)  # languages that JupyterLab runs
_CODE = ("fence", "code_block", "formula")
MAX_NUMBER = 999_999_999
"""Largest number of a list item in CommonMark."""
_RULES = {"text-align:left": ":--", "text-align:right": "--:", "text-align:center": ":-:"}
_BOXES = {"☐": "[ ]", "☑": "[x]"}
# Enough words that a parser without footnotes does not read the definition of a link.
_NO_TARGET = re.compile(r"""[^\s<$]+[ \t]+[^\s"'($]""")


def neutralised(markdown: str, tokens: Sequence[Token] | None = None) -> str:
    """Rewrite `markdown` so that nothing in it acts or loads, and links lead to the web only.

    Args:
        markdown: A whole text.
        tokens: What `parse` made of it, if it is parsed already.
    """
    try:
        check_length(markdown)
        with at_most(MAX_SECONDS):
            return written(parse(markdown, {}) if tokens is None else tokens)
    except Exception:  # noqa: BLE001  # a bug in rendering, or its slowness, never hides a reply
        return fenced(markdown)


def written(tokens: Sequence[Token]) -> str:
    """Return safe Markdown for `tokens`, those of a whole text."""
    nodes = block_tree(tokens)
    blocks = zip(nodes, _BlockWriter().blocks(nodes), strict=True)
    return "\n\n".join(_whole(node, block) for node, block in blocks if block)


def _whole(node: BlockNode, block: str) -> str:
    """Write a block as code if JupyterLab would tear code in it apart."""
    return fenced(block) if node.type not in _CODE and tears_code(block) else block


def fenced(code: str, language: str = "") -> str:
    """Return a text as a fenced block of code, whatever it holds."""
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}{'' if code.endswith(chr(10)) or not code else chr(10)}{fence}"


def _prefixed(text: str, first: str, rest: str) -> str:
    """Prefix the first line of `text` with `first` and the others with `rest`; leave no trailing spaces."""
    head, *lines = text.split("\n")
    return "\n".join(
        [first + head if head else first.rstrip(), *(rest + line if line else rest.rstrip() for line in lines)]
    )


class _BlockWriter:
    """Writes blocks; a method for each kind."""

    def __init__(self) -> None:
        self._quotes = 0

    def blocks(self, nodes: Sequence[BlockNode], *, in_item: bool = False) -> list[str]:
        """Return each block. Adjacent lists alternate their markers, as does a list in an item, so that none join."""
        out: list[str] = []
        other = in_item
        for before, node in zip([None, *nodes], nodes, strict=False):
            if before is not None:
                other = before.type == node.type and not other
            out.append(self._list(node, other) if node.type.endswith("_list") else getattr(self, node.type)(node))
        return out

    def paragraph(self, node: BlockNode) -> str:
        return self._inline(node)

    def heading(self, node: BlockNode) -> str:
        return f"{'#' * int(node.token.tag[1:])} {self._inline(node, heading=True)}".rstrip()

    def blockquote(self, node: BlockNode) -> str:
        self._quotes += 1
        quoted = "\n\n".join(filter(None, self.blocks(node.children)))
        self._quotes -= 1
        return _prefixed(quoted, "> ", "> ")

    def details(self, node: BlockNode) -> str:
        """Write a foldable block as its summary and what it holds: without HTML, Markdown can't fold."""
        return "\n\n".join(filter(None, self.blocks(node.children)))

    def summary(self, node: BlockNode) -> str:
        return self._inline(node)

    def hr(self, _: BlockNode) -> str:
        return "***"  # dashes may also begin metadata or underline a heading

    def fence(self, node: BlockNode) -> str:
        language = (unescapeAll(node.token.info).split() or [""])[0]
        known = _LANGUAGE.fullmatch(language) and language.lower() not in _DRAWN
        return fenced(node.token.content, language if known else "")

    code_block = fence

    def formula(self, node: BlockNode) -> str:
        formula = plain_formula(node.token.content, one_line=self._quotes > 0)
        return fenced(node.token.content, "tex") if formula is None else formula

    def table(self, node: BlockNode) -> str:
        rows = [row for part in node.children for row in part.children]
        lines = [f"| {' | '.join(self._inline(cell, cell=True) for cell in row.children)} |" for row in rows]
        rules = (_RULES.get(str(cell.token.attrs.get("style")), "---") for cell in rows[0].children)
        return "\n".join([lines[0], f"|{'|'.join(rules)}|", *lines[1:]])

    def footnote_reference(self, node: BlockNode) -> str:
        """Write a footnote. Parsers without footnotes see text, then indented code, but no definition of a link."""
        mark = f"[^{label(node.token.meta['label'])}]:"
        parts = self.blocks(node.children)
        text = "\n\n".join(filter(None, parts))
        if not text:
            return mark
        is_line = node.children[0].type == "paragraph" and _NO_TARGET.match(parts[0])
        return _prefixed(text, f"{mark} ", "    ") if is_line else f"{mark}\n\n{_prefixed(text, '    ', '    ')}"

    def _list(self, node: BlockNode, other: bool) -> str:
        mark = ("-+" if node.type == "bullet_list" else ".)")[other]
        number = int(node.token.attrs.get("start", 1)) if node.type == "ordered_list" else None
        tight = any(child.token.hidden for item in node.children for child in item.children)
        gap = "\n" if tight and not any(self._is_code(inner) for inner in node.walk()) else "\n\n"
        items = []
        for index, item in enumerate(node.children):
            marker = f"{mark} " if number is None else f"{min(number + index, MAX_NUMBER)}{mark} "
            items.append(_prefixed(self._item(item, gap), marker, " " * len(marker)))
        return gap.join(items)

    def _is_code(self, node: BlockNode) -> bool:
        """Tell whether `node` is written as code; not all parsers find code without empty lines around it."""
        return node.type in _CODE and (node.type != "formula" or self.formula(node).startswith("```"))

    def _item(self, item: BlockNode, gap: str) -> str:
        text = gap.join(filter(None, self.blocks(item.children, in_item=True)))
        return _BOXES.get(text[:1], text[:1]) + text[1:] if item.token.attrs.get("class") == "task" else text

    def _inline(self, node: BlockNode, *, heading: bool = False, cell: bool = False) -> str:
        check_time()
        (child,) = node.children
        return inline(child.token.children or [], heading=heading, cell=cell)
