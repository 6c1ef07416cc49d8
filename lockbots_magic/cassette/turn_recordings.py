"""The recordings of a turn that has ended: one for each of its requests, as if they had been recorded live. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..conversation.attachments import CitationPart, ImagePart
from ..conversation.call_messages import reasoning_to_return
from ..conversation.messages import ChatRequest, Message, ToolCall
from ..conversation.parts import (
    Part,
    ReasoningPart,
    Round,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    map_strings,
    part_to_json,
)
from ..conversation.turn import Turn
from ..security.redaction import redacted
from .recording import Recording
from .request import RecordedRequest
from .rhythm import Row


def turn_recordings(request: ChatRequest, turn: Turn, provider: str, *, default: bool = False) -> list[Recording]:
    """Return the recordings of a complete turn.

    Args:
        request: Its first request, with the model that was asked.
        turn: The turn.
        provider: Name of the provider.
        default: True if the server chose the model.

    Returns:
        One recording for each round; the last one has the usage and the finish reason of the turn.
    """
    made: list[Recording] = []
    messages = request.messages
    rounds = turn.rounds or (Round(),)
    for number, one in enumerate(rounds):
        is_last = number == len(rounds) - 1
        recorded = RecordedRequest.from_request(provider, request.model, replace(request, messages=messages))
        asked_for = (part for part in one.parts if isinstance(part, ToolCallPart))
        calls = tuple(ToolCall(call.id, call.name, call.arguments, None, call.opaque) for call in asked_for)
        made.append(
            Recording(
                recorded,
                redacted("".join(part.text for part in one.parts if isinstance(part, TextPart))),
                redacted("".join(part.text for part in one.parts if isinstance(part, ReasoningPart))),
                _rhythm(one.parts, turn, is_first=number == 0),
                finish_reason=(turn.finish_reason or "stop") if is_last else "tool_calls",
                usage=turn.usage if is_last else None,
                default=default,
                calls=calls,
                answered_by=turn.answered_by,
                opaque=tuple(p.opaque for p in one.parts if isinstance(p, ReasoningPart) and p.opaque),
                started=round(turn.started, 3),
            )
        )
        reasoning, opaque = reasoning_to_return(one)
        asked = Message("assistant", made[-1].reply, calls=calls, reasoning=reasoning, opaque=opaque)
        results = [Message("tool", p.text, call_id=p.call_id) for p in one.parts if isinstance(p, ToolResultPart)]
        messages = (*messages, asked, *results)
    return made


def _rhythm(parts: Sequence[Part], turn: Turn, *, is_first: bool) -> list[Row]:
    """Return a rhythm with the little that a turn knows: its first text and its end (ms)."""
    end = round(turn.elapsed * 1000)
    at = round((turn.first_text if is_first and turn.first_text is not None else turn.elapsed) * 1000)
    rows: list[Row] = []
    for part in parts:
        if isinstance(part, TextPart) and part.text:
            rows.append([at, len(redacted(part.text))])
        elif isinstance(part, ReasoningPart) and part.text:
            rows.append([at, "reasoning", len(redacted(part.text))])
        elif isinstance(part, ImagePart | CitationPart):
            rows.append([at, "part", part_to_json(map_strings(part, redacted))])
    return [*rows, [end]]
