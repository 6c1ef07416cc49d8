"""Remove characters that a terminal or a text layout would obey instead of showing them."""

from __future__ import annotations

import re

_CONTROLS = "\0-\x08\x0b-\x1f\x7f-\x9f"
"""C0 without tab and newline, DEL, and C1: a terminal obeys them."""
_STEERING = re.compile(f"[{_CONTROLS}\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]+")
"""Also embeddings, overrides and isolates, which reorder a line, and tags, which are invisible.

Joiners, direction marks and variation selectors stay: scripts and emoji need them.
"""
_CONTROL = re.compile(f"[{_CONTROLS}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")


def printable(text: str) -> str:
    """Remove control, reordering and tag characters; turn every line end into a newline."""
    return _STEERING.sub("", _LINE_END.sub("\n", text))


def without_controls(markup: str) -> str:
    """Remove C0 and C1 control characters from HTML or Markdown, where reordering characters stay within a block."""
    return _CONTROL.sub("", _LINE_END.sub("\n", markup))


def has_surrogates(text: str) -> bool:
    """Tell whether `text` holds a surrogate, which UTF-8 and JSON readers refuse."""
    return _SURROGATE.search(text) is not None


def replace_surrogates(text: str) -> str:
    """Join surrogate pairs to the character they stand for; replace a lone surrogate by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if has_surrogates(text) else text
