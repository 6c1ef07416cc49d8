"""What a dry run of a batch counts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class BatchCounts:
    """What a batch would do."""

    rows: int = 0
    asked: int = 0
    reused: int = 0
    failed: int = 0
    """Rows that can't be filled into the template."""
    first_error: str = ""
    prompt_tokens: int = 0
    """Estimated tokens of the requests."""
    reply_tokens: int = 0
    """Most tokens that the replies may have, where a parameter limits them; else 0."""
    cost: float | None = None
    """Estimated cost (USD) of these tokens; None if the price is unknown."""
    prompts: list[str] = field(default_factory=list)
    """The first prompts that would be sent."""
