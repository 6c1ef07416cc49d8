"""Results of calls: any value as text and images for the model, bounded and without credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..conversation.context_turns import UNSEEN
from ..security.hidden_text import without_hidden_text
from ..security.redaction import redacted
from .tool_source import ToolOutput

MAX_RESULT = 20_000
"""Length (characters) to which a result is cut before it is sent to the model."""
MAX_IMAGES = 8
"""Images of one result."""
MAX_IMAGE = 6_000_000
"""Length (characters) of an image as a ``data:`` URL; services take about as much."""

_HIDDEN = "[invisible text left out]"

Describe = Callable[[Any], ToolOutput]
"""Formats a value that JSON can't represent, such as a data frame or a figure."""


def describe_by_repr(value: Any) -> ToolOutput:
    """Return the `repr` of a value."""
    return ToolOutput(repr(value))


def format_result(value: Any, describe: Describe) -> ToolOutput:
    """Return what a function returned as the model gets it.

    Args:
        value: A string stays as it is, and a `ToolOutput`; other values become JSON if they can.
        describe: Formats any other value.
    """
    if isinstance(value, ToolOutput):
        return value
    if isinstance(value, str):
        return ToolOutput(str.__str__(value))
    try:
        return ToolOutput(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return describe(value)


def bounded_output(output: ToolOutput, *, sees: bool) -> ToolOutput:
    """Return an output as it may be sent: masked, cut, and without images that the model can't take, which it is told.

    Args:
        output: What the call returned.
        sees: Whether the model takes images.
    """
    seen = without_hidden_text(output.text)
    text = redacted(seen)  # before it is cut: half a credential would not be found
    if len(text) > MAX_RESULT:
        text = f"{text[:MAX_RESULT]}\n… ({len(text) - MAX_RESULT} more characters omitted)"
    kept = tuple(url for url in output.images if url.startswith("data:image/") and len(url) <= MAX_IMAGE)[:MAX_IMAGES]
    notes = [_HIDDEN] if seen != output.text else []
    if lost := len(output.images) - len(kept):
        notes.append(f"[{_count(lost)} left out: too large, too many, or not embedded]")
    if kept and not sees:
        notes.append(f"[{_count(len(kept))} {UNSEEN}: this model takes no images]")
    return replace(output, text="\n".join([*([text] if text else []), *notes]), images=kept)


def _count(images: int) -> str:
    return "an image" if images == 1 else f"{images} images"
