"""Lines of an event stream that follow no grammar: errors of servers that forget the framing. Pure.

Observed: llama-server sends ``error: {...}`` where ``data:`` belongs; gateways pass on a bare JSON error, on one line
or over several.
"""

from __future__ import annotations

import re

from ...late_pattern import late_pattern
from .errors import is_error
from .json_text import parse_json

MAX_LINES = 200
"""Lines of a bare JSON object."""
MAX_SIZE = 65536
"""Characters of a bare JSON object."""
_ERROR_FIELD = late_pattern(r"\s*error\s*:\s*(?P<data>\S.*)", re.I | re.S)


class StrayLines:
    """Finds errors in lines outside the grammar, in the order in which they come."""

    def __init__(self) -> None:
        self._object: list[str] = []
        self._size = 0

    def feed(self, line: str) -> str:
        """Return the error that `line` completes: JSON, or text; empty if there is none."""
        if field := _ERROR_FIELD.fullmatch(line):
            return field["data"].strip()
        if not self._object and not line.lstrip().startswith(("{", "[")):
            return ""
        self._object.append(line)
        self._size += len(line)
        if line.rstrip().endswith(("}", "]")):
            text = "\n".join(self._object)
            value = parse_json(text)
            if value is not None:
                self._clear()
                return text if is_error(value) else ""
        if len(self._object) >= MAX_LINES or self._size > MAX_SIZE:
            self._clear()
        return ""

    def _clear(self) -> None:
        self._object, self._size = [], 0
