"""What a batch took: rows, tokens, cost and time. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from ..conversation.usage import format_price
from ..language import _, ngettext
from .row import RowOutcome


@dataclass
class BatchUsage:
    """Counts of one batch, its retries included."""

    rows: int = 0
    """Rows that have been read."""
    asked: int = 0
    """Rows that were sent to the model."""
    reused: int = 0
    """Rows answered from the journal, or by the answer to an equal row."""
    failed: int = 0
    """Rows with an error."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0
    """USD; None if the price of the model is unknown."""
    seconds: float = 0.0
    """Time that the batch ran (s)."""
    estimated: bool = False
    """Whether tokens are estimated, at least in part: the server did not count them."""

    @property
    def tokens(self) -> int:
        """Tokens of all prompts and replies."""
        return self.prompt_tokens + self.completion_tokens

    def add(self, outcome: RowOutcome) -> None:
        """Count the tokens and the cost of a request."""
        self.prompt_tokens += outcome.prompt_tokens
        self.completion_tokens += outcome.reply_tokens
        self.estimated = self.estimated or (outcome.estimated and outcome.tokens > 0)
        self.cost = None if self.cost is None or outcome.cost is None else self.cost + outcome.cost

    def describe(self) -> str:
        """Return the counts as a line, without times: the same for the same answers."""
        parts = [ngettext("{n:,} row", "{n:,} rows", self.rows), _("{n:,} asked", n=self.asked)]
        parts += [_("{n:,} reused", n=self.reused)] if self.reused else []
        parts += [_("{n:,} failed", n=self.failed)] if self.failed else []
        if not self.asked:
            return f"{parts[0]}: {', '.join(parts[1:])}"
        tokens = _("{about}{n:,} tokens", about="~" * self.estimated, n=self.tokens)
        money = [] if self.cost is None else [format_price(self.cost, estimated=self.estimated)]
        return f"{parts[0]}: {', '.join(parts[1:])}; {', '.join([tokens, *money])}"
