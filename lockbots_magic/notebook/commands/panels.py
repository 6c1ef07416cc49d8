"""The chat panel: `panel`."""

from __future__ import annotations

from argparse import Namespace

from ...errors import UsageError
from ..session import Lockbots
from .command import Displayed, argument, command


@command(
    argument(
        "name",
        nargs="?",
        completer="conversation",
        help="which conversation, made if it is new; the current one by default",
    )
)
def panel(session: Lockbots, options: Namespace) -> Displayed:
    """Show a chat panel: the same conversation as the cells', to talk in while they run."""
    if session.make_panel is None:
        raise UsageError("there is no panel here: it needs a notebook. Ask with %%chat")
    made: Displayed = session.make_panel(options.name)
    return made
