"""What a worker does: send one request and return its answer. It runs in a thread, a process or on another machine."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from ..conversation.recorded_reply import CassetteReport
from ..conversation.turn import Turn
from ..errors import LockbotsError, UsageError
from ..reply import PreparedRequest, Reply


@dataclass(frozen=True)
class RowRequest:
    """One attempt at a row. Pickled, it holds no credential: a worker takes that from its own environment."""

    prepared: PreparedRequest
    attempt: int = 1
    """Number of the attempt. Executors that take equal calls for the same one must not answer a retry from memory."""

    def __dask_tokenize__(self) -> str:
        """Return by what Dask tells calls apart: each is one of its own, and nothing of it need be read for that."""
        return uuid.uuid4().hex


@dataclass(frozen=True)
class RowAnswer:
    """What became of an attempt: the turn, as far as it came, and the error that ended it."""

    turn: Turn | None
    error: LockbotsError | None = None


def send_request(request: RowRequest) -> RowAnswer:
    """Send a request and wait for the answer. A failure is a value, so that it survives any way back."""
    prepared = request.prepared
    if prepared.too_long is not None:
        return RowAnswer(None, prepared.too_long)
    if request.attempt > 1:  # what a cassette tells of one attempt is not told of the next
        prepared = replace(prepared, request=replace(prepared.request, report=CassetteReport()))
    reply = Reply(prepared)
    try:
        prepared.provider.ready()
        return RowAnswer(reply.wait())
    except LockbotsError as error:
        return RowAnswer(reply.turn, error.with_traceback(None))
    except Exception as error:  # noqa: BLE001  # a plug-in or a tool may raise anything
        return RowAnswer(reply.turn, UsageError(f"{type(error).__name__}: {error}"))
