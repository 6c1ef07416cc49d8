"""The chat panel: `panel`."""

from __future__ import annotations

from argparse import Namespace

from ...errors import UsageError
from ...language import _
from ..session import Session
from .command import argument, command
from .result import CommandResult, DisplayResult


@command(
    argument(
        "name",
        nargs="?",
        completer="conversation",
        help="Conversation, created if it doesn't exist; by default the current one.",
    )
)
def panel(session: Session, options: Namespace) -> CommandResult:
    """Show a chat panel with the cells' conversation, to chat in while cells run."""
    if session.make_panel is None:
        raise UsageError(_("The panel needs a notebook. Use `%%chat` here."))
    return DisplayResult(session.make_panel(session, options.name))
