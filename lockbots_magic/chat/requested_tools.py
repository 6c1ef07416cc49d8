"""The tools of a request, and what the model reads of their results. Loaded only for a request that has tools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..providers.base import Provider
from ..tools.approval import Approval, ApprovalMemory, Approve
from ..tools.asking import ask_here
from ..tools.limits import Limits
from ..tools.tool_source import ToolOutput
from ..tools.toolbox import Toolbox
from ..tools.use import ToolUse


def use_tools(
    tools: Iterable[Any] | Callable[..., Any],
    provider: Provider,
    approve: Approve | Approval,
    *,
    memory: ApprovalMemory,
    limits: Limits,
    prices: Mapping[str, Any],
) -> ToolUse | None:
    """Return the tools of one request; None if those that are named offer none.

    Args:
        tools: Functions and tool sources.
        provider: Provider that answers.
        approve: Policy of the calls; one without a place to ask asks where this runs.
        memory: What the user has approved for the session.
        limits: Limits of the request.
        prices: The user's own prices.
    """
    approval = approve if isinstance(approve, Approval) else Approval(approve, ask_here, memory)
    toolbox = Toolbox(tools, describe=describe_result, provider=provider)
    return ToolUse(toolbox, approval, limits, prices) if toolbox.tools else None


def describe_result(value: Any) -> ToolOutput:
    """Describe a result that JSON can't represent, such as a data frame or a figure, for the model."""
    from ..prompt.values import value_part  # noqa: PLC0415  # heavy and rare

    part = value_part(value)
    return ToolOutput(
        "\n".join([*([part.text] if part.text else []), *(f"[{note}]" for note in part.notes)]), part.images
    )
