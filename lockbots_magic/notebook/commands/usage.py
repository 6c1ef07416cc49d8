"""What the turns took: `usage`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress

from ...errors import UsageError
from ...rendering.table import Table
from ..session import Lockbots
from .command import argument, command


@command(
    argument("--all", action="store_true", help="all conversations of this kernel, and what was asked outside them"),
    argument("--turns", action="store_true", help="a row a turn, not a model"),
    argument("--plot", action="store_true", help="draw tokens and cost of each turn, with matplotlib"),
)
def usage(session: Lockbots, options: Namespace) -> Table:
    """Show tokens, speed and cost of the turns in the current conversation."""
    from ...conversation.usage import measure_turns  # noqa: PLC0415  # see below
    from ..usage_tables import PlottedTable, table_by_model, table_by_turn  # noqa: PLC0415  # %load_ext does not wait for it

    conversation = session.conversation()
    if options.all:
        found = measure_turns(tuple(session.conversations.values()), session.prices, tuple(session.outside))
        title = "all conversations, and what was asked outside them" if session.outside else "all conversations"
    else:
        found = measure_turns([conversation], session.prices)
        title = f"conversation {conversation.name}"
    table = (table_by_turn if options.turns else table_by_model)(found, title, session.prices)
    table.caption += _on_cassette(session)
    return PlottedTable(table, found) if options.plot else table


def _on_cassette(session: Lockbots) -> str:
    """What is played was paid for when it was recorded; the turns do not tell which they are."""
    with suppress(UsageError):
        cassette = session.active_cassette()
        if cassette is not None and cassette.played:
            return f"; what {cassette.path.name} played is counted as it was recorded, and cost nothing anew"
    return ""
