"""Budget: what a batch may cost, checked before each request with what is under way counted. No I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..conversation.prices import Price, find_cached_price, find_price, find_written_prices
from ..conversation.usage import TurnUsage, format_price
from ..errors import UsageError
from ..language import _

Unit = Literal["USD", "tokens"]
_WRITTEN = re.compile(r"\$?\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([kM]?)\s*(USD|\$|tokens?)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}
LIMIT_PARAMETERS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""Parameters that limit the tokens of a reply."""


@dataclass(frozen=True)
class BudgetLimit:
    """An amount of money or tokens."""

    amount: float
    unit: Unit = "USD"

    def __str__(self) -> str:
        if self.unit == "tokens":
            return _("{amount:,.0f} tokens", amount=self.amount)
        return format_price(self.amount)


def parse_budget(value: Any) -> BudgetLimit | None:
    """Return a budget: a number of USD, or text such as ``"2 USD"`` and ``"500k tokens"``; None for none.

    Raises:
        UsageError: It is something else, or not above 0.

    Example:
        >>> str(parse_budget(2)), str(parse_budget("500k tokens"))
        ('$2.00', '500,000 tokens')
    """
    if value is None or isinstance(value, BudgetLimit):
        return value
    amount, unit = value, ""
    if isinstance(value, str) and (written := _WRITTEN.fullmatch(value.strip())):
        amount = float(re.sub("[_,]", "", written[1])) * _FACTORS[written[2].lower()]
        unit = (written[3] or "").lower()
    is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
    if not is_number or not math.isfinite(amount) or amount <= 0:
        raise UsageError(
            _('budget must be an amount of USD above 0, or text such as "500k tokens", got {value!r:.60}.', value=value)
        )
    return BudgetLimit(float(amount), "tokens" if unit.startswith("token") else "USD")


class BudgetGuard:
    """Keeps the requests of one batch within a budget.

    Args:
        limit: The budget; None for none.
        provider: Name of the provider.
        model: Id of the model.
        prices: The user's own prices, see `find_price`.
        params: Parameters of the requests; one that limits the reply makes the estimate exact.
        discount: Share of the price that is charged.

    Raises:
        UsageError: The budget is in USD and the price of the model is unknown.
    """

    def __init__(
        self,
        limit: BudgetLimit | None,
        provider: str,
        model: str,
        prices: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        discount: float = 1.0,
    ) -> None:
        self._limit = limit
        self._discount = discount
        self._price = find_price(provider, model, prices)
        self._cache_prices = (
            find_cached_price(provider, model, prices),
            *find_written_prices(provider, model, prices),
        )
        if limit is not None and limit.unit == "USD" and self._price is None:
            raise UsageError(
                _(
                    "The price of {provider}:{model} is unknown, so a budget in USD can't be kept. Give it "
                    'as prices={{"{provider}:{model}": [0.15, 0.60]}} (USD per 1,000,000 tokens of prompt '
                    'and reply), or give the budget as text, such as "500k tokens".',
                    provider=provider,
                    model=model,
                )
            )
        given = [value for name in LIMIT_PARAMETERS if isinstance(value := (params or {}).get(name), int)]
        self._known_reply = given[0] if given else None
        self._replies = 0
        self._reply_tokens = 0
        self._spent = 0.0
        self._under_way = 0.0

    @property
    def reply_tokens(self) -> int:
        """Tokens that a reply is expected to have: as limited by a parameter, else as replies had on average."""
        mean = math.ceil(self._reply_tokens / self._replies) if self._replies else None
        known = self._known_reply
        return min(x for x in (mean, known) if x is not None) if (mean is not None or known is not None) else 0

    def cost_of(self, used: TurnUsage) -> float | None:
        """Return the cost of a turn (USD); None if the price is unknown."""
        read, written, written_1h = self._cache_prices
        cost = replace(
            used, price=self._price, cached_price=read, written_price=written, written_1h_price=written_1h
        ).cost
        return None if cost is None else cost * self._discount

    def cost_of_tokens(self, prompt: int, reply: int) -> float | None:
        """Return the cost of this many tokens (USD); None if the price is unknown."""
        return None if self._price is None else self._price.of(prompt, reply) * self._discount

    def estimate(self, prompt_tokens: int) -> float:
        """Return what a request is expected to cost, in the unit of the budget; 0 without one."""
        if self._limit is None:
            return 0.0
        if self._limit.unit == "tokens":
            return float(prompt_tokens + self.reply_tokens)
        price = self._price or Price(0, 0)
        return price.of(prompt_tokens, self.reply_tokens) * self._discount

    def allows(self, estimate: float) -> bool:
        """Return whether one more request keeps the budget, if those under way cost what is expected."""
        return self._limit is None or self._spent + self._under_way + estimate <= self._limit.amount

    def begin(self, estimate: float) -> None:
        """Count a request as under way."""
        self._under_way += estimate

    def end(self, estimate: float, tokens: tuple[int, int], cost: float | None) -> None:
        """Count a request as done.

        Args:
            estimate: As given to `begin`.
            tokens: Tokens of the prompt and of the reply.
            cost: Cost in USD; None if unknown.
        """
        self._under_way = max(self._under_way - estimate, 0.0)
        if tokens[1]:
            self._replies += 1
            self._reply_tokens += tokens[1]
        if self._limit is not None:
            self._spent += sum(tokens) if self._limit.unit == "tokens" else (cost or 0.0)
