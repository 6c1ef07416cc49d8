"""Text -> HTML that shows just that text. Pure."""

from __future__ import annotations

import re
from html import escape

# A front end typesets what stands between these, wherever it stands in an output. In an element of its own such a
# character begins no formula: TeX is looked for in one run of text at a time.
_TEX = re.compile(r"[$\\]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def escaped(text: str) -> str:
    """Return `text` as HTML, in which no tag, no entity and no formula begins."""
    return _TEX.sub(r"<span>\g<0></span>", escape(text))


def right_to_left(text: str) -> bool:
    """Whether `text` holds letters of a script that runs from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None
