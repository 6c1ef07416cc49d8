"""Open end of a growing reply: finds finished blocks, and places to split a long open one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from markdown_it.token import Token

from ..schema.fences import FenceTracker
from .markdown import Environment, parse
from .open_markdown import completed, open_fence

MAX_PARAGRAPH = 6_000
"""Length (characters) from which a paragraph without a good place to split is split anywhere."""
MAX_INNER = 20_000
"""Length (characters) from which a block of Markdown is split within a block of code that it holds."""
ENOUGH_OF_A_LINE = 40
"""Length (characters) from which the kind of a line is certain: Markdown marks are shorter."""

_LINE_END = re.compile(r"\r\n|\r(?=[^\n])")  # a CR at the end may be half of a CRLF
_SENTENCE = re.compile(r"(?<=[.!?…;:,]\s)(?=[^\W\d_])|(?<=[。！？，])(?=\w)")
_WORD = re.compile(r"(?<=\s)(?=[^\W\d_])")
_QUOTE = re.compile(r" {0,3}> ?(?=[^\W\d_])")


def normalize_line_ends(text: str) -> str:
    """Turn CRLF and CR into newlines."""
    return _LINE_END.sub("\n", text)


class Finished(NamedTuple):
    """Blocks at the beginning of the open text that no further text can change."""

    tokens: int
    """Tokens of all of them."""
    lines: int
    """Lines of all of them."""
    first_tokens: int
    """Tokens of the first block, which may have been shown in parts."""
    first_lines: int
    """Lines of the first block."""
    first_source: str
    """Markdown of the first block, including the parts already taken."""


class OpenBlock:
    """The Markdown at the end of a growing reply, from the first block on that may still change.

    A long block is taken off in parts. The remaining text is prefixed with what the parser needs to read it as the
    same kind of block, such as the head of a table.
    """

    def __init__(self) -> None:
        self.text = ""
        """Open text, in the form for the parser."""
        self.parts = ""
        """Markdown of the parts that were taken off the first block."""
        self._repeated = ""
        self._references: dict[str, Any] = {}
        self._notes: set[str] = set()

    @property
    def rest(self) -> str:
        """Open Markdown without the repeated prefix."""
        return self.text.removeprefix(self._repeated)

    @property
    def repeated_lines(self) -> int:
        """Number of lines in the repeated prefix."""
        return self._repeated.count("\n")

    @property
    def source(self) -> str:
        """Markdown of all unfinished text."""
        return self.parts + self.rest

    @property
    def in_fence(self) -> bool:
        """Whether the complete lines leave a fence open."""
        return bool(open_fence(self.text[: self.text.rfind("\n") + 1]))

    def environment(self, **values: Any) -> Environment:
        """Return an environment for the parser with the links and notes of the finished blocks."""
        notes = {"refs": dict.fromkeys(self._notes, -1), "list": {}}  # the initial state of the rules for notes
        return {"references": dict(self._references), "footnotes": notes, **values}

    def add(self, text: str) -> None:
        """Add text at the end."""
        self.text += text

    def read(self, env: Environment) -> list[Token]:
        """Parse the open text, with incomplete markup completed."""
        self.text = normalize_line_ends(self.text)
        if not self.parts:
            self.text = self.text.lstrip("\n")
        env["growing"] = True
        return parse(completed(self.text), env)

    def finish(self, tokens: Sequence[Token], env: Environment) -> Finished | None:
        """Remove the finished blocks from the open text; return None if there are none.

        Args:
            tokens: What `read` returned.
            env: The environment it was given.
        """
        starts = _starts(tokens)
        lines = self.text.split("\n")
        last = _last(starts, tokens, lines)
        if last is None:
            return None
        (end, line), (second, second_line) = last, starts[1]
        block = "\n".join(lines[:second_line]) + "\n"
        finished = Finished(end, line, second, second_line, self.parts + block.removeprefix(self._repeated))
        self._references = env["references"]
        self._notes = set(env["footnotes"]["refs"])
        self.text = "\n".join(lines[line:])
        self.parts = self._repeated = ""
        return finished

    def take_part(self, tokens: Sequence[Token]) -> str | None:
        """Remove a part of the first block and return it; None if other blocks follow, or no place to split is good.

        Args:
            tokens: Tokens of the open text.
        """
        cut = _cut(tokens, self.text) if len(_starts(tokens)) == 1 else None
        if cut is None:
            return None
        end, repeated = cut
        part = self.text[:end]
        self.parts += part.removeprefix(self._repeated)
        self.text = repeated + self.text[end:]
        self._repeated = repeated
        return part


def _starts(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Return where each top-level block begins: index of its token, and its line."""
    return [(i, t.map[0]) for i, t in enumerate(tokens) if t.level == 0 and t.nesting >= 0 and t.map]


def _last(starts: Sequence[tuple[int, int]], tokens: Sequence[Token], lines: Sequence[str]) -> tuple[int, int] | None:
    """Return the start of the last certain block, the first excluded; everything before it is finished.

    A block is certain once its first two lines are complete; until then they may belong to the block before, the second
    one if a table begins. After an empty line, enough of the first line suffices. A formula is certain only if no text
    follows its end.
    """
    for index, line in reversed(starts[1:]):
        if tokens[index].type == "formula":
            certain = tokens[index].info != "open" and (tokens[index].map or [0, 0])[1] < len(lines)
        else:
            apart = not lines[line - 1].strip() and len(lines[line]) > ENOUGH_OF_A_LINE
            certain = apart or line + 1 < len(lines) - 1
        if certain:
            return index, line
    return None


def _cut(tokens: Sequence[Token], text: str) -> tuple[int, str] | None:
    """Find where to split `text`, one open block: length of the part, and the prefix for the rest."""
    kind = tokens[0].type
    if kind == "fence":
        return _in_fence(text)
    if kind == "table_open":
        return _after_last_line(text, 2)
    if kind in ("bullet_list_open", "ordered_list_open", "blockquote_open"):
        inner = [t.map[0] for t in tokens if t.level == 1 and t.nesting >= 0 and t.map]
        if inner and inner[-1] > 0:
            at = len(_first_lines(text, inner[-1]))
            return (at, "") if kind != "blockquote_open" or text[at:].lstrip(" ").startswith(">") else None
    if kind == "blockquote_open" and tokens[1].type == "paragraph_open":
        return _in_paragraph(text, "> ") if _QUOTE.match(text) else None
    return _in_paragraph(text, "") if kind == "paragraph_open" else None


def _first_lines(text: str, count: int) -> str:
    """Return the first lines of `text`, as Markdown counts lines: only a newline ends one."""
    return "".join(f"{line}\n" for line in text.split("\n", count)[:count])


def _after_last_line(text: str, head: int) -> tuple[int, str] | None:
    """Split after the last complete line; the first `head` lines are repeated."""
    repeated = _first_lines(text, head)
    end = text.rfind("\n") + 1
    return (end, repeated) if end > len(repeated) else None


def _in_fence(text: str) -> tuple[int, str] | None:
    """Split after the last complete line of an open block of code that is not in a block inside it."""
    tracker = FenceTracker()
    end = at = 0
    for line in text[: text.rfind("\n") + 1].split("\n")[:-1]:
        tracker.read(line.lstrip(" >"))
        at += len(line) + 1
        if tracker.depth == 1 or len(text) > MAX_INNER:
            end = at
    repeated = _first_lines(text, 1)
    return (end, repeated) if tracker.depth and end > len(repeated) else None


def _in_paragraph(text: str, repeated: str) -> tuple[int, str] | None:
    """Split after a sentence, or a word, where no markup is open."""
    known = completed(text)  # the text after it may belong to another block
    if not text.startswith(known):
        return None
    for places in (_SENTENCE, _WORD):
        ends = [m.start() for m in places.finditer(known, len(text) // 2)][-6:]
        for end in reversed(ends):
            env: Environment = {"growing": True}
            parse(text[:end], env)
            if not env["repaired"]:
                return end, repeated
    return (len(text) // 2, repeated) if len(text) > MAX_PARAGRAPH else None
