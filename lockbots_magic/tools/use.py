"""Tools of one request: what may be called, who approves it, and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conversation.prices import find_price
from ..errors import UsageError
from ..language import _
from .approval import Approval
from .limits import Limits, Spent
from .loop import ToolLoop
from .toolbox import Toolbox


@dataclass(frozen=True)
class ToolUse:
    """Tools of one request, which may be sent any number of times."""

    toolbox: Toolbox
    approval: Approval
    limits: Limits = field(default_factory=Limits)
    prices: Mapping[str, Any] = field(default_factory=dict)
    """The user's own prices; see `find_price`."""

    def check(self, provider: str, model: str) -> None:
        """Raise `UsageError` if a limit can't be kept for this model."""
        if self.limits.usd is not None and model and find_price(provider, model, self.prices) is None:
            raise UsageError(
                _(
                    "The limit of {usd:g} USD can't be kept: the price of {provider}:{model} is unknown. "
                    "Set it: `%lockbots set prices \"{{'{provider}:{model}': [0.15, 0.60]}}\"` (USD per "
                    "1,000,000 tokens of prompt and reply), or limit `tokens`.",
                    usd=self.limits.usd,
                    provider=provider,
                    model=model,
                )
            )

    def loop(self, provider: str, model: str) -> ToolLoop:
        """Return the loop of one reply, whose time begins now.

        Raises:
            UsageError: As `check` does.
        """
        self.check(provider, model)
        return ToolLoop(self.toolbox, self.approval, Spent(self.limits, find_price(provider, model, self.prices)))
