"""What people see of a model's reasoning: the end of it while it comes, and the whole folded above the reply. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..language import N_, _
from ..security.control_characters import printable
from .escaping import escaped
from .safe_markdown.inline import literal
from .seconds import counting, seconds_style

MAX_REASONING = 20_000
"""Characters of reasoning that an output shows; the turn holds all of it."""
FOLD_STYLE = "margin-bottom:0.6em;font-size:0.9em;opacity:0.75"
"""Style of folded reasoning, on its own elements: a notebook that is not trusted loses style sheets."""
FOLDED_TEXT_STYLE = "max-height:20em;overflow:auto;padding-left:0.6em;border-left:2px solid;white-space:pre-wrap"
_AT_END_STYLE = (  # such a box is scrolled to its end
    "<style>.lockbots-reasoning:has(.lockbots-seconds) > div {display: flex; flex-direction: column-reverse}</style>"
)
RETRACTED = N_("the text above was reasoning")
"""Remark where text that was written can't be taken back."""

ReasoningMode: TypeAlias = Literal["fold", "show", "hide"]
"""What an output shows of reasoning: open while it comes and folded after, open, or nothing."""


def reasoning_html(reasoning: str, *, is_open: bool = False) -> str:
    """Return reasoning as an element that is folded at first unless `is_open`; ``""`` if there is none."""
    text = _bounded(reasoning)
    return _details(_("Reasoning"), text, is_open=is_open) if text else ""


def reasoning_markdown(reasoning: str) -> str:
    """Return reasoning as a quote in Markdown, for front ends that show no HTML; ``""`` if there is none."""
    lines = _bounded(reasoning).split("\n")
    heading = _("Reasoning")
    return "\n".join([f"> *{heading}*", ">", *(f"> {literal(line)}  " for line in lines)]) if any(lines) else ""


def thinking_html(tail: str, seconds: float) -> str:
    """Return what a cell shows of a model that reasons.

    Args:
        tail: End of the reasoning so far; ``""`` to show the line alone.
        seconds: Time since it began, s; the page counts on.
    """
    line = counting(escaped(_("Thinking…")), seconds)
    text = printable(tail).strip()
    if not text:
        return f'{seconds_style()}<div class="lockbots-reasoning">{line}</div>'
    return seconds_style() + _AT_END_STYLE + _details(line, text, is_open=True)


def reasoned_html() -> str:
    """Return what stands for the reasoning while the reply comes: a fold like the one in the end."""
    return _details(_("Reasoning"), _("Shown when the reply is complete."))


def _bounded(reasoning: str) -> str:
    reasoning = reasoning.strip()
    text = printable(reasoning[:MAX_REASONING])
    if text and len(reasoning) > MAX_REASONING:
        text += "\n" + _("… ({n:,} more characters)", n=len(reasoning) - MAX_REASONING)
    return text


def _details(summary: str, text: str, *, is_open: bool = False) -> str:
    body = escaped(text).replace("\n", "&#10;")
    opening = f'<details class="lockbots-reasoning" style="{FOLD_STYLE}"{" open" if is_open else ""}>'
    return f'{opening}<summary>{summary}</summary><div dir="auto" style="{FOLDED_TEXT_STYLE}">{body}</div></details>'
