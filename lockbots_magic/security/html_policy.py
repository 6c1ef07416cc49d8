"""HTML policy: the tags, attributes and classes that a rendered reply may hold.

A front end trusts the output of a cell that was just run, so HTML in a reply would run there. Raw HTML is
off in the Markdown parser; what the renderer makes passes this sanitiser as well.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .links import is_small_picture, is_web_link

TEX_CLASSES = frozenset({"mathjax_process", "tex2jax_process"})
"""Classes of an element in which a front end looks for TeX."""
IGNORED_CLASSES = frozenset({"mathjax_ignore", "tex2jax_ignore"})
"""Classes of an element in which no front end looks for TeX, except where `TEX_CLASSES` mark it."""
UNLISTED_CLASSES = frozenset({"jp-toc-ignore", "tocSkip"})
"""Classes of a heading that JupyterLab and Notebook leave out of the table of contents."""
CODE_COLOURS = frozenset({"#383", "#386", "#47d", "#57d", "#86d", "#a5d", "#b54", "#c44"})
"""Colours in highlighted code; see `rendering.highlight`."""
REORDERED_CLASS = "x"
"""Class of the element that shows a reordering character in code."""

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "sup", "code", "pre", "blockquote", "a", "span", "div", "img"),
    *("sub", "kbd", "details", "summary", "b", "i", "font"),
    *(*_HEADINGS, "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "a": {"href", "target"},
    "img": {"src", "alt"},
    "ol": {"start", "dir"},
    "font": {"color"},
    **{tag: {"style"} for tag in ("th", "td", "li")},
    **{tag: {"dir"} for tag in ("p", "ul", "div", "blockquote", "details", "summary")},
    **{tag: {"dir", "style"} for tag in _HEADINGS},
}
_STYLES = {"text-align", "font-size", "font-weight", "list-style"}
_CLASSES = {
    "span": {REORDERED_CLASS, *TEX_CLASSES},
    "div": {"formula", "footnote", "wide"},
    "code": {"tex"},
    "pre": {"joins", "joined"},
    "li": {"task"},
    **dict.fromkeys(_HEADINGS, UNLISTED_CLASSES),
}


def sanitize(html: str) -> str:
    """Remove from `html` everything that a reply must not contain."""
    return _cleaner()(html)


@functools.cache
def _cleaner() -> Callable[[str], str]:
    """Return the sanitiser with the policy; to read the policy takes half as long as to clean a reply."""
    policy: dict[str, Any] = {
        "tags": _TAGS,
        "attributes": _ATTRIBUTES,
        "allowed_classes": _CLASSES,
        "attribute_filter": _check_value,
        "url_schemes": {"http", "https", "mailto", "data"},
        "link_rel": "noopener noreferrer",
        "filter_style_properties": _STYLES,
    }
    import nh3  # noqa: PLC0415  # what only frames a reply needs none

    # nh3 0.2 has no class for it.
    return nh3.Cleaner(**policy).clean if hasattr(nh3, "Cleaner") else functools.partial(nh3.clean, **policy)


def _check_value(tag: str, name: str, value: str) -> str | None:
    """Keep a link only if it leads to the web, an image only if it is embedded and small, and the colours of code."""
    if tag == "font":
        return value if value in CODE_COLOURS else None
    if name in ("href", "src"):
        return value if (is_web_link if tag == "a" else is_small_picture)(value) else None
    return value
