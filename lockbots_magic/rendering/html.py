"""Markdown -> HTML that is safe in a trusted page (see `security.html_policy`). Pure."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from ..language import _
from ..security.html_policy import UNLISTED_CLASSES, sanitize
from ..security.links import host_of, is_small_picture, is_web_link
from ..security.tex_policy import is_harmless, unlabelled
from .escaping import begins_right_to_left, escaped, printed
from .frame import FORMULA_OPENING
from .highlight import highlighted
from .markdown import Environment, lowered, parse, parser

MAX_TYPESET = 40_000
"""Cost of the formulas of one reply that are typeset, see `_cost_of`; a page is busy for about 0.1 ms for each."""
FORMULA_COST = 50
"""Cost of a formula, however short."""
MARK_COST = 8
"""Cost of each mark of structure in it, besides one for each character."""

UNLISTED = " ".join(sorted(UNLISTED_CLASSES))
"""Class attribute of a heading that is not in the notebook's table of contents."""


def render(markdown: str, below: int = 0) -> str:
    """Return `markdown` as HTML that is safe in a trusted page.

    Args:
        markdown: The reply.
        below: Level (1-6) of the heading below which it stands; 0 for none. Its own headings are lowered by it.
    """
    env: Environment = {}
    return rendered(lowered(parse(markdown, env), below), env)


def rendered(tokens: Sequence[Token], env: Environment) -> str:
    """Return `tokens` as HTML that is safe in a trusted page."""
    return sanitize(_renderer().render(tokens, parser().options, env))


@functools.cache
def _renderer() -> RendererHTML:
    return _Renderer()


class _Renderer(RendererHTML):
    """A method for each kind of token that is more than its tag."""

    def text(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return escaped(tokens[index].content)

    def hardbreak(self, *_: Any) -> str:
        return "<br>"

    def code_inline(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return f"<code>{printed(tokens[index].content)}</code>"

    def fence(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """Render a block of code; `meta` tells whether it joins the part before it or behind it."""
        token = tokens[index]
        language = (unescapeAll(token.info).split() or [""])[0]
        known = env.get("coloured")  # an open block is not coloured again for every frame
        code = known(token.content, language) if known else highlighted(token.content, language)
        joints = " ".join(name for name in ("joins", "joined") if token.meta.get(name))
        opening = f'<pre class="{joints}">' if joints else "<pre>"
        return f"{opening}<code>{code}</code></pre>\n"

    code_block = fence  # type: ignore[assignment]  # the last two arguments are named otherwise

    def formula(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """Leave TeX to the front end if it is complete and harmless; show it as code otherwise."""
        token = tokens[index]
        env["formulas"] = env.get("formulas", 0) + _cost_of(token.content)
        if token.info == "open" or env["formulas"] > MAX_TYPESET or not is_harmless(token.content):
            code = f'<code class="tex">{printed(token.content)}</code>'
            return f"<p>{code}</p>\n" if token.block else code
        formula = f"{FORMULA_OPENING}{escape(unlabelled(token.content))}</span>"
        return f'<div class="formula">{formula}</div>\n' if token.block else formula

    def link_open(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """Only http(s) and mailto links are allowed; any other is shown as its text."""
        address = str(tokens[index].attrGet("href") or "")
        env["in_link"] = is_web_link(address)
        return f'<a href="{escape(address)}" target="_blank">' if env["in_link"] else "<a>"

    def link_close(self, _tokens: Sequence[Token], _index: int, _options: Any, env: Any) -> str:
        env["in_link"] = False
        return "</a>"

    def half_link_open(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return "[" if tokens[index].info else "<a>"

    def half_link_close(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return "]" if tokens[index].info else "</a>"

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        """Link to an image instead of fetching it: the request alone would tell its server of the reader."""
        source = str(tokens[index].attrGet("src") or "")
        label = self.renderInlineAsText(tokens[index].children, options, env)
        if is_small_picture(source):
            return f'<img src="{escape(source)}" alt="{escape(label)}">'
        host = host_of(source)
        label = label or _("image")
        if host is None:
            return f"<span>[{escaped(label)}]</span>"
        shown = escaped(_("{label} (image at {host})", label=label, host=host))
        if env.get("in_link"):  # such as a badge: links can't be nested
            return shown
        return f'<a href="{escape(source)}" target="_blank">{shown}</a>'

    def heading_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        """Size a heading as text, and keep it out of the notebook's table of contents."""
        token = tokens[index]
        token.attrSet("class", UNLISTED)
        token.attrSet("style", f"font-size:{'1.2em' if token.tag in ('h1', 'h2', 'h3') else '1em'};font-weight:bold")
        return self.renderToken(tokens, index, options, env)

    def table_open(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """Render the frame in which a table scrolls; its direction sets the side on which the table stands."""
        has_direction = bool(tokens[index].attrGet("dir"))
        cells = (one.content for one in tokens[index:] if one.type == "inline") if has_direction else ()
        env["side"] = "right" if begins_right_to_left(cells) else "left"
        direction = ' dir="auto"' if has_direction else ""
        return f'<div class="wide"{direction}><table>\n'

    def td_open(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """Align each cell: JupyterLab sets those of all tables to the right."""
        style = tokens[index].attrGet("style") or f"text-align:{env['side']}"
        return f'<{tokens[index].tag} style="{style}">'

    th_open = td_open

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"

    def footnote_ref(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return f"<sup>{escaped(tokens[index].meta['label'])}</sup>"

    def footnote_reference_open(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return f'<div class="footnote"><sup>{escaped(tokens[index].meta["label"])}</sup>'

    def footnote_reference_close(self, *_: Any) -> str:
        return "</div>\n"


def _cost_of(formula: str) -> int:
    """Return how long a page takes to typeset a formula: scripts, fractions and cells take longer than letters."""
    return FORMULA_COST + len(formula) + MARK_COST * sum(map(formula.count, "_^\\&{"))
