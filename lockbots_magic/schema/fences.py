"""Where a fenced block of code ends: a block of Markdown may hold fences of its own. Pure.

Models write a README as one block, with the blocks inside it fenced alike. By CommonMark the first inner block ends the
outer one. Here, in a block of Markdown, a fence with a word opens an inner block, and the next bare fence ends that. A
bare fence opens one where it looks like that: a blank line or a colon before it, text right below, and the next fence
bare, with text right above it and none below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
        self._before = ""
        self._may_open = ""

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
        line = line.rstrip()
        before, self._before = self._before, line
        if self._may_open:  # a bare fence was the last line: now it is known what it does
            self._open = [*self._open, self._may_open] if line else self._open[:-1]
            self._may_open = ""
        match = _FENCE.match(line)
        if match is None:
            return
        marker, info = match[1], match[2]
        if not self._open:
            self._open.append(marker)
            self._holds_fences = _HOLDS_FENCES.match(info) is not None
        elif not info and marker.startswith(self._open[-1]):
            if self._holds_fences and self.depth == 1 and _may_precede(before):
                self._may_open = marker
            else:
                self._open.pop()
        elif info and self._holds_fences and marker[0] == self._open[0][0]:
            self._open.append(marker)


def _may_precede(line: str) -> bool:
    """Return whether a bare fence below `line` may open a block."""
    return not line or line.endswith(":")


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
    lines, end = _lines(state, first, last)
    fences = [(number, found) for number, line in enumerate(lines) if line and (found := _FENCE.match(line))]
    is_growing = bool(state.env.get("growing")) and end >= state.lineMax
    inner: list[str] = []
    has_inner = False
    outer = fences[0][1][1]
    for at, (number, (marker, info)) in enumerate(((n, found.groups()) for n, found in fences[1:]), 1):
        if not info and marker.startswith(inner[-1] if inner else outer):
            if not inner and _opens(lines, fences[at:], is_growing=is_growing):
                inner.append(marker)
                has_inner = True
            elif inner:
                inner.pop()
            else:
                return first + number, has_inner
        elif info and marker[0] == outer[0]:
            inner.append(marker)
            has_inner = True
    return None, has_inner


def _lines(state: StateBlock, first: int, last: int) -> tuple[list[str | None], int]:
    """Return the lines of a block, up to the end of what holds it, and where that is; None for indented code."""
    lines: list[str | None] = []
    for number in range(first, last):
        begin, end = state.bMarks[number] + state.tShift[number], state.eMarks[number]
        if number > first and begin < end and state.sCount[number] < state.blkIndent:
            return lines, number
        lines.append(None if number > first and state.is_code_block(number) else state.src[begin:end].rstrip())
    return lines, last


def _opens(lines: Sequence[str | None], fences: Sequence[tuple[int, re.Match[str]]], *, is_growing: bool) -> bool:
    """Return whether the first of `fences`, a bare one, opens an inner block that the second one ends."""
    number, fence = fences[0]
    below = lines[number + 1] if number + 1 < len(lines) else ""
    if not _may_precede(lines[number - 1] or "") or number == 1 or below == "":
        return False
    if len(fences) == 1:
        return is_growing
    end, closing = fences[1]
    after = lines[end + 1] if end + 1 < len(lines) else ""
    is_alone = not after or _FENCE.match(after) is not None
    return end > number + 1 and not closing[2] and closing[1].startswith(fence[1]) and lines[end - 1] != "" and is_alone
