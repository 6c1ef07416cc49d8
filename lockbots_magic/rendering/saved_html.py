"""HTML of a final output, as a notebook saves it: short, and with the look that an untrusted notebook keeps. Pure.

JupyterLab's sanitizer removes style sheets from an untrusted notebook, and leaves style attributes.
"""

from __future__ import annotations

from ..security.html_policy import CODE_COLOURS

CODE_STYLE = "background:#8882;padding:.6em .8em;margin-bottom:1em"
"""Style of a block of code where there is no style sheet; `reply.css` sets another background where there is one."""

_CODE_BLOCK = f'<pre style="{CODE_STYLE}"><code style=background:none>'
_QUOTED = (
    *(("font color", colour) for colour in sorted(CODE_COLOURS)),
    *((f"{tag} style", f"text-align:{side}") for tag in ("td", "th") for side in ("left", "right", "center")),
)
"""Attributes of the most frequent elements, with all values that they may have."""
_SHORTER = (("<pre><code>", _CODE_BLOCK), *((f'<{name}="{value}">', f"<{name}={value}>") for name, value in _QUOTED))


def as_saved(html: str) -> str:
    """Return final HTML for the notebook file: blocks of code styled, and no quotes around the most frequent values.

    Args:
        html: What `frame.framed` makes. Angle brackets of texts are escaped, so no text looks like a tag.

    Example:
        >>> as_saved('<td style="text-align:left"><font color="#386">1</font></td>')
        '<td style=text-align:left><font color=#386>1</font></td>'
    """
    for tag, shorter in _SHORTER:
        html = html.replace(tag, shorter)
    return html
