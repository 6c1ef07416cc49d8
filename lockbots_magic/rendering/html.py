"""Markdown -> HTML that is safe in a trusted page (see `security.html_policy`). Pure."""

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

from ..language import _
from ..security.control_characters import printable
from ..security.html_policy import IGNORED_CLASSES, TEX_CLASSES, UNLISTED_CLASSES, sanitize
from ..security.links import host_of, is_small_picture, is_web_link
from ..security.tex_policy import is_harmless, unlabelled
from .escaping import begins_right_to_left, escaped, printed
from .highlight import highlighted
from .markdown import Environment, lowered, parse, parser
from .saved_html import as_saved
from .used_rules import used_rules

MAX_TYPESET = 40_000
"""Cost of the formulas of one reply that are typeset, see `_cost_of`; a page is busy for about 0.1 ms for each."""
FORMULA_COST = 50
"""Cost of a formula, however short."""
MARK_COST = 8
"""Cost of each mark of structure in it, besides one for each character."""

IGNORED = " ".join(sorted(IGNORED_CLASSES))
"""Class attribute of an element in which front ends look for TeX only where it is marked as such."""
_TEX = " ".join(sorted(TEX_CLASSES))
UNLISTED = " ".join(sorted(UNLISTED_CLASSES))
"""Class attribute of a heading that is not in the notebook's table of contents."""

NOTICE_STYLE = "margin-top:.4em;padding-left:.6em;border-left:2px solid;font-size:.9em;opacity:.75"
"""Style of the toolkit's own remarks."""
FOOT_STYLE = "margin-top:.4em;font-size:.85em;opacity:.65;overflow-wrap:anywhere"
"""Style of the foot line."""
_REJECTED = ' style="opacity:0.5"'
_MAY_BE_TEX = re.compile(r"[$\\]")
_PREFORMATTED = re.compile(r"(<pre.*?</pre>)", re.DOTALL)


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
        formula = f'<span class="{_TEX}">{escape(unlabelled(token.content))}</span>'
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


def has_formulas(html: str) -> bool:
    """Return whether `html`, which `render` returned, leaves formulas to the front end."""
    return f'<span class="{_TEX}">' in html


def notices_html(notices: Iterable[str], *, final: bool = False) -> str:
    """Return the toolkit's own remarks as HTML; a `final` output brings their style along."""
    style = f' style="{NOTICE_STYLE}"' if final else ""
    return "".join(f'<div class="lockbots-notice"{style}>{escaped(printable(n))}</div>' for n in notices)


def foot_html(line: str) -> str:
    """Return a foot line as HTML, see `foot_line`."""
    return f'<div class="lockbots-foot" style="{FOOT_STYLE}">{escaped(printable(line))}</div>' if line else ""


def framed(
    html: str,
    notices: Iterable[str] = (),
    *,
    styled: bool = True,
    final: bool = False,
    above: str = "",
    below: str = "",
    rejected: bool = False,
) -> str:
    """Return a reply's HTML in a container that confines it, with the notices below.

    Args:
        html: What `render` returned.
        notices: The toolkit's own remarks.
        styled: Whether to include the style sheet; one in a page is enough.
        final: Whether nothing will be added to this output: then only the rules that apply are included.
        above: What stands above the reply, such as `reasoning_html`.
        below: What stands below the notices, such as `foot_html`.
        rejected: Whether the reply is none that counts: it is shown faded.
    """
    below = notices_html(notices, final=final) + below
    ignored = "" if final and not _MAY_BE_TEX.search(above + html + below) else f" {IGNORED}"
    fading = _REJECTED if rejected else ""
    reply = f'<div class="lockbots-reply{ignored}"{fading}>{_on_one_line(html)}</div>' if html else ""
    shown = f"{above}{reply}{below}"
    sheet = (style_for(shown) if final else style()) if styled else ""
    whole = f'<div class="lockbots{ignored}">{sheet}{shown}</div>'
    return as_saved(whole) if final else whole


def _on_one_line(html: str) -> str:
    """Avoid line breaks: exported Markdown holds this HTML, where an empty line would end it."""
    parts = _PREFORMATTED.split(html)
    return "".join(part.replace("\n", "&#10;" if n % 2 else " ") for n, part in enumerate(parts)).rstrip()


def style_for(html: str) -> str:
    """Return the style sheet with the rules that may apply to `html`, as an element.

    A notebook holds it once an output: of a short text, it is a third of the whole sheet.
    """
    return f"<style>{used_rules(_minified(_rules_of_replies()), html)}</style>"


@functools.cache
def style() -> str:
    """Return the style sheet of replies as an element."""
    return style_element(style_sheet())


def style_sheet() -> str:
    """Return the style sheet of replies and of the remarks below them."""
    return f"{_rules_of_replies()}\n.lockbots .lockbots-notice {{{NOTICE_STYLE}}}\n"


@functools.cache
def _rules_of_replies() -> str:
    return files(__package__).joinpath("reply.css").read_text("utf-8")


def style_element(css: str) -> str:
    """Return a style sheet as a minified element. The sheet must not need a space before a colon."""
    return f"<style>{_minified(css)}</style>"


@functools.cache
def _minified(css: str) -> str:
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"(?<![\w.])0(?=\.\d)", "", re.sub(r"\s*([{};:,>])\s*", r"\1", bare)).strip()
