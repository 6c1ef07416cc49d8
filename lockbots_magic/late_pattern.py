"""Regular expressions that are compiled when they are first used.

For what most sessions never see, such as the words of refusals: to compile them all takes half as long again as to
import the modules that hold them, in front of the first reply of a kernel.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _LatePattern:
    """Stands in for a compiled pattern: the first attribute that is asked for compiles it."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._source = pattern, flags
        self._compiled: re.Pattern[str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return late_pattern, self._source

    def __getattr__(self, name: str) -> Any:
        if self._compiled is None:
            self._compiled = re.compile(*self._source)
        found = getattr(self._compiled, name)
        setattr(self, name, found)  # its own from now on, which takes no call
        return found


def late_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what is used as a compiled pattern, and compiled only then.

    Args:
        pattern: The regular expression. An invalid one raises `re.error` at the first use.
        flags: As for `re.compile`.

    Example:
        >>> late_pattern("b+").search("abbc")[0]
        'bb'
    """
    return cast("re.Pattern[str]", _LatePattern(pattern, flags))
