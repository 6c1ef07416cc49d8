"""What a cell shows until the first text of a reply: a line with the seconds since then. Pure."""

from __future__ import annotations

from ..conversation.model_names import display_name
from ..language import _
from ..security.control_characters import printable
from .escaping import escaped
from .frame import IGNORED
from .seconds import counting, seconds_style

_STYLE = "<style>.lockbots-waiting {opacity: 0.75; font-size: 0.9em}</style>"


def waiting_text(model: str) -> str:
    """Return what says that `model` is waited for."""
    return _("waiting for {name}…", name=printable(display_name(model)))


def waiting_html(model: str) -> str:
    """Return the line of a cell that waits for `model`."""
    line = counting(escaped(waiting_text(model)))
    return f'{seconds_style()}{_STYLE}<div class="lockbots-waiting {IGNORED}">{line}</div>'
