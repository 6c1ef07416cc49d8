"""What a turn out of a file may have sent again: its author may be anyone. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .parts import Part, ReasoningPart, Round, ToolCallPart, reasoning_of, text_of

MAX_WORD = 100
"""Length (characters) of a text that is sent again as the value of a parameter, such as a stop sequence."""

_NUMBER_NAMES = (
    "temperature top_p top_k min_p typical_p seed max_tokens max_completion_tokens presence_penalty frequency_penalty"
    " repeat_penalty repetition_penalty repeat_last_n mirostat mirostat_tau mirostat_eta"
)
_NUMBERS = frozenset(_NUMBER_NAMES.split())
_WORDS = frozenset({"stop", "reasoning_effort", "verbosity"})
_PROSE = frozenset({"text", "summary", "thinking", "content"})
"""Names under which services hold what can be read."""
_IMAGES = ("https://", "http://", "data:image/")


def is_sendable_image(url: str) -> bool:
    """Return whether `url` may be sent or kept as an image of a file: http(s) or data:image, but no file."""
    return url[:20].lower().startswith(_IMAGES)


def resent_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters out of a file that are sent again: those that only shape the reply.

    Any other one, such as ``extra_body``, might replace the model or the messages, or order what nobody has seen.

    Example:
        >>> resent_params({"temperature": 0.2, "extra_body": {"model": "another"}})
        {'temperature': 0.2}
    """
    return {name: value for name, value in params.items() if _is_harmless(name, value)}


def _is_harmless(name: str, value: Any) -> bool:
    if name == "stream":
        return isinstance(value, bool)
    if name in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    words = value if isinstance(value, list | tuple) else [value]
    return name in _WORDS and all(isinstance(word, str) and len(word) <= MAX_WORD for word in words)


def without_hidden_text(rounds: Sequence[Round]) -> tuple[Round, ...]:
    """Return rounds out of a file without opaque data, if those hold words or addresses that the turn doesn't show.

    A service's own are signatures, encrypted reasoning, and reasoning that the turn shows as well. All of them go
    together: some are refused without the others.
    """
    arguments = [part.arguments for one in rounds for part in one.parts if isinstance(part, ToolCallPart)]
    shown = _squeezed("\n".join([text_of(rounds), reasoning_of(rounds), *arguments]))
    opaque = [part.opaque for one in rounds for part in one.parts if isinstance(part, ReasoningPart | ToolCallPart)]
    if all(_is_shown(name, text, shown) for data in opaque if data is not None for name, text in _texts(data.data)):
        return tuple(rounds)
    return tuple(Round(tuple(_without_opaque(one.parts))) for one in rounds)


def _without_opaque(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, ReasoningPart | ToolCallPart) and part.opaque is not None:
            if isinstance(part, ToolCallPart) or part.text:
                yield replace(part, opaque=None)
        else:
            yield part


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text with the name that it stands under, and each name."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield "", str(key)
            yield from _texts(one, str(key))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, name)


def _is_shown(name: str, text: str, shown: str) -> bool:
    """Return whether `text` is no prose and no address, or stands in what is shown."""
    words = _squeezed(text)
    is_prose = name in _PROSE or " " in words or "://" in words
    return not is_prose or words in shown


def _squeezed(text: str) -> str:
    return " ".join(text.split())
