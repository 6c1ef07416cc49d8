"""What becomes of a row: its value or its error. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..conversation.turn import Turn
from ..conversation.usage import TurnUsage, measure_tokens
from ..schema.json_values import SchemaMismatch
from ..schema.structured_output import ReplySchema
from ..security.foreign_text import quote_line
from .worker import RowAnswer

MAX_ERROR = 500
"""Characters of a row's error."""


@dataclass(frozen=True)
class BatchRow:
    """One row of a batch, answered or not."""

    index: Any
    """Label of the row in its table, or its position."""
    value: Any = None
    """Text of the reply, or what the schema makes of it; None if there is none."""
    error: str = ""
    """Why there is no usable value, as ``Type: message``; empty on success."""
    reused: bool = False
    """True if the answer was on the journal, or is that of an equal row."""
    position: int = field(default=0, compare=False)
    """Number of the row, from 0."""


@dataclass(frozen=True)
class RowOutcome:
    """The value or the error of a request, and what it took."""

    value: Any = None
    error: str = ""
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cost: float | None = 0.0
    """USD; None if the price is unknown."""
    estimated: bool = False
    """Whether the tokens are an estimate."""

    @property
    def tokens(self) -> int:
        """Tokens of prompt and reply."""
        return self.prompt_tokens + self.reply_tokens


def outcome_of_answer(
    answer: RowAnswer, schema: ReplySchema | None, cost_of: Callable[[TurnUsage], float | None]
) -> RowOutcome:
    """Return what an answer is worth, and what it took.

    Args:
        answer: What a worker returned.
        schema: What the reply must be.
        cost_of: Returns the cost (USD) of a turn; None if the price is unknown.
    """
    turn = answer.turn
    value, error = None, describe_error(answer.error) if answer.error else ""
    if turn is None:
        return RowOutcome(None, error)
    if not error:
        value, error = read_value(final_text(turn), schema, is_cut=turn.status == "truncated")
        if turn.status == "interrupted" or (turn.status == "truncated" and (schema is None or error)):
            error = turn.error or turn.status
    used = measure_tokens(turn)
    return RowOutcome(value, error, used.prompt.tokens, used.reply.tokens, cost_of(used), used.estimated)


def final_text(turn: Turn) -> str:
    """Return the text of the last round: what the model said before it called tools is no part of the answer."""
    return turn.rounds[-1].text if turn.rounds else ""


def read_value(text: str, schema: ReplySchema | None, *, is_cut: bool = False) -> tuple[Any, str]:
    """Return the value in a reply, and why there is none.

    Args:
        text: The reply.
        schema: What it must be; None takes the text.
        is_cut: Whether the reply is cut short.
    """
    if schema is None:
        return text, ""
    try:
        return schema.parse(text, is_cut=is_cut), ""
    except SchemaMismatch as mismatch:
        return None, describe_error(mismatch)


def describe_error(error: BaseException) -> str:
    """Return an error as one bounded line."""
    return quote_line(f"{type(error).__name__}: {error}", MAX_ERROR)
