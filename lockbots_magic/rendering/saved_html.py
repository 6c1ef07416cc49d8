"""HTML of a final output, as a notebook saves it: short, and with the look that an untrusted notebook keeps. Pure.

JupyterLab's sanitizer removes style sheets from an untrusted notebook, and leaves style attributes.
"""

from __future__ import annotations

import re

CODE_STYLE = "background:#8882;padding:.6em .8em;margin-bottom:1em"
"""Style of a block of code where there is no style sheet; `reply.css` sets another background where there is one."""

_CODE_BLOCK = f'<pre style="{CODE_STYLE}"><code style=background:none>'
_BARE_VALUE = re.compile(r'(<font color=|<t[dh] style=)"([#:\w-]+)">')


def as_saved(html: str) -> str:
    """Return final HTML for the notebook file: blocks of code styled, and no quotes around the most frequent values.

    Args:
        html: What `frame.framed` makes. Angle brackets of texts are escaped, so no text looks like a tag.

    Example:
        >>> as_saved('<td style="text-align:left"><font color="#386">1</font></td>')
        '<td style=text-align:left><font color=#386>1</font></td>'
    """
    return _BARE_VALUE.sub(r"\1\2>", html.replace("<pre><code>", _CODE_BLOCK))
