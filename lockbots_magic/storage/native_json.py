"""A conversation as the toolkit itself saves it: with all it knows of every turn. Pure."""

from __future__ import annotations

from typing import Any, TypeGuard

from ..conversation.conversation import FORMAT, Conversation
from .json_file import text_of, value_of


def text(conversation: Conversation) -> str:
    """Return `conversation` as JSON.

    Raises:
        UsageError: a parameter of a turn is no JSON.
    """
    return text_of(conversation.to_dict())


def conversation_of(saved: str) -> Conversation:
    """Return the conversation that `text` wrote.

    Raises:
        UsageError: it is something else, damaged, or of a later version.
    """
    return Conversation.from_dict(value_of(saved))


def is_saved(data: Any) -> TypeGuard[dict[str, Any]]:
    """Whether `data`, read from JSON, calls itself a saved conversation."""
    return isinstance(data, dict) and data.get("format") == FORMAT
