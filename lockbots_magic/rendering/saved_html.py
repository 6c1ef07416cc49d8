"""HTML of a final output, as a notebook saves it: short, and with the look that an untrusted notebook keeps. Pure.

JupyterLab's sanitizer removes style sheets from an untrusted notebook, and leaves style attributes.
"""

from __future__ import annotations

import re

from ..security.html_policy import CODE_COLOURS

CODE_STYLE = "background:#8882;padding:.6em .8em;margin-bottom:1em"
"""Style of a block of code where there is no style sheet; `reply.css` sets another background where there is one."""

STYLED_TWICE = (("padding:.6em .8em;margin-bottom:1em;", ""), ("pre code{background:none;", "pre code{"))
"""What `reply.css`, minified, says once more of a block of code that has `CODE_STYLE`, and what remains of it."""
HIDES_EMPTY = "pre:has(code:empty){display:none}"
"""The rule of `reply.css` for a block of code without code."""

_CODE_BLOCK = f'<pre style="{CODE_STYLE}"><code style=background:none>'
_QUOTED = (
    *(("font color", colour) for colour in sorted(CODE_COLOURS)),
    *(("div class", name) for name in ("formula", "wide")),
    *((f"{tag} style", f"text-align:{side}") for tag in ("td", "th") for side in ("left", "right", "center")),
)
"""Attributes of the most frequent elements, with all values that they may have."""
_SHORTER = (("<pre><code>", _CODE_BLOCK), *((f'<{name}="{value}">', f"<{name}={value}>") for name, value in _QUOTED))

_SPACE = re.compile("> (?=</?(?:p|h[1-6]|[uo]l|li|pre|blockquote|div|table|thead|tbody|tr|t[dh]|hr)[ >])")
"""White space between a tag and the tag of a block, which shows nothing; the renderer makes one of each line break."""
_IMPLIED_END = re.compile("</(?:t[dh]|tr|thead|tbody)>(?=</?t(?:[dhr]|able|head|body)[ >])")
"""End tag in a table that a parser of HTML adds itself (HTML standard, section 13.1.2.4)."""


def as_saved(html: str) -> str:
    """Return final HTML for the notebook file: blocks of code styled, and shorter where a parser makes the same of it.

    It leaves out quotes around the most frequent values, white space between blocks, and end tags in tables.

    Args:
        html: What `frame.framed` makes. Angle brackets of texts are escaped, so no text looks like a tag.

    Example:
        >>> as_saved('<td style="text-align:left"><font color="#386">1</font></td>')
        '<td style=text-align:left><font color=#386>1</font></td>'
    """
    for tag, shorter in _SHORTER:
        html = html.replace(tag, shorter)
    return _IMPLIED_END.sub("", _SPACE.sub(">", html))


def rules_to_save(css: str, html: str) -> str:
    """Return the minified `reply.css` without what the blocks of code in `html` don't need.

    Args:
        css: The style sheet.
        html: What it is for, not yet shortened by `as_saved`.
    """
    if "></code></pre>" not in html:
        css = css.replace(HIDES_EMPTY, "")
    if html.count("<pre") == html.count("<pre><code>"):  # each will have its style
        for rule, remains in STYLED_TWICE:
            css = css.replace(rule, remains)
    return css
