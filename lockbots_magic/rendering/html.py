"""Markdown -> sanitised HTML. Pure.

A notebook cell that was just run is trusted by the front end, so whatever a reply holds would run there. Raw HTML
is off in the parser, and what the parser makes passes a sanitiser as well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from ..security.html_policy import sanitize
from ..security.links import host_of, in_web, is_small_picture
from ..security.tex_policy import harmless, unlabelled
from .escaping import escaped
from .highlight import highlighted, printed
from .markdown import Environment, lowered, parse, parser

MOST_FORMULAS = 500
"""Formulas of one reply that are set; each keeps the page busy for some 5 ms."""

IGNORED = "mathjax_ignore tex2jax_ignore"
"""The classes in which no front end looks for TeX, but where it is marked as such."""

_PREFORMATTED = re.compile(r"(<pre.*?</pre>)", re.DOTALL)


def render(markdown: str, below: int = 0) -> str:
    """Return `markdown` as HTML that is safe in a trusted page.

    Args:
        markdown: the reply.
        below: the level of the heading below which it stands, 0 if there is none.
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
    """A method a kind of token, where it is not just its tag."""

    def text(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return escaped(tokens[index].content)

    def code_inline(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return f"<code>{printed(tokens[index].content)}</code>"

    def fence(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """A block of code, fenced or indented; `meta` says where a long one goes on in the next piece."""
        token = tokens[index]
        language = (unescapeAll(token.info).split() or [""])[0]
        known = env.get("coloured")  # a block under way is not coloured anew for every frame
        code = known(token.content, language) if known else highlighted(token.content, language)
        joints = " ".join(name for name in ("joins", "joined") if token.meta.get(name))
        opening = f'<pre class="{joints}">' if joints else "<pre>"
        return f"{opening}<code>{code}</code></pre>\n"

    code_block = fence  # type: ignore[assignment]  # the last two arguments are named otherwise

    def formula(self, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
        """TeX is set by the front end, where it is whole and nothing but a formula; else it is shown as it is."""
        token = tokens[index]
        env["formulas"] = env.get("formulas", 0) + 1
        if token.info == "open" or env["formulas"] > MOST_FORMULAS or not harmless(token.content):
            code = f'<code class="tex">{printed(token.content)}</code>'
            return f"<p>{code}</p>\n" if token.block else code
        formula = f'<span class="mathjax_process tex2jax_process">{escape(unlabelled(token.content))}</span>'
        return f'<div class="formula">{formula}</div>\n' if token.block else formula

    def link_open(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        """A link that leads nowhere in the web is shown as its text: a reply has no place to be relative to."""
        address = str(tokens[index].attrGet("href") or "")
        return f'<a href="{escape(address)}" target="_blank">' if in_web(address) else "<a>"

    def half_link_open(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return "[" if tokens[index].info else "<a>"

    def half_link_close(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return "]" if tokens[index].info else "</a>"

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        """An image is not fetched: the request alone would tell its server of the reader. It becomes a link."""
        source = str(tokens[index].attrGet("src") or "")
        label = self.renderInlineAsText(tokens[index].children, options, env)
        if is_small_picture(source):
            return f'<img src="{escape(source)}" alt="{escape(label)}">'
        host = host_of(source)
        if host is None:
            return f"<span>[{escaped(label or 'image')}]</span>"
        shown = escaped(f"{label or 'image'} (image at {host})")
        return f'<a href="{escape(source)}" target="_blank">{shown}</a>'

    def table_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return '<div class="wide">' + self.renderToken(tokens, index, options, env)

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"

    def footnote_ref(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return f"<sup>{escaped(tokens[index].meta['label'])}</sup>"

    def footnote_reference_open(self, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
        return f'<div class="footnote"><sup>{escaped(tokens[index].meta["label"])}</sup>'

    def footnote_reference_close(self, *_: Any) -> str:
        return "</div>\n"


def notices_html(notices: Iterable[str]) -> str:
    """Return the toolkit's own remarks as HTML, quiet and apart from the reply."""
    return "".join(f'<div class="lockbots-notice">{escaped(n)}</div>' for n in notices)


def framed(html: str, notices: Iterable[str] = (), *, styled: bool = True) -> str:
    """Return a reply's HTML in the container that keeps it within its bounds.

    Args:
        html: what `render` made.
        notices: the toolkit's own remarks.
        styled: whether the style comes along; one in a page is enough.
    """
    reply = f'<div class="lockbots-reply {IGNORED}">{_on_one_line(html)}</div>' if html else ""
    return f'<div class="lockbots {IGNORED}">{style() if styled else ""}{reply}{notices_html(notices)}</div>'


def _on_one_line(html: str) -> str:
    """In exported Markdown the HTML stands as it is, and there a line of its own may be the end of it."""
    parts = _PREFORMATTED.split(html)
    return "".join(part.replace("\n", "&#10;" if n % 2 else " ") for n, part in enumerate(parts)).rstrip()


@functools.cache
def style() -> str:
    """Return the style of replies as an element."""
    return style_element(style_sheet())


def style_sheet() -> str:
    """Return the style of replies, for whoever loads it in a way of their own."""
    return files(__package__).joinpath("reply.css").read_text("utf-8")


def style_element(css: str) -> str:
    """Return a style sheet as an element, in short; a space before a colon must mean nothing in it."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    shortest = re.sub(r"\s*([{};:,>])\s*", r"\1", bare).strip()
    return f"<style>{shortest}</style>"
