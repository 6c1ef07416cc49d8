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

_SNAPSHOT = re.compile(r"[-@](?:\d{4}-\d\d-\d\d|\d{8}|latest)$")
"""Suffix of a model id that names a dated snapshot of the model. Any other suffix makes it a different model."""


class Price(NamedTuple):
    """Price of a model in USD per 1,000,000 tokens."""

    prompt: float
    reply: float

    def of(self, prompt_tokens: int, reply_tokens: int) -> float:
        """Return the cost of this many tokens in USD."""
        return (prompt_tokens * self.prompt + reply_tokens * self.reply) / 1_000_000


def find_price(provider: str, model: str, own: Mapping[str, Any] | None = None) -> Price | None:
    """Return the price of a model, None if it is unknown.

    Args:
        provider: Name of the provider, such as ``"openai"``.
        model: Id of the model. A dated snapshot such as ``"gpt-4o-mini-2024-07-18"`` without a price of its own costs
            what ``gpt-4o-mini`` costs.
        own: The user's prices in USD per 1,000,000 tokens, ``{"provider:model": [prompt, reply]}``; they override the
            packaged table. A provider's name alone prices all of its models.

    Raises:
        UsageError: `own` has another form.
    """
    for prices in (parse_prices(own or {}), _price_table()[1]):
        for name in _candidate_names(provider, model.removeprefix("models/")):  # Gemini lists its models with it
            if name in prices:
                return prices[name]
    return None


def table_date() -> str:
    """Return the date of the packaged price table, such as ``"2026-11-21"``."""
    return _price_table()[0]


def parse_prices(own: Mapping[str, Any]) -> Mapping[str, Price]:
    """Convert the user's prices to `Price` values.

    Raises:
        UsageError: A price is not two finite numbers >= 0.
    """
    prices, name = {}, "openai:gpt-4o-mini"
    try:
        for name, value in own.items():
            prices[str(name)] = _parse_price(value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise UsageError(
            "Invalid `prices`: expected USD per 1,000,000 tokens of prompt and reply,"
            f" such as {{{name!r:.60}: [0.15, 0.60]}}."
        ) from None
    return prices


def _candidate_names(provider: str, model: str) -> Sequence[str]:
    """Return the names under which the price of a model may be listed, the most specific first."""
    without_date = _SNAPSHOT.sub("", model)
    return list(dict.fromkeys([f"{provider}:{model}", f"{provider}:{without_date}", provider]))


def _parse_price(value: Any) -> Price:
    prompt, reply = (float(number) for number in value if not isinstance(number, str | bool))
    if not (math.isfinite(prompt) and math.isfinite(reply) and prompt >= 0 and reply >= 0):
        raise ValueError(value)
    return Price(prompt, reply)


@functools.cache
def _price_table() -> tuple[str, Mapping[str, Price]]:
    """Load the packaged table: its date, and name -> price."""
    table = json.loads(files(__package__).joinpath("prices.json").read_text("utf-8"))
    return table["as_of"], parse_prices(table["prices"])
