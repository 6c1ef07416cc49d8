"""Dialects: the request formats that services share, by name. Each is loaded when it is first spoken."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...language import _

if TYPE_CHECKING:
    from .base import Dialect

CHAT_COMPLETIONS, RESPONSES, MESSAGES = "chat-completions", "responses", "messages"

_PLACES = {
    CHAT_COMPLETIONS: "chat_completions:ChatCompletions",
    MESSAGES: "messages:Messages",
    RESPONSES: "responses:Responses",
}
"""Name -> module of this package, and class."""

DIALECTS: tuple[str, ...] = tuple(_PLACES)
"""Names of all dialects."""
DEFAULT_DIALECT = "default"
"""Stands for the dialect that is the provider's own at an address."""


def find_dialect(name: str, known: Sequence[str] = DIALECTS) -> Dialect:
    """Return the dialect called `name`.

    Args:
        name: One of `DIALECTS`.
        known: Names to choose from.

    Raises:
        UsageError: It is none of `known`.

    Example:
        >>> find_dialect("chat-completions").path
        '/chat/completions'
    """
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 1)
        hint = _(" Did you mean {near!r}?", near=near[0]) if near else ""
        raise UsageError(
            _(
                "Unknown dialect {name!r:.60}.{hint} Known dialects: {names}.",
                name=name,
                hint=hint,
                names=", ".join(known),
            )
        )
    module, _unused, kind = _PLACES[name].partition(":")
    dialect: Dialect = getattr(importlib.import_module(f"{__name__}.{module}"), kind)()
    return dialect
