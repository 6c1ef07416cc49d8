"""Tree of the blocks of a text. Pure.

The tree of markdown-it also has a node for each inline token, which takes as long as to parse the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from markdown_it.token import Token


@dataclass(slots=True)
class BlockNode:
    """A block, or the inline content of one.

    Example:
        >>> from lockbots_magic.rendering.markdown import parse
        >>> [(block.type, block.children[0].token.content) for block in block_tree(parse("# a", {}))]
        [('heading', 'a')]
    """

    token: Token
    """The token, or that which opens the block."""
    type: str
    """Its type, without ``_open``."""
    children: list[BlockNode] = field(default_factory=list)

    def walk(self) -> Iterator[BlockNode]:
        """Yield this block and all within it."""
        yield self
        for child in self.children:
            yield from child.walk()


def block_tree(tokens: Iterable[Token]) -> list[BlockNode]:
    """Return the blocks of a text, from its tokens."""
    top: list[BlockNode] = []
    within = [top]
    for token in tokens:
        if token.nesting < 0:
            within.pop()
            continue
        block = BlockNode(token, token.type.removesuffix("_open"))
        within[-1].append(block)
        if token.nesting > 0:
            within.append(block.children)
    return top
