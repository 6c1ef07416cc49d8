"""What files show of a conversation. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..rendering.notices import notices_of
from ..security.control_characters import printable
from ..security.secrets import redacted

_KIND = re.compile(r"(\w+)(?::|\Z)")
_IMAGES = ("https://", "http://", "data:image/")


def without_secrets(conversation: Conversation) -> Conversation:
    """Return a copy of `conversation` in which no credential that is in use shows."""
    turns = [turn.map_strings(redacted) for turn in conversation.turns]
    name, system = redacted(conversation.name), redacted(conversation.system)
    return Conversation(name, system=system, turns=turns, id=conversation.id)


def told(conversation: Conversation) -> list[Turn]:
    """The turns that a model is told of."""
    return [t for t in conversation.turns if t.in_context]


def system_of(conversation: Conversation) -> str:
    """The system prompt of the conversation; without one of its own, that of most of its turns."""
    return conversation.system or most_common(t.system for t in told(conversation))


def most_common(values: Iterable[str]) -> str:
    """The value that occurs most often, of several the first; ``""`` of none."""
    ((value, _),) = Counter(values).most_common(1) or [("", 0)]
    return value


def title_of(conversation: Conversation) -> str:
    """The name of the conversation, on one line."""
    return _on_one_line(conversation.name) or "Conversation"


def speaker(turn: Turn) -> str:
    """Who replied, on one line: ``provider:model`` as far as they are known."""
    return _on_one_line(":".join(filter(None, (turn.provider, turn.model)))) or "Assistant"


def is_image(url: str) -> bool:
    """Whether `url` can lead to an image, and to none but that: not to a file of this machine."""
    return url[:20].lower().startswith(_IMAGES)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def remarks_on_prompt(turn: Turn) -> list[str]:
    """What the reader of a file should know of what was asked, a line each. No image is shown: that would fetch it."""
    return [f"with {counted(len(turn.images), 'image')}"] if turn.images else []


def remarks(turn: Turn) -> list[str]:
    """What the reader of a file should know of the reply, a line each. No address of a service is among it."""
    said = notices_of(turn)
    if turn.status == "error" and not turn.reply:
        kind = _KIND.match(turn.error)
        said.append(f"no reply came: {kind[1]}" if kind else "no reply came")
    if turn.stale:
        said.append("stale: an earlier turn was asked again since")
    return said


def _on_one_line(text: str) -> str:
    return " ".join(printable(text).split())
