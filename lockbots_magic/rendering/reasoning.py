"""What people see of a model's reasoning: a line while it reasons, and the reasoning folded above the reply. Pure."""

from __future__ import annotations

from ..security.control_characters import printable
from .escaping import escaped

MAX_REASONING = 20_000
"""Characters of reasoning that an output shows; the turn holds all of it."""
RETRACTED = "the text above was reasoning"
"""Remark where text that was written can't be taken back."""


def thinking_notice(size: int = 0) -> str:
    """Return the notice of a model that reasons.

    Args:
        size: Characters of reasoning so far.
    """
    return f"thinking… ({size:,} characters)" if size else "thinking…"


def reasoning_html(reasoning: str) -> str:
    """Return reasoning as an element that is folded at first; ``""`` if there is none."""
    reasoning = reasoning.strip()
    text = printable(reasoning[:MAX_REASONING])
    if not text:
        return ""
    if len(reasoning) > MAX_REASONING:
        text += f"\n… ({len(reasoning) - MAX_REASONING:,} more characters)"
    body = escaped(text).replace("\n", "&#10;")
    return f'<details class="lockbots-reasoning"><summary>Reasoning</summary><div dir="auto">{body}</div></details>'
