"""What a cassette tells of the requests of one reply: the turn takes its id and its times from there. No I/O."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import field

from ..late_dataclass import late_dataclass


@late_dataclass(frozen=True)
class RecordedReply:
    """A recording that was made or replayed for a reply."""

    id: str
    """Identifies the recording, in any cassette."""
    conversation: str
    """Id of the conversation that made it."""
    started: float
    """Unix time (s) at which it was sent; 0 if unknown."""
    elapsed: float
    """Duration (s)."""
    first_text: float | None = None
    """Seconds from sending to the first text; None if none came."""


@late_dataclass
class CassetteReport:
    """Recordings behind one reply, in order: several if tools were called."""

    replies: list[RecordedReply] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Why parts of the reply were not recorded, a sentence each."""
    replaying: bool = False
    """True if nothing may be sent: what is not recorded fails."""

    @property
    def is_recorded(self) -> bool:
        """True if the reply depends on nothing but the cassette."""
        return bool(self.replies) or self.replaying

    @property
    def elapsed(self) -> float:
        """Recorded duration of all requests together (s)."""
        return sum(one.elapsed for one in self.replies)

    @property
    def first_text(self) -> float | None:
        """Recorded time until the first text (s), without the time that tools took; None if none came."""
        before = 0.0
        for one in self.replies:
            if one.first_text is not None:
                return before + one.first_text
            before += one.elapsed
        return None


def derived_id(*of: object) -> str:
    """Return an id in the form of a UUID that depends on nothing but `of`.

    Example:
        >>> derived_id("a", 1) == derived_id("a", 1) != derived_id("a", 2)
        True
    """
    digest = hashlib.sha256("\0".join(map(str, of)).encode("utf-8", "backslashreplace")).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
