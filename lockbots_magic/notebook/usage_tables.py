"""Tables and plots of usage: one row for each model or turn."""

from __future__ import annotations

import base64
import importlib
import io
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..conversation.prices import find_price, table_date
from ..conversation.usage import TokenCount, TurnUsage, format_dollars, shorten_prompt, sum_tokens
from ..errors import UsageError
from ..language import N_, _, format_number, pgettext
from ..rendering.table import Table

_FIGURES = (
    N_("prompt tokens"),
    N_("from cache"),
    N_("to cache"),
    N_("reply tokens"),
    N_("first text (s)"),
    N_("tokens/s"),
    N_("cost (USD)"),
)


def table_by_model(measured: Sequence[TurnUsage], title: str = "", own: Mapping[str, Any] | None = None) -> Table:
    """Return a table with one row for each model, and one for all models if there are several.

    Args:
        measured: Usage of the turns, see `measure_turns`.
        title: Names the turns in the caption.
        own: The user's own prices; the date of the price table does not apply to them.
    """
    groups: dict[str, list[TurnUsage]] = {}
    for one in measured:
        groups.setdefault(one.model, []).append(one)
    rows = [(model, *_model_row(group)) for model, group in groups.items()]
    if len(rows) > 1:
        rows.append((pgettext("models", "all"), *_model_row(measured)))
    headings = (_("model"), _("turns"), _("not complete"), *map(_, _FIGURES))
    return Table(headings, rows, caption=_caption(measured, title, own))


def table_by_turn(measured: Sequence[TurnUsage], title: str = "", own: Mapping[str, Any] | None = None) -> Table:
    """Return a table with one row for each turn; the arguments are those of `table_by_model`."""
    several = len({one.conversation for one in measured}) > 1
    rows = [
        (
            number,
            one.conversation if several else "",
            shorten_prompt(one.turn.prompt),
            one.model,
            "" if one.turn.status == "complete" else _(one.turn.status),
            *_figures([one]),
        )
        for number, one in enumerate(measured, 1)
    ]
    headings = ("#", _("conversation"), _("prompt"), _("model"), _("not complete"), *map(_, _FIGURES))
    return Table(headings, rows, caption=_caption(measured, title, own))


def _model_row(measured: Sequence[TurnUsage]) -> tuple[object, ...]:
    incomplete = Counter(one.turn.status for one in measured if one.turn.status != "complete")
    statuses = ", ".join(f"{count} {_(status)}" for status, count in incomplete.items())
    return len(measured), statuses, *_figures(measured)


def _figures(measured: Sequence[TurnUsage]) -> tuple[str, ...]:
    prompt, reply = sum_tokens(measured)
    waits = [one.turn.first_text for one in measured if one.turn.first_text is not None]
    timed = [one for one in measured if one.reply.tokens and one.turn.elapsed > 0]
    seconds = sum(one.turn.elapsed for one in timed)
    written = sum((one.reply for one in timed), TokenCount())
    return (
        str(prompt),
        _format_count([one.cache[0] for one in measured]),
        _format_count([one.cache[1] for one in measured]),
        str(reply),
        format_number(statistics.median(waits), ".2f") if waits else "",
        f"{'~' * written.estimated}{format_number(written.tokens / seconds, ',.0f')}" if timed else "",
        _format_cost(measured),
    )


def _format_count(counts: Sequence[int | None]) -> str:
    """Format the sum of counts; empty if none was reported."""
    known = [count for count in counts if count is not None]
    return format_number(sum(known)) if known else ""


def _format_cost(measured: Sequence[TurnUsage]) -> str:
    """Format the cost of the turns whose price is known; empty if there is none."""
    priced = [(one, cost) for one in measured if (cost := one.cost) is not None]
    if not priced:
        return ""
    return format_dollars(
        sum(cost for _, cost in priced), estimated=any(one.estimated and cost for one, cost in priced)
    )


def _caption(measured: Sequence[TurnUsage], title: str, own: Mapping[str, Any] | None) -> str:
    if not measured:
        return _("{title}: no turns yet", title=title)
    remarks = [title]
    if any(one.estimated for one in measured):
        remarks.append(_("~ marks estimates"))
    if any(one.price is not None and any(one.price) and not _is_own_price(one, own) for one in measured):
        remarks.append(_("prices as of {day} (they change)", day=table_date()))
    unknown = list(dict.fromkeys(one.model for one in measured if one.price is None))
    if unknown:
        more = _(" and {n} more", n=len(unknown) - 1) if len(unknown) > 1 else ""
        example = f"%config Lockbots.prices = {{{unknown[0]!r}: [0.15, 0.60]}}"
        remarks.append(
            _(
                "unknown price: {unknown}{more}; to set it in USD per 1,000,000 tokens: {example}",
                unknown=unknown[0],
                more=more,
                example=example,
            )
        )
    return "; ".join(filter(None, remarks))


def _is_own_price(one: TurnUsage, own: Mapping[str, Any] | None) -> bool:
    return bool(own) and find_price(one.turn.provider, one.turn.model) != one.price


class PlottedTable(Table):
    """A table with a plot below it, in front ends that show images.

    Args:
        table: The table.
        bars: One for each turn, month or the like.
        unit: What a bar stands for, in the user's language; by default a turn.

    Raises:
        UsageError: matplotlib is not installed, or there are no bars.
    """

    def __init__(self, table: Table, bars: Sequence[UsageBar], unit: str = "") -> None:
        unit = unit or _("turn")
        vars(self).update(vars(table))
        self.png = _plot(bars, unit)
        self._alternative = _("Bar chart: tokens and cost of each {unit}, as in the table.", unit=unit)

    def _repr_html_(self) -> str:
        source = base64.b64encode(self.png).decode()
        width = int.from_bytes(self.png[16:20], "big") // _SHARPNESS  # of the header IHDR, first in every PNG
        image = f'<img alt="{self._alternative}" width="{width}" src="data:image/png;base64,{source}">'
        return f"{super()._repr_html_()}{image}"

    def _repr_png_(self) -> bytes:
        return self.png


class UsageBar(NamedTuple):
    """One bar of a plot."""

    prompt_tokens: int
    reply_tokens: int
    cost: float = 0.0
    """USD."""
    label: str = ""
    """Below the bar; without labels, bars are numbered."""


def bars_of_turns(measured: Iterable[TurnUsage]) -> list[UsageBar]:
    """Return a bar for each turn."""
    return [UsageBar(one.prompt.tokens, one.reply.tokens, one.cost or 0.0) for one in measured]


_GREY = "#808080"
"""Legible on white and on black."""
_PROMPT, _REPLY, _COST = "#4a80d6", "#d68f3c", "#3c8c66"
_BAR = 0.5
"""Width of a bar; bars are 1 apart."""
_MIN_PLACES = 6
"""Bars for which there is room at least: a few are not wide."""
_INCHES_OF_BAR, _INCHES_OF_REST, _MAX_INCHES = 0.32, 2.6, 7.2
"""Widths: of the place of a bar, of axes and legend, and of the whole at most."""
_SHARPNESS = 2
"""Pixels of the image for each of the page: sharp on screens that have as many."""


def _plot(bars: Sequence[UsageBar], unit: str) -> bytes:
    """Plot the tokens and the cost of each bar; return the PNG."""
    if not bars:
        raise UsageError(_("Nothing to plot: there are no turns yet."))
    try:
        make: Callable[..., Any] = importlib.import_module("matplotlib.figure").Figure
        integers: Callable[..., Any] = importlib.import_module("matplotlib.ticker").MaxNLocator
    except ImportError:
        raise UsageError(_("`--plot` needs matplotlib. Install it: `%pip install matplotlib`")) from None
    costs = [bar.cost for bar in bars]
    room = max(len(bars), _MIN_PLACES)
    width = min(_INCHES_OF_REST + _INCHES_OF_BAR * room, _MAX_INCHES)
    figure = make(figsize=(width, 4.2 if any(costs) else 2.4), layout="constrained")
    axes = figure.subplots(2 if any(costs) else 1, sharex=True, squeeze=False)[:, 0]
    places = range(1, len(bars) + 1)
    prompts = [bar.prompt_tokens for bar in bars]
    axes[0].bar(places, prompts, _BAR, color=_PROMPT, label=_("prompt"))
    replies = [bar.reply_tokens for bar in bars]
    axes[0].bar(places, replies, _BAR, bottom=prompts, color=_REPLY, label=_("reply"))
    axes[0].legend(frameon=False, labelcolor=_GREY, loc="upper left", bbox_to_anchor=(1, 1))
    axes[0].set_ylabel(_("tokens"))
    axes[0].yaxis.set_major_locator(integers(nbins=5, integer=True))
    if any(costs):
        axes[1].bar(places, costs, _BAR, color=_COST)
        axes[1].set_ylabel(_("cost (USD)"))
        axes[1].yaxis.set_major_locator(integers(nbins=4))
    for axis in axes:
        axis.yaxis.set_major_formatter(lambda value, _position: _format_tick(value))
    axes[-1].set_xlabel(unit)
    axes[-1].set_xlim(0.3, room + 0.7)
    if any(bar.label for bar in bars):
        axes[-1].set_xticks(places, [bar.label for bar in bars], rotation=45)
    else:
        ticks = integers(nbins=10, integer=True, min_n_ticks=1).tick_values(1, len(bars))
        axes[-1].set_xticks([tick for tick in ticks if 1 <= tick <= len(bars)])
    for axis in axes:
        _colour(axis)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=100 * _SHARPNESS, transparent=True)
    return png.getvalue()


def _format_tick(value: float) -> str:
    """Format a number of an axis in full, as small as costs are."""
    return format_number(float(value), ",.10f").rstrip("0").rstrip(".,")


def _colour(axis: Any) -> None:
    """Draw axes in grey, without a frame."""
    axis.tick_params(colors=_GREY)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[:].set_color(_GREY)
    axis.xaxis.label.set_color(_GREY)
    axis.yaxis.label.set_color(_GREY)
