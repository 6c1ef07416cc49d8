"""A batch as it is shown: the head of its table with a progress bar, and the result. Of constant size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..batch.frame import ERROR, split_value
from ..batch.progress import HEAD, BatchProgress, FinishedBatch
from ..conversation.usage import format_price
from ..language import _, ngettext
from ..security.foreign_text import quote_line
from .escaping import escaped
from .frame import framed
from .table import Table

MAX_CELL = 60
"""Characters of a cell."""
MAX_COLUMNS = 8
"""Columns of the head."""


def progress_bundle(progress: BatchProgress, columns: Sequence[str]) -> dict[str, str]:
    """Return a batch under way as an output: counts, a bar, and the first rows.

    Args:
        progress: How far it is.
        columns: Names of the columns of an answer.
    """
    share = f' value="{progress.done}" max="{progress.size}"' if progress.size else ""
    bar = f'<progress style="width: 20em"{share}></progress>'
    counts = describe_progress(progress)
    rows = [[_cell(row.index), *map(_cell, split_value(row.value, columns)), _cell(row.error)] for row in progress.head]
    head = Table(["", *columns, ERROR], rows)._repr_html_() if rows else ""
    return {"text/html": framed(f"<div>{bar} {escaped(counts)}</div>{head}"), "text/plain": counts}


def result_bundle(batch: FinishedBatch) -> dict[str, str]:
    """Return a batch that has ended as an output: the same bytes for the same answers."""
    rows = batch.head(HEAD)
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = names if len(names) <= MAX_COLUMNS else [*names[: MAX_COLUMNS // 2], *names[-MAX_COLUMNS // 2 :]]
    table = Table(shown, [[_cell(row.get(name)) for name in shown] for row in rows])
    lines = describe_result(batch)
    rest = batch.usage.rows - len(rows)
    more = [ngettext("… {n:,} more row", "… {n:,} more rows", rest)] if rest > 0 else []
    html = "".join([table._repr_html_() if rows else "", *(f"<div>{escaped(line)}</div>" for line in [*more, *lines])])
    return {
        "text/html": framed(html, final=True),
        "text/plain": "\n".join([*([repr(table)] if rows else []), *more, *lines]),
    }


def describe_result(batch: FinishedBatch) -> list[str]:
    """Return what is said below the table: counts, why it ended early, and notes."""
    stopped = [_("Stopped: {stopped}", stopped=batch.stopped)] if batch.stopped else []
    return [batch.usage.describe(), *stopped, *batch.notes]


def describe_progress(progress: BatchProgress) -> str:
    """Return the counts of a batch under way as one line."""
    usage = progress.usage
    parts = [
        _("{n:,} rows", n=progress.done)
        if progress.size is None
        else _("{n:,} of {size:,} rows", n=progress.done, size=progress.size),
        _("{n:,} reused", n=usage.reused),
        _("{n:,} failed", n=progress.failed),
        _("{rate:.1f} rows/s", rate=progress.rate),
        _("{about}{n:,} tokens", about="~" * usage.estimated, n=usage.tokens),
    ]
    parts += [] if usage.cost is None else [format_price(usage.cost, estimated=usage.estimated)]
    parts += [] if progress.left is None else [_("{time} left", time=format_time(progress.left))]
    return " · ".join(parts)


def format_time(seconds: float) -> str:
    """Return a duration as ``0:07``, ``12:34`` or ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return quote_line(str(dict(value) if isinstance(value, Mapping) else value), MAX_CELL)
