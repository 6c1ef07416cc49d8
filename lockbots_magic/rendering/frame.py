"""Frame of an output: the container that confines the HTML of a reply, its style sheet, and the remarks below. Pure.

It needs no parser: the first words of a reply are framed before one is imported.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from ..security.control_characters import printable
from ..security.html_policy import IGNORED_CLASSES, TEX_CLASSES
from .escaping import escaped
from .saved_html import as_saved
from .used_rules import used_rules

IGNORED = " ".join(sorted(IGNORED_CLASSES))
"""Class attribute of an element in which front ends look for TeX only where it is marked as such."""
FORMULA_OPENING = f'<span class="{" ".join(sorted(TEX_CLASSES))}">'
"""Opening tag of a formula that is left to the front end."""

NOTICE_STYLE = "margin-top:.4em;padding-left:.6em;border-left:2px solid;font-size:.9em;opacity:.75"
"""Style of the toolkit's own remarks."""
FOOT_STYLE = "margin-top:.4em;font-size:.85em;opacity:.65;overflow-wrap:anywhere"
"""Style of the foot line."""
_REJECTED = ' style="opacity:0.5"'
_MAY_BE_TEX = re.compile(r"[$\\]")
_LINE_END = "\n"


def has_formulas(html: str) -> bool:
    """Return whether `html`, which `render` returned, leaves formulas to the front end."""
    return FORMULA_OPENING in html


def count_formulas(html: str) -> int:
    """Return how many formulas `html`, which `render` returned, leaves to the front end."""
    return html.count(FORMULA_OPENING)


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
    *ended, rest = html.split("</pre>")
    parts = [part.partition("<pre") for part in ended]
    joined = [
        f"{text.replace(_LINE_END, ' ')}{tag}{code.replace(_LINE_END, '&#10;')}</pre>" for text, tag, code in parts
    ]
    return "".join([*joined, rest.replace(_LINE_END, " ")]).rstrip()


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
    return Path(__file__).with_name("reply.css").read_text("utf-8")


def style_element(css: str) -> str:
    """Return a style sheet as a minified element. The sheet must not need a space before a colon."""
    return f"<style>{_minified(css)}</style>"


@functools.cache
def _minified(css: str) -> str:
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"(?<![\w.])0(?=\.\d)", "", re.sub(r"\s*([{};:,>])\s*", r"\1", bare)).strip()
