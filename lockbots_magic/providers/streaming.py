"""The boundary to a provider's own code: what it yields becomes deltas, what it raises an error of this package."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, TypeVar

from ..conversation.messages import ChatRequest, Delta
from ..errors import Cancelled, LockbotsError, ProtocolError, ProviderError
from ..security.secrets import redacted
from .wire.sse import SurrogateJoiner
from .wire.thinking import split_thinking

Pieces = TypeVar("Pieces", bound=Iterable[Any])


class Streams(Protocol):
    """The part of a `Provider` that replies."""

    @property
    def name(self) -> str:
        """Name of the provider."""

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply; see `Provider.stream`."""


def read_stream(provider: Streams, request: ChatRequest) -> Iterator[Delta]:
    """Yield the reply of a provider, checked. All code that reads replies reads them here.

    `stream` of a plug-in may yield text in place of deltas, or return text. What a model writes between ``<think>``
    tags becomes reasoning, whoever the provider is.

    Raises:
        ProtocolError: The provider yields something else.
        ProviderError: As raised by the provider; any other exception becomes one that says where it was raised.
        UsageError: As raised by the provider.
        Cancelled: As raised by the provider.
    """
    with translated_errors(provider):
        yield from split_thinking(to_deltas(provider.stream(request), f"`stream` of {provider.name}", provider.name))


def to_deltas(result: Any, what: str, provider: str, *, finish_reason: str | None = None) -> Iterator[Delta]:
    """Yield the deltas of `result`: text, a `Delta`, or an iterable of these.

    Halves of a character, cut across two pieces, are joined.

    Args:
        result: What the code of a provider returned.
        what: Its name, for the message.
        provider: Name of the provider, for the error.
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
    message = f"{what} must return or yield text, got {type(piece).__name__}."
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
        message = f"{what or provider.name} raised {type(error).__name__}: {redacted(str(error))}{where}"
        raise ProviderError(message, provider=provider.name) from error


def _locate(trace: TracebackType | None, file: str | None) -> str:
    """Return the innermost line in `file` of a traceback, for a message of one line."""
    where = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == file:
            where = f" (line {trace.tb_lineno} of {code.co_name})"
        trace = trace.tb_next
    return where


@contextmanager
def closing_stream(pieces: Pieces) -> Iterator[Pieces]:
    """Close a generator when leaving the block, not at garbage collection."""
    try:
        yield pieces
    finally:
        if isinstance(pieces, Generator):
            pieces.close()
