"""What turns took: tokens, time and money. Pure.

Tokens are the provider's count where it gave one, else estimated. Those of a prompt are those of the whole request: the
system prompt and the turns before it that were sent along.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from .context_window import estimated_tokens, tokens_of
from .conversation import Conversation
from .messages import Message
from .prices import Price, price_of
from .turn import Turn

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
    bare = replace(turn, prompt=first_words(turn.prompt), reply="", reasoning="", system="", calls=(), images=())
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


def dollars(amount: float, *, estimated: bool = False) -> str:
    """Write an amount with two digits that say something, such as ``~0.00021``."""
    if not amount:
        return "0"
    digits = 2 if amount >= 1 else max(2, 1 - math.floor(math.log10(amount)))
    return f"{'~' * estimated}{amount:,.{digits}f}"


def first_words(text: str) -> str:
    """Return the beginning of `text` on one line, as tables show it."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[: SHORT - 1] + "…"
