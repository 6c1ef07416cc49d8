"""Settings of a batch, checked before the first request."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..providers.base import Provider
from ..schema.structured_output import ReplySchema
from .budget import BudgetLimit
from .row_requests import RowRequests


@dataclass(frozen=True)
class BatchSettings:
    """How a batch is to run; the arguments are those of `Chat.map`."""

    provider: Provider
    model: str
    """Id of the model, resolved."""
    requests: RowRequests
    """Makes the request of a row."""
    identity: tuple[Any, ...]
    """What decides the answers besides the prompt of each row: system prompt, parameters, tools."""
    schema: ReplySchema | None = None
    keep: str | Path | None = None
    active: int = 8
    rpm: float | None = None
    tpm: float | None = None
    budget: BudgetLimit | None = None
    prices: Mapping[str, Any] | None = None
    params: Mapping[str, Any] | None = None
    executor: Executor | None = None
    through: str = ""
    """`"batch"`: the batch API of the service."""
    is_default_model: bool = False
    """Whether the server chose the model."""
