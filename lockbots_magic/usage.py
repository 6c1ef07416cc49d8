"""What turns took: tokens, time and money. Pure.

Tokens are the provider's count where it gave one, else estimated. Those of a prompt are those of the whole request: the
system prompt and the turns before it that were sent along.
"""

from __future__ import annotations

import base64
import importlib
import io
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from .conversation import Conversation, estimated_tokens, tokens_of
from .errors import UsageError
from .messages import Message, Turn
from .prices import Price, as_of, price_of
from .rendering.table import Table

MOST_TOKENS = 10**12
"""A count above this is no count."""
SHORT = 50
"""Characters of a prompt that a table shows."""


@dataclass(frozen=True)
class Count:
    """A number of tokens, and whether it is estimated."""

    tokens: int = 0
    estimated: bool = False

    def __str__(self) -> str:
        return f"{'~' * self.estimated}{self.tokens:,}"

    def __add__(self, other: Count) -> Count:
        return Count(self.tokens + other.tokens, self.estimated or other.estimated)


@dataclass(frozen=True)
class TurnUsage:
    """What one turn took."""

    turn: Turn
    prompt: Count
    """Of the whole request."""
    reply: Count
    """Reasoning included."""
    price: Price | None = None
    """None if it is not known."""
    conversation: str = ""

    @property
    def model(self) -> str:
        """``provider:model``, as far as the turn knows it."""
        return ":".join(filter(None, (self.turn.provider, self.turn.model)))

    @property
    def cost(self) -> float | None:
        """What it cost, USD; None if the price is not known. A failure of which nothing came cost nothing."""
        return self.price.of(self.prompt.tokens, self.reply.tokens) if self.price else None

    @property
    def estimated(self) -> bool:
        """Whether some of it is estimated."""
        return self.prompt.estimated or self.reply.estimated


def usage_of(turn: Turn, context: int = 0, prices: Mapping[str, Any] | None = None, place: str = "") -> TurnUsage:
    """Return what a turn took.

    Args:
        turn: the turn.
        context: tokens of the earlier turns that were sent along, for where the provider did not count.
        prices: the user's own, see `price_of`.
        place: the name of its conversation.

    Raises:
        UsageError: `prices` are none.
    """
    given = turn.usage
    prompt = _reported(given.prompt_tokens) if given else None
    reply = _reported(given.completion_tokens) if given else None
    if prompt is None:
        prompt = Count(context + _asked(turn), estimated=True) if _was_sent(turn) else Count()
    if reply is None:
        answered = [turn.reasoning, turn.reply, *(call.arguments for call in turn.calls)]
        reply = Count(estimated_tokens("".join(answered)), estimated=any(answered))
    return TurnUsage(turn, prompt, reply, price_of(turn.provider, turn.model, prices), place)


def usages(
    conversations: Iterable[Conversation], prices: Mapping[str, Any] | None = None, besides: Iterable[TurnUsage] = ()
) -> list[TurnUsage]:
    """Return what turns took, oldest first; a turn that a fork shares counts once.

    Args:
        conversations: whose turns.
        prices: the user's own, see `price_of`.
        besides: what turns took that stand in none, see `outside`.

    Raises:
        UsageError: `prices` are none.
    """
    found: dict[str, TurnUsage] = {}
    for conversation in conversations:
        for one in _in_conversation(conversation, prices):
            found.setdefault(one.turn.id, one)
    for one in besides:
        found.setdefault(one.turn.id, replace(one, price=price_of(one.turn.provider, one.turn.model, prices)))
    return sorted(found.values(), key=lambda one: one.turn.started)


def outside(turn: Turn, sent: Sequence[Message]) -> TurnUsage:
    """Return what a turn took that stands in no conversation, without what was said: it may be held for long.

    Args:
        turn: the turn.
        sent: all messages that it was asked with.
    """
    before = sum(tokens_of(message) for message in sent[:-1] if message.role != "system")
    used = usage_of(turn, before, place="(outside)")
    bare = replace(turn, prompt=_short(turn.prompt), reply="", reasoning="", system="", calls=(), images=())
    return replace(used, turn=bare)


def _in_conversation(conversation: Conversation, prices: Mapping[str, Any] | None) -> Iterator[TurnUsage]:
    turns = conversation.turns
    sizes = [sum(map(tokens_of, turn.messages)) if turn.in_context else 0 for turn in turns]
    before = [0, *accumulate(sizes)]
    told = [n for n, turn in enumerate(turns) if turn.in_context]
    for number, turn in enumerate(turns):
        oldest = told[turn.left_out] if turn.left_out < len(told) else number
        yield usage_of(turn, max(before[number] - before[oldest], 0), prices, conversation.name)


def _reported(tokens: Any) -> Count | None:
    """A provider's count; a file or a server may say anything."""
    return Count(tokens) if type(tokens) is int and 0 <= tokens <= MOST_TOKENS else None


def _was_sent(turn: Turn) -> bool:
    """Whether a model worked on it, as far as is known: of a failure before the first word, nothing is."""
    return turn.status != "error" or bool(turn.reply or turn.reasoning)


def _asked(turn: Turn) -> int:
    system = [Message("system", turn.system)] if turn.system else []
    results = [Message("tool", call.result) for call in turn.calls if call.result]
    return sum(map(tokens_of, [*system, turn.messages[0], *results]))


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
            _short(one.turn.prompt),
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


def dollars(amount: float, *, estimated: bool = False) -> str:
    """Write an amount with two digits that say something, such as ``~0.00021``."""
    if not amount:
        return "0"
    digits = 2 if amount >= 1 else max(2, 1 - math.floor(math.log10(amount)))
    return f"{'~' * estimated}{amount:,.{digits}f}"


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


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"


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
