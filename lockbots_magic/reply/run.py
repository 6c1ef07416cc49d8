"""One turn in progress: it reads its source, accumulates the steps, and commits the turn however it ends."""

from __future__ import annotations

import inspect
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace

from ..conversation.commits import CommittedTurn, tell_commit
from ..conversation.ending import outcome_of
from ..conversation.history_entry import HistoryEntry
from ..conversation.messages import ChatRequest, Delta
from ..conversation.model_names import display_name, is_same_model
from ..conversation.recorded_reply import derived_id
from ..conversation.turn import Status, Turn
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import Cancelled, Interrupted, ProviderError, UsageError
from ..event_loops.host import LoopHost, Reader
from ..language import _
from ..security.foreign_text import quote_line
from ..security.redaction import redacted
from .read_ahead import ReadAhead
from .source import ReplySource, TurnRequest

MAX_MODEL_NAME = 200
"""Length (characters) to which the name of the model that answered is cut."""
TIME_DIGITS = 6
"""Decimals of the times (s) that a turn keeps."""


class ReplyRun:
    """One turn in progress. The conversation knows it as its active reply; the caller holds it by a `Reply`.

    Args:
        asked: The request, not sent yet.
    """

    def __init__(self, asked: TurnRequest) -> None:
        self.id = asked.draft.id
        self.cancellation = asked.request.cancellation
        self.turn: Turn | None = None
        """The turn, once the reply has ended."""
        self.entry: HistoryEntry | None = None
        """What a notebook keeps of the turn, once the reply has ended."""
        self.started = threading.Event()
        """Set once the reply is read and its conversation is taken, or can't be."""
        self.reader: Reader | None = None
        """Who takes the steps, once somebody does."""
        self.accumulator = TurnAccumulator()
        self._began = 0.0
        self._steps = self._run()
        self._ahead: ReadAhead | None = None
        self._ask(asked)

    def _ask(self, asked: TurnRequest) -> None:
        self.asked = asked
        self._draft = asked.draft
        self._source = ReplySource(asked)
        self.stream = self._source.stream()

    def adopt(self, asked: TurnRequest) -> None:
        """Ask this in place of what was given; does nothing once the reply has begun."""
        if asked is not self.asked and self.state == inspect.GEN_CREATED:
            self._ask(asked)

    @property
    def request(self) -> ChatRequest:
        """The request."""
        return self._source.request

    @property
    def left_out(self) -> int:
        """Number of older turns that didn't fit into the context window."""
        return self._draft.left_out + self._source.guard.left_out

    @property
    def state(self) -> str:
        """State of the steps: one of ``inspect.GEN_CREATED`` and its like."""
        return inspect.getgeneratorstate(self._steps)

    @property
    def is_over(self) -> bool:
        """True once it has ended."""
        return self.turn is not None or self.state == inspect.GEN_CLOSED

    @property
    def in_progress(self) -> bool:
        """True until the reply has ended or was abandoned."""
        waits = self.reader is None and self.turn is None
        return waits or (self.state != inspect.GEN_CLOSED and not self.abandoned)

    @property
    def is_read_here(self) -> bool:
        """True if this thread reads it."""
        return self.reader is not None and self.reader.is_here()

    @property
    def abandoned(self) -> bool:
        """True if its reader left it unfinished: it has ended, or is the caller of this."""
        reader = self.reader
        left = reader is None or reader.is_current() or reader.has_left()
        return left and self.state != inspect.GEN_RUNNING

    def step(self) -> Delta:
        """Take the next step, in the thread and task of the caller.

        Raises:
            StopIteration: The reply has ended.
            ProviderError, Interrupted, UsageError: As for `Reply`.
        """
        return next(self._steps)

    def read_ahead(self, ahead: ReadAhead) -> None:
        """Take the steps from `ahead` from now on; the conversation is taken here if the reply has not begun."""
        self._ahead = ahead
        if self.state == inspect.GEN_CREATED:
            next(self._steps)

    def cancel(self) -> None:
        """Stop the reply, from any thread: close the connection at once and keep the turn as interrupted."""
        self.cancellation.cancel()
        ahead = self._ahead
        if ahead is not None:
            ahead.waiters.wake()  # a task that waits ends it
            if ahead.host.is_here() or not ahead.host.call(self.close):
                self.close()
        elif self.reader is None or self.reader.is_here() or self.reader.has_left():
            self.close()  # otherwise the reading thread ends it: it may be about to take the next step

    def close(self) -> None:
        """End the reply where it is, unless another thread is taking a step.

        If a function that runs for the model must be waited for, the reply ends after it.
        """
        ahead = self._ahead
        if ahead is not None and ahead.is_settling:
            ahead.stop()
            ahead.on_end(lambda: self._end_on(ahead.host))
        else:
            self._end()

    def _end_on(self, host: LoopHost) -> None:
        if not host.call(self._end):
            self._end()

    def _end(self) -> None:
        with suppress(ValueError):  # "generator already executing": the thread that runs it ends it
            never_began = self.state == inspect.GEN_CREATED
            self._steps.close()
            if never_began and self.turn is None:  # nothing to keep
                self.turn = self._make_turn("interrupted", _("Interrupted before it was sent."))
                self.entry = HistoryEntry(None, self.turn)
                self._leave_conversation()

    def _run(self) -> Generator[Delta, None, None]:
        self._begin()
        ending: tuple[Status, str] | None = ("interrupted", "")
        try:
            for delta in self.accumulator.follow(self._read()):
                yield delta
                if self.cancellation.cancelled:  # not every provider checks
                    raise Cancelled
            ending = self._ending()
        except Cancelled:
            pass
        except KeyboardInterrupt as interrupt:
            interrupt.with_traceback(None)  # a debugger shows the locals of its frames
            raise Interrupted(_interrupt_message(self.accumulator.text)) from None
        except UsageError as error:
            began = self.accumulator.text or self.accumulator.has_calls
            ending = ("error", str(error)) if began else None  # nothing was sent: the conversation stays as it was
            raise
        except Exception as error:
            ending = ("error", f"{type(error).__name__}: {error}")
            self._label(error)
            raise
        finally:
            self._stop_reading()
            if ending is not None:
                self._commit(*ending)
            self._leave_conversation()

    def _begin(self) -> None:
        if self._ahead is None:
            self.reader = Reader()
        try:
            if self.asked.conversation is not None:
                self.asked.conversation.begin_reply(self)
        finally:
            self.started.set()
        self._began = time.time()
        self.accumulator.restart()

    def _leave_conversation(self) -> None:
        if self.asked.conversation is not None:
            self.asked.conversation.end_reply(self)

    def _read(self) -> Iterator[Delta]:
        """Yield the steps of the source: from the thread that reads ahead, as soon as there is one."""
        if self._ahead is not None:
            yield Delta()  # `read_ahead` takes it: the reply has begun, and nothing was read
        while True:
            try:
                delta = next(self.stream) if self._ahead is None else self._ahead.take()
            except StopIteration:
                return
            yield delta

    def _stop_reading(self) -> None:
        """Close the source; the tool calls that were made meanwhile join the turn."""
        if self._ahead is None:
            self.stream.close()
            return
        for delta in self._ahead.untaken_calls():
            self.accumulator.add(delta)
        self._ahead.stop()

    def _ending(self) -> tuple[Status, str]:
        read = self.accumulator
        outcome = outcome_of(
            read.finish_reason,
            self.request.params,
            read.usage,
            has_answer=not read.only_reasoned,
            has_calls=read.has_open_calls,
        )
        tools = self.asked.tools
        limit = tools.limits.describe(read.finish_reason) if tools else ""
        message = _("Stopped at {limit}; what was done so far is kept.", limit=limit) if limit else outcome.message
        return outcome.status, message

    def _label(self, error: Exception) -> None:
        if isinstance(error, ProviderError):
            error.provider = error.provider or self._draft.provider
            error.model = error.model or self._model_name()

    def _model_name(self) -> str:
        return redacted(display_name(self.request.model))  # a server's list may hold anything

    def _make_turn(self, status: Status, error: str) -> Turn:
        read, report, guard = self.accumulator, self.request.report, self._source.guard
        turn = replace(
            self._draft,
            model=self._model_name(),
            left_out=self.left_out,
            remarks=(*self._draft.remarks, *guard.remarks, *dict.fromkeys(report.lost)),
            rounds=read.rounds,
            status=status,
            error=error,
            finish_reason=read.finish_reason,
            answered_by=_other_model(self.request.model, read.answered_by),
            usage=read.usage,
            started=self._began or self._draft.started,
            elapsed=round(read.elapsed, TIME_DIGITS),
            first_text=_rounded(read.first_text),
        )
        if not report.replies:
            return turn
        first = report.replies[0]
        return replace(
            turn,
            id=uuid.UUID(derived_id("turn", first.id, first.started)).hex,
            started=first.started or turn.started,
            elapsed=round(report.elapsed, TIME_DIGITS),
            first_text=_rounded(report.first_text),
        )

    def _commit(self, status: Status, error: str) -> None:
        if status == "interrupted":
            kept = self.accumulator.text
            error = _("Interrupted; the text so far is kept.") if kept else _("Interrupted before the first word.")
        turn = self._make_turn(status, error)
        asked, entry = self.asked, None
        if asked.conversation is not None:
            tools = asked.tools.toolbox.given if asked.tools else ()
            entry = asked.conversation.commit(turn, asked.position, tools, self.request.report, log=asked.log)
        self.entry = entry or HistoryEntry(None, turn)
        self.turn = self.entry.turn or turn
        if asked.log:
            tell_commit(CommittedTurn(self.turn, self.entry, self.request.messages))


def _rounded(time: float | None) -> float | None:
    return None if time is None else round(time, TIME_DIGITS)


def _other_model(asked: str, answered: str) -> str:
    """Return the name of the model that answered, if it is another than the one asked."""
    if answered == asked or not answered:
        return ""
    name = quote_line(display_name(answered), MAX_MODEL_NAME)
    return "" if not name or is_same_model(asked, answered) else name


def _interrupt_message(text: str) -> str:
    return _("Reply stopped; the {n} characters received are kept.", n=len(text)) if text else _("Reply stopped.")
