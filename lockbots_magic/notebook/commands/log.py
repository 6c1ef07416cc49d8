"""The log: `log` and `search`."""

from __future__ import annotations

import datetime
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from ...conversation.usage import TokenCount, format_dollars
from ...errors import UsageError
from ...language import _, ngettext
from ...rendering.notices import Page
from ...rendering.table import Table
from ...storage.log import Log, LogHit, LogStats
from ...storage.log.database import display_path, is_on_network_drive, open_database, told_errors
from ...storage.log.writer import writer_of
from ..session import Session
from ..usage_tables import PlottedTable, UsageBar
from .command import argument, command, count_turns
from .result import CommandResult, DisplayResult, PageResult, TextResult

SHOWN_ID = 10
"""Characters of an id in a table; the first six or more stand for it."""
MAX_HITS = 1_000


def _limit(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text[:9]) <= MAX_HITS):
        raise ArgumentTypeError(_("must be a number from 1 to {most}, got {text!r:.40}", most=MAX_HITS, text=text))
    return int(text)


@command(
    argument("words", nargs="*", help='What to look for; "in quotes": as it is.'),
    argument(
        "-m", "--model", completer="model", metavar="MODEL", help="Only turns of a model; * stands for any characters."
    ),
    argument("--here", action="store_true", help="Only turns of this notebook."),
    argument("--since", metavar="DATE", help="Only turns from this day on, such as 2026-11-01."),
    argument("--code", action="store_true", help="Look into the code of replies alone."),
    argument("-n", type=_limit, default=10, metavar="N", help="Number of turns; 10 by default."),
)
def search(session: Session, options: Namespace) -> CommandResult:
    """Search the turns in the log, of all notebooks."""
    words = " ".join(f'"{word}"' if " " in word else word for word in options.words)
    if not words:
        raise UsageError(_("Words missing: `%lockbots search WORDS`."))
    notebook = _own_notebook(session) if options.here else None
    log = Log()
    hits = log.search(words, options.model, options.n, notebook=notebook, since=options.since, code=options.code)
    if hits:
        columns = ("id", _("date"), _("model"), _("notebook"), _("found"), _("to open it"))
        return DisplayResult(Table(columns, map(_row, hits)))
    return TextResult(_("No turn in the log has {words}.{hint}", words=words, hint=_hint(session, log)))


def _row(hit: LogHit) -> tuple[str, ...]:
    id = hit.id[:SHOWN_ID]  # noqa: A001  # the field's name
    model = ":".join(filter(None, (hit.turn.provider, hit.turn.model)))
    return id, _format_day(hit.turn.started), model, hit.notebook, hit.snippet, f"%lockbots log open {id}"


def _format_day(moment: float) -> str:
    return f"{datetime.datetime.fromtimestamp(moment):%Y-%m-%d}"


def _hint(session: Session, log: Log) -> str:
    return (
        ""
        if session.recording.is_on or log.path.exists()
        else _(" Nothing was logged yet. To log: `%lockbots log on`.")
    )


def _own_notebook(session: Session) -> Path:
    notebook = session.own_notebook()
    if notebook is None:
        raise UsageError(_("--here: the name of this notebook is unknown."))
    return notebook


@command(
    argument(
        "action",
        nargs="?",
        default="status",
        choices=("on", "off", "status", "path", "open", "show", "forget", "stats"),
        help="What to do; status by default.",
    ),
    argument("id", nargs="?", help="For open, show and forget: id of a turn or a conversation, as `search` shows it."),
    argument("--before", metavar="DATE", help="With forget: all turns before this day."),
    argument("--here", action="store_true", help="With forget: all turns of this notebook."),
    argument("--all", action="store_true", help="With forget: everything."),
    argument("--plot", action="store_true", help="With stats: plot tokens and cost of each month (needs matplotlib)."),
)
def log(session: Session, options: Namespace) -> CommandResult:
    """Keep turns in a log on this machine: turn it on or off, open or delete what it holds."""
    if options.action in ("open", "show") and not options.id:
        raise UsageError(
            _("Id missing: `%lockbots log {action} ID`. To find one: `%lockbots search WORDS`.", action=options.action)
        )
    if options.id and options.action not in ("open", "show", "forget"):
        raise UsageError(_("`%lockbots log {action}` takes no id.", action=options.action))
    return _ACTIONS[options.action](session, options)


def _switch_on(session: Session, _options: Namespace) -> CommandResult:
    path = Log().path
    with told_errors(path):
        open_database(path).close()  # whatever is wrong with it is told now
    writer_of(path).retry()
    session.settings.log = True
    lines = [
        _("Turns of this kernel are logged to {path} from now on. The file is not encrypted.", path=display_path(path)),
        _("`%%chat --no-log` keeps one out. To log in every kernel: `c.Lockbots.log = True` in ipython_config.py."),
    ]
    if is_on_network_drive(path):
        lines.append(
            _("The file lies on a network drive: writing may be slow, and several machines may block each other.")
        )
    return TextResult("\n".join(lines))


def _switch_off(session: Session, _options: Namespace) -> CommandResult:
    session.settings.log = False
    kept = Log().path.exists()
    more = _(" What was logged is kept; to delete it: `%lockbots log forget --all`.") if kept else ""
    return TextResult(_("Turns are not logged.{more}", more=more))


def _show_status(session: Session, _options: Namespace) -> CommandResult:
    found = Log()
    if not found.path.exists():
        state = (
            _("The log is on; no turn was logged yet.")
            if session.recording.is_on
            else _("The log is off, and there is no file.")
        )
        return TextResult(
            _("{state} To log turns: `%lockbots log on`.", state=state) if not session.recording.is_on else state
        )
    size = sum(one.stat().st_size for one in _files(found.path)) / 1e6
    about = {"turns": count_turns(found.count()), "path": display_path(found.path), "size": size}
    lines = [
        _("The log is on: {turns} in {path}, {size:,.1f} MB.", **about)
        if session.recording.is_on
        else _("The log is off: {turns} in {path}, {size:,.1f} MB.", **about)
    ]
    writer = writer_of(found.path)
    if writer.waiting:
        lines.append(_waiting(writer.waiting, writer.problem))
    if writer.lost:
        lines.append(_lost(writer.lost, writer.problem))
    return TextResult("\n".join(lines))


def _waiting(number: int, problem: str) -> str:
    return ngettext(
        "{n} turn of this kernel waits to be written. {problem}",
        "{n} turns of this kernel wait to be written. {problem}",
        number,
        problem=problem,
    )


def _lost(number: int, problem: str) -> str:
    return ngettext(
        "{n} turn of this kernel could not be written. {problem}",
        "{n} turns of this kernel could not be written. {problem}",
        number,
        problem=problem,
    )


def _files(path: Path) -> list[Path]:
    return [one for ending in ("", "-wal", "-shm") if (one := path.with_name(path.name + ending)).exists()]


def _show_path(_session: Session, _options: Namespace) -> CommandResult:
    return TextResult(str(Log().path))


def _open(session: Session, options: Namespace) -> CommandResult:
    logged = Log().read(options.id)
    conversation = session.conversations.add(logged.take_up())
    day = _format_day(conversation.turns[0].started)
    notebook = next((row["notebook"] for row in logged.rows if row["notebook"]), "")
    about = {"name": conversation.name, "turns": count_turns(len(conversation)), "day": day, "notebook": notebook}
    lines = [
        _("Conversation {name} ({turns}): a copy of one begun {day} in {notebook}.", **about)
        if notebook
        else _("Conversation {name} ({turns}): a copy of one begun {day}.", **about)
    ]
    if logged.missing:
        lines.append(
            ngettext("{n} turn of it is not in the log.", "{n} turns of it are not in the log.", logged.missing)
        )
    return TextResult("\n".join(lines), conversation.snapshot())


def _show(_session: Session, options: Namespace) -> CommandResult:
    return PageResult(Page(Log().read(options.id).to_markdown()))


def _forget(session: Session, options: Namespace) -> CommandResult:
    chosen = [bool(one) for one in (options.id, options.before, options.here, options.all)]
    if sum(chosen) != 1:
        raise UsageError(_("Name what to forget: an id, --before DATE, --here or --all; one of them."))
    notebook = _own_notebook(session) if options.here else None
    done = Log().forget_turns(options.id or "", before=options.before, notebook=notebook, everything=options.all)
    if not done.turns:
        more = "" if done.erased else _(" Bytes of turns that were forgotten earlier are still in its files.")
        return TextResult(_("Nothing to forget: the log has no such turn.{more}", more=more))
    text = ngettext("Forgot {n} turn.", "Forgot {n} turns.", done.turns)
    if done.erased:
        return TextResult(_("{text} Their bytes are gone from the log's files.", text=text))
    return TextResult(
        _(
            "{text} Another program is reading the log: the bytes go from its files once it has "
            "finished, while this kernel lives. `%lockbots log forget` with the same options tells "
            "when they are gone.",
            text=text,
        )
    )


def _stats(_session: Session, options: Namespace) -> CommandResult:
    rows = Log().stats()
    if not rows:
        return TextResult(_("The log is empty."))
    columns = (_("month"), _("model"), _("turns"), _("prompt tokens"), _("reply tokens"), _("cost (USD)"))
    table = Table(columns, map(_stats_row, rows), caption=_stats_caption(rows))
    return DisplayResult(PlottedTable(table, _bars_of_months(rows), _("month")) if options.plot else table)


def _stats_row(row: LogStats) -> tuple[object, ...]:
    prompt, reply = (TokenCount(n, row.estimated) for n in (row.prompt_tokens, row.completion_tokens))
    cost = "" if row.cost is None else format_dollars(row.cost, estimated=row.estimated)
    return row.month, row.model, row.turns, prompt, reply, cost


def _stats_caption(rows: list[LogStats]) -> str:
    costs = sum(row.cost or 0.0 for row in rows)
    turns = count_turns(sum(row.turns for row in rows))
    total = _("{turns}, {cost} USD as far as prices were known", turns=turns, cost=format_dollars(costs))
    return _("{total}; ~ marks estimates", total=total) if any(row.estimated for row in rows) else total


def _bars_of_months(rows: list[LogStats]) -> list[UsageBar]:
    months = dict.fromkeys(row.month for row in rows)
    return [_bar(month, [row for row in rows if row.month == month]) for month in months]


def _bar(month: str, rows: list[LogStats]) -> UsageBar:
    tokens = sum(row.prompt_tokens for row in rows), sum(row.completion_tokens for row in rows)
    return UsageBar(*tokens, sum(row.cost or 0.0 for row in rows), month)


_ACTIONS: Mapping[str, Callable[[Session, Namespace], CommandResult]] = {
    "on": _switch_on,
    "off": _switch_off,
    "status": _show_status,
    "path": _show_path,
    "open": _open,
    "show": _show,
    "forget": _forget,
    "stats": _stats,
}
