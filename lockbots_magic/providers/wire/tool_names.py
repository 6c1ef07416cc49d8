"""Names of functions in tool calls, and ids of calls, as servers write them and as they take them. Pure.

Wire facts: OpenAI API reference, "Create chat completion: tools" (letters, digits, ``_`` and ``-``, at most 64).
Observed: markers of the harmony format behind a name (vLLM: ``weather<|channel|>commentary``), the namespace that the
prompt format puts before it (``functions.weather``, Gemini's ``default_api:weather``, ``tools/weather``), the number of
the call behind it (Kimi K2: ``functions.weather:0``), parentheses (``weather()``), white space around it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container

from ...late_pattern import late_pattern

MAX_NAME = 64
"""Length (characters) of a name that all services take."""

_FORBIDDEN = late_pattern(r"[^A-Za-z0-9_-]")
_NAMESPACE = late_pattern(r"(?:functions?|default_api|default_functions|tools?)(?:::|[.:/])", re.IGNORECASE)
_BEHIND = late_pattern(r"(?::[0-9]{1,4}|\(\s*\))\Z")
"""What stands behind a name: the number of the call, or parentheses."""
_SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")
_MARKER = "<|"
_UNNAMED = "tool"


def meant_name(name: str, known: Container[str]) -> str:
    """Return the function of `known` that `name` means for certain; else `name`, which the caller refuses.

    Example:
        >>> meant_name("functions.weather<|channel|>json", {"weather"}), meant_name("whether", {"weather"})
        ('weather', 'whether')
    """
    if name in known:
        return name
    bare = name.partition(_MARKER)[0].strip()
    without = bare[found.end() :] if (found := _NAMESPACE.match(bare)) else bare
    alone = _BEHIND.sub("", without).strip()
    forms = (bare, without, alone, sendable_name(without), sendable_name(alone))
    return next((one for one in forms if one in known), name)


def short_id(identity: str) -> str:
    """Return an id of a call in the one form that every service takes: nine letters and digits (Mistral API).

    Example:
        >>> short_id("call00001"), short_id("functions.weather:0")
        ('call00001', '10837b3fc')
    """
    if _SHORT_ID.fullmatch(identity):
        return identity
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()[:9]


def sendable_name(name: str) -> str:
    """Return a name that every service takes: other characters become ``_``, and a long one is cut.

    A call goes back with it, too: services refuse the whole conversation for one wrong name.

    Example:
        >>> sendable_name("no such tool!"), sendable_name("weather")
        ('no_such_tool_', 'weather')
    """
    safe = _FORBIDDEN.sub("_", name) or _UNNAMED
    if len(safe) <= MAX_NAME:
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe[: MAX_NAME - 9]}_{digest}"
