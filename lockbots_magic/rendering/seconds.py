"""A count of seconds that the page keeps by itself, so that nothing more is sent however long it takes. Pure."""

from __future__ import annotations

from ..language import pgettext

MAX_SECONDS = 86_400
"""Time (s) up to which the page counts."""

WAITING_DELAY = 0.5
"""Time (s) without any text or notice after which a cell says that it waits."""

SECONDS_CLASS = "lockbots-seconds"


def seconds_style() -> str:
    """Return the style sheet that `counting` needs, with the unit in the current language."""
    unit = pgettext("unit of time after a number: seconds", "s")
    return (
        '<style>@property --lockbots-s {syntax: "<integer>"; initial-value: 0; inherits: false}'
        f"@keyframes lockbots-s {{to {{--lockbots-s: {MAX_SECONDS}}}}}"
        f'.{SECONDS_CLASS}::after {{content: " " counter(lockbots-s) "\u00a0{unit}"; '
        f"counter-reset: lockbots-s var(--lockbots-s); animation: lockbots-s {MAX_SECONDS}s linear; "
        "animation-delay: inherit}</style>"
    )


def counting(text: str, seconds: float = 0) -> str:
    """Return `text` (HTML) followed by the seconds since now; `seconds_style` must be in the page.

    Args:
        text: What goes before the number.
        seconds: Number (s) to start with.
    """
    started = f' style="animation-delay: -{seconds:.0f}s"' if seconds >= 1 else ""
    return f'<span class="{SECONDS_CLASS}"{started}>{text}</span>'
