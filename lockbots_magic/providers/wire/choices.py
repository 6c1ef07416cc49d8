"""Choices of a chat-completions chunk: which of them is the reply. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ProtocolError


def first_choice(choices: Any) -> Mapping[str, Any]:
    """Return the choice with index 0; the text of others must not mix with it.

    Args:
        choices: The chunk's `choices`; None if it has none.

    Raises:
        ProtocolError: They are malformed.
    """
    if choices is None:
        return {}
    if not isinstance(choices, list):
        raise ProtocolError("The choices of a chunk are not a list.")
    for choice in choices:
        if not isinstance(choice, dict):
            raise ProtocolError("A choice of a chunk is not a JSON object.")
        if not choice.get("index"):
            return choice
    return {}


def choice_body(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the delta of a choice, or its whole message.

    Raises:
        ProtocolError: It is malformed.
    """
    body = choice.get("delta") or choice.get("message") or {}
    if not isinstance(body, dict):
        raise ProtocolError("The delta of a chunk is not a JSON object.")
    return body
