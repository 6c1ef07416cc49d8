"""Markdown that arrives in pieces -> HTML, each block rendered once. Pure.

Finished blocks are rendered and left alone; only the open one at the end is rendered again. An open block that grows
long (code, a table, a list, an endless paragraph) is shown in parts, which join on the page; when it is finished, it is
rendered once more as a whole.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from markdown_it.token import Token

from .highlight import GrowingCode
from .html import render, rendered
from .markdown import Environment, parse
from .open_block import Finished, OpenBlock, normalize_line_ends

MAX_OPEN = 800
"""Length (characters) from which an open block is shown in parts."""


class IncrementalMarkdown:
    """Renders a reply that is still streaming."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._open = OpenBlock()
        self._finished: list[str] = []
        self._expected_notes: set[str] = set()
        self._defines_links = False
        self._formulas = 0  # cost of the formulas in finished blocks
        self._formulas_shown = 0  # the same, with the parts of the open block that are shown
        self._coloured = GrowingCode()

    @property
    def text(self) -> str:
        """The Markdown so far."""
        return "".join(self._pieces)

    def feed(self, text: str) -> None:
        """Add a piece."""
        self._pieces.append(text)
        self._open.add(text)

    def advance(self) -> tuple[str, str]:
        """Return the HTML that was finished since the last call, and the HTML of the open block."""
        env = self._open.environment(formulas=self._formulas_shown)
        tokens = self._open.read(env)
        done = []
        continues = bool(self._open.parts)
        if finished := self._open.finish(tokens, env):
            done.append(self._finish(finished, tokens, env, continues))
            tokens = tokens[finished.tokens :]
        if len(self._open.text) > MAX_OPEN:
            continues = bool(self._open.parts)
            if part := self._open.take_part(tokens):
                done.append(self._render_part(part, continues))
                env = self._open.environment(formulas=self._formulas_shown)
                tokens = self._open.read(env)
        env["coloured"] = functools.partial(self._coloured, ended=not self._open.in_fence)
        return "".join(done), rendered(_joined(tokens, bool(self._open.parts)), env)

    def whole(self) -> str:
        """Return the HTML of the complete reply; links and notes may be defined after their use."""
        self.advance()
        env = self._open.environment(formulas=self._formulas)
        tokens = parse(self._open.source, env)
        late_links = self._finished and (self._defines_links or env["references"])
        if late_links or self._expected_notes - {label.removeprefix(":") for label in env["footnotes"]["refs"]}:
            return render(normalize_line_ends(self.text))
        return "".join(self._finished) + rendered(tokens, env)

    def _finish(self, finished: Finished, tokens: list[Token], env: Environment, continues: bool) -> str:
        """Render finished blocks; return the HTML to show now, and keep their final HTML."""
        self._defines_links = bool(env["references"])
        self._expected_notes |= env.get("guessed", set())
        shown = rendered(_joined(tokens[: finished.tokens], continues), env)
        if continues:
            own = {**env, "references": dict(env["references"]), "growing": False, "endless": {}}
            own["formulas"] = self._formulas
            first = rendered(parse(finished.first_source, own), own)
            env["formulas"] = own["formulas"]
            self._finished.append(first + rendered(tokens[finished.first_tokens : finished.tokens], env))
        else:
            self._finished.append(shown)
        self._formulas = self._formulas_shown = env["formulas"]
        return shown

    def _render_part(self, part: str, continues: bool) -> str:
        env = self._open.environment(formulas=self._formulas_shown)
        shown = rendered(_joined(parse(part, env), continues, joins=True), env)
        self._formulas_shown = env["formulas"]
        return shown


def _joined(tokens: Sequence[Token], continues: bool, joins: bool = False) -> Sequence[Token]:
    """Mark a block of code that is shown in parts; drop the head of a table from all parts but the first."""
    if not tokens or not (continues or joins):
        return tokens
    if tokens[0].type == "fence":
        tokens[0].meta = {"joined": continues, "joins": joins}
    if tokens[0].type == "table_open" and continues:
        end = next(i for i, t in enumerate(tokens) if t.type == "thead_close")
        return [tokens[0], *tokens[end + 1 :]]
    return tokens
