"""Accounting of turns: tokens, time and cost. Pure.

Token counts are those that the provider reported, a reported 0 included; otherwise they are estimated. The prompt
tokens of a turn are those of the whole request: the system prompt and the earlier turns that were sent with it count.

The table of `%lockbots usage`, the panel and the comparison of models all take their figures from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from ..language import _, format_number
from ..late_dataclass import late_dataclass
from ..security.redaction import redacted
from .context_window import estimate_prompt_tokens
from .conversation import Conversation
from .messages import Message
from .prices import CacheTokens, Price, find_cached_price, find_price, find_written_prices
from .token_estimate import estimate_tokens
from .turn import Turn

MAX_TOKENS = 10**12
"""Larger token counts are implausible and ignored."""
MAX_PROMPT_LENGTH = 50
"""Characters of a prompt in a table."""


@late_dataclass(frozen=True)
class TokenCount:
    """A number of tokens, and whether it is an estimate."""

    tokens: int = 0
    estimated: bool = False

    def __str__(self) -> str:
        return f"{'~' * self.estimated}{format_number(self.tokens)}"

    def __add__(self, other: TokenCount) -> TokenCount:
        return TokenCount(self.tokens + other.tokens, self.estimated or other.estimated)


@late_dataclass(frozen=True)
class TurnUsage:
    """Tokens and cost of one turn."""

    turn: Turn
    prompt: TokenCount
    """Tokens of the whole request."""
    reply: TokenCount
    """Tokens of the reply, reasoning included."""
    price: Price | None = None
    """Price of the model; None if it is unknown."""
    cached_price: float | None = None
    """Price of cached tokens (USD per 1,000,000); None if it is unknown."""
    written_price: float | None = None
    """Price of tokens written to the cache (USD per 1,000,000); None if it is unknown."""
    written_1h_price: float | None = None
    """Price of those of them that stay for an hour."""
    conversation: str = ""
    """Name of the conversation."""

    @property
    def model(self) -> str:
        """``provider:model``, as far as the turn holds them."""
        return ":".join(filter(None, (self.turn.provider, self.turn.model)))

    @property
    def cost(self) -> float | None:
        """Cost in USD; None if the price is unknown. A turn that failed before any text costs nothing."""
        if self.price is None:
            return None
        read, written = self.cache
        reported = _reported_count(self.turn.usage.cache_write_1h_tokens) if self.turn.usage else None
        hour = reported.tokens if reported else 0
        cache = CacheTokens(read or 0, written or 0, self.cached_price, self.written_price, hour, self.written_1h_price)
        return self.price.of(self.prompt.tokens, self.reply.tokens, cache)

    @property
    def cache(self) -> tuple[int | None, int | None]:
        """Tokens of the request that the service read from its cache and wrote to it; None where it reported none."""
        usage = self.turn.usage
        counts = (usage.cached_tokens, usage.cache_write_tokens) if usage else (None, None)
        read, written = (count if _reported_count(count) else None for count in counts)
        return read, written

    @property
    def estimated(self) -> bool:
        """Whether either count is an estimate."""
        return self.prompt.estimated or self.reply.estimated


def measure_turn(
    turn: Turn, context: int = 0, prices: Mapping[str, Any] | None = None, conversation: str = ""
) -> TurnUsage:
    """Return the usage of one turn.

    Args:
        turn: The turn.
        context: Estimated tokens of the earlier turns that were sent with it. Used if the provider reported no count.
        prices: The user's own prices, see `find_price`.
        conversation: Name of the conversation.

    Raises:
        UsageError: `prices` has another form.
    """
    return _priced(measure_tokens(turn, context, conversation), prices)


def measure_tokens(turn: Turn, context: int = 0, conversation: str = "") -> TurnUsage:
    """Return the usage of one turn without its price; the arguments are those of `measure_turn`."""
    usage = turn.usage
    prompt = _reported_count(usage.prompt_tokens) if usage else None
    reply = _reported_count(usage.completion_tokens) if usage else None
    if prompt is None:
        prompt = TokenCount(context + _estimate_prompt(turn), estimated=True) if _was_sent(turn) else TokenCount()
    if reply is None:
        texts = [turn.reasoning, turn.reply, *(call.arguments for call in turn.calls)]
        reply = TokenCount(estimate_tokens("".join(texts)), estimated=any(texts))
    return TurnUsage(turn, prompt, reply, conversation=conversation)


def measure_turns(
    conversations: Iterable[Conversation], prices: Mapping[str, Any] | None = None, outside: Iterable[TurnUsage] = ()
) -> list[TurnUsage]:
    """Return the usage of every turn, oldest first; a turn that a fork shares counts once.

    Args:
        conversations: The conversations to measure.
        prices: The user's own prices, see `find_price`.
        outside: Usage of turns outside every conversation, see `measure_outside_turn`.

    Raises:
        UsageError: `prices` has another form.
    """
    return [_priced(one, prices) for one in measure_tokens_of_turns(conversations, outside)]


def measure_tokens_of_turns(
    conversations: Iterable[Conversation], outside: Iterable[TurnUsage] = ()
) -> list[TurnUsage]:
    """Return the usage of every turn as `measure_turns` does, without prices: to find those takes longer."""
    measured: dict[str, TurnUsage] = {}
    for conversation in conversations:
        for one in _measure_conversation(conversation):
            measured.setdefault(one.turn.id, one)
    for one in outside:
        measured.setdefault(one.turn.id, one)
    return sorted(measured.values(), key=lambda one: one.turn.started)


def _priced(one: TurnUsage, prices: Mapping[str, Any] | None) -> TurnUsage:
    """Return `one` with the prices of its model."""
    provider, model = one.turn.provider, one.turn.model
    written, written_1h = find_written_prices(provider, model, prices)
    return replace(
        one,
        price=find_price(provider, model, prices),
        cached_price=find_cached_price(provider, model, prices),
        written_price=written,
        written_1h_price=written_1h,
    )


def sum_tokens(measured: Iterable[TurnUsage]) -> tuple[TokenCount, TokenCount]:
    """Return the prompt tokens and the reply tokens of several turns."""
    prompt = reply = TokenCount()
    for one in measured:
        prompt, reply = prompt + one.prompt, reply + one.reply
    return prompt, reply


def measure_sent_turn(
    turn: Turn, sent: Sequence[Message], prices: Mapping[str, Any] | None = None, conversation: str = ""
) -> TurnUsage:
    """Return the usage of a turn whose request is at hand.

    Args:
        turn: The turn.
        sent: All messages of its request.
        prices: The user's own prices, see `find_price`.
        conversation: Name of the conversation.

    Raises:
        UsageError: `prices` has another form.
    """
    context = sum(message.estimated_tokens for message in sent[:-1] if message.role != "system")
    return measure_turn(turn, context, prices, conversation)


def measure_outside_turn(turn: Turn, sent: Sequence[Message]) -> TurnUsage:
    """Return the usage of a turn outside every conversation, without its texts: it may be kept for long.

    Args:
        turn: The turn.
        sent: All messages of its request.
    """
    used = measure_sent_turn(turn, sent, conversation="(outside)")
    bare = replace(turn, prompt=shorten_prompt(turn.prompt), rounds=(), system="", images=(), documents=())
    return replace(used, turn=bare)


def _measure_conversation(conversation: Conversation) -> Iterator[TurnUsage]:
    turns = conversation.turns
    sizes = [estimate_prompt_tokens(turn.messages) if turn.in_context else 0 for turn in turns]
    before = [0, *accumulate(sizes)]
    in_context = [number for number, turn in enumerate(turns) if turn.in_context]
    for number, turn in enumerate(turns):
        oldest = in_context[turn.left_out] if turn.left_out < len(in_context) else number
        yield measure_tokens(turn, max(before[number] - before[oldest], 0), conversation.name)


def _reported_count(tokens: Any) -> TokenCount | None:
    """Return a provider's count, None if it is implausible: files and servers may hold anything."""
    return TokenCount(tokens) if type(tokens) is int and 0 <= tokens <= MAX_TOKENS else None


def _was_sent(turn: Turn) -> bool:
    """Whether a model is known to have worked on the turn. A failure before the first text does not show it."""
    return turn.status != "error" or bool(turn.reply or turn.reasoning)


def _estimate_prompt(turn: Turn) -> int:
    """Estimate the tokens that the turn itself adds to the request."""
    system = [Message("system", turn.system)] if turn.system else []
    results = [Message("tool", call.result) for call in turn.calls if call.result]
    return estimate_prompt_tokens([*system, turn.messages[0], *results])


def format_dollars(amount: float, *, estimated: bool = False) -> str:
    """Format an amount with two significant digits, or cents, such as ``~0.00021`` and ``1,234.50``."""
    if not amount:
        return "0"
    digits = 2 if amount >= 1 else max(2, 1 - math.floor(math.log10(amount)))
    return f"{'~' * estimated}{format_number(amount, f',.{digits}f')}"


def format_price(amount: float, *, estimated: bool = False) -> str:
    """Format an amount as `format_dollars` does, with the sign where the language puts it: ``$2.00``."""
    return "~" * estimated + _("${amount}", amount=format_dollars(amount))


def shorten_prompt(text: str) -> str:
    """Return the beginning of a prompt on one line, redacted first: the cut may leave half a credential."""
    line = " ".join(text.split())
    if len(line) > MAX_PROMPT_LENGTH:
        line = redacted(line)
    return line if len(line) <= MAX_PROMPT_LENGTH else line[: MAX_PROMPT_LENGTH - 1] + "…"
