"""Body of a response to events, whether it is an event stream or one JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import ProtocolError
from .json_text import parse_json
from .sse import MAX_EVENT, Event, EventDecoder, MalformedStream

BLANK = b"\xef\xbb\xbf \t\r\n"
"""Bytes that may precede a response: white space and a byte order mark."""


class BodyDecoder:
    """Decodes the pieces of a body, cut anywhere: an event stream, or one JSON document although one was requested.

    Raises:
        ProtocolError: The body is a web page, or malformed (both methods).
    """

    def __init__(self) -> None:
        self._started = False
        self._events = EventDecoder()
        self._document: list[bytes] | None = None
        self._size = 0

    @property
    def is_document(self) -> bool:
        """Whether the body is one JSON document: a single event, which `close` yields."""
        return self._document is not None

    @property
    def ignored(self) -> list[str]:
        """First lines of the stream that are not a field of its grammar."""
        return self._events.ignored

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that `piece` completes.

        Args:
            piece: Next bytes of the body, cut anywhere.
        """
        if not self._started:
            piece = self._start(piece)
        if self._document is not None:
            self._append(self._document, piece)
            return
        try:
            yield from self._events.feed(piece)
        except MalformedStream as error:
            raise _malformed(error) from None

    def close(self) -> Iterator[Event]:
        """End the body: yield the document, or an event that only lacks its final blank line."""
        if self._document is not None:
            yield Event(_decode(self._document))
            return
        try:
            self._events.close()
        except MalformedStream as error:
            raise _malformed(error) from None
        last = self._events.pending
        if last.strip() == "[DONE]" or isinstance(parse_json(last), dict):
            yield Event(last)

    def _start(self, piece: bytes) -> bytes:
        """Detect the format of the response by its first byte that is not blank."""
        start = piece.lstrip(BLANK)
        if not start:
            return piece
        self._started = True
        if start.startswith(b"<"):
            raise ProtocolError("The response is a web page. Check the base URL.")
        if start.startswith((b"{", b"[")):
            self._document = []
            return start
        return piece

    def _append(self, document: list[bytes], piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_EVENT:
            raise ProtocolError(f"The response is malformed: more than {MAX_EVENT} bytes of JSON.")
        document.append(piece)


def _malformed(error: MalformedStream) -> ProtocolError:
    return ProtocolError(f"The response is malformed: {error}.")


def _decode(pieces: list[bytes]) -> str:
    try:
        return b"".join(pieces).decode()
    except UnicodeDecodeError:
        raise ProtocolError("The response is malformed: the text is not UTF-8.") from None
