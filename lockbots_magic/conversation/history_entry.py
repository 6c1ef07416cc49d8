"""What a notebook keeps of a conversation: one entry per output, and the conversation restored from them."""

from __future__ import annotations

from ..late_dataclass import late_dataclass
from .turn import Turn

MAX_FORMER_IDS = 50
"""Maximum number of former ids, kept when a conversation is cleared."""


@late_dataclass(frozen=True)
class ConversationInfo:
    """The conversation of an entry, without its turns."""

    id: str
    name: str
    system: str = ""
    former: tuple[str, ...] = ()
    """Ids before it was cleared, oldest first."""


@late_dataclass(frozen=True)
class HistoryEntry:
    """State of a conversation after a change, and the turn made by that change, if any.

    Turns that no output shows (see `Turn.is_shown`) are not part of the state.
    """

    info: ConversationInfo | None
    """None: the turn belongs to no conversation, or was not kept."""
    turn: Turn | None = None
    serial: int = 0
    """Serial number of `turn` (see `ordering`), if it is part of the state."""
    order: tuple[int, ...] = ()
    """Serial numbers of all turns, oldest first."""
    stale: tuple[int, ...] = ()
    """Serial numbers of the stale turns."""
    made: float = 0.0
    """Time of the change: Unix time (s), and later than that of every earlier change of the conversation."""
    deleted: bool = False
    """True if the conversation was deleted."""
    displaces: bool = False
    """True if the change removed turns that outputs may show. Not stored."""


@late_dataclass(frozen=True)
class RestoredConversation:
    """A conversation as the entries of a notebook describe it."""

    info: ConversationInfo
    turns: tuple[Turn, ...]
    serials: tuple[int, ...]
    """Serial numbers of the turns."""
    made: float
    """Time of its last change; see `HistoryEntry.made`."""
    gaps: tuple[str, ...] = ()
    """Ids of turns that directly follow missing turns."""
    original_name: str = ""
    """Its name in the notebook, if a later conversation has the same; `info.name` then has a number."""
