"""Parts of a turn: what a reply is made of, in rounds.

A round is one request and the model's answer to it. A turn without tools has one round; each round of tool calls adds
another. The flat attributes of `Turn` (`reply`, `reasoning`, `calls`) derive from its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from .attachments import CitationPart, ImagePart
from .messages import ToolCall
from .opaque_data import OpaqueData

ROUND_SEPARATOR = "\n\n"
"""Text between the rounds of one reply."""
PARAGRAPH = "\n\n"
"""Text between an image of a reply and the text around it."""


@dataclass(frozen=True)
class TextPart:
    """Text of the reply."""

    text: str


@dataclass(frozen=True)
class ReasoningPart:
    """Reasoning of the model, which is not part of the reply."""

    text: str = ""
    opaque: OpaqueData | None = None


@dataclass(frozen=True)
class ToolCallPart:
    """A tool call that the model requested."""

    id: str
    name: str
    arguments: str
    """JSON object, as the model wrote it."""
    opaque: OpaqueData | None = None


@dataclass(frozen=True)
class ToolResultPart:
    """Result of a tool call, as sent to the model."""

    call_id: str
    text: str


@dataclass(frozen=True)
class DocumentPart:
    """Document that the model made or cites."""

    name: str
    text: str = ""
    url: str = ""


Part: TypeAlias = TextPart | ReasoningPart | ToolCallPart | ToolResultPart | ImagePart | DocumentPart | CitationPart

_KINDS: Mapping[str, type[Any]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "call": ToolCallPart,
    "result": ToolResultPart,
    "image": ImagePart,
    "document": DocumentPart,
    "citation": CitationPart,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True)
class Round:
    """One request and the model's answer to it."""

    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """Text of this round."""
        return _join_text(self.parts)


def _join_text(parts: Iterable[Part]) -> str:
    """Join texts, and labels of images as paragraphs of their own."""
    pieces: list[str] = []
    after_image = False
    for part in parts:
        if isinstance(part, ImagePart):
            pieces += [PARAGRAPH, part.label] if pieces else [part.label]
            after_image = True
        elif isinstance(part, TextPart) and part.text:
            pieces += [PARAGRAPH, part.text] if after_image else [part.text]
            after_image = False
    return "".join(pieces)


def simple_rounds(reply: str = "", reasoning: str = "", calls: Iterable[ToolCall] = ()) -> tuple[Round, ...]:
    """Build the rounds of a turn of which only the flat attributes are known.

    Args:
        reply: Text of the reply.
        reasoning: Reasoning before it.
        calls: Tool calls, with their results once called.

    Returns:
        One round, or two if there were calls: calls and results come before the text.
    """
    thought: tuple[Part, ...] = (ReasoningPart(reasoning),) if reasoning else ()
    text: tuple[Part, ...] = (TextPart(reply),) if reply else ()
    calls = tuple(calls)
    if not calls:
        return (Round((*thought, *text)),) if thought or text else ()
    asked = tuple(ToolCallPart(call.id, call.name, call.arguments, call.opaque) for call in calls)
    results = tuple(ToolResultPart(call.id, call.result) for call in calls if call.result is not None)
    first = Round((*thought, *asked, *results))
    return (first, Round(text)) if text else (first,)


def text_of(rounds: Iterable[Round]) -> str:
    """Return the text of all rounds, separated by blank lines."""
    return ROUND_SEPARATOR.join(text for one in rounds if (text := one.text))


def reasoning_of(rounds: Iterable[Round]) -> str:
    """Return the reasoning of all rounds."""
    return "".join(part.text for one in rounds for part in one.parts if isinstance(part, ReasoningPart))


def calls_of(rounds: Iterable[Round]) -> tuple[ToolCall, ...]:
    """Return the tool calls that were made, each with its result but without opaque data.

    Calls that the model only asked for are left out.
    """
    calls = []
    for one in rounds:
        results = [part for part in one.parts if isinstance(part, ToolResultPart)]
        for part in one.parts:
            if isinstance(part, ToolCallPart):
                at = next((n for n, result in enumerate(results) if result.call_id == part.id), None)
                if at is not None:
                    calls.append(ToolCall(part.id, part.name, part.arguments, results.pop(at).text))
    return tuple(calls)


def images_of(rounds: Iterable[Round]) -> tuple[ImagePart, ...]:
    """Return the images that the model made."""
    return tuple(part for one in rounds for part in one.parts if isinstance(part, ImagePart))


def citations_of(rounds: Iterable[Round]) -> tuple[CitationPart, ...]:
    """Return the sources that the reply cites, each once."""
    cited = (part for one in rounds for part in one.parts if isinstance(part, CitationPart))
    return tuple(dict.fromkeys(cited))


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """Apply `change` to every string in parts, rounds and JSON, dict keys too.

    Returns:
        A copy of the same type.
    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {map_strings(key, change): map_strings(one, change) for key, one in value.items()}
    if isinstance(value, Round | OpaqueData) or type(value) in _NAMES:
        return type(value)(*(map_strings(getattr(value, f.name), change) for f in fields(value)))
    if isinstance(value, list):
        return [map_strings(one, change) for one in value]
    if type(value) is tuple:
        return tuple(map_strings(one, change) for one in value)
    return value


def rounds_to_json(rounds: Iterable[Round]) -> list[list[dict[str, Any]]]:
    """Return rounds as JSON; fields at their defaults are left out."""
    return [[part_to_json(part) for part in one.parts] for one in rounds]


def rounds_from_json(data: Any) -> tuple[Round, ...]:
    """Read what `rounds_to_json` wrote.

    Raises:
        ValueError: If `data` is something else.
    """
    if not isinstance(data, list) or not all(isinstance(one, list) for one in data):
        raise ValueError(f"rounds must be a list of lists, got {data!r:.40}")
    return tuple(Round(tuple(part_from_json(part) for part in one)) for one in data)


def part_to_json(part: Part) -> dict[str, Any]:
    """Return a part as JSON; fields at their defaults are left out."""
    data: dict[str, Any] = {"type": _NAMES[type(part)]}
    for one in fields(part):
        value = getattr(part, one.name)
        if isinstance(value, OpaqueData):
            data[one.name] = value.to_dict()
        elif value not in ("", None):
            data[one.name] = value
    return data


def part_from_json(data: Any) -> Part:
    """Read what `part_to_json` wrote.

    Raises:
        ValueError: If `data` is something else.
    """
    name = data.get("type") if isinstance(data, dict) else None
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown part of a turn: {data!r:.60}")
    known = {one.name for one in fields(kind)}
    given: dict[str, Any] = {name: value for name, value in data.items() if name in known}
    if "opaque" in given:
        given["opaque"] = OpaqueData.from_dict(given["opaque"])
    if not all(isinstance(value, str | OpaqueData) for value in given.values()):
        raise ValueError(f"a part of a turn is malformed: {data!r:.60}")
    try:
        part: Part = kind(**given)
    except TypeError:
        raise ValueError(f"a part of a turn lacks a field: {data!r:.60}") from None
    return part
