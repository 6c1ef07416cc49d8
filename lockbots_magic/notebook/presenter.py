"""Replies in cells: shown as they come, kept with the output, and put where the question wants them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..cassette.active import cassette_of
from ..conversation.history_entry import Entry
from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..errors import Interrupted, UsageError
from ..rendering.notices import notices_of
from ..rendering.page import Page
from ..reply import Reply
from ..schema.code_blocks import extract_code
from ..schema.json_values import SchemaMismatch
from ..security.control_characters import printable
from ..security.links import unlinked
from ..security.secrets import redacted
from ..storage.output_metadata import metadata
from .background import Background
from .chat_command import Question
from .commands.command import Work
from .live_output import Output, has_outputs, output_for, output_in_background, show, show_note, show_text
from .session import Lockbots

MOST_TRIES = 3
"""How often a model is asked for JSON that fits."""

Recorder = Callable[[Entry], dict[str, Any]]


class Presenter:
    """Shows replies in the cells of one notebook.

    Args:
        shell: the running IPython.
        session: what the cells share.
    """

    def __init__(self, shell: Any, session: Lockbots) -> None:
        self._shell = shell
        self._session = session
        self._background = Background()

    def answer(self, question: Question) -> None:
        """Ask, show what comes, and do with it what the question wants.

        Raises:
            LockbotsError: as for `Reply`, or the reply is not what was wanted; what came is shown and kept.
        """
        self._background.retire(self._session.cells.id)
        if question.background:
            self._begin(question)
        elif question.wanted is not None:
            self._answer_as_json(question)
        else:
            reply = self._asked(question)
            self.show(reply, question.form, question.variable, notes=question.notes, kept=question.kept)

    def preview(self, question: Question) -> None:
        """Show what the question would send, to be read and copied."""
        from ..prompt.preview import described  # noqa: PLC0415  # few cells are tried dry

        reply, cassette = question.preview(), cassette_of(question.chat.provider)
        text = described(
            question.chat.provider,
            reply.request,
            reply.left_out,
            question.notes,
            f"{cassette.path.name}, mode {cassette.mode}" if cassette else "",
            too_long=str(reply.too_long or ""),
        )
        if not show_text(self._shell, text):
            sys.stdout.write(f"{text}\n")

    def show(
        self,
        reply: Reply,
        form: str | None = None,
        variable: str | None = None,
        *,
        alone: bool = True,
        record: Recorder | None = None,
        notes: Sequence[str] = (),
        kept: bool = True,
    ) -> None:
        """Show `reply` as it comes; whatever happens, what came is shown, and an interrupt stops "Run all" too.

        Args:
            reply: not begun.
            form: what becomes of it, see `--as`.
            variable: where its text, or its code, is put.
            alone: whether the cell shows nothing else, as far as the question tells.
            record: makes the metadata of its output; by default what the notebook is to keep of it.
            notes: what was cut from what was sent, a line each.
            kept: whether its turn stands in a conversation.
        """
        mode = "text" if form == "text" else self._session.live
        alone = alone and not reply.request.tools  # functions may print, or show something
        output = output_for(self._shell, mode, self._session.cells.sole_reply() if alone else lambda: False)
        record = record or self.recorder()
        try:
            with self._session.watch(reply):
                for delta in reply.deltas:
                    output.feed(delta)
        finally:
            _surely(lambda: self._end(reply, output, record, variable, notes=notes, kept=kept))
        if form == "code" and reply.turn is not None:
            _check_not_stopped(reply.turn)
            self._offer(reply.turn, variable)

    def work(self, work: Work) -> None:
        """Let a command do its work, and show what came of it, whatever happens."""
        try:
            work.run(self._shell)
        finally:
            _surely(lambda: work.end(self._shell))

    def page(self, prose: Page) -> None:
        """Show a page of the toolkit's own, as a reply is shown."""
        if has_outputs(self._shell):
            show(prose.forms())
            return
        output = output_for(self._shell, "off", lambda: False)
        try:
            output.feed(Delta(text=prose))
        finally:
            output.close()
            output.finish(Turn("", prose))

    def note(self, text: str, entry: Entry) -> bool:
        """Show a line with what the notebook is to keep; false where outputs keep nothing."""
        return show_note(self._shell, unlinked(printable(text)), self.recorder()(entry))

    def recorder(self) -> Recorder:
        """Return what makes metadata of an entry, as of the cell that runs now."""
        cell, source = self._session.cells.id, self._session.cells.source
        return lambda entry: metadata(entry, redacted, cell, source)

    def _recorder_of(self, question: Question) -> Recorder:
        record = self.recorder()
        return record if question.kept else lambda entry: record(replace(entry, owner=None))

    def _asked(self, question: Question) -> Reply:
        reply = question.reply()
        if question.kept:
            self._session.keep(question.chat.conversation)
        return reply

    def _answer_as_json(self, question: Question) -> None:
        """Ask until the reply fits, a few times at most; each try is a turn of the cell."""
        wanted = question.wanted
        assert wanted is not None
        reply = self._asked(question)
        for tried in range(1, MOST_TRIES + 1):
            notes, record = question.notes if tried == 1 else (), self._recorder_of(question)
            self.show(reply, None, question.variable, alone=False, record=record, notes=notes, kept=question.kept)
            assert reply.turn is not None
            _check_not_stopped(reply.turn)
            try:
                self._assign(question.variable, wanted.parse(reply.turn.reply))
            except SchemaMismatch as error:
                if tried == MOST_TRIES:
                    raise UsageError(_unfit(error, tried, question.variable)) from None
                reply = question.again(wanted.format_correction(error))
            else:
                return

    def _begin(self, question: Question) -> None:
        """Let the reply go on while the cell has ended."""
        reply = self._session.watch(self._asked(question))
        output = output_in_background(self._shell)
        record = self._recorder_of(question)
        self._background.begin(
            reply,
            output,
            lambda trouble: self._end(
                reply, output, record, question.variable, notes=question.notes, trouble=trouble, kept=question.kept
            ),
            self._session.cells.id,
        )

    def _end(
        self,
        reply: Reply,
        output: Output,
        record: Recorder,
        variable: str | None,
        *,
        notes: Sequence[str] = (),
        trouble: Sequence[str] = (),
        kept: bool = True,
    ) -> None:
        output.close()
        turn, entry = reply.turn, reply.entry
        if turn is not None and turn.status != "error" and (turn.reply or turn.status == "complete"):
            self._assign(variable, turn.reply)
        if turn is None:
            if trouble:
                output.finish(Turn("", status="error"), trouble)
        elif turn.is_shown or output.shown or trouble:
            output.finish(turn, [*notes, *notices_of(turn), *trouble], record(entry) if entry else None)
        elif entry and entry.displaces:
            show_note(self._shell, "", record(entry))
        if not kept:
            self._session.count_outside(reply)

    def _offer(self, turn: Turn, variable: str | None) -> None:
        """Put the code of a reply into a new cell, where the front end makes one; it stands in the output, too."""
        code = extract_code(turn.reply)
        if code is None:
            raise UsageError("the reply holds no block of code, so there is no new cell")
        self._assign(variable, code)
        self._shell.set_next_input(code)

    def _assign(self, variable: str | None, value: Any) -> None:
        if variable:
            self._shell.user_ns[variable] = value


def _check_not_stopped(turn: Turn) -> None:
    """Raise where somebody has stopped the reply: nobody wants anything of it any more."""
    if turn.status == "interrupted":
        raise Interrupted("the reply was stopped; what had come is kept")


def _unfit(error: Exception, tried: int, variable: str | None) -> str:
    kept = f"; its text is in {variable}" if variable else ""
    times = "once" if tried == 1 else f"{tried} times"
    return f"asked {times}, the model gave nothing that fits: {error}{kept}"


def _surely(action: Callable[[], None]) -> None:
    """Do `action`, once more if an interrupt falls into it; that is raised then."""
    try:
        action()
    except KeyboardInterrupt:
        action()
        raise
