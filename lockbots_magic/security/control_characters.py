"""Text from outside, made fit for places that obey some characters rather than show them."""

from __future__ import annotations

import re

# What a terminal would obey rather than show: C0 but tab and newline, DEL, C1, and what turns the direction of writing.
# And tags, which nobody sees. Joiners, direction marks and variation selectors are part of scripts and emoji.
_STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]+")
_ADDRESS = re.compile(r"\b(?!https?:)(?=[A-Za-z][A-Za-z0-9+.-]*://|data:)[A-Za-z0-9+.-]+", re.IGNORECASE)
_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")


def printable(text: str) -> str:
    """Return `text` without the characters that steer a terminal; every kind of line end is a newline."""
    return _STEERING.sub("", _LINE_END.sub("\n", text))


def unlinked(text: str) -> str:
    """Return `text` in which nothing but addresses of the web looks like one.

    JupyterLab makes a link of any scheme in bare text, of `javascript:` too. A word joiner, which takes no room, parts
    the scheme from its colon.
    """
    return _ADDRESS.sub("\\g<0>\u2060", text)
