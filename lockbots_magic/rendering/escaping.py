"""Text -> HTML that shows exactly that text. Pure, and cheap to import."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html import escape

from ..late_pattern import late_pattern

REORDERED_CLASS = "x"
"""Class of the element that shows a reordering character in code."""

# A front end typesets what stands between these, wherever it stands in an output. In an element of its own such a
# character begins no formula: TeX is looked for in one run of text at a time.
_TEX = re.compile(r"[$\\]")
# Characters that reorder a line on the screen: code that reads one way and runs another.
_REORDERING = late_pattern("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def escaped(text: str) -> str:
    """Return prose as HTML in which no tag, no entity and no formula begins."""
    html = escape(text)
    return _TEX.sub(r"<span>\g<0></span>", html) if "$" in html or "\\" in html else html


def printed(code: str) -> str:
    """Return code as HTML that reads in the order in which the code stands; reordering characters are made visible.

    For an element of code, in which no front end looks for TeX.
    """
    html = escape(code)
    if html.isascii():
        return html
    return _REORDERING.sub(lambda c: f'<span class="{REORDERED_CLASS}">U+{ord(c[0]):X}</span>', html)


def right_to_left(text: str) -> bool:
    """Tell whether `text` holds letters of a right-to-left script."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def begins_right_to_left(texts: Iterable[str]) -> bool:
    """Tell whether the first letter of `texts` that has a direction goes to the left, as `dir="auto"` finds out."""
    kinds = (unicodedata.bidirectional(letter) for text in texts for letter in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"
