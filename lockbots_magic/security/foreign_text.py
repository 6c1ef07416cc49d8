"""Quote text of a server in a message of the toolkit."""

from __future__ import annotations

from .redaction import redacted


def quote_line(text: str, limit: int) -> str:
    """Return the beginning of a foreign text, on one line, without control characters and credentials.

    Args:
        text: What a server sent.
        limit: Maximum number of characters of the result.

    Example:
        >>> quote_line("no\\x1b[2J\\nway", 80)
        'no [2J way'
    """
    text = redacted(text)  # before it is cut: half a credential would not be found
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 2]).split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
