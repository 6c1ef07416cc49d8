"""Markdown that arrives in pieces -> HTML, each part rendered once. Pure.

A block that is finished is rendered and done with; only the open one at the end is redone. An open block that grows
long (code, a table, a list, an endless paragraph) is done with in parts, which join where they are shown; in the end
it is rendered once more, as the one block it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from markdown_it.token import Token

from .highlight import GrowingCode
from .html import render, rendered
from .markdown import Environment, parse
from .open_markdown import completed, open_fence

LONGEST_OPEN = 800
"""Characters of an open block from which on it is shown in parts."""
LONGEST_PARAGRAPH = 6_000
"""Characters of a paragraph without a good place to part it, from which on any place is good enough."""

ENOUGH_OF_A_LINE = 40
"""Characters that tell what a line begins: no mark is as long."""

_LINE_END = re.compile(r"\r\n|\r(?=[^\n])")  # a CR at the end may be half of a CRLF
_SENTENCE = re.compile(r"(?<=[.!?…;:,]\s)(?=[^\W\d_])|(?<=[。！？，])(?=\w)")
_WORD = re.compile(r"(?<=\s)(?=[^\W\d_])")
_QUOTE = re.compile(r" {0,3}> ?(?=[^\W\d_])")


class IncrementalMarkdown:
    """A reply under way."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._tail = ""
        self._finished: list[str] = []
        self._references: dict[str, Any] = {}
        self._notes: set[str] = set()
        self._awaited: set[str] = set()
        self._defines_links = False
        self._formulas = 0  # in what is finished
        self._formulas_shown = 0  # and in the parts of the open block
        self._coloured = GrowingCode()
        self._parts = ""  # what has been done with of the open block
        self._repeated = ""  # what its tail begins with once more, to be read as what it is

    @property
    def text(self) -> str:
        """The Markdown so far."""
        return "".join(self._pieces)

    def feed(self, text: str) -> None:
        """Add a piece."""
        self._pieces.append(text)
        self._tail += text

    def advance(self) -> tuple[str, str]:
        """Return the HTML that is finished since the last call, and that of what is still open."""
        self._tail = _LINE_END.sub("\n", self._tail)
        if not self._parts:
            self._tail = self._tail.lstrip("\n")
        tokens, env = self._read(completed(self._tail))
        done = []
        starts = _starts(tokens)
        last = _last(starts, tokens, self._tail.split("\n"))
        if last is not None:
            done.append(self._finish(tokens, starts, last, env))
            tokens = tokens[last[0] :]
        if len(self._tail) > LONGEST_OPEN and len(_starts(tokens)) == 1 and (cut := _cut(tokens, self._tail)):
            done.append(self._part(*cut))
            tokens, env = self._read(completed(self._tail))
        return "".join(done), self._shown(tokens, env)

    def whole(self) -> str:
        """Return the whole as HTML, now that it is complete: a link or a note may be defined after its use."""
        self.advance()
        env = self._environment(self._formulas)
        tokens = parse(self._source(), env)
        late_links = self._finished and (self._defines_links or env["references"])
        if late_links or self._awaited - {label.removeprefix(":") for label in env["footnotes"]["refs"]}:
            return render(_LINE_END.sub("\n", self.text))
        return "".join(self._finished) + rendered(tokens, env)

    def _environment(self, formulas: int) -> Environment:
        notes = {"refs": dict.fromkeys(self._notes, -1), "list": {}}  # as the rules for notes begin with them
        return {"references": dict(self._references), "footnotes": notes, "formulas": formulas}

    def _read(self, text: str) -> tuple[list[Token], Environment]:
        env = {**self._environment(self._formulas_shown), "growing": True}
        return parse(text, env), env

    def _shown(self, tokens: Sequence[Token], env: Environment) -> str:
        coloured = functools.partial(self._coloured, ended=not _in_fence(self._tail))
        return rendered(_joined(tokens, bool(self._parts)), {**env, "coloured": coloured})

    def _finish(
        self, tokens: list[Token], starts: list[tuple[int, int]], last: tuple[int, int], env: Environment
    ) -> str:
        """Be done with the blocks up to `last`."""
        index, line = last
        self._references = env["references"]
        self._defines_links = bool(self._references)
        self._notes = set(env["footnotes"]["refs"])
        self._awaited |= env.get("guessed", set())
        lines = self._tail.split("\n")
        shown = rendered(_joined(tokens[:index], bool(self._parts)), env)
        if self._parts:
            second, second_line = starts[1]
            block = "\n".join(lines[:second_line]) + "\n"
            env["formulas"] = self._formulas
            whole = _render_in(self._parts + block.removeprefix(self._repeated), env)
            self._finished.append(whole + rendered(tokens[second:index], env))
            self._parts = self._repeated = ""
        else:
            self._finished.append(shown)
        self._formulas = self._formulas_shown = env["formulas"]
        self._tail = "\n".join(lines[line:])
        return shown

    def _part(self, end: int, repeated: str) -> str:
        """Be done with the open block up to `end`; what is left of it begins with `repeated`."""
        part = self._tail[:end]
        env = self._environment(self._formulas_shown)
        shown = rendered(_joined(parse(part, env), bool(self._parts), joins=True), env)
        self._formulas_shown = env["formulas"]
        self._parts += part.removeprefix(self._repeated)
        self._tail = repeated + self._tail[end:]
        self._repeated = repeated
        return shown

    def _source(self) -> str:
        """The text of what is not finished."""
        return self._parts + self._tail.removeprefix(self._repeated)


def _render_in(text: str, env: Environment) -> str:
    """Render one block among others, whose links and notes are in `env`, and count its formulas there."""
    own = {**env, "references": dict(env["references"]), "growing": False, "endless": {}}
    html = rendered(parse(text, own), own)
    env["formulas"] = own["formulas"]
    return html


def _starts(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Where the top-level blocks begin: the index of the token, and the line."""
    return [(i, t.map[0]) for i, t in enumerate(tokens) if t.level == 0 and t.nesting >= 0 and t.map]


def _last(starts: Sequence[tuple[int, int]], tokens: Sequence[Token], lines: Sequence[str]) -> tuple[int, int] | None:
    """The last block that is one for sure, but the first; what stands before it is finished.

    It is one once its first two lines are complete: until then they may turn out to belong to the block before, the
    second one as well where a table begins. Behind an empty line, enough of the first line will do. A formula is
    none if anything stands behind its end.
    """
    for index, line in reversed(starts[1:]):
        if tokens[index].type == "formula":
            sure = tokens[index].info != "open" and (tokens[index].map or [0, 0])[1] < len(lines)
        else:
            apart = not lines[line - 1].strip() and len(lines[line]) > ENOUGH_OF_A_LINE
            sure = apart or line + 1 < len(lines) - 1
        if sure:
            return index, line
    return None


def _in_fence(text: str) -> bool:
    """Whether the lines of `text` that are complete leave a fence open."""
    return bool(open_fence(text[: text.rfind("\n") + 1]))


def _joined(tokens: Sequence[Token], continues: bool, joins: bool = False) -> Sequence[Token]:
    """Mark a block of code that is shown in parts; a table's head is shown with its first part only."""
    if not tokens or not (continues or joins):
        return tokens
    if tokens[0].type == "fence":
        tokens[0].meta = {"joined": continues, "joins": joins}
    if tokens[0].type == "table_open" and continues:
        end = next(i for i, t in enumerate(tokens) if t.type == "thead_close")
        return [tokens[0], *tokens[end + 1 :]]
    return tokens


def _cut(tokens: Sequence[Token], text: str) -> tuple[int, str] | None:
    """Where to part `text`, the open block: how much of it is done with, and what the rest has to begin with."""
    kind = tokens[0].type
    if kind == "fence":
        return _after_last_line(text, 1) if _in_fence(text) else None
    if kind == "table_open":
        return _after_last_line(text, 2)
    if kind in ("bullet_list_open", "ordered_list_open", "blockquote_open"):
        inner = [t.map[0] for t in tokens if t.level == 1 and t.nesting >= 0 and t.map]
        if inner and inner[-1] > 0:
            at = len(_first_lines(text, inner[-1]))
            return (at, "") if kind != "blockquote_open" or text[at:].lstrip(" ").startswith(">") else None
    if kind == "blockquote_open" and tokens[1].type == "paragraph_open":
        quoted = _QUOTE.match(text)
        return _in_paragraph(text, "> ") if quoted else None
    return _in_paragraph(text, "") if kind == "paragraph_open" else None


def _first_lines(text: str, count: int) -> str:
    """The first lines of `text`, as Markdown counts lines: nothing but a newline ends one."""
    return "".join(f"{line}\n" for line in text.split("\n", count)[:count])


def _after_last_line(text: str, head: int) -> tuple[int, str] | None:
    """After the last line that is complete; the first `head` lines are repeated."""
    repeated = _first_lines(text, head)
    end = text.rfind("\n") + 1
    return (end, repeated) if end > len(repeated) else None


def _in_paragraph(text: str, repeated: str) -> tuple[int, str] | None:
    """After a sentence, or a word, at which nothing stands open."""
    known = completed(text)  # what comes behind may turn out to belong to another block
    if not text.startswith(known):
        return None
    for places in (_SENTENCE, _WORD):
        ends = [m.start() for m in places.finditer(known, len(text) // 2)][-6:]
        for end in reversed(ends):
            env: Environment = {"growing": True}
            parse(text[:end], env)
            if not env["repaired"]:
                return end, repeated
    return (len(text) // 2, repeated) if len(text) > LONGEST_PARAGRAPH else None
