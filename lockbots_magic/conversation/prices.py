"""Prices of tokens: a small dated table, and the user's own prices. Pure."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from ..errors import UsageError
from ..language import _

_SNAPSHOT = re.compile(r"[-@](?:\d{4}-\d\d-\d\d|\d{8}|latest)$")
"""Suffix of a model id that names a dated snapshot of the model. Any other suffix makes it a different model."""


class CacheTokens(NamedTuple):
    """Tokens of a request in the service's cache, with their prices (USD per 1,000,000); None if one is unknown."""

    read: int = 0
    written: int = 0
    read_price: float | None = None
    written_price: float | None = None
    written_1h: int = 0
    """Those of the written ones that stay for an hour."""
    written_1h_price: float | None = None


NO_CACHE = CacheTokens()


class Price(NamedTuple):
    """Price of a model in USD per 1,000,000 tokens."""

    prompt: float
    reply: float

    def of(self, prompt_tokens: int, reply_tokens: int, cache: CacheTokens = NO_CACHE) -> float:
        """Return the cost of this many tokens in USD.

        Args:
            prompt_tokens: Tokens of the request, cached ones included.
            reply_tokens: Tokens of the reply.
            cache: Those of the request that the service read from its cache or wrote to it, with their prices; one that
                is unknown counts them like the others.
        """
        read = min(cache.read, prompt_tokens)
        written = min(cache.written, prompt_tokens - read)
        discount = 0.0 if cache.read_price is None else read * (self.prompt - cache.read_price)
        long = min(cache.written_1h, written)
        rows = ((written - long, cache.written_price), (long, cache.written_1h_price))
        surcharge = sum(tokens * (price - self.prompt) for tokens, price in rows if price is not None)
        return (prompt_tokens * self.prompt + reply_tokens * self.reply - discount + surcharge) / 1_000_000


def find_price(provider: str, model: str, own: Mapping[str, Any] | None = None) -> Price | None:
    """Return the price of a model, None if it is unknown.

    Args:
        provider: Name of the provider, such as ``"openai"``.
        model: Id of the model. A dated snapshot such as ``"gpt-4o-mini-2024-07-18"`` without a price of its own costs
            what ``gpt-4o-mini`` costs.
        own: The user's prices in USD per 1,000,000 tokens, ``{"provider:model": [prompt, reply]}``; they override the
            packaged table. A provider's name alone prices all of its models. A third number is the price of cached
            tokens.

    Raises:
        UsageError: `own` has another form.
    """
    for prices in (parse_prices(own or {}), _price_table()[1]):
        for name in _candidate_names(provider, model):
            if name in prices:
                return prices[name]
    return None


def find_cached_price(provider: str, model: str, own: Mapping[str, Any] | None = None) -> float | None:
    """Return the price of cached tokens (USD per 1,000,000), None if it is unknown.

    The arguments are those of `find_price`.
    """
    names = _candidate_names(provider, model)
    for name in names:
        if name in (own or {}):
            value = (own or {})[name]
            return _parse_numbers(value)[2] if len(value) > 2 else None  # the third
    table = _price_table()[2]
    return next((table[name] for name in names if name in table), None)


def find_written_prices(
    provider: str, model: str, own: Mapping[str, Any] | None = None
) -> tuple[float | None, float | None]:
    """Return the prices of tokens that a service writes to its cache (USD per 1,000,000), None if they are unknown.

    The first is for some minutes, the second for an hour. The arguments are those of `find_price`; the user's own
    prices have none.
    """
    names = _candidate_names(provider, model)
    price = None if any(name in (own or {}) for name in names) else find_price(provider, model)
    factors = next((_price_table()[3][name] for name in names if name in _price_table()[3]), None)
    if price is None or factors is None:
        return None, None
    minutes, hour = factors
    return price.prompt * minutes, price.prompt * hour


def table_date() -> str:
    """Return the date of the packaged price table, such as ``"2026-11-21"``."""
    return _price_table()[0]


def parse_prices(own: Mapping[str, Any]) -> Mapping[str, Price]:
    """Convert the user's prices to `Price` values.

    Raises:
        UsageError: A price is not two finite numbers >= 0, and a third that is not above the first.
    """
    prices, name = {}, "openai:gpt-4o-mini"
    try:
        for name, value in own.items():
            prices[str(name)] = _parse_price(value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise UsageError(
            _(
                "Invalid `prices`: expected USD per 1,000,000 tokens of prompt and reply, such as "
                "{{{name!r:.60}: [0.15, 0.60]}}.",
                name=name,
            )
        ) from None
    return prices


def _candidate_names(provider: str, model: str) -> Sequence[str]:
    """Return the names under which the price of a model may be listed, the most specific first."""
    model = model.removeprefix("models/")  # Gemini lists its models with it
    without_date = _SNAPSHOT.sub("", model)
    return list(dict.fromkeys([f"{provider}:{model}", f"{provider}:{without_date}", provider]))


def _parse_price(value: Any) -> Price:
    return Price(*_parse_numbers(value)[:2])


def _parse_numbers(value: Any) -> list[float]:
    numbers = [float(number) for number in value if not isinstance(number, str | bool)]
    if len(numbers) not in (2, 3) or len(numbers) != len(value):
        raise ValueError(value)
    if not all(math.isfinite(number) and number >= 0 for number in numbers) or numbers[2:] > numbers[:1]:
        raise ValueError(value)
    return numbers


@functools.cache
def _price_table() -> tuple[str, Mapping[str, Price], Mapping[str, float], Mapping[str, Sequence[float]]]:
    """Load the packaged table: its date, and by name: price, price of cached tokens, and factors of written ones."""
    table = json.loads(files(__package__).joinpath("prices.json").read_text("utf-8"))
    return table["as_of"], parse_prices(table["prices"]), table.get("cached", {}), table.get("written", {})
