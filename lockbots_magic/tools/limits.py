"""Limits of the tool loop: rounds, seconds, tokens and USD. They compose; the first one reached ends the reply."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from ..conversation.context_window import estimate_prompt_tokens
from ..conversation.ending import TOO_MANY_ROUNDS, TOO_MANY_SECONDS, TOO_MANY_TOKENS, TOO_MUCH_USD
from ..conversation.messages import ChatRequest, Usage
from ..conversation.prices import Price
from ..errors import UsageError
from ..language import _, format_number, ngettext
from ..late_dataclass import late_dataclass

MAX_ROUNDS = 8
"""Rounds of tool calls in one turn, unless a limit says otherwise."""
CHARACTERS_PER_TOKEN = 4
"""For the length of an answer that no server counts."""


@late_dataclass(frozen=True)
class Limits:
    """Limits of one reply that calls tools. `a & b` holds both: of each kind the lower one.

    Args:
        rounds: Maximum number of rounds of calls; None for `MAX_ROUNDS`.
        seconds: Maximum time (s) of the reply, without the time that the user takes to approve calls.
        tokens: Maximum number of tokens of all requests and answers; no further request is made beyond it. Estimated
            where a server does not count.
        usd: The same for the cost (USD), which needs a known price; see `%lockbots help usage`.

    Raises:
        UsageError: If a limit is not a number >= 0.

    Example:
        >>> Limits(seconds=60) & Limits(rounds=3, seconds=90)
        Limits(rounds=3, seconds=60, tokens=None, usd=None)
    """

    rounds: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    usd: float | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            whole = one.name in ("rounds", "tokens")
            is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
            if value is not None and not (is_number and 0 <= value < math.inf):
                kind = _("a whole number") if whole else _("a number")
                raise UsageError(
                    _("The limit {name} must be {kind} >= 0, got {value!r:.40}.", name=one.name, kind=kind, value=value)
                )

    def __and__(self, other: Limits) -> Limits:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Limits(*(a if b is None else b if a is None else min(a, b) for a, b in pairs))

    @property
    def max_rounds(self) -> int:
        """Maximum number of rounds of calls."""
        return MAX_ROUNDS if self.rounds is None else self.rounds

    @classmethod
    def of(cls, value: Limits | Mapping[str, Any] | None) -> Limits:
        """Return limits as they are, or build them from ``{"seconds": 60}``; None is the default.

        Raises:
            UsageError: If a name is unknown or a value invalid.
        """
        if isinstance(value, Limits):
            return value
        names = [f.name for f in fields(cls)]
        if value is not None and not isinstance(value, Mapping):
            raise UsageError(_("limits takes a dict or Limits(...), got {value!r:.40}.", value=value))
        if unknown := next((name for name in value or () if name not in names), None):
            raise UsageError(
                _("Unknown limit {unknown!r:.40}. Limits: {names}.", unknown=unknown, names=", ".join(names))
            )
        return cls(**value or {})

    def describe(self, finish_reason: str) -> str:
        """Return which limit a finish reason names, as in "the limit of 8 rounds of tool calls"; else empty."""
        told = {
            TOO_MANY_ROUNDS: ngettext("{n} round of tool calls", "{n} rounds of tool calls", self.max_rounds),
            TOO_MANY_SECONDS: _("{seconds:g} s", seconds=self.seconds) if self.seconds is not None else "",
            TOO_MANY_TOKENS: ngettext("{n:,} token", "{n:,} tokens", self.tokens) if self.tokens is not None else "",
            TOO_MUCH_USD: _("{cost} USD", cost=format_number(self.usd, "g")) if self.usd is not None else "",
        }.get(finish_reason, "")
        return told and _("the limit of {told}", told=told)


@late_dataclass
class Spent:
    """What a reply has used of its limits so far."""

    limits: Limits
    price: Price | None = None
    """Price of the model; None if it is unknown."""
    tokens: int = 0
    usd: float = 0.0
    started: float = field(default_factory=time.monotonic)
    waited: float = 0.0
    """Time (s) that the user took to approve calls."""

    def add(self, request: ChatRequest, text: str, usage: Usage | None) -> None:
        """Count one request and its answer.

        Args:
            request: What was sent.
            text: Text of the answer, for an estimate.
            usage: What the server counted.
        """
        if self.limits.tokens is None and self.limits.usd is None:
            return
        prompt = usage.prompt_tokens if usage and usage.prompt_tokens is not None else None
        reply = usage.completion_tokens if usage and usage.completion_tokens is not None else None
        prompt = estimate_prompt_tokens(request.messages) if prompt is None else prompt
        reply = -(-len(text) // CHARACTERS_PER_TOKEN) if reply is None else reply
        self.tokens += prompt + reply
        self.usd += self.price.of(prompt, reply) if self.price else 0.0

    @property
    def seconds_left(self) -> float:
        """Time (s) until the limit of seconds is reached; infinite without one."""
        if self.limits.seconds is None:
            return math.inf
        return self.limits.seconds - (time.monotonic() - self.started - self.waited)

    def reached(self, rounds: int) -> str:
        """Return the finish reason of the limit that forbids another round; empty if there is none.

        Args:
            rounds: Rounds of calls so far.
        """
        limits = self.limits
        if rounds >= limits.max_rounds:
            return TOO_MANY_ROUNDS
        if self.seconds_left <= 0:
            return TOO_MANY_SECONDS
        if limits.tokens is not None and self.tokens >= limits.tokens:
            return TOO_MANY_TOKENS
        if limits.usd is not None and self.usd >= limits.usd:
            return TOO_MUCH_USD
        return ""
