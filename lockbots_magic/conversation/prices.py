"""What tokens cost: a small dated table, and what the user puts in its place. Pure."""

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
"""What a model's id ends with where it names one day's state of the model. Anything else names another model."""


class Price(NamedTuple):
    """What a model costs, USD per 1,000,000 tokens."""

    prompt: float
    reply: float

    def of(self, prompt_tokens: int, reply_tokens: int) -> float:
        """What so many tokens cost, USD."""
        return (prompt_tokens * self.prompt + reply_tokens * self.reply) / 1_000_000


def price_of(provider: str, model: str, own: Mapping[str, Any] | None = None) -> Price | None:
    """Return what a model costs, None where that is not known.

    Args:
        provider, model: such as ``"openai"`` and ``"gpt-4o-mini-2024-07-18"``, which costs what ``gpt-4o-mini`` does.
        own: the user's prices, which go before the table's: ``{"provider:model": [prompt, reply]}`` in USD per
            1,000,000 tokens; a provider's name alone prices all of its models.

    Raises:
        UsageError: `own` is something else.
    """
    for prices in (checked(own or {}), _table()[1]):
        for name in _names(provider, model.removeprefix("models/")):  # as Gemini lists them
            if name in prices:
                return prices[name]
    return None


def as_of() -> str:
    """The day on which the table was made, such as ``"2026-11-21"``."""
    return _table()[0]


def checked(own: Mapping[str, Any]) -> Mapping[str, Price]:
    """Return the user's prices as prices.

    Raises:
        UsageError: they are none.
    """
    prices, name = {}, "openai:gpt-4o-mini"
    try:
        for name, value in own.items():
            prices[str(name)] = _price(value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise UsageError(
            f"prices takes USD per 1,000,000 tokens, prompt and reply: {{{name!r:.60}: [0.15, 0.60]}}"
        ) from None
    return prices


def _names(provider: str, model: str) -> Sequence[str]:
    """The names under which a price may stand, the most exact one first."""
    plain = _SNAPSHOT.sub("", model)
    return [f"{provider}:{model}", *([f"{provider}:{plain}"] if plain != model else []), provider]


def _price(value: Any) -> Price:
    prompt, reply = (float(number) for number in value if not isinstance(number, str | bool))
    if not (math.isfinite(prompt) and math.isfinite(reply) and prompt >= 0 and reply >= 0):
        raise ValueError(value)
    return Price(prompt, reply)


@functools.cache
def _table() -> tuple[str, Mapping[str, Price]]:
    """The packaged table: its day, and name -> price."""
    table = json.loads(files(__package__).joinpath("prices.json").read_text("utf-8"))
    return table["as_of"], checked(table["prices"])
