"""The display of a batch: found by name, as the rooms that show things lie above this one."""

from __future__ import annotations

import sys
from importlib import import_module

from .progress import NO_DISPLAY, ProgressDisplay

_NOTEBOOK = "lockbots_magic.notebook.batch_output"
_TERMINAL = "lockbots_magic.rendering.terminal.batch_progress"


def find_display() -> ProgressDisplay:
    """Return a display for whoever watches: in a cell, in a terminal, or none."""
    names = [_NOTEBOOK] if "IPython" in sys.modules else []
    names += [_TERMINAL] if sys.stderr is not None and sys.stderr.isatty() else []
    found = (import_module(name).open_display() for name in names)
    return next((display for display in found if display is not None), NO_DISPLAY)
