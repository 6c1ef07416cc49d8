"""The end of a reply in a cell: its last output, its variable, its marks, and what is counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .. import rendering
from ..conversation.history_entry import HistoryEntry
from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..conversation.usage import measure_sent_turn
from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass
from ..rendering.foot_line import foot_line
from ..rendering.time_budget import MAX_INTERRUPTED_SECONDS, at_most
from ..reply import Reply
from .chat_command import Destination
from .display import print_message, show_note
from .live_output import LiveCellOutput, Output
from .session import Session
from .stale_marks import StaleMarks

if TYPE_CHECKING:
    from .delivery import Delivery

MAX_SEARCHED = 50_000
"""Characters of a reply that are searched for code before its foot line is shown: an interrupt waits for that."""

Recorder = Callable[[HistoryEntry], dict[str, Any]]
"""Returns the metadata of an output for the entry that the notebook keeps."""


@late_dataclass(frozen=True)
class ShownReply:
    """A reply, and where it is shown."""

    reply: Reply
    output: Output
    destination: Destination
    recorder: Recorder
    is_watched: bool
    """True if it was shown while it streamed."""


class ReplyEnd:
    """Ends the replies of one notebook.

    Args:
        shell: The running IPython.
        session: State of the magics.
    """

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell = shell
        self._session = session
        self._marks = StaleMarks()

    def finish(self, shown: ShownReply, errors: Sequence[str] = ()) -> None:
        """Show the end of a reply and deliver it to its destination. An interrupt does not wait for rendering."""
        turn = shown.reply.turn
        was_stopped = turn is not None and turn.status == "interrupted"
        with at_most(MAX_INTERRUPTED_SECONDS if was_stopped else math.inf):
            self._settle(shown, errors)

    def _settle(self, shown: ShownReply, errors: Sequence[str]) -> None:
        reply, output, destination = shown.reply, shown.output, shown.destination
        output.close()
        made = _delivery().Delivery("")
        turn, entry, lost = reply.turn, reply.entry, dict.fromkeys(reply.request.report.lost)
        if turn is not None and turn.status != "error" and (turn.reply or turn.status == "complete"):
            is_code = destination.form == "code"
            made = _delivery().deliver(
                turn, destination.variable, destination.schema, as_code=is_code, replaces=destination.replaces
            )
            self.assign(destination.variable, made.value)
            self._session.last_turn = turn
        if turn is not None and turn.status == "interrupted":
            for name, value in destination.old.items():
                self._shell.user_ns.setdefault(name, value)
        if turn is None:
            if errors:
                output.finish(Turn("", status="error"), errors)
        elif turn.is_shown or output.shown or errors or turn.status == "interrupted":
            told = replace(turn, remarks=tuple(one for one in turn.remarks if one not in lost))
            notices = [*destination.notes, *rendering.notices_of(told), *made.notices, *errors]
            self._show_final(shown, turn, notices, made)
        elif entry and entry.displaces:
            show_note(self._shell, "", shown.recorder(entry))
        for reason in lost:  # not below the reply alone, which programs read as plain text
            print_message(reason)
        if not destination.saved:
            self._session.count_outside(reply)
        self._marks.update(self._session.conversations.all())

    def _show_final(self, shown: ShownReply, turn: Turn, notices: Sequence[str], made: Delivery) -> None:
        """Show the final output, and remember how to show it again with a mark."""
        output, entry = shown.output, shown.reply.entry
        saved = shown.recorder(entry) if entry else None
        shape: dict[str, Any] = {"shown": made.shown, "foot": self._foot_of(turn, shown), "rejected": made.rejected}
        if made.changes and isinstance(output, rendering.TerminalOutput):  # the reply is written already
            output.feed(Delta(f"\n\n{made.changes}"))
        output.finish(turn, notices, saved, **shape)
        if isinstance(output, LiveCellOutput):
            redraw = output.redraw
            self._marks.keep(turn.id, len(turn.reply), lambda notice: redraw(turn, [*notices, notice], saved, **shape))

    def _foot_of(self, turn: Turn, shown: ShownReply) -> str:
        """Return the foot line of a reply; ``""`` for none."""
        settings, sent = self._session.settings, shown.reply.request.messages
        if not settings.foot_line or not turn.reply:
            return ""
        may_offer_code = shown.is_watched and shown.destination.form is None
        offers_code = may_offer_code and _code_blocks().has_code(turn.reply[:MAX_SEARCHED])
        used = measure_sent_turn(turn, sent, settings.prices)
        return foot_line(used, timed=shown.is_watched, has_code=offers_code)

    def insert_code(self, turn: Turn, variable: str | None) -> None:
        """Insert the code of a reply as a new cell, in front ends that support it."""
        code = _code_blocks().extract_code(turn.reply)
        if code is None:
            raise UsageError(_("The reply has no code block, so no cell was added."))
        self.assign(variable, code)
        self._shell.set_next_input(code)

    def assign(self, variable: str | None, value: Any) -> None:
        """Set a variable of the notebook, if one is named."""
        if variable:
            self._shell.user_ns[variable] = value


def _delivery() -> ModuleType:
    from . import delivery  # noqa: PLC0415  # with a parser of Markdown, and no reply has ended yet

    return delivery


def _code_blocks() -> ModuleType:
    from ..schema import code_blocks  # noqa: PLC0415  # the same

    return code_blocks
