"""What the log says of tokens and cost, by month and model."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class LogStats:
    """Turns of one model in one month."""

    month: str
    """Such as ``"2026-11"``, in local time."""
    model: str
    """``provider:model``."""
    turns: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """Cost in USD of the turns whose price was known; None if there are none."""
    estimated: bool
    """Whether some counts are estimates."""


_QUERY = """
SELECT strftime('%Y-%m', started, 'unixepoch', 'localtime') AS month,
  CASE WHEN model = '' THEN provider ELSE provider || ':' || model END AS model,
  COUNT(*), COALESCE(SUM(prompt_tokens), 0), COALESCE(SUM(completion_tokens), 0), SUM(cost), MAX(estimated)
FROM turn GROUP BY 1, 2 ORDER BY 1, 2
"""


def read_stats(database: sqlite3.Connection) -> list[LogStats]:
    """Return the sums for each month and model, the oldest month first."""
    return [
        LogStats(month or "", model, turns, prompt, completion, cost, bool(estimated))
        for month, model, turns, prompt, completion, cost, estimated in database.execute(_QUERY)
    ]
