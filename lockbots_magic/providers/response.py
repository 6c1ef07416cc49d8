"""Read the body of a response through a decoder: know when it has ended, and refuse an empty one.

A success without a reply is none: it is raised as an error, mostly one after which the request is sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from ..conversation.ending import CUT_OFF, is_complete, is_refusal, outcome_of
from ..conversation.messages import Delta
from ..errors import ConnectionFailed, ProtocolError, ProviderError, ProviderTimeout
from ..language import _
from .streaming import closing_stream
from .wire.charset import as_utf8

if TYPE_CHECKING:
    from .http.exchange import Exchange

END_TIMEOUT = 2.0
"""Time (s) to wait, after the finish reason, for the token counts and the end of the stream."""


class Decoder(Protocol):
    """Decoder of one response."""

    done: bool
    """True once the rest of the body can be ignored."""

    @property
    def finish_reason(self) -> str:
        """Finish reason that the server has sent; empty as long as the reply goes on."""

    def feed(self, piece: bytes) -> Iterator[Delta]:
        """Yield the deltas that `piece` completes."""

    def close(self) -> Iterator[Delta]:
        """End the body: yield what is left."""


def read_response(exchange: Exchange, decoder: Decoder) -> Iterator[Delta]:
    """Yield the reply that a response holds.

    With its finish reason the reply is complete, whatever becomes of the connection. Some servers then leave it open,
    or send heartbeats on and on: it is closed `END_TIMEOUT` after the last delta.

    Args:
        exchange: The open response.
        decoder: Decoder of its format, not fed yet.

    Raises:
        ProviderError: The connection failed before the end, or the decoder refuses the body.
    """
    try:
        for piece in as_utf8(exchange, exchange.charset):
            progress = not decoder.finish_reason
            for delta in decoder.feed(piece):
                progress = True
                yield delta
            if decoder.done:
                exchange.finish()
                return
            if decoder.finish_reason and progress:
                exchange.end_within(END_TIMEOUT)
    except (ConnectionFailed, ProviderTimeout):
        if not decoder.finish_reason:
            raise
    yield from decoder.close()


def require_reply(deltas: Iterator[Delta]) -> Iterator[Delta]:
    """Yield the reply of one attempt.

    A reply that a limit of length has emptied passes: its finish reason says what happened.

    Args:
        deltas: The reply as it was decoded.

    Raises:
        ProviderError: It ended with nothing: no text, no tool call and no reasoning.
    """
    has_content, has_ended = False, False
    with closing_stream(deltas):
        for delta in deltas:
            has_content = has_content or delta.has_content
            if delta.finish_reason and not has_content and not outcome_of(delta.finish_reason).at_limit:
                raise _empty_reply(delta.finish_reason)
            has_ended = has_ended or bool(delta.finish_reason)
            yield delta
    if not (has_content or has_ended):
        raise _empty_reply("")


def _empty_reply(reason: str) -> ProviderError:
    error: ProviderError
    if is_complete(reason) or reason == CUT_OFF:
        cause = (
            _("the connection closed before its first word") if reason == CUT_OFF else _("no text, call or reasoning")
        )
        error = ProtocolError(
            _("The reply is empty: {cause}. The prompt may be longer than the model's context.", cause=cause)
        )
    else:
        error = ProviderError(_("The reply is empty. {text}", text=outcome_of(reason).message))
    error.retryable = not is_refusal(reason)
    return error
