"""Allow-list of tags and attributes for the HTML of each kind of output.

A rule is tag -> attribute -> pattern of the whole value, in the syntax that Python and JavaScript share.
"""

from __future__ import annotations

import re

from lockbots_magic.rendering.frame import FOOT_STYLE, NOTICE_STYLE
from lockbots_magic.rendering.saved_html import CODE_STYLE

Rules = dict[str, dict[str, str]]

WEB = r"(https?://|mailto:)[^\s\\]+"
"""Pattern of allowed links."""
PICTURE = r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=%]+"
_ANY = r"[\s\S]*"
_LINK = {"href": WEB, "title": _ANY, "target": "_blank|_self", "rel": "(noopener|noreferrer|nofollow| )+"}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PLAIN_TAGS = (
    *("p", "br", "hr", "em", "strong", "s", "sup", "code", "pre", "blockquote", "ul", "ol", "li", "div", "span"),
    *("table", "thead", "tbody", "tr", "th", "td", "sub", "kbd", "details", "summary", "b", "i", "font"),
)
_IGNORED = "mathjax_ignore tex2jax_ignore"
_OWN_STYLES = "|".join(
    re.escape(style).replace(re.escape(";overflow-wrap:anywhere"), "(;overflow-wrap:anywhere)?")
    for style in (NOTICE_STYLE, FOOT_STYLE, "opacity:0.5")
)
"""Styles of what the toolkit adds around a reply; JupyterLab takes one property out where a notebook is not trusted."""
_CELL = {"style": "text-align: ?(left|right|center);?"}

REPLY: Rules = {
    **{tag: {} for tag in _PLAIN_TAGS},
    **{tag: {"dir": "auto"} for tag in ("p", "ul", "blockquote", "details", "summary")},
    **{
        tag: {"dir": "auto", "class": "jp-toc-ignore tocSkip", "style": r"font-size: ?1(\.2)?em; ?font-weight: ?bold;?"}
        for tag in _HEADINGS
    },
    "font": {"color": "#[0-9a-f]{3}"},
    "ol": {"start": r"\d{1,9}", "dir": "auto"},
    "a": _LINK,
    "img": {"src": PICTURE, "alt": _ANY},
    "th": _CELL,
    "td": _CELL,
    "code": {"class": "tex", "style": "background: ?none;?"},
    "pre": {"class": "(joins|joined| )+", "style": re.escape(CODE_STYLE) + ";?"},
    "li": {"class": "task", "style": "list-style: ?none;?"},
    "span": {
        "class": "x|mathjax_process tex2jax_process|numbering-entry|lockbots-seconds"
    },  # the last is of JupyterLab's headings
    "div": {
        "dir": "auto",
        "style": _OWN_STYLES,
        "class": "formula|footnote|wide|lb-code|lockbots-notice|lockbots-foot|lockbots-call|"
        f"(lockbots|lockbots-reply|lockbots-waiting)( {_IGNORED})?",
    },
    "style": {},  # its text is compared as well
}
"""A reply."""

_CONTROL = {
    "class": "((lb|lockbots|widget|jupyter|lm|jp)-[A-Za-z-]+|lockbots|mathjax_ignore|tex2jax_ignore| )*",
    "style": r"(height: [\w.]+;?)?",
    "role": "region|log|status|search",
    "type": "button|search",
    "inputmode": "decimal",
    "dir": "auto",
    "lang": "en",
    **dict.fromkeys(("hidden", "disabled", "open", "data-lm-suppress-shortcuts", "data-jp-suppress-context-menu"), ""),
    **dict.fromkeys(("rows", "tabindex"), r"[\d.]+"),
    **dict.fromkeys(
        ("aria-live", "aria-hidden", "aria-expanded", "aria-disabled", "spellcheck", "data-icon"), "[a-z]+"
    ),
    **dict.fromkeys(("title", "aria-label", "placeholder", "value"), _ANY),
}
PANEL: Rules = {
    **dict.fromkeys(("div", "section", "article", "details", "summary", "label"), _CONTROL),
    **dict.fromkeys(("span", "p", "code", "ul", "li"), _CONTROL),
    **dict.fromkeys(("button", "input", "select", "option", "textarea"), _CONTROL),
    "svg": {"viewBox": "0 0 16 16", "aria-hidden": "true"},
    "path": {"d": r"[\w .-]+"},
}
"""The chat panel around its replies."""

TABLE: Rules = {
    **{tag: {} for tag in ("div", "table", "thead", "tbody", "tr", "span")},
    "th": _CELL,
    "td": _CELL,
}
"""Tables, such as that of `%lockbots list`."""

PLAIN: Rules = {
    "pre": {},
    "span": {"class": r"ansi-[a-z-]+( ansi-[a-z-]+)*"},
    "a": {"href": WEB, "rel": "noopener", "target": "_blank", "data-path": r"[\w./-]*", "data-locator": r"[\w=]*"},
}
"""HTML that the front end makes of plain text and errors, with links for web addresses and paths."""

MARKDOWN: Rules = {
    **{tag: {} for tag in (*_PLAIN_TAGS, *_HEADINGS, "del")},
    **{tag: {"data-jupyter-id": _ANY} for tag in _HEADINGS},
    "ol": {"start": r"\d{1,9}"},
    "a": {**_LINK, "class": "jp-InternalAnchorLink", "href": rf"(https?://|mailto:|#){_ANY}"},
    "img": {"src": PICTURE, "alt": _ANY},
    "th": {"align": "left|right|center"},
    "td": {"align": "left|right|center"},
    "input": {"type": "checkbox", "disabled": "", "checked": ""},
    "code": {"class": r"language-[^\s]*"},
    "span": {"class": "[\u037c\\w -]+"},
}
"""HTML that JupyterLab's Markdown renderer makes of the Markdown form."""

NBCONVERT: Rules = {
    **MARKDOWN,
    **{tag: {"id": _ANY} for tag in _HEADINGS},
    "a": {**MARKDOWN["a"], "class": "anchor-link"},
    "div": {"class": "highlight"},
    "li": {"class": "task-list-item"},
    "input": {**MARKDOWN["input"], "class": "task-list-item-checkbox"},
    "span": {"class": r"[\w -]*"},
}
"""HTML that nbconvert makes of the Markdown form."""

READ: Rules = {
    **{tag: rule for tag, rule in MARKDOWN.items() if tag != "input"},
    "a": _LINK,
    "th": _CELL,
    "td": _CELL,
}
"""HTML that markdown-it makes of the Markdown form."""

EXPORTED: Rules = {
    **{tag: {**READ.get(tag, {}), **REPLY.get(tag, {})} for tag in {**READ, **REPLY}},
    "code": {**REPLY["code"], "class": r"tex|language-[^\s]*"},
}
"""HTML that markdown-it makes of an exported notebook, which may hold both forms."""

_WORD = r"[\w.%+ -]*"
_FORMULA_CLASS = r"(MathJax|CtxtMenu_Attached_0|(mjx|MJX|TEX)-[\w.-]+| )+"
_FORMULA_STYLE = r"(?![\s\S]*(url|fixed|absolute|sticky|image-set|@|\\))[\s\S]*"
_FORMULA_WORDS = (
    "jax display width height depth align side size space variant texclass limits justify unselectable noic length "
    "aria-hidden role tabindex delims frame min-width overflow rowalign columnalign columnlines rowlines rowspacing "
    "columnspacing framespacing equalrows equalcolumns minlabelspacing displaystyle scriptlevel mathvariant mathsize "
    "lspace rspace voffset minsize maxsize stretchy symmetric fence separator form accent accentunder movablelimits "
    "largeop linethickness notation bevelled numalign denomalign open close actiontype selection data-mjx-texclass "
    "data-mjx-variant data-mjx-pseudoscript data-mjx-auto-op data-mjx-alternate data-cramped extra toggle atop"
)
_MATHML = (
    "math|semantics|none|m(i|n|o|text|space|row|frac|sqrt|root|style|error|padded|phantom|enclose|sub|sup|subsup|under|"
    "over|underover|multiscripts|prescripts|table|tr|td|labeledtr|action)"
)
MATHJAX: Rules = {
    rf"mjx-[a-z0-9-]+|{_MATHML}": {
        **dict.fromkeys(_FORMULA_WORDS.split(), _WORD),
        "class": _FORMULA_CLASS,
        "style": _FORMULA_STYLE,
        "id": r"mjx-eqn[:%][\s\S]*",
        "xmlns": "http://www.w3.org/1998/Math/MathML",
        "mathcolor": r"[\w#]*",
        "mathbackground": r"[\w#]*",
        "title": _ANY,
        "data-mjx-error": _ANY,
    },
}
"""HTML that MathJax adds around a formula: no link, no address, no identifier except those of equations."""

RULES = {"reply": REPLY, "html": TABLE, "plain": PLAIN, "panel": PANEL, "mathjax": MATHJAX, "markdown": MARKDOWN}
