"""First words of a reply, shown before a parser is imported. Pure, and cheap to import."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable

from ..importing import without_collector
from .escaping import escaped, right_to_left

MARKS = r"\\`*_~$<>&!\[\]|\r\0"
"""Characters at which some rule of Markdown begins within a line, and those that are replaced before any rule."""
PLAIN_LINE = rf"[^\W\d_](?:[^\n{MARKS}]*[^\s{MARKS}])?"
"""Pattern of a line that begins with a letter and has no markup."""
PARSER = ("markdown", "html", "incremental_reply")
"""Modules of this package that draw a reply, in an order in which none takes long to import."""
_BEGINNING = re.compile(rf"\n* {{0,3}}({PLAIN_LINE})")


def first_words_html(text: str) -> str:
    """Return the first line of a growing reply up to its first markup, as the parser would; ``""`` if there is none.

    Example:
        >>> first_words_html("The mean is *not*")
        '<p>The mean is</p>'
        >>> first_words_html("- The mean")
        ''
    """
    found = _BEGINNING.match(text)
    if found is None:
        return ""
    direction = ' dir="auto"' if right_to_left(found[1]) else ""
    return f"<p{direction}>{escaped(found[1])}</p>"


def is_parser_imported() -> bool:
    """Tell whether a reply can be drawn without waiting for imports."""
    return f"{__package__}.{PARSER[-1]}" in sys.modules


def import_parser(show_first_words: Callable[[], bool]) -> None:
    """Import what draws a reply.

    Args:
        show_first_words: Called before each module until it returns True.
    """
    is_shown = False
    for name in PARSER:
        is_shown = is_shown or show_first_words()
        with without_collector():
            importlib.import_module(f"{__package__}.{name}")
