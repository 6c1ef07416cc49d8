"""What a turn out of a file may have sent again: its author may be anyone. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_WORD = 100
"""Length (characters) of a text that is sent again as the value of a parameter, such as a stop sequence."""

_NUMBER_NAMES = (
    "temperature top_p top_k min_p typical_p seed max_tokens max_completion_tokens presence_penalty frequency_penalty"
    " repeat_penalty repetition_penalty repeat_last_n mirostat mirostat_tau mirostat_eta"
)
_NUMBERS = frozenset(_NUMBER_NAMES.split())
_WORDS = frozenset({"stop", "reasoning_effort", "verbosity"})
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
