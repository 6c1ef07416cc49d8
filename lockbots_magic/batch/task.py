"""The prompts of a batch under way."""

from __future__ import annotations

from dataclasses import dataclass

from ..providers.http.retry import RetryPlan
from ..reply import PreparedRequest
from .rows import SourceRow


@dataclass
class RowTask:
    """One distinct prompt, and the rows that wait for its answer."""

    key: str
    prepared: PreparedRequest
    rows: list[SourceRow]
    plan: RetryPlan
    tokens: int = 0
    """Estimated tokens of the request, the reply included."""
    prompt_tokens: int = 0
    cost: float = 0.0
    """Estimated cost, in the unit of the budget."""
    attempts: int = 0
    throttled: int = 0
    """Refusals since anybody was answered."""
    answers_before: int = 0
    started: float = 0.0
