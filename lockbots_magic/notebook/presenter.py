"""Presenter: shows replies and results of commands in cells, and stores replies in variables and new cells."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from IPython.display import display

from ..conversation.conversation import Conversation
from ..conversation.history_entry import HistoryEntry
from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..errors import Interrupted, UsageError
from ..language import _, ngettext
from ..rendering.console import any_letter, in_console
from ..rendering.time_budget import MAX_INTERRUPTED_SECONDS, at_most
from ..reply import Reply
from ..schema.json_values import SchemaMismatch
from ..security.exits import clean_printed
from ..storage.output_metadata import metadata
from .background import Background
from .chat_command import ChatCell, Destination
from .display import has_outputs, print_message, show, show_note, show_text, watched
from .dry_run import describe_dry_run
from .interrupts import interrupt_shown
from .live_output import output_for, output_in_background
from .reply_end import Recorder, ReplyEnd, ShownReply
from .session import Session
from .turn_taking import PassingNotice, wait_for_turn

if TYPE_CHECKING:
    from ..rendering.notices import Page
    from ..rendering.reasoning import ReasoningMode

MAX_TRIES = 3
"""Requests per cell until a reply conforms to the schema."""


class Presenter:
    """Shows replies in the cells of one notebook.

    Args:
        shell: The running IPython.
        session: State of the magics.
    """

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell = shell
        self._session = session
        self._background = Background()
        self._end = ReplyEnd(shell, session)

    @property
    def _reasoning(self) -> ReasoningMode:
        return cast("ReasoningMode", self._session.settings.reasoning)

    def run(self, cell: ChatCell) -> None:
        """Send the prompt of a chat cell, show the reply and deliver it to its destination.

        The variable of the destination has no value until the reply has ended, and none if it fails: an old one must
        not pass for it.

        Raises:
            LockbotsError: As for `Reply`, or if no reply conforms to the schema; the text received is shown and kept.
        """
        if (cell_id := self._session.cells.id) is not None:
            self._background.retire(cell_id)
        cell = replace(cell, destination=self._without_old_value(cell.destination))
        if cell.options.get("history", True):
            self._wait_for_turn(cell.chat.conversation, alone=cell.destination.alone)
        if cell.background:
            self._run_in_background(cell)
        elif cell.schema is not None:
            self._run_until_it_fits(cell)
        else:
            self.show(self._stream(cell), cell.destination)

    def _wait_for_turn(self, conversation: Conversation, *, alone: bool = False) -> None:
        """Wait while another reply of the conversation is in progress, with a notice where somebody watches.

        Raises:
            Interrupted: The user has interrupted the wait; nothing was sent.
        """
        notice = PassingNotice(self._shell, self._session.cells.sole_reply() if alone else lambda: False)
        is_watched = watched(self._shell, self._session.settings.live)
        try:
            wait_for_turn(conversation, notice.tell if is_watched else lambda _: None)
        except Interrupted as interrupt:
            if notice.is_shown:
                notice.tell(str(interrupt))
                interrupt.is_shown = True
            raise
        notice.clear()

    def preview(self, cell: ChatCell, *, count: bool = False) -> None:
        """Show the request that the cell would send, without sending it.

        Args:
            cell: The cell.
            count: Whether to ask the service for the number of tokens.

        Raises:
            LockbotsError: The service does not count tokens, or failed to.
        """
        text = describe_dry_run(cell, count=count)
        if not show_text(self._shell, text):
            sys.stdout.write(f"{text}\n")

    def show(
        self,
        reply: Reply,
        destination: Destination | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """Show `reply` as it streams. However it ends, the text received is shown; an interrupt also stops "Run all".

        Args:
            reply: Reply not started yet.
            destination: Where it goes besides the output.
            recorder: Returns the metadata of its output; by default the entry of the turn.
        """
        destination = destination or Destination()
        settings = self._session.settings
        mode = "text" if destination.form == "text" else settings.live
        alone = destination.alone and not reply.request.tools  # tools may print or display
        sole = self._session.cells.sole_reply() if alone else lambda: False
        recorder = recorder or self.recorder(destination)
        is_watched = watched(self._shell, mode) or (mode == "auto" and in_console())
        # Last, as it begins a thread that only `_finish` ends.
        output = output_for(self._shell, mode, sole, reply.request.model, self._reasoning)
        shown = ShownReply(reply, output, destination, recorder, is_watched=is_watched)
        try:
            with self._session.watch(reply):
                for delta in reply.deltas:
                    output.feed(delta)
        except KeyboardInterrupt as error:
            raise interrupt_shown(error) from None
        finally:
            _run_through_interrupt(lambda: self._end.finish(shown))
        if destination.form == "code" and reply.turn is not None:
            _check_not_interrupted(reply.turn)
            self._end.insert_code(reply.turn, destination.variable)

    def work(self, run: Callable[[Any], object], finish: Callable[[Any], object]) -> None:
        """Run something that displays its own output, and finish it however it ends.

        Args:
            run: Called with the running IPython.
            finish: Called afterwards; called again if an interrupt hits it.
        """
        try:
            run(self._shell)
        finally:
            _run_through_interrupt(lambda: finish(self._shell))

    def show_reply(
        self,
        send: Callable[[], Reply],
        conversation: Conversation,
        *,
        as_code: bool = False,
        notes: tuple[str, ...] = (),
        replaces: str = "",
    ) -> None:
        """Show the reply of a command as it streams.

        Args:
            send: Returns the reply; called when no other reply of the conversation is in progress.
            conversation: The conversation.
            as_code: True if its code becomes a new cell.
            notes: Lines below it.
            replaces: Code that the new cell corrects; the changes are shown.
        """
        self._wait_for_turn(conversation)
        self.show(send(), Destination(form="code" if as_code else None, notes=notes, replaces=replaces))

    def message(self, text: str, entry: HistoryEntry | None = None) -> None:
        """Show a message of a command; an entry is saved in the metadata of its output, where there are outputs."""
        if entry is None or not show_note(self._shell, clean_printed(text), self.recorder()(entry)):
            print_message(text)

    def display(self, value: Any) -> None:
        """Display a value that has its own representation, such as a table or a widget."""
        with any_letter(sys.stdout):
            display(value)  # type: ignore[no-untyped-call]  # IPython's display is not typed

    def display_made(self, make: Callable[[Callable[[str], object]], Any]) -> Any:
        """Display a value that takes long to make, in the place of a line that says how far it is; return it.

        Args:
            make: Makes the value; it is given a function that shows the line, where somebody watches.
        """
        notice = PassingNotice(self._shell, lambda: False)
        is_watched = watched(self._shell, self._session.settings.live)
        value = make(notice.tell if is_watched else lambda _: None)
        if notice.is_shown:
            notice.become(self._shell.display_formatter.format(value)[0])
        else:
            self.display(value)
        return value

    def page(self, page: Page) -> None:
        """Show a help page in the format of a reply."""
        if has_outputs(self._shell):
            show(page.mime_bundle())
            return
        output = output_for(self._shell, "off", lambda: False)
        try:
            output.feed(Delta(text=page.text))
        finally:
            output.close()
            output.finish(Turn("", page.text))

    def recorder(self, destination: Destination | None = None) -> Recorder:
        """Return a function that makes the metadata of an entry for the running cell."""
        cell, source = self._session.cells.id, self._session.cells.source

        saved = destination is None or destination.saved

        def record(entry: HistoryEntry) -> dict[str, Any]:
            return metadata(entry if saved else replace(entry, info=None), cell, source)

        return record

    def _stream(self, cell: ChatCell) -> Reply:
        reply = cell.prepare().stream()
        if cell.destination.saved:
            self._session.conversations.keep(cell.chat.conversation)
        return reply

    def _run_until_it_fits(self, cell: ChatCell) -> None:
        """Send the prompt until a reply conforms to the schema, at most `MAX_TRIES` times; each try is a turn."""
        schema = cell.schema
        assert schema is not None
        destination = replace(cell.destination, form=None, alone=False, schema=schema)
        reply = self._stream(cell)
        for tried in range(1, MAX_TRIES + 1):
            self.show(reply, destination if tried == 1 else replace(destination, notes=()))
            assert reply.turn is not None
            _check_not_interrupted(reply.turn)
            is_cut = reply.turn.status == "truncated"
            try:
                schema.parse(reply.turn.reply, is_cut=is_cut)
            except SchemaMismatch as error:
                if is_cut:  # another reply would end at the same limit
                    raise UsageError(_format_cut(reply.turn, destination.variable)) from None
                if tried == MAX_TRIES:
                    raise UsageError(_format_mismatch(error, tried, reply.turn, destination.variable)) from None
                reply = cell.prepare_correction(schema.format_correction(error)).stream()
            else:
                return

    def _run_in_background(self, cell: ChatCell) -> None:
        reply = self._session.watch(self._stream(cell))
        destination = cell.destination
        settings = self._session.settings
        output = output_in_background(self._shell, plain=destination.form == "text", reasoning=self._reasoning)
        shown = ShownReply(
            reply, output, destination, self.recorder(destination), is_watched=watched(self._shell, settings.live)
        )
        self._background.start(reply, output, lambda errors: self._end.finish(shown, errors), self._session.cells.id)

    def insert_code(self, code: str) -> None:
        """Insert a new cell below, in front ends that support it."""
        self._shell.set_next_input(code)

    def _without_old_value(self, destination: Destination) -> Destination:
        name, variables = destination.variable, self._shell.user_ns
        if name is None or name not in variables:
            return destination
        return replace(destination, old={name: variables.pop(name)})


def _check_not_interrupted(turn: Turn) -> None:
    """Raise `Interrupted` if the user stopped the reply."""
    if turn.status == "interrupted":
        raise Interrupted(_("Reply stopped; the text so far is kept."))


def _format_cut(turn: Turn, variable: str | None) -> str:
    return _("The reply holds no complete JSON. {error}{where}", error=turn.error, where=_say_where(turn, variable))


def _format_mismatch(error: Exception, tries: int, turn: Turn, variable: str | None) -> str:
    return ngettext(
        "Sent once; no reply conforms: {error}.{where}",
        "Sent {n} times; no reply conforms: {error}.{where}",
        tries,
        error=error,
        where=_say_where(turn, variable),
    )


def _say_where(turn: Turn, variable: str | None) -> str:
    return _(" Its text is in {variable}.", variable=variable) if variable and turn.reply else ""


def _run_through_interrupt(action: Callable[[], object]) -> None:
    """Run `action`; if an interrupt hits it, run it again, then raise the interrupt."""
    try:
        action()
    except KeyboardInterrupt as interrupt:
        with at_most(MAX_INTERRUPTED_SECONDS):
            action()
        raise interrupt.with_traceback(None)  # noqa: B904  # the same; a debugger shows the locals of its frames
