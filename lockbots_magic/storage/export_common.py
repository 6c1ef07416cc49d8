"""What the formats share: a copy without credentials, titles and remarks, and JSON. No I/O."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..errors import UsageError
from ..language import _
from ..security.control_characters import printable
from ..security.exits import redact_each
from ..security.secrets_in_use import secrets_in_use
from .indented_json import indented_json


def without_secrets(conversation: Conversation) -> Conversation:
    """Return a copy of `conversation` in which every known credential is redacted."""
    texts = [conversation.name, conversation.system, *_texts_of(conversation.turns)] if secrets_in_use() else []
    masked = redact_each(texts)

    def clean(text: str) -> str:
        return masked.get(text, text)

    turns = [turn.map_strings(clean) for turn in conversation.turns] if masked else conversation.turns
    name, system = clean(conversation.name), clean(conversation.system)
    return Conversation(name, system=system, turns=turns, id=conversation.id)


def _texts_of(turns: Iterable[Turn]) -> list[str]:
    """Return every text in turns."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    for turn in turns:
        turn.map_strings(keep)
    return found


def context_turns(conversation: Conversation) -> list[Turn]:
    """Return the turns that are sent to models as context."""
    return [t for t in conversation.turns if t.in_context]


def system_prompt(conversation: Conversation) -> str:
    """Return the system prompt of the conversation, or else that of most of its turns."""
    return conversation.system or most_common(t.system for t in context_turns(conversation))


def most_common(values: Iterable[str]) -> str:
    """Return the most common value, of several the first; ``""`` if there are none."""
    ((value, _),) = Counter(values).most_common(1) or [("", 0)]
    return value


def title_of(conversation: Conversation) -> str:
    """Return the name of the conversation on one line."""
    return one_line(conversation.name) or "Conversation"


def one_line(text: str) -> str:
    """Return `text` on one line, without control characters."""
    return " ".join(printable(text).split())


def dump_json(value: Any) -> str:
    """Return `value` as indented JSON.

    Raises:
        UsageError: If a part of it is not JSON; in a conversation, that can only be a parameter.
    """
    try:
        return indented_json(value) + "\n"
    except (TypeError, ValueError, RecursionError):
        raise UsageError(_("Can't save the conversation as JSON: a parameter of a turn is not JSON.")) from None


def refuse_constant(text: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and no JSON holds: they could not be written again."""
    raise ValueError(_("{text} is not JSON", text=text))


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        UsageError: If it is not JSON.
    """
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError, MemoryError):
        raise UsageError(_("the content is not JSON.")) from None
