"""Reply: one streaming turn. It commits its turn to the conversation, however it ends."""

from __future__ import annotations

import inspect
import threading
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..conversation.cancellation import Cancellation
from ..conversation.commits import CommittedTurn, tell_commit
from ..conversation.conversation import Conversation, Slot
from ..conversation.ending import outcome_of
from ..conversation.history_entry import HistoryEntry
from ..conversation.messages import ChatRequest, Delta
from ..conversation.model_names import display_name, is_same_model
from ..conversation.recorded_reply import CassetteReport, derived_id
from ..conversation.turn import Status, Turn
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import Cancelled, Interrupted, PromptTooLongError, ProviderError, UsageError
from ..providers.base import Provider
from ..providers.context_guard import ContextGuard
from ..providers.streaming import closing_stream, translated_errors
from ..security.foreign_text import quote_line
from ..security.secrets import redacted
from ..tools.use import ToolUse

MAX_MODEL_NAME = 200
"""Length (characters) to which the name of the model that answered is cut."""


@dataclass(frozen=True)
class PreparedRequest:
    """A request ready to be sent, made by `Chat.prepare`. Nothing has been sent yet.

    `send` and `stream` send it, any number of times, each as a turn of its own; without them it is a dry run.
    """

    provider: Provider
    request: ChatRequest
    """What the provider is asked, whole."""
    draft: Turn
    """The turn that it becomes, as far as it is known."""
    conversation: Conversation | None = None
    """Conversation that keeps the turn; None for a prompt outside every conversation."""
    position: Slot = field(default_factory=lambda: Slot(()))
    """Position of the turn in the conversation."""
    tools: ToolUse | None = None
    """Tools that the model may call; None for none."""
    too_long: PromptTooLongError | None = None
    """Why it can't be sent: the prompt alone exceeds the context window."""
    log: bool = True
    """False keeps the turn out of the log, also when the log is on."""

    @property
    def left_out(self) -> int:
        """Number of older turns that don't fit into the context window."""
        return self.draft.left_out

    def stream(self) -> Reply:
        """Return the reply, to be iterated. Nothing is sent before that.

        Raises:
            PromptTooLongError: If the prompt alone exceeds the context window.
            AuthenticationError: If the credential is missing.
            NotRecordedError: If the cassette in use may only be played and has no answer.
            UsageError: If the conversation already has a reply in progress.
        """
        if self.too_long is not None:
            raise self.too_long
        self.provider.ready()
        if self.conversation is not None:
            self.conversation.close_abandoned_reply()
        request = replace(self.request, cancellation=Cancellation(), report=CassetteReport())
        return Reply(replace(self, request=request, draft=replace(self.draft, id=uuid.uuid4().hex)))

    def send(self) -> Turn:
        """Send the request, wait for the whole reply and return the turn; errors as `stream` and `Reply`."""
        return self.stream().wait()


class Reply(Iterator[str]):
    """One reply in progress: iterate it for its text, or `deltas` for every step.

    As a context manager it closes itself. It ends in one turn of the conversation, however it ends.

    Args:
        prepared: The request to send.

    Raises:
        ProviderError: While iterated, if the provider failed; `.partial` and the turn keep the text received so far.
        Interrupted: While iterated, if the kernel was interrupted; the turn keeps what was received.

    Example:
        >>> reply = Chat(lambda prompt: f"You said {prompt}").stream("Hi")  # doctest: +SKIP
        >>> "".join(reply), reply.turn.status  # doctest: +SKIP
        ('You said Hi', 'complete')
    """

    def __init__(self, prepared: PreparedRequest) -> None:
        self.request = prepared.request
        self.turn: Turn | None = None
        """The turn, once the reply has ended."""
        self.entry: HistoryEntry | None = None
        """What a notebook keeps of the turn, once the reply has ended."""
        self.started = threading.Event()
        """Set once a thread reads the reply and its conversation is taken, or can't be."""
        self._provider = prepared.provider
        self._draft = prepared.draft
        self._conversation = prepared.conversation
        self._position = prepared.position
        self._tools = prepared.tools
        self._log = prepared.log
        self._guard = ContextGuard(prepared.provider, prepared.request.model)
        self._accumulator = TurnAccumulator()
        self._deltas = self._run()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Reply:
        return self

    def __next__(self) -> str:
        while True:
            delta = next(self._deltas)
            text = delta.text
            if delta.retracts:  # what was yielded stays, and is not yielded again
                text = text.removeprefix(self._accumulator.earlier_text)
            if text:
                return text

    @property
    def id(self) -> str:
        """Id of the turn that it becomes."""
        return self._draft.id

    @property
    def left_out(self) -> int:
        """Number of older turns that didn't fit into the context window."""
        return self._draft.left_out + self._guard.left_out

    @property
    def deltas(self) -> Iterator[Delta]:
        """Steps of the reply: text, reasoning, usage, notices and tool calls."""
        return self._deltas

    @property
    def text(self) -> str:
        """Text received so far."""
        return self._accumulator.text

    def wait(self) -> Turn:
        """Read the reply to its end and return the turn.

        Raises:
            ProviderError, Interrupted: As while iterated.
        """
        with self:
            for _ in self._deltas:
                pass
        assert self.turn is not None
        return self.turn

    def cancel(self) -> None:
        """Stop the reply, from any thread: close the connection at once and keep the turn as interrupted."""
        self.request.cancellation.cancel()
        reader = self._thread
        if reader is None or reader is threading.current_thread() or not reader.is_alive():
            self.close()  # otherwise the reading thread ends it: it may be about to take the next step

    def close(self) -> None:
        """End the reply where it is, unless another thread is reading it."""
        with suppress(ValueError):  # "generator already executing": the thread that runs it ends it
            self._deltas.close()
            if self._thread is None and self.turn is None:  # never started: nothing to keep
                self.turn = self._turn("interrupted", "Interrupted before it was sent.")
                self.entry = HistoryEntry(None, self.turn)

    @property
    def in_progress(self) -> bool:
        """True until the reply has ended or was abandoned."""
        waits = self._thread is None and self.turn is None
        return waits or (inspect.getgeneratorstate(self._deltas) != inspect.GEN_CLOSED and not self.abandoned)

    @property
    def is_read_here(self) -> bool:
        """True if this thread reads it."""
        return self._thread is threading.current_thread()

    @property
    def abandoned(self) -> bool:
        """True if its reader, this thread or one that has ended, left it unfinished."""
        reader = self._thread
        left = reader is threading.current_thread() or not (reader and reader.is_alive())
        return left and inspect.getgeneratorstate(self._deltas) != inspect.GEN_RUNNING

    def _run(self) -> Generator[Delta, None, None]:
        self._thread = threading.current_thread()
        try:
            if self._conversation is not None:
                self._conversation.begin_reply(self)
        finally:
            self.started.set()
        self._draft = replace(self._draft, started=time.time())
        self._accumulator.restart()
        ending: tuple[Status, str] | None = ("interrupted", "")
        try:
            self._resolve_model()
            with closing_stream(self._stream()) as deltas:
                for delta in self._accumulator.follow(deltas):
                    yield delta
                    if self.request.cancellation.cancelled:  # not every provider checks
                        raise Cancelled
            ending = self._ending()
        except Cancelled:
            pass
        except KeyboardInterrupt as interrupt:
            interrupt.with_traceback(None)  # a debugger shows the locals of its frames
            raise Interrupted(_interrupt_message(self.text)) from None
        except UsageError as error:
            began = self.text or self._accumulator.has_calls
            ending = ("error", str(error)) if began else None  # nothing was sent: the conversation stays as it was
            raise
        except Exception as error:
            ending = ("error", f"{type(error).__name__}: {error}")
            self._label(error)
            raise
        finally:
            if ending is not None:
                self._commit(*ending)
            if self._conversation is not None:
                self._conversation.end_reply(self)

    def _stream(self) -> Iterator[Delta]:
        if self._tools is None:
            return self._guard.stream(self.request)
        return self._tools.loop(self._draft.provider, self.request.model).stream(self._guard, self.request)

    def _ending(self) -> tuple[Status, str]:
        read = self._accumulator
        outcome = outcome_of(
            read.finish_reason,
            self.request.params,
            read.usage,
            has_answer=not read.only_reasoned,
            has_calls=read.has_open_calls,
        )
        limit = self._tools.limits.describe(read.finish_reason) if self._tools else ""
        message = f"Stopped at {limit}; what was done so far is kept." if limit else outcome.message
        return outcome.status, message

    def _label(self, error: Exception) -> None:
        if isinstance(error, ProviderError):
            error.provider = error.provider or self._draft.provider
            error.model = error.model or self._draft.model

    def _resolve_model(self) -> None:
        """Resolve the default model where none was named, which may ask the server."""
        with translated_errors(self._provider):
            model = self._provider.resolved(self.request.model, self.request.cancellation).id
        self.request = replace(self.request, model=model)
        self._draft = replace(self._draft, model=redacted(display_name(model)))  # a server's list may hold anything

    def _turn(self, status: Status, error: str) -> Turn:
        read, report = self._accumulator, self.request.report
        turn = replace(
            self._draft,
            left_out=self.left_out,
            remarks=(*self._draft.remarks, *self._guard.remarks, *dict.fromkeys(report.lost)),
            rounds=read.rounds,
            status=status,
            error=error,
            finish_reason=read.finish_reason,
            answered_by=_other_model(self.request.model, read.answered_by),
            usage=read.usage,
            elapsed=read.elapsed,
            first_text=read.first_text,
        )
        if not report.replies:
            return turn
        first = report.replies[0]
        return replace(
            turn,
            id=uuid.UUID(derived_id("turn", first.id, first.started)).hex,
            started=first.started or turn.started,
            elapsed=report.elapsed,
            first_text=report.first_text,
        )

    def _commit(self, status: Status, error: str) -> None:
        if status == "interrupted":
            error = "Interrupted; the text so far is kept." if self.text else "Interrupted before the first word."
        turn = self._turn(status, error)
        entry = None
        if self._conversation is not None:
            tools = self._tools.toolbox.given if self._tools else ()
            entry = self._conversation.commit(turn, self._position, tools, self.request.report, log=self._log)
        self.entry = entry or HistoryEntry(None, turn)
        self.turn = self.entry.turn or turn
        if self._log:
            tell_commit(CommittedTurn(self.turn, self.entry, self.request.messages))


def _other_model(asked: str, answered: str) -> str:
    """Return the name of the model that answered, if it is another than the one asked."""
    name = quote_line(display_name(answered), MAX_MODEL_NAME)
    return "" if not name or is_same_model(asked, answered) else name


def _interrupt_message(text: str) -> str:
    return f"Reply stopped; the {len(text)} characters received are kept." if text else "Reply stopped."
