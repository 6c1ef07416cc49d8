"""A reply as tasks of an event loop take it."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable

from ..conversation.conversation import Conversation
from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..errors import LockbotsError, UsageError
from ..event_loops.host import LoopHost, Reader, awaiting_host
from ..language import _
from .read_ahead import MAX_STEPS, ReadAhead
from .run import ReplyRun
from .source import TurnRequest

STOP_TIMEOUT = 0.5
"""Time (s) that a cancelled task waits for the thread of its reply to end; it may be in a function that blocks."""
QUEUE_CHECK = 1.0
"""Time (s) after which a reply that waits for its turn looks whether the one before was abandoned."""


class AwaitedReply:
    """Takes the steps of a reply without blocking the loop: a thread reads ahead, the task accumulates and commits.

    Args:
        run: The reply.
        renew: Returns the request, made anew if the conversation has changed since.
    """

    def __init__(self, run: ReplyRun, renew: Callable[[TurnRequest], TurnRequest]) -> None:
        self._run = run
        self._renew = renew
        self._ahead: ReadAhead | None = None
        self._error: BaseException | None = None
        self._taken = 0

    @property
    def began(self) -> bool:
        """True once a task has awaited the reply."""
        return self._ahead is not None

    async def finish(self) -> Turn:
        """Read the reply to its end and return the turn; errors as for `Reply`."""
        while await self.step() is not None:
            pass
        if self._run.turn is None:
            raise UsageError(_("This reply was refused before it was sent."))
        return self._run.turn

    async def step(self) -> Delta | None:
        """Return the next step, None at the end.

        Raises:
            ProviderError, Interrupted, UsageError: As for `Reply`; again if the reply is awaited again.
        """
        if self._error is not None:
            raise self._error
        if self._run.is_over:
            return None
        host = awaiting_host()
        if self._ahead is None and self._run.state == inspect.GEN_RUNNING:
            raise UsageError(_("Another thread reads this reply. Await it, or read it there."))
        try:
            await self._until_ready(host)
        except GeneratorExit:  # the task is collected: it can wait for nothing
            self._run.cancellation.cancel()
            self._run.close()
            raise
        except BaseException:  # the task is cancelled, or an interrupt hit it
            await self.stop()
            raise
        try:
            return self._run.step()
        except StopIteration:
            return None
        except BaseException as error:
            self._error = error
            raise

    async def stop(self) -> None:
        """End the reply and keep what was received; returns when the connection is closed."""
        self._run.cancellation.cancel()
        try:
            ahead, end = self._ahead, time.monotonic() + STOP_TIMEOUT
            while ahead and ahead.is_reading and (left := end - time.monotonic()) > 0:
                await ahead.waiters.wait(lambda: not ahead.is_reading, left, shielded=True)
        finally:
            self._run.close()

    def drop(self) -> None:
        """Let go of the reply, as its caller has: the collector calls this, anywhere."""
        ahead = self._ahead
        if ahead is not None and not self._run.is_over and not ahead.host.call(self._run.close):
            self._run.cancellation.cancel()

    async def _until_ready(self, host: LoopHost) -> None:
        run, ahead = self._run, self._ahead
        if ahead is None:
            ahead = self._ahead = ReadAhead(host, run.cancellation)
            run.reader = Reader()
            await self._begin(ahead)
        while not (ahead.ready or run.is_over):
            run.reader = Reader()
            await ahead.waiters.wait(lambda: ahead.ready or run.is_over)
        self._taken += 1
        if not self._taken % MAX_STEPS:
            await host.give_way()

    async def _begin(self, ahead: ReadAhead) -> None:
        """Start to read, once the conversation is free."""
        run, conversation = self._run, self._run.asked.conversation
        if conversation is not None:
            await self._wait_for_turn(ahead, conversation)
        if run.is_over:  # stopped meanwhile
            return
        try:
            run.adopt(self._renew(run.asked))
        except LockbotsError as error:
            ahead.fail(error)
        run.read_ahead(ahead)
        if not ahead.ended:
            ahead.on_end(lambda: run.close() if ahead.host.closed else None)
            ahead.start(run.stream, settles=run.asked.tools is not None)

    async def _wait_for_turn(self, ahead: ReadAhead, conversation: Conversation) -> None:
        admitted = threading.Event()

        def admit() -> None:
            admitted.set()
            ahead.waiters.wake()

        conversation.queue_reply(self._run, admit)
        while not (admitted.is_set() or self._run.is_over):
            await ahead.waiters.wait(lambda: admitted.is_set() or self._run.is_over, QUEUE_CHECK)
            conversation.refresh_queue(self._run)
