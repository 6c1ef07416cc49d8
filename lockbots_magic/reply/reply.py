"""Reply: one streaming turn, for a loop and for `await`. It commits its turn, however it ends."""

from __future__ import annotations

import threading
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from ..conversation.cancellation import Cancellation
from ..conversation.history_entry import HistoryEntry
from ..conversation.messages import ChatRequest, Delta
from ..conversation.recorded_reply import CassetteReport
from ..conversation.turn import Turn
from ..errors import PromptTooLongError, UsageError
from ..event_loops.host import running_host
from ..language import _
from ..late_dataclass import late_dataclass
from .awaited import AwaitedReply
from .run import ReplyRun
from .source import TurnRequest


@late_dataclass(frozen=True)
class PreparedRequest(TurnRequest):
    """A request ready to be sent, made by `Chat.prepare`. Nothing has been sent yet.

    `send` and `stream` send it, any number of times, each as a turn of its own; without them it is a dry run.
    """

    too_long: PromptTooLongError | None = None
    """Why it can't be sent: the prompt alone exceeds the context window."""
    prepare_again: Callable[[], PreparedRequest] | None = None
    """Prepares it anew, for a conversation that has gone on; None if there is nothing to prepare it from."""

    @property
    def left_out(self) -> int:
        """Number of older turns that don't fit into the context window."""
        return self.draft.left_out

    def stream(self) -> Reply:
        """Return the reply, to be iterated or awaited. Nothing is sent before that.

        Raises:
            PromptTooLongError: If the prompt alone exceeds the context window.
            AuthenticationError: If the credential is missing.
            NotRecordedError: If the cassette in use may only be played and has no answer.
            UsageError: If the conversation already has a reply in progress. Where an event loop runs, the first step
                raises it: a reply that is awaited waits for its turn.
        """
        if self.too_long is not None:
            raise self.too_long
        self.provider.ready()
        if self.conversation is not None and running_host() is None:
            self.conversation.close_abandoned_reply()
        asked = self._for_one_reply(Cancellation(), uuid.uuid4().hex)
        turns = None if self.conversation is None else self.conversation.turns
        return Reply(asked, partial(self._renew, turns))

    def send(self) -> Turn:
        """Send the request, wait for the whole reply and return the turn; errors as `stream` and `Reply`."""
        return self.stream().wait()

    def _for_one_reply(self, cancellation: Cancellation, turn_id: str) -> PreparedRequest:
        request = replace(self.request, cancellation=cancellation, report=CassetteReport())
        return replace(self, request=request, draft=replace(self.draft, id=turn_id))

    def _renew(self, turns: tuple[Turn, ...] | None, asked: TurnRequest) -> TurnRequest:
        """Return `asked`, prepared anew if the conversation no longer has these turns."""
        if self.conversation is None or self.prepare_again is None or self.conversation.turns is turns:
            return asked
        again = self.prepare_again()
        if again.too_long is not None:
            raise again.too_long
        return again._for_one_reply(asked.request.cancellation, asked.draft.id)


class Reply(Iterator[str], AsyncIterator[str]):
    """One reply in progress: iterate it for its text, or `deltas` for every step; `await` it for its turn.

    As a context manager it closes itself. It ends in one turn of the conversation, however it ends.

    ``await reply`` and ``async for text in reply`` wait for the replies of the conversation before it; other tasks of
    the loop run meanwhile. Cancelling the task closes the connection and keeps what was received. asyncio and trio are
    supported.

    Args:
        asked: The request to send.
        renew: Returns the request, made anew if the conversation has gone on since.

    Raises:
        ProviderError: While iterated or awaited, if the provider failed; `.partial` and the turn keep the text received
            so far.
        Interrupted: While iterated or awaited, if the kernel was interrupted; the turn keeps what was received.

    Example:
        >>> reply = Chat(lambda prompt: f"You said {prompt}").stream("Hi")  # doctest: +SKIP
        >>> "".join(reply), reply.turn.status  # doctest: +SKIP
        ('You said Hi', 'complete')
        >>> turn = await Chat("guide").stream("What is a cell?")  # doctest: +SKIP
    """

    def __init__(self, asked: TurnRequest, renew: Callable[[TurnRequest], TurnRequest] = lambda asked: asked) -> None:
        self._run = ReplyRun(asked)
        self._awaited = AwaitedReply(self._run, renew)

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    async def __aenter__(self) -> Reply:
        return self

    async def __aexit__(self, *_unused: object) -> None:
        await self._awaited.stop()

    def __iter__(self) -> Reply:
        return self

    def __next__(self) -> str:
        while True:
            if text := self._new_text(self._step()):
                return text

    def __aiter__(self) -> Reply:
        return self

    async def __anext__(self) -> str:
        while (delta := await self._awaited.step()) is not None:
            if text := self._new_text(delta):
                return text
        raise StopAsyncIteration

    def __await__(self) -> Generator[Any, Any, Turn]:
        return self._awaited.finish().__await__()

    def __del__(self) -> None:
        awaited = getattr(self, "_awaited", None)  # `__init__` may have failed
        if awaited is not None:
            awaited.drop()

    @property
    def id(self) -> str:
        """Id of the turn that it becomes."""
        return self._run.id

    @property
    def request(self) -> ChatRequest:
        """What the provider is asked."""
        return self._run.request

    @property
    def turn(self) -> Turn | None:
        """The turn, once the reply has ended."""
        return self._run.turn

    @property
    def entry(self) -> HistoryEntry | None:
        """What a notebook keeps of the turn, once the reply has ended."""
        return self._run.entry

    @property
    def started(self) -> threading.Event:
        """Set once the reply is read and its conversation is taken, or can't be."""
        return self._run.started

    @property
    def left_out(self) -> int:
        """Number of older turns that didn't fit into the context window."""
        return self._run.left_out

    @property
    def deltas(self) -> ReplySteps:
        """Steps of the reply: text, reasoning, usage, notices and tool calls; for `for` and for `async for`."""
        return ReplySteps(self)

    @property
    def text(self) -> str:
        """Text received so far."""
        return self._run.accumulator.text

    def wait(self) -> Turn:
        """Read the reply to its end and return the turn.

        Raises:
            ProviderError, Interrupted: As while iterated.
        """
        with self:
            for _unused in self.deltas:
                pass
        assert self.turn is not None
        return self.turn

    def cancel(self) -> None:
        """Stop the reply, from any thread: close the connection at once and keep the turn as interrupted."""
        self._run.cancel()

    def close(self) -> None:
        """End the reply where it is, unless another thread is reading it."""
        self._run.close()

    @property
    def in_progress(self) -> bool:
        """True until the reply has ended or was abandoned."""
        return self._run.in_progress

    @property
    def abandoned(self) -> bool:
        """True if its reader, this thread and task or one that has ended, left it unfinished."""
        return self._run.abandoned

    def _step(self) -> Delta:
        if self._awaited.began and not self._run.is_over:
            raise UsageError(_("This reply is being awaited: go on with `await` or `async for`."))
        return self._run.step()

    def _new_text(self, delta: Delta) -> str:
        """Return what a step adds to the text that was yielded: that stays, also where the reply retracts it."""
        return delta.text.removeprefix(self._run.accumulator.earlier_text) if delta.retracts else delta.text


class ReplySteps(Iterator[Delta], AsyncIterator[Delta]):
    """Steps of a reply, by `for` or `async for`.

    Args:
        reply: The reply; it stays as long as its steps are wanted.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._step = reply._step
        self._awaited = reply._awaited

    def __next__(self) -> Delta:
        return self._step()

    async def __anext__(self) -> Delta:
        delta = await self._awaited.step()
        if delta is None:
            raise StopAsyncIteration
        return delta
