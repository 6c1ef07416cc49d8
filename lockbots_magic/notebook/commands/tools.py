"""Tools at hand: `tools`."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ...cassette.active import cassette_of
from ...errors import UsageError
from ...language import N_, _, pgettext
from ...rendering.table import Table
from ...tools.approval import Approval, ProposedCall, describe_policy
from ...tools.function_tool import FunctionTool
from ...tools.tool_source import ToolSource, is_tool_source
from ...tools.toolbox import Toolbox
from ..session import Session
from .command import command, excerpt
from .result import CommandResult, DisplayResult

_HINT = N_("There are none yet. Name functions and MCP servers: `%%chat --tools f,docs`.")


@command()
def tools(session: Session, _options: Namespace) -> CommandResult:
    """Show the tools at hand: functions, MCP servers and their tools, what happens to calls, and calls so far.

    Servers are not started for it.
    """
    turns = chain.from_iterable(conversation.turns for conversation in session.conversations.all())
    calls = Counter(call.name for turn in turns for call in turn.calls)
    approval = Approval(session.settings.approve, memory=session.approvals)
    rows: list[tuple[str, str, str, int | str, str]] = []
    for given in _at_hand(session):
        rows += _rows_of(session, given, approval, calls)
    shown = {row[0] for row in rows}
    rows += [(name, "", "", count, _("called earlier")) for name, count in calls.items() if name not in shown]
    policy = describe_policy(session.settings.approve)
    caption = _("Policy: {policy}. Change it: %lockbots set approve ask.", policy=policy) if rows else _(_HINT)
    return DisplayResult(
        Table((_("tool"), pgettext("a tool", "of"), _("approval"), _("calls"), ""), rows, caption=caption)
    )


def _at_hand(session: Session) -> list[Any]:
    """Return functions and sources, each once: those named for a turn, and those that variables hold."""
    named = (
        one
        for conversation in session.conversations.all()
        for turn in conversation.turns
        for one in _flattened(conversation.tools_of(turn.id))
    )
    held = (
        value
        for name, value in session.namespace.items()
        if not name.startswith("_") and (is_tool_source(value) or isinstance(value, FunctionTool))
    )
    return list({id(one): one for one in chain(held, named)}.values())


def _flattened(given: Any) -> Iterator[Any]:
    for one in given:
        if isinstance(one, list | tuple):
            yield from _flattened(one)
        else:
            yield one


def _rows_of(
    session: Session, given: Any, approval: Approval, calls: Counter[str]
) -> Iterator[tuple[str, str, str, int | str, str]]:
    try:
        if is_tool_source(given) and not _is_listed(session, given):
            yield ("", given.name, "", "", _("not started: its tools are listed when it is first used"))
            return
        provider = session.chat().provider
        for name, entry in Toolbox([given], provider=provider).entries.items():
            call = ProposedCall(name, {}, entry.offered.source)
            mode = approval.describe_mode(call, entry.as_described(), entry.default)
            summary = excerpt(entry.declaration.description)
            yield (name, entry.offered.source or "function", mode, calls[name] or "", summary)
    except UsageError as error:
        yield (getattr(given, "name", "") or getattr(given, "__name__", ""), "", "", "", str(error))


def _is_listed(session: Session, source: ToolSource) -> bool:
    """Return whether the tools of a source are known without starting it."""
    cassette = cassette_of(session.chat().provider)
    is_recorded = cassette is not None and cassette.mode == "replay"
    return bool(getattr(source, "is_running", True)) or is_recorded
