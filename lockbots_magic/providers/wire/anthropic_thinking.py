"""The parameter `reasoning_effort` in the words of the messages API, and what else depends on the model. Pure.

Wire facts: Anthropic, "Thinking" and "Effort": models since Claude 4.6 think adaptively, by effort; those before, and
models of other makers, take a budget (tokens, at least 1,024 and less than `max_tokens`). Neither goes with a
temperature, with `top_k`, or with a forced `tool_choice`. "Structured outputs": models since Claude 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...errors import UsageError
from ...language import _

BUDGETS: Mapping[str, int] = MappingProxyType(
    {"low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 32_768}
)
"""Effort -> budget of reasoning (tokens), for models that think by one."""
MIN_BUDGET = 1_024
DEFAULT_MAX_TOKENS = 16_000
"""Longest reply (tokens) where the user sets none: the API requires a number."""

_CLAUDE = re.compile(r"claude-(?:[a-z]+-)*?(\d+)(?:[-.](\d{1,2})(?!\d))?", re.IGNORECASE)


def claude_version(model: str) -> tuple[int, int] | None:
    """Return the version in the id of a Claude model; None for one of another maker, or without a version.

    Example:
        >>> claude_version("claude-3-7-sonnet-20250219"), claude_version("claude-opus-4-20250514")
        ((3, 7), (4, 0))
    """
    found = _CLAUDE.search(model)
    return (int(found[1]), int(found[2] or 0)) if found and len(found[1]) < 3 else None


def thinks_adaptively(model: str) -> bool:
    """Whether the model is known to think by effort, without a budget."""
    return (claude_version(model) or (0, 0)) >= (4, 6)


def has_structured_outputs(model: str) -> bool:
    """Whether the model is known to take `output_config.format`."""
    return (claude_version(model) or (0, 0)) >= (4, 5)


def encode_thinking(effort: Any, model: str, max_tokens: int | None) -> dict[str, Any]:
    """Return the fields of a request for an effort; none for None, which leaves the choice to the service.

    Args:
        effort: One of `BUDGETS`, or ``"none"``.
        model: Model id.
        max_tokens: Longest reply that the user has set, reasoning included.

    Raises:
        UsageError: It is something else, or leaves no room for an answer.

    Example:
        >>> encode_thinking("low", "claude-sonnet-5-5", None)["output_config"]
        {'effort': 'low'}
        >>> encode_thinking("low", "claude-haiku-4-5", None)["thinking"]
        {'type': 'enabled', 'budget_tokens': 2048}
    """
    if effort is None:
        return {}
    word = effort.lower() if isinstance(effort, str) else effort
    if word == "none":
        return {"thinking": {"type": "disabled"}}
    if not isinstance(word, str) or word not in BUDGETS:
        known = ", ".join(["none", *BUDGETS])
        raise UsageError(
            _(
                "reasoning_effort must be one of {known} in the messages API, got {effort!r:.40}.",
                known=known,
                effort=effort,
            )
        )
    if thinks_adaptively(model):
        return by_effort(word)
    budget = BUDGETS[word]
    if max_tokens is None:
        return {**by_budget(budget), "max_tokens": budget + DEFAULT_MAX_TOKENS}
    if max_tokens <= MIN_BUDGET:
        raise UsageError(
            _(
                "max_tokens must be above {min_budget:,} with reasoning_effort, got {max_tokens}.",
                min_budget=MIN_BUDGET,
                max_tokens=max_tokens,
            )
        )
    return by_budget(max(MIN_BUDGET, min(budget, max_tokens // 2)))


def by_effort(effort: str) -> dict[str, Any]:
    """Return the fields of a request whose model decides how much it thinks."""
    return {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": effort}}


def by_budget(tokens: int) -> dict[str, Any]:
    """Return the fields of a request whose model thinks by a budget."""
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def effort_of(budget: Any) -> str:
    """Return the effort that comes next to a budget (tokens)."""
    return next((name for name, tokens in BUDGETS.items() if type(budget) is int and budget <= tokens), "max")


def is_thinking(body: Mapping[str, Any]) -> bool:
    """Whether a request asks for reasoning."""
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") not in (None, "disabled")
