"""What a cell shows until the first text of a reply: a line with the seconds since then. Pure.

The page counts the seconds itself, so that nothing more is sent however long it takes.
"""

from __future__ import annotations

from ..conversation.model_names import display_name
from ..security.control_characters import printable
from .escaping import escaped
from .html import IGNORED

MAX_SECONDS = 86_400
"""Time (s) up to which the page counts."""

_STYLE = (
    '<style>@property --lockbots-s {syntax: "<integer>"; initial-value: 0; inherits: false}'
    f"@keyframes lockbots-s {{to {{--lockbots-s: {MAX_SECONDS}}}}}"
    ".lockbots-waiting {opacity: 0.75; font-size: 0.9em}"
    f'.lockbots-waiting::after {{content: " " counter(lockbots-s) " s"; counter-reset: lockbots-s var(--lockbots-s);'
    f" animation: lockbots-s {MAX_SECONDS}s linear}}</style>"
)


def waiting_html(model: str) -> str:
    """Return the line of a cell that waits for `model`."""
    name = escaped(printable(display_name(model)))
    return f'{_STYLE}<div class="lockbots-waiting {IGNORED}">waiting for {name}…</div>'
