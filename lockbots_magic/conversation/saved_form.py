"""Form in which a conversation is saved as JSON, written and read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import UsageError
from ..language import _
from ..security.foreign_text import quote_line
from .ordering import MAX_TURNS
from .turn import MAX_ID, Turn

FORMAT = "lockbots-conversation"
VERSION = 1


class SavedConversation(NamedTuple):
    """What is saved of a conversation."""

    name: str
    system: str
    id: str
    """Empty if none was saved."""
    turns: tuple[Turn, ...]


def saved_form(saved: SavedConversation) -> dict[str, Any]:
    """Return a JSON-ready form, versioned, without credentials and addresses."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": saved.id,
        "name": saved.name,
        "system": saved.system,
        "turns": [turn.to_dict() for turn in saved.turns],
    }


def read_saved_form(data: Any) -> SavedConversation:
    """Return what `saved_form` described.

    Raises:
        UsageError: If `data` is something else, damaged, or of a later version.
    """
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise UsageError(_("This is not a saved conversation."))
    if data.get("version") != VERSION:
        raise UsageError(
            _(
                "The conversation was saved in version {version!r:.40}; this release reads version {supported}.",
                version=data.get("version"),
                supported=VERSION,
            )
        )
    try:
        turns = tuple(Turn.from_dict(turn) for turn in data["turns"])
    except ValueError as error:
        raise UsageError(_("The saved conversation is damaged: {error}.", error=error)) from None
    except (KeyError, TypeError, AttributeError):
        raise UsageError(_("The saved conversation is damaged: its turns can't be read.")) from None
    if len(turns) > MAX_TURNS:
        raise UsageError(
            _(
                "The saved conversation must have at most {max_turns} turns, it has {n}.",
                max_turns=MAX_TURNS,
                n=len(turns),
            )
        )
    name, system, identity = (data.get(key) or "" for key in ("name", "system", "id"))
    if not all(isinstance(text, str) for text in (name, system, identity)):
        raise UsageError(_("The saved conversation is damaged: its name, system prompt and id must be text."))
    shown_name = quote_line(name, MAX_ID) or "main"  # it stands in messages
    return SavedConversation(shown_name, system, identity, turns)
