"""How much of a reply an output shows."""

from __future__ import annotations

from ..language import _

MAX_SHOWN = 300_000
"""Characters of a reply that an output shows; the turn keeps all of them."""


def shown_text(text: str) -> str:
    """Return the beginning of a reply that is too long for a page, and how much is left out; any other as it is."""
    if len(text) <= MAX_SHOWN:
        return text
    left_out = _("{n:,} more characters are not shown", n=len(text) - MAX_SHOWN)
    return _(
        "{text}\n\n[{left_out}; `%lockbots export` writes them to a file]", text=text[:MAX_SHOWN], left_out=left_out
    )
