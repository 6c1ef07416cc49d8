"""One reply in the forms that front ends choose from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..security.control_characters import printable
from .highlight import printed
from .html import framed
from .safe_markdown import neutralised
from .safe_markdown.inline import literal


def bundle(text: str, html: str, notices: Sequence[str] = ()) -> Mapping[str, str]:
    """Return one output in the forms that front ends choose from.

    Args:
        text: the reply itself.
        html: the reply as sanitised HTML.
        notices: the toolkit's own remarks.
    """
    remarks = "".join(f"\n\n*{literal(n)}*" for n in notices)
    return {
        "text/html": framed(html, notices),
        "text/markdown": neutralised(text) + remarks,
        "text/plain": printable(text),
    }


def made(html: Callable[[], str], text: str) -> str:
    """Return the HTML that `html` makes of a reply; if it fails, `text` as it is."""
    try:
        return html()
    except Exception:  # noqa: BLE001  # whatever is odd about it: a reply is never lost
        return f"<pre><code>{printed(text)}</code></pre>"
