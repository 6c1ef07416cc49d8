"""Tokens, speed and cost: `usage`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress

from ...conversation.usage import measure_turns
from ...errors import UsageError
from ...language import _
from ..session import Session
from ..usage_tables import PlottedTable, bars_of_turns, table_by_model, table_by_turn
from .command import argument, command
from .result import CommandResult, DisplayResult


@command(
    argument("--all", action="store_true", help="All conversations of this kernel, and prompts outside them."),
    argument("--turns", action="store_true", help="One row per turn instead of per model."),
    argument("--plot", action="store_true", help="Plot tokens and cost of each turn (needs matplotlib)."),
)
def usage(session: Session, options: Namespace) -> CommandResult:
    """Show tokens, speed and cost of the turns in the current conversation."""
    conversation = session.conversations.get()
    if options.all:
        turns = measure_turns(session.conversations.all(), session.settings.prices, tuple(session.outside))
        title = _("All conversations, and prompts outside them") if session.outside else _("All conversations")
    else:
        places = {turn.id: number for number, turn in enumerate(conversation.turns)}  # the order of `history`
        turns = sorted(measure_turns([conversation], session.settings.prices), key=lambda one: places[one.turn.id])
        title = _("Conversation {name}", name=conversation.name)
    table = (table_by_turn if options.turns else table_by_model)(turns, title, session.settings.prices)
    table.caption += _cassette_remark(session)
    return DisplayResult(PlottedTable(table, bars_of_turns(turns)) if options.plot else table)


def _cassette_remark(session: Session) -> str:
    """Return a remark on replayed turns: they were paid for when they were recorded."""
    with suppress(UsageError):
        cassette = session.active_cassette()
        if cassette is not None and cassette.played:
            return _(
                "; turns replayed from {name} are counted as recorded and cost nothing now", name=cassette.path.name
            )
    return ""
