"""Results of tools that JSON can't represent, described for the model."""

from __future__ import annotations

from typing import Any

from ..tools.tool_source import ToolOutput


def describe_result(value: Any) -> ToolOutput:
    """Describe a result that JSON can't represent, such as a data frame or a figure, for the model."""
    from ..prompt.values import value_part  # noqa: PLC0415  # heavy and rare

    part = value_part(value)
    return ToolOutput(
        "\n".join([*([part.text] if part.text else []), *(f"[{note}]" for note in part.notes)]), part.images
    )
