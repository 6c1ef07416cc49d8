"""Parts of a turn: what a reply is made of, in rounds.

A round is one request and the model's answer to it. A turn without tools has one round; each round of tool calls adds
another. The flat attributes of `Turn` (`reply`, `reasoning`, `calls`) derive from its rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from ..language import _
from ..late_dataclass import late_dataclass
from .attachments import CitationPart, ImagePart
from .documents import SentDocument
from .messages import ToolCall
from .opaque_data import OpaqueData

ROUND_SEPARATOR = "\n\n"
"""Text between the rounds of one reply."""
MAX_ELAPSED = 2.0**52
"""Maximum duration (s) of a call."""
MAX_APPROVER = 40
"""Length (characters) to which the name of who approved a call is cut, in a file."""
RESULT_IMAGES = ("data:image/", "sha256:")
"""How the images of a result begin. Nothing else is taken from a file: it would be fetched."""
PARAGRAPH = "\n\n"
"""Text between an image of a reply and the text around it."""


@late_dataclass(frozen=True)
class TextPart:
    """Text of the reply."""

    text: str


@late_dataclass(frozen=True)
class ReasoningPart:
    """Reasoning of the model, which is not part of the reply."""

    text: str = ""
    opaque: OpaqueData | None = None


@late_dataclass(frozen=True)
class ToolCallPart:
    """A tool call that the model requested."""

    id: str
    name: str
    arguments: str
    """JSON object, as the model wrote it."""
    opaque: OpaqueData | None = None


@late_dataclass(frozen=True)
class ToolResultPart:
    """Result of a tool call, as sent to the model."""

    call_id: str
    text: str
    images: tuple[str, ...] = ()
    """``data:image/png;base64,...``; a cassette keeps ``sha256:...`` in their place."""
    elapsed: float | None = None
    """Duration of the call (s)."""
    approved_by: str = ""
    """Who approved the call; see `ToolCall`."""

    @classmethod
    def of(cls, call: ToolCall) -> ToolResultPart:
        """Return the result of a call that was made."""
        return cls(call.id, call.result or "", call.images, call.elapsed, call.approved_by)

    def result_of(self, call: ToolCallPart) -> ToolCall:
        """Return the call with this result."""
        identity = (call.id, call.name, call.arguments, self.text, call.opaque)
        return ToolCall(*identity, self.elapsed, self.approved_by, self.images)


@late_dataclass(frozen=True)
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


@late_dataclass(frozen=True)
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
    results = tuple(ToolResultPart.of(call) for call in calls if call.result is not None)
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
                    calls.append(results.pop(at).result_of(part)._replace(opaque=None))
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
    if isinstance(value, Round | OpaqueData | SentDocument) or type(value) in _NAMES:
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
        raise ValueError(_("rounds must be a list of lists, got {data!r:.40}", data=data))
    return tuple(Round(tuple(part_from_json(part) for part in one)) for one in data)


def part_to_json(part: Part) -> dict[str, Any]:
    """Return a part as JSON; fields at their defaults are left out."""
    data: dict[str, Any] = {"type": _NAMES[type(part)]}
    for one in fields(part):
        value = getattr(part, one.name)
        if isinstance(value, OpaqueData):
            data[one.name] = value.to_dict()
        elif value not in ("", None, ()):
            data[one.name] = list(value) if isinstance(value, tuple) else value
    return data


_RESULT_FIELDS = frozenset({"images", "elapsed"})
"""Fields of a result that are not text."""


def checked_result(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `data` that say more of a result than its text, as a saved turn may hold them.

    Raises:
        ValueError: If one of them is something else.
    """
    checked: dict[str, Any] = {}
    if (images := data.get("images")) is not None:
        if not isinstance(images, list) or not all(isinstance(url, str) for url in images):
            raise ValueError(_("images of a result must be a list of texts, got {images!r:.40}", images=images))
        checked["images"] = tuple(url for url in images if url.startswith(RESULT_IMAGES))
    if (elapsed := data.get("elapsed")) is not None:
        if not isinstance(elapsed, int | float) or isinstance(elapsed, bool) or not 0 <= elapsed < MAX_ELAPSED:
            raise ValueError(_("elapsed of a result must be a time (s), got {elapsed!r:.40}", elapsed=elapsed))
        checked["elapsed"] = elapsed
    if (approved_by := data.get("approved_by")) is not None:
        if not isinstance(approved_by, str):
            raise ValueError(
                _("approved_by of a result must be text, got {approved_by!r:.40}", approved_by=approved_by)
            )
        checked["approved_by"] = approved_by[:MAX_APPROVER]
    return checked


def part_from_json(data: Any) -> Part:
    """Read what `part_to_json` wrote.

    Raises:
        ValueError: If `data` is something else.
    """
    name = data.get("type") if isinstance(data, dict) else None
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(_("unknown part of a turn: {data!r:.60}", data=data))
    known = {one.name for one in fields(kind)}
    given: dict[str, Any] = {name: value for name, value in data.items() if name in known}
    if "opaque" in given:
        given["opaque"] = OpaqueData.from_dict(given["opaque"])
    if kind is ToolResultPart:
        given |= checked_result(given)
    if not all(isinstance(value, str | OpaqueData) for key, value in given.items() if key not in _RESULT_FIELDS):
        raise ValueError(_("a part of a turn is malformed: {data!r:.60}", data=data))
    try:
        part: Part = kind(**given)
    except TypeError:
        raise ValueError(_("a part of a turn lacks a field: {data!r:.60}", data=data)) from None
    return part
