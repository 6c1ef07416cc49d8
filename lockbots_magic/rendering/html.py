"""Markdown -> sanitised HTML. Pure.

A notebook cell that was just run is trusted by the front end, so whatever a reply holds would run there. Raw HTML
is off in the parser, and what the parser makes passes a sanitiser as well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .highlight import highlighted

_TEX = re.compile(r"\$\$.+?\$\$|\$(?![\s$])[^$\n]*?(?<![\s\\])\$(?!\d)|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL)
_LINE_END = re.compile(r"\r\n|\r(?=[^\n])")  # a CR at the end may be half of a CRLF
_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "a", "span", "div"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "a": {"href", "title", "target"},
    "ol": {"start"},
    "span": {"style"},
    "div": {"style"},
    "th": {"style"},
    "td": {"style"},
    "code": {"class", "style"},
    "pre": {"style"},
}
_STYLES = {"color", "text-align", "opacity", "font-size", "margin-top", "margin", "padding", "background", "overflow-x"}
_CODE_STYLE = (
    "background: var(--jp-layout-color2, #8080801f); padding: 0.6em 0.8em; margin: 0.4em 0 1em; overflow-x: auto"
)
_NOTICE_STYLE = "opacity: 0.7; font-size: 0.9em; margin-top: 0.4em"


def render(markdown: str) -> str:
    """Return `markdown` as HTML that is safe in a trusted page."""
    growing = GrowingDocument()
    growing.feed(markdown)
    return growing.whole()


def notices_html(notices: Iterable[str]) -> str:
    """Return the toolkit's own remarks as HTML, quiet and apart from the reply."""
    return "".join(f'<div style="{_NOTICE_STYLE}">{escape(n)}</div>' for n in notices)


def neutralised(markdown: str) -> str:
    """Return `markdown` with every `<` that could begin a tag made plain text, for renderers that allow raw HTML."""
    return re.sub(r"(?<!\\)\\*<(?=[A-Za-z/!?])", _escaped_less_than, markdown)


def _escaped_less_than(match: re.Match[str]) -> str:
    """Backslashes in front would take each other's effect: an even number leaves `<` bare."""
    slashes = match[0][:-1]
    return slashes + ("\\<" if len(slashes) % 2 == 0 else "<")


class GrowingDocument:
    """Markdown that arrives in pieces. Blocks that are finished are rendered once; only the last one is redone."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._tail = ""
        self._finished: list[str] = []
        self._references: dict[str, Any] = {}
        self._defines_links = False

    @property
    def text(self) -> str:
        """The Markdown so far."""
        return "".join(self._pieces)

    def feed(self, text: str) -> None:
        """Add a piece."""
        self._pieces.append(text)
        self._tail += text

    def html(self) -> str:
        """Return the whole as HTML, as it looks so far."""
        self._tail = _LINE_END.sub("\n", self._tail)
        env: dict[str, Any] = {"references": dict(self._references)}
        tokens = _parser().parse(self._tail, env)
        self._defines_links = bool(env["references"])
        start, line = _last_block(tokens, self._tail.count("\n"))
        if line:
            self._finished.append(_rendered(tokens[:start], env))
            self._tail = self._tail.split("\n", line)[line]
            self._references = env["references"]
        return "".join(self._finished) + _rendered(tokens[start:], env)

    def whole(self) -> str:
        """Return the whole as HTML, now that it is complete: a link may be defined after its use."""
        html = self.html()
        if not (self._finished and self._defines_links):
            return html
        env: dict[str, Any] = {}
        return _rendered(_parser().parse(self.text, env), env)


def _last_block(tokens: Sequence[Token], complete_lines: int) -> tuple[int, int]:
    """Where the last top-level block begins: the index of its token, and its line; (0, 0) for the first block.

    A block counts once its first two lines are complete: until then they may turn out to belong to the block before,
    the second one as well where a table begins.
    """
    starts = [(i, t.map[0]) for i, t in enumerate(tokens) if t.level == 0 and t.nesting >= 0 and t.map]
    return next(((i, line) for i, line in reversed(starts[1:]) if line + 1 < complete_lines), (0, 0))


def _rendered(tokens: Sequence[Token], env: MutableMapping[str, Any]) -> str:
    return nh3.clean(
        _parser().renderer.render(tokens, _parser().options, env),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
        filter_style_properties=_STYLES,
    )


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.inline.ruler.before("escape", "tex", _tex_rule)
    parser.add_render_rule("tex", _tex_html)
    parser.add_render_rule("fence", _code_html)
    parser.add_render_rule("code_block", _code_html)
    parser.add_render_rule("link_open", _link_html)
    parser.add_render_rule("image", _image_html)
    return parser


def _code_html(_: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """A block of code, fenced or indented."""
    token = tokens[index]
    language = (token.info.split() or [""])[0]
    named = f' class="language-{escape(language)}"' if language else ""
    code = f'<code{named} style="background: transparent">{highlighted(token.content, language)}</code>'
    return f'<pre style="{_CODE_STYLE}">{code}</pre>\n'


def _tex_rule(state: StateInline, silent: bool) -> bool:
    """TeX is passed on as it stands: the front end sets it. A dollar that opens no formula must not look as if."""
    first = state.src[state.pos]
    if first not in "$\\":
        return False
    match = _TEX.match(state.src, state.pos)
    if match is None and first == "\\":
        return False
    if not silent:
        token = state.push("tex", "", 0)
        token.content = match[0] if match else "$"
        token.info = "formula" if match else ""
    state.pos = match.end() if match else state.pos + 1
    return True


def _tex_html(_: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    return escape(token.content) if token.info else "<span>$</span>"


def _link_html(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    return renderer.renderToken(tokens, index, options, env)


def _image_html(_: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """An image is not fetched: the request alone would tell its server of the reader. It becomes a link."""
    token = tokens[index]
    source = str(token.attrGet("src") or "")
    host = urlsplit(source).hostname if source.startswith(("http://", "https://")) else None
    label = escape(token.content or "image")
    if host is None:
        return f"<span>[{label}]</span>"
    return f'<a href="{escape(source)}" target="_blank">{label} (image at {escape(host)})</a>'


def bundle(text: str, html: str, notices: Sequence[str] = ()) -> Mapping[str, str]:
    """Return one output in the forms that front ends choose from.

    Args:
        text: the reply itself.
        html: the reply as sanitised HTML.
        notices: the toolkit's own remarks.
    """
    remarks = "".join(f"\n\n*{neutralised(n)}*" for n in notices)
    return {
        "text/html": f"<div>{html}</div>{notices_html(notices)}",
        "text/markdown": neutralised(text) + remarks,
        "text/plain": text,
    }
