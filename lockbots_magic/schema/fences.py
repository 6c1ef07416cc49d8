"""Where a fenced block of code ends: a block of Markdown may hold fences of its own. Pure.

Models write a README as one block, with the blocks inside it fenced alike. By CommonMark the first inner block ends the
outer one. Here, in a block of Markdown, a fence with a word opens an inner block, and the next bare fence ends that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `FenceTracker` needs no Markdown, and `%load_ext` loads it
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock

_FENCE = re.compile(r"(~{3,}|`{3,}(?=[^`]*\Z))[ \t]*(.*)\Z")
_HOLDS_FENCES = re.compile(r"(?:markdown|md|mdx|mdown|qmd|rmd|myst)\b", re.IGNORECASE)


class FenceTracker:
    """Which fences are open after some lines.

    Example:
        >>> tracker = FenceTracker()
        >>> for line in ("```markdown", "```bash", "```"):
        ...     tracker.read(line)
        >>> tracker.depth
        1
    """

    def __init__(self) -> None:
        self._open: list[str] = []
        self._holds_fences = False

    @property
    def depth(self) -> int:
        """Number of open fences, one inside the other."""
        return len(self._open)

    @property
    def marker(self) -> str:
        """Marker of the outermost open fence, such as three backticks; "" if none is open."""
        return self._open[0] if self._open else ""

    def read(self, line: str) -> None:
        """Take a line without its indentation."""
        match = _FENCE.match(line.rstrip())
        if match is None:
            return
        marker, info = match[1], match[2]
        if not self._open:
            self._open.append(marker)
            self._holds_fences = _HOLDS_FENCES.match(info) is not None
        elif not info and marker.startswith(self._open[-1]):
            self._open.pop()
        elif info and self._holds_fences and marker[0] == self._open[0][0]:
            self._open.append(marker)


def install(parser: MarkdownIt) -> None:
    """Let a block of Markdown hold blocks with fences of their own."""
    parser.block.ruler.before(
        "fence", "nested_fence", _nested_fence, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _nested_fence(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Rule: a block of Markdown with inner blocks. One that never ends is left to the rule of CommonMark."""
    begin = state.bMarks[first] + state.tShift[first]
    opening = _FENCE.match(state.src[begin : state.eMarks[first]].rstrip())
    if opening is None or state.is_code_block(first) or not _HOLDS_FENCES.match(opening[2]):
        return False
    end, has_inner = _find_end(state, first, last)
    if not has_inner or (end is None and not (state.env.get("growing") and last >= state.lineMax)):
        return False
    if silent:
        return True
    content_end = last if end is None else end
    token = state.push("fence", "code", 0)
    token.info = opening[2]
    token.content = state.getLines(first + 1, content_end, state.sCount[first], True)
    token.markup = opening[1]
    state.line = last if end is None else end + 1
    token.map = [first, state.line]
    return True


def _find_end(state: StateBlock, first: int, last: int) -> tuple[int | None, bool]:
    """Return the line that ends the block begun in line `first`, None if none does, and whether it holds fences."""
    tracker = FenceTracker()
    has_inner = False
    for line in range(first, last):
        begin, end = state.bMarks[line] + state.tShift[line], state.eMarks[line]
        if line > first and begin < end and state.sCount[line] < state.blkIndent:
            return None, has_inner
        if line == first or not state.is_code_block(line):
            tracker.read(state.src[begin:end])
        has_inner = has_inner or tracker.depth > 1
        if not tracker.depth:
            return line, has_inner
    return None, has_inner
