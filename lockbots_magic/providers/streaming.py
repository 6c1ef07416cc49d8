"""The boundary to a provider's own code: what it yields becomes deltas, what it raises an error of this package."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from ..conversation.ending import CUT_OFF, outcome_of
from ..conversation.messages import ChatRequest, Delta, Message
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import Cancelled, ConnectionFailed, LockbotsError, ProtocolError, ProviderError
from ..language import _, ngettext
from ..security.control_characters import replace_surrogates
from ..security.redaction import redacted
from .wire.reasoning_text import split_reasoning
from .wire.sse import SurrogateJoiner

_has_surrogates = attrgetter("has_surrogates")
Pieces = TypeVar("Pieces", bound=Iterable[Any])


class Streams(Protocol):
    """The part of a `Provider` that replies."""

    @property
    def name(self) -> str:
        """Name of the provider."""

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply; see `Provider.stream`."""

    def address_notice(self) -> str:
        """Return what is to be said of the address, once; see `Provider.address_notice`."""


def read_stream(provider: Streams, request: ChatRequest) -> Iterator[Delta]:
    """Yield the reply of a provider, checked. All code that reads replies reads them here.

    `stream` of a plug-in may yield text in place of deltas, or return text. What a model writes between ``<think>``
    tags becomes reasoning, whoever the provider is. What can't be sent is replaced, and told.

    Raises:
        ProtocolError: The provider yields something else.
        ProviderError: As raised by the provider; any other exception becomes one that says where it was raised.
        UsageError: As raised by the provider.
        Cancelled: As raised by the provider.
    """
    request, notice = _make_sendable(request)
    for told in filter(None, (notice, provider.address_notice())):
        yield Delta(notice=told)
    with translated_errors(provider):
        yield from split_reasoning(to_deltas(provider.stream(request), provider.name))


def read_text(provider: Streams, request: ChatRequest, reply: TurnAccumulator) -> Iterator[str]:
    """Yield the text of a reply as it arrives, and accumulate the whole in `reply`.

    Raises:
        ProviderError: As `read_stream`, or the reply was cut short other than by a limit of length; `.partial` holds
            the text so far.
    """
    with closing_stream(read_stream(provider, request)) as deltas:
        for delta in reply.follow(deltas):
            if delta.text:
                yield delta.text
    outcome = outcome_of(reply.finish_reason, request.params, reply.usage, has_answer=not reply.only_reasoned)
    if outcome.status != "complete" and not (outcome.at_limit and reply.text):
        kind = ConnectionFailed if reply.finish_reason == CUT_OFF else ProviderError
        raise kind(outcome.message, provider=provider.name, model=request.model, partial=reply.text)


def _make_sendable(request: ChatRequest) -> tuple[ChatRequest, str]:
    """Return `request` without half surrogate pairs, which strict JSON readers refuse, and what the user is told.

    Pairs that stand apart are joined. Only what is new since the last answer is told.
    """
    if not any(map(_has_surrogates, request.messages)):
        return request, ""
    messages = tuple(map(_clean_message, request.messages))
    last_answer = max((i for i, m in enumerate(request.messages) if m.role == "assistant"), default=-1)
    pairs = list(zip(request.messages, messages, strict=True))
    count = sum(
        clean.content.count("\ufffd") - given.content.count("\ufffd") for given, clean in pairs[last_answer + 1 :]
    )
    notice = ngettext(
        "A character of the request is half of a surrogate pair, which can't be sent; U+FFFD was sent instead.",
        "{n} characters of the request are half of a surrogate pair, which can't be sent; U+FFFD was sent instead.",
        count,
    )
    return replace(request, messages=messages), notice if count else ""


def _clean_message(message: Message) -> Message:
    if not message.has_surrogates:
        return message
    calls = tuple(call._replace(arguments=replace_surrogates(call.arguments)) for call in message.calls)
    return replace(message, content=replace_surrogates(message.content), calls=calls)


def to_deltas(result: Any, provider: str, *, what: str = "", finish_reason: str | None = None) -> Iterator[Delta]:
    """Yield the deltas of `result`: text, a `Delta`, or an iterable of these.

    Halves of a character, cut across two pieces, are joined.

    Args:
        result: What the code of a provider returned.
        provider: Name of the provider, for the error.
        what: Name of that code, for the message; by default `stream` of the provider.
        finish_reason: Finish reason of a reply that has none; by default ``"stop"`` if a piece was plain text.

    Raises:
        ProtocolError: It is something else, or yields something else.
    """
    single = isinstance(result, str | bytes | Delta | Mapping) or not isinstance(result, Iterable)
    joiner = SurrogateJoiner()
    finished = False
    with closing_stream([result] if single else result) as pieces:
        for piece in pieces:
            if not isinstance(piece, Delta):
                piece = Delta(_require_text(piece, what, provider))  # noqa: PLW2901  # the same piece
                finish_reason = finish_reason or "stop"
            text = joiner.feed(piece.text)
            finished = finished or bool(piece.finish_reason)
            yield piece if text == piece.text else piece._replace(text=text)
    rest = joiner.close()
    if rest or (finish_reason and not finished):
        yield Delta(rest, finish_reason=None if finished else finish_reason)


def _require_text(piece: Any, what: str, provider: str) -> str:
    if isinstance(piece, str):
        return piece
    what = what or _("`stream` of {name}", name=provider)
    message = _("{what} must return or yield text, got {kind}.", what=what, kind=type(piece).__name__)
    raise ProtocolError(message, provider=provider)


@contextmanager
def translated_errors(provider: Streams, what: str = "", file: str | None = None) -> Iterator[None]:
    """Within the block, raise an exception of a provider's own code as a `ProviderError`.

    Args:
        provider: The provider.
        what: Name of its code, for the message; by default the provider's.
        file: File of that code, in which the line is looked up; by default that of its class.
    """
    try:
        yield
    except (LockbotsError, Cancelled):
        raise
    except (Exception, SystemExit) as error:
        file = file or getattr(sys.modules.get(type(provider).__module__), "__file__", None)
        where = _locate(error.__traceback__, file)
        message = _(
            "{name} raised {kind}: {error}{where}",
            name=what or provider.name,
            kind=type(error).__name__,
            error=redacted(str(error)),
            where=where,
        )
        raise ProviderError(message, provider=provider.name) from error


def _locate(trace: TracebackType | None, file: str | None) -> str:
    """Return the innermost line in `file` of a traceback, for a message of one line."""
    where = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == file:
            where = _(" (line {tb_lineno} of {co_name})", tb_lineno=trace.tb_lineno, co_name=code.co_name)
        trace = trace.tb_next
    return where


def closing_stream(pieces: Pieces) -> _ClosingStream[Pieces]:
    """Close a generator when leaving the block, not at garbage collection."""
    return _ClosingStream(pieces)


class _ClosingStream(Generic[Pieces]):
    """The block of `closing_stream`; one is entered for each layer of each reply, and a class costs a third."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces

    def __enter__(self) -> Pieces:
        return self._pieces

    def __exit__(self, *_: object) -> None:
        if isinstance(self._pieces, Generator):
            self._pieces.close()
