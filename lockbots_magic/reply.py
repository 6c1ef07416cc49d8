"""One reply under way. It runs a turn and commits it to the conversation, however it ends."""

from __future__ import annotations

import inspect
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .conversation.conversation import Conversation, Slot
from .conversation.history_entry import Entry
from .conversation.messages import ChatRequest, Delta, ToolCall, Usage
from .conversation.turn import Status, Turn
from .errors import Cancelled, Interrupted, PromptTooLongError, ProviderError, UsageError
from .providers.base import Provider, closing_stream

if TYPE_CHECKING:
    from .tools.toolbox import Toolbox

CUT_SHORT = {
    "length": "the reply reached the longest length allowed and is cut short",
    "max_tokens": "the reply reached the longest length allowed and is cut short",
    "content_filter": "the provider's filter cut the reply short",
    "tool_calls": "the model wanted more rounds of calls than it may have",
    "truncated": "the stream ended without its end mark; the reply may not be whole",
}
"""Finish reasons that mean there was more to say."""


@dataclass
class _Progress:
    """What has come of a reply so far."""

    began: float = field(default_factory=time.monotonic)
    pieces: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage | None = None
    finish_reason: str = ""
    first_text: float | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def take(self, delta: Delta) -> None:
        """Note what one step brings."""
        if delta.text:
            if self.first_text is None:
                self.first_text = time.monotonic() - self.began
            self.pieces.append(delta.text)
        if delta.reasoning:
            self.reasoning.append(delta.reasoning)
        self.calls += [call for call in delta.calls if call.result is not None]
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.usage = delta.usage or self.usage

    def turn(self, draft: Turn, status: Status, error: str) -> Turn:
        """Return the turn that this has become."""
        return replace(
            draft,
            reply=self.text,
            status=status,
            error=error,
            reasoning="".join(self.reasoning),
            calls=tuple(self.calls),
            usage=self.usage,
            elapsed=time.monotonic() - self.began,
            first_text=self.first_text,
        )


class Reply(Iterator[str]):
    """One reply under way: iterate it for its text, or `deltas` for everything. A context manager that closes it.

    It ends in one turn of the conversation, whatever happens. `turn` is None until then, and so is `entry`: what a
    notebook is to keep of it.

    Raises (while iterated):
        ProviderError: the provider failed; what had come is in `.partial`, and in the turn.
        Interrupted: the kernel was interrupted; the turn keeps what had come.
    """

    def __init__(
        self,
        provider: Provider,
        request: ChatRequest,
        turn: Turn,
        kept_in: tuple[Conversation, Slot] | None,
        *,
        toolbox: Toolbox | None = None,
        too_long: PromptTooLongError | None = None,
    ) -> None:
        self.request = request
        self.too_long = too_long
        """Why it can't be sent; such a reply is to be looked at, not read."""
        self.turn: Turn | None = None
        self.entry: Entry | None = None
        self._provider = provider
        self._draft = turn
        self._kept_in = kept_in
        self._toolbox = toolbox
        self._progress = _Progress()
        self._deltas = self._run()
        self._thread: threading.Thread | None = None
        self.begun = threading.Event()
        """Set when somebody reads it, and its conversation is taken, or can't be."""

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Reply:
        return self

    def __next__(self) -> str:
        while True:
            if text := next(self._deltas).text:
                return text

    @property
    def id(self) -> str:
        """The id of the turn that it becomes."""
        return self._draft.id

    @property
    def left_out(self) -> int:
        """How many older turns did not fit into the model's limits."""
        return self._draft.left_out

    @property
    def deltas(self) -> Iterator[Delta]:
        """The steps of the reply: text, reasoning, usage and notices."""
        return self._deltas

    @property
    def text(self) -> str:
        """What has come so far."""
        return self._progress.text

    def cancel(self) -> None:
        """Stop the reply, from any thread: the connection closes at once, and the turn is kept as interrupted."""
        self.request.cancellation.cancel()
        reader = self._thread
        if reader is None or reader is threading.current_thread() or not reader.is_alive():
            self.close()  # else the thread that reads it ends it: it may be about to take the next step

    def close(self) -> None:
        """End the reply where it is, if no other thread is reading it."""
        with suppress(ValueError):  # "generator already executing": the thread that runs it ends it
            self._deltas.close()
            if self._thread is None and self.turn is None:  # it never began, so there is nothing to keep
                self.turn = self._progress.turn(self._draft, "interrupted", "interrupted before it was sent")
                self.entry = Entry(None, self.turn)

    @property
    def is_read(self) -> bool:
        """Whether it is to be read, or is being read, and has not ended."""
        waits = self._thread is None and self.turn is None
        return waits or (inspect.getgeneratorstate(self._deltas) != inspect.GEN_CLOSED and not self.abandoned)

    @property
    def abandoned(self) -> bool:
        """Whether whoever began it, this thread or one that has ended, has turned to something else."""
        reader = self._thread
        left = reader is threading.current_thread() or not (reader and reader.is_alive())
        return left and inspect.getgeneratorstate(self._deltas) != inspect.GEN_RUNNING

    def _run(self) -> Generator[Delta, None, None]:
        self._thread = threading.current_thread()
        try:
            if self._kept_in:
                _begin(self._kept_in[0], self)
        finally:
            self.begun.set()
        self._draft = replace(self._draft, started=time.time())
        self._progress = _Progress()
        ending: tuple[Status, str] | None = ("interrupted", "")
        try:
            self._name_model()
            with closing_stream(self._stream()) as deltas:
                for delta in deltas:
                    self._progress.take(delta)
                    yield delta
                    if self.request.cancellation.cancelled:  # not every provider looks
                        raise Cancelled
            cut = CUT_SHORT.get(self._progress.finish_reason, "")
            ending = ("truncated", cut) if cut else ("complete", "")
        except Cancelled:
            pass
        except KeyboardInterrupt:
            raise Interrupted(_kept(self.text)) from None
        except UsageError as error:
            began = self.text or self._progress.calls
            ending = ("error", str(error)) if began else None  # nothing was sent: whatever was there stays
            raise
        except Exception as error:
            ending = ("error", f"{type(error).__name__}: {error}")
            self._label(error)
            raise
        finally:
            if ending is not None:
                self._commit(*ending)
            if self._kept_in:
                _end(self._kept_in[0], self)

    def _stream(self) -> Iterator[Delta]:
        if self._toolbox is None:
            return self._provider.stream(self.request)
        return self._toolbox.stream(self._provider, self.request)

    def _name_model(self) -> None:
        """Learn which model answers, where none was named: that may need the server."""
        model = self._provider.resolved(self.request.model, self.request.cancellation).id
        self.request = replace(self.request, model=model)
        self._draft = replace(self._draft, model=model)

    def _label(self, error: Exception) -> None:
        if isinstance(error, ProviderError):
            error.provider = error.provider or self._draft.provider
            error.model = error.model or self._draft.model
            error.partial = error.partial or self.text

    def _commit(self, status: Status, error: str) -> None:
        if status == "interrupted":
            error = "interrupted; what had come is kept" if self.text else "interrupted before the first word"
        self.turn = self._progress.turn(self._draft, status, error)
        entry = self._kept_in[0].commit(self.turn, self._kept_in[1]) if self._kept_in else None
        self.entry = entry or Entry(None, self.turn)
        self.turn = self.entry.turn


def _kept(text: str) -> str:
    return (
        f"the reply was stopped; the {len(text)} characters that had come are kept" if text else "the reply was stopped"
    )


# One conversation runs one turn at a time. Which reply that is, is nobody's business but this module's.
_under_way: weakref.WeakKeyDictionary[Conversation, Reply] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def leave_to_end(conversation: Conversation) -> None:
    """End a reply that this thread has left unread; one that is being read elsewhere is an error."""
    reply = _under_way.get(conversation)
    if reply is None:
        return
    if not reply.abandoned:
        name = conversation.name
        raise UsageError(f"a reply is under way in conversation {name!r}; wait for it, or stop it: %lockbots stop")
    reply.close()


def under_way(conversation: Conversation) -> Reply | None:
    """The reply that is being read in `conversation`."""
    reply = _under_way.get(conversation)
    return None if reply is None or reply.abandoned else reply


def _begin(conversation: Conversation, reply: Reply) -> None:
    with _lock:
        leave_to_end(conversation)
        _under_way[conversation] = reply
    conversation.observers.tell()


def _end(conversation: Conversation, reply: Reply) -> None:
    if _under_way.get(conversation) is reply:
        del _under_way[conversation]
    conversation.observers.tell()
