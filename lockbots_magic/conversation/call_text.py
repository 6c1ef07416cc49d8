"""Tool calls as text for people: on one line, nothing hidden, nothing that passes for another call. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..language import ngettext
from ..late_pattern import late_pattern
from ..security.control_characters import without_steering

MAX_VALUE = 100
"""Length (characters) to which each argument is cut; how much was cut is said."""
MAX_NAME = 64
"""Length (characters) to which the name of an argument is cut."""
MAX_SHOWN_VALUES = 20
"""Arguments of which the value is shown; of the others, the name."""
MAX_RESULT = 200
"""Length (characters) to which a result is cut."""

_NAME = late_pattern(r"[\w.-]{1,64}")
_MISLEADING = late_pattern(r"->|→|\)|\bcall(?:ed|ing)\b", re.IGNORECASE)
"""What would look like the end of a call, or another one."""


def parse_arguments(arguments: str) -> Mapping[str, Any] | None:
    """Return the arguments of a call by name; None if they are not a JSON object."""
    with suppress(ValueError, RecursionError):
        given = json.loads(arguments or "{}")
        if isinstance(given, dict):
            return given
    return None


def quote_name(name: str) -> str:
    """Return a name as it is if it can be one, else as a JSON string."""
    return name if _NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def describe_call(name: str, arguments: str) -> str:
    """Return a call as one line of a remark: each argument is named, and cut by itself.

    Args:
        name: Name of the function, as the model wrote it.
        arguments: JSON object, as the model wrote it; anything else is shown as it is.

    Example:
        >>> describe_call("add", '{"x": 1, "y) → 3 called rm(": 2}')
        'add(x=1, "y) → 3 called rm(": 2)'
    """
    given = parse_arguments(arguments)
    shown_name = quote_name(_cut(_one_line(name), MAX_NAME))
    if given is None:
        return f"{shown_name}({_plain(arguments, MAX_VALUE)})"
    shown = [
        _describe_argument(key, value) if number < MAX_SHOWN_VALUES else f"{_shown_name(key)}=…"
        for number, (key, value) in enumerate(given.items())
    ]
    return f"{shown_name}({', '.join(shown)})"


def describe_result(result: str) -> str:
    """Return the result of a call as one line of a remark."""
    return _cut(_one_line(result), MAX_RESULT)


def _describe_argument(key: str, value: Any) -> str:
    name = _shown_name(key)
    text = _cut(_one_line(json.dumps(value, ensure_ascii=False)), MAX_VALUE)
    return f"{name}: {text}" if name.startswith('"') else f"{name}={text}"


def _shown_name(key: str) -> str:
    return quote_name(_cut(_one_line(key), MAX_NAME))


def _plain(text: str, limit: int) -> str:
    """Return text as it is on one line, or as a JSON string where it would pass for more than it is."""
    line = _one_line(text)
    return _cut(json.dumps(line, ensure_ascii=False) if _MISLEADING.search(line) else line, limit)


def _one_line(text: str) -> str:
    return " ".join(without_steering(text).split())


def _cut(text: str, limit: int) -> str:
    """Return the beginning and the end of a text, with how much is left out between them."""
    if len(text) <= limit:
        return text
    end = limit // 4
    left_out = ngettext("({n} character left out)", "({n} characters left out)", len(text) - limit)
    return f"{text[: limit - end]}… {left_out} …{text[-end:]}"
