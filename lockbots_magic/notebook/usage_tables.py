"""Tables and plots of usage, a row a model or a turn."""

from __future__ import annotations

import base64
import importlib
import io
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..conversation.prices import as_of, price_of
from ..conversation.usage import Count, TurnUsage, dollars, first_words
from ..errors import UsageError
from ..rendering.table import Table


def by_model(found: Sequence[TurnUsage], title: str = "", own: Mapping[str, Any] | None = None) -> Table:
    """Return a row a model, and one for all.

    Args:
        found: what `usages` gave.
        title: whose turns they are.
        own: the user's prices, whose day is not the table's.
    """
    groups: dict[str, list[TurnUsage]] = {}
    for one in found:
        groups.setdefault(one.model, []).append(one)
    rows = [(model, *_row(group)) for model, group in groups.items()]
    if len(rows) > 1:
        rows.append(("all", *_row(found)))
    headings = ("model", "turns", "not complete", *_HEADINGS)
    return Table(headings, rows, caption=_caption(found, title, own))


def by_turn(found: Sequence[TurnUsage], title: str = "", own: Mapping[str, Any] | None = None) -> Table:
    """Return a row a turn; arguments as for `by_model`."""
    several = len({one.conversation for one in found}) > 1
    rows = [
        (
            number,
            one.conversation if several else "",
            first_words(one.turn.prompt),
            one.model,
            "" if one.turn.status == "complete" else one.turn.status,
            *_figures([one]),
        )
        for number, one in enumerate(found, 1)
    ]
    headings = ("#", "conversation", "prompt", "model", "not complete", *_HEADINGS)
    return Table(headings, rows, caption=_caption(found, title, own))


_HEADINGS = ("prompt tokens", "reply tokens", "first text (s)", "tokens/s", "cost (USD)")


def _row(found: Sequence[TurnUsage]) -> tuple[object, ...]:
    ended = Counter(one.turn.status for one in found if one.turn.status != "complete")
    return len(found), ", ".join(f"{many} {status}" for status, many in ended.items()), *_figures(found)


def _figures(found: Sequence[TurnUsage]) -> tuple[str, ...]:
    prompt, reply = (sum(counts, Count()) for counts in ([o.prompt for o in found], [o.reply for o in found]))
    waits = [one.turn.first_text for one in found if one.turn.first_text is not None]
    timed = [one for one in found if one.reply.tokens and one.turn.elapsed > 0]
    seconds = sum(one.turn.elapsed for one in timed)
    written = sum((one.reply for one in timed), Count())
    return (
        str(prompt),
        str(reply),
        f"{statistics.median(waits):.2f}" if waits else "",
        f"{'~' * written.estimated}{written.tokens / seconds:,.0f}" if timed else "",
        _cost(found),
    )


def _cost(found: Sequence[TurnUsage]) -> str:
    """The cost of those whose price is known; nothing if there is none."""
    known = [(one, cost) for one in found if (cost := one.cost) is not None]
    if not known:
        return ""
    return dollars(sum(cost for _, cost in known), estimated=any(one.estimated and cost for one, cost in known))


def _caption(found: Sequence[TurnUsage], title: str, own: Mapping[str, Any] | None) -> str:
    if not found:
        return f"{title}: no turn yet"
    remarks = [title]
    if any(one.estimated for one in found):
        remarks.append("~ is estimated")
    if any(one.price is not None and any(one.price) and not _is_own(one, own) for one in found):
        remarks.append(f"prices as of {as_of()}: they change")
    unknown = list(dict.fromkeys(one.model for one in found if one.price is None))
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        example = f"%config Lockbots.prices = {{{unknown[0]!r}: [0.15, 0.60]}}"
        remarks.append(f"no price is known for {unknown[0]}{more}; to set it, per 1,000,000 tokens: {example}")
    return "; ".join(filter(None, remarks))


def _is_own(one: TurnUsage, own: Mapping[str, Any] | None) -> bool:
    return bool(own) and price_of(one.turn.provider, one.turn.model) != one.price


class Plotted(Table):
    """A table with a figure below it, where pictures are shown.

    Args:
        table: the table.
        found: whose tokens and cost are drawn, a bar a turn.

    Raises:
        UsageError: matplotlib is not there, or nothing can be drawn.
    """

    def __init__(self, table: Table, found: Sequence[TurnUsage]) -> None:
        vars(self).update(vars(table))
        self.png = _drawn(found)

    def _repr_html_(self) -> str:
        source = base64.b64encode(self.png).decode()
        alternative = "Bars: the tokens and the cost of each turn, as in the table."
        return f'{super()._repr_html_()}<img alt="{alternative}" src="data:image/png;base64,{source}">'

    def _repr_png_(self) -> bytes:
        return self.png


_GREY = "#808080"
"""To be read on white and on black."""


def _drawn(found: Sequence[TurnUsage]) -> bytes:
    """Return a picture of the tokens and the cost of each turn, as PNG."""
    if not found:
        raise UsageError("there is no turn to plot yet")
    try:
        make: Callable[..., Any] = importlib.import_module("matplotlib.figure").Figure
    except ImportError:
        raise UsageError("--plot needs matplotlib: %pip install matplotlib") from None
    costs = [one.cost or 0.0 for one in found]
    figure = make(figsize=(6.4, 4.8 if any(costs) else 2.8), layout="constrained")
    axes = figure.subplots(2 if any(costs) else 1, sharex=True, squeeze=False)[:, 0]
    turns = range(1, len(found) + 1)
    prompts, replies = ([one.prompt.tokens for one in found], [one.reply.tokens for one in found])
    axes[0].bar(turns, prompts, color="#4a80d6", label="prompt")
    axes[0].bar(turns, replies, bottom=prompts, color="#d68f3c", label="reply")
    axes[0].legend(frameon=False, labelcolor=_GREY)
    axes[0].set_ylabel("tokens")
    if any(costs):
        axes[1].bar(turns, costs, color="#3c8c66")
        axes[1].set_ylabel("cost (USD)")
    axes[-1].set_xlabel("turn")
    axes[-1].locator_params(axis="x", integer=True)
    for axis in axes:
        axis.tick_params(colors=_GREY)
        axis.spines[:].set_color(_GREY)
        axis.xaxis.label.set_color(_GREY)
        axis.yaxis.label.set_color(_GREY)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100, transparent=True)
    return picture.getvalue()
