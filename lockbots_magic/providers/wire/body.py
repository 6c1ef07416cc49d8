"""Body of a response to events, whether it is an event stream or one JSON document. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ...errors import ProtocolError
from ...language import _
from .error_words import page_words
from .errors import address_error, make_snippet
from .json_text import close_json, is_cut_json, parse_json, split_json
from .sse import MAX_EVENT, Event, EventDecoder, MalformedStream
from .stray_lines import StrayLines

MAX_PAGE = 4096
"""Bytes of a web page that are searched for its title."""

_BLANKS = re.compile(rb"[\xef\xbb\xbf \t\r\n]*")
"""White space and byte order marks that may precede a response."""
_LINE_END = re.compile(rb"[\r\n]")
_FIELDS = ("data:", "event:", "id:", "retry:", ":")


class BodyDecoder:
    """Decodes the pieces of a body, cut anywhere: an event stream, or JSON although a stream was requested.

    An error that a server writes outside the framing is yielded as an event of type ``error``.

    Raises:
        ProtocolError: The body is a web page, or malformed (both methods).
    """

    def __init__(self) -> None:
        self._started = False
        self._held = b""  # before the start: a quote, which the next byte tells the meaning of
        self._in_comment = False  # before the start: inside a line that is a comment
        self._ignored: list[tuple[str, Callable[[], str]]] = []
        self._events = EventDecoder(self._keep_ignored, _begins_another, is_cut_json, is_lenient=True)
        self._stray_lines = StrayLines()
        self._document: bytearray | None = None
        self._page: bytearray | None = None
        self.is_full = False
        """True once a document is longer than is read: the rest of the body can be ignored, and `close` yields what
        there is."""
        self.line_before = ""
        """The same before the last event."""
        self.last_line = ""
        """Line outside the grammar after which no event came; empty if there is none."""

    @property
    def is_document(self) -> bool:
        """Whether the body is JSON, which `close` yields."""
        return self._document is not None

    @property
    def ignored(self) -> list[str]:
        """First lines of the stream that are not a field of its grammar."""
        return self._events.ignored

    @property
    def unread(self) -> str:
        """Data of an event that never ended, if no more bytes could have completed them; else empty."""
        pending = self._events.pending.strip()
        return "" if "[DONE]".startswith(pending) or is_cut_json(pending) else pending

    @property
    def is_whole(self) -> bool:
        """False if a closed stream was cut inside of an event."""
        return _is_whole(self._events.pending)

    def feed(self, piece: bytes) -> Iterable[Event]:
        """Yield the events that `piece` completes.

        Args:
            piece: Next bytes of the body, cut anywhere.
        """
        if not self._started:
            return self._feed_start(piece)
        return self._feed_started(piece)

    def _feed_started(self, piece: bytes) -> Iterable[Event]:
        if self._document is not None:
            self.is_full = len(self._document) + len(piece) > MAX_EVENT
            self._document += piece[: MAX_EVENT - len(self._document)]
        elif self._page is not None:
            self._feed_page(self._page, piece)
        else:
            return self._feed_events(piece)
        return ()

    def close(self) -> Iterator[Event]:
        """End the body: yield the document, or an event that only lacks its final blank line."""
        if self._page is not None:
            raise _page_error(self._page)
        if self._document is not None:
            if self.is_full:
                yield Event(close_json(self._document.decode("utf-8", "ignore")))
            else:
                yield from self._close_document(_decode(self._document))
            return
        yield from self._feed_events(self._held)
        try:
            event = self._events.close()
        except MalformedStream as error:
            raise _malformed(error) from None
        if event is not None:
            yield event
        if self._ignored and any(field.startswith(self._ignored[-1][0]) for field in _FIELDS):
            self._ignored.pop()  # cut inside of a field's name
        yield from self._find_errors()
        pending = Event(self._events.pending, self._events.pending_type)
        if pending.data.strip() and (self.is_whole or pending.type == "error"):
            yield pending

    def _feed_start(self, piece: bytes) -> Iterator[Event]:
        """Detect the format of the response by its first byte that is neither blank nor in a comment.

        Gateways keep a connection open with comments until they know whether an event stream or JSON follows.
        """
        piece, self._held = self._held + piece, b""
        at = self._skip_comments(piece)
        rest = piece[at:]
        if rest == b'"':
            piece, self._held, rest = piece[:at], rest, b""
        self._started = bool(rest)
        if rest.startswith(b"<"):
            self._page = bytearray()
        elif rest.startswith((b"{", b"[", b'"{')):  # the last is JSON encoded twice
            self._document = bytearray()
        else:
            at, rest = len(piece), b""
        yield from self._feed_events(piece[:at])
        yield from self._feed_started(rest) if rest else ()

    def _skip_comments(self, piece: bytes) -> int:
        """Return the index in `piece` at which the response begins; its length if it has not begun."""
        at = 0
        while at < len(piece):
            if self._in_comment:
                end = _LINE_END.search(piece, at)
                if end is None:
                    return len(piece)
                self._in_comment, at = False, end.end()
            blank = _BLANKS.match(piece, at)
            at = blank.end() if blank else at
            if not piece.startswith(b":", at):
                break
            self._in_comment = True
        return at

    def _feed_events(self, piece: bytes) -> Iterator[Event]:
        try:
            for event in self._events.feed(piece):
                if self._ignored:
                    yield from self._find_errors()
                self.line_before, self.last_line = self.last_line, ""
                yield event
        except MalformedStream as error:
            raise _malformed(error) from None
        yield from self._find_errors()

    def _find_errors(self) -> Iterator[Event]:
        """Yield the errors among the lines that were ignored since the last call."""
        for line, pending in self._ignored:
            self.last_line = line
            if error := self._stray_lines.feed(line):
                if isinstance(parse_json(pending()), dict):  # only its final blank line is missing
                    yield Event(pending())
                yield Event(error, "error")
        self._ignored.clear()

    def _keep_ignored(self, line: str) -> None:
        self._ignored.append((line, self._events.defer_pending()))

    def _close_document(self, text: str) -> Iterator[Event]:
        """Yield the JSON values of a document: mostly one. A stream may follow an error that lacks the framing."""
        values, rest = split_json(text)
        for value in values:
            yield Event(value)
        if rest and is_cut_json(rest):
            error = ProtocolError(
                _("The response is cut short in the middle of its JSON: {rest}", rest=make_snippet(rest))
            )
            error.retryable = True
            raise error
        if rest and not (values and rest.startswith(_FIELDS)):
            yield Event(rest)
        elif rest:
            self._document = None
            yield from self._feed_events(rest.encode())
            yield from self.close()

    def _feed_page(self, page: bytearray, piece: bytes) -> None:
        page += piece
        if b"</title" in piece.lower() or len(page) > MAX_PAGE:
            raise _page_error(page)


def _begins_another(data: str) -> bool:
    """Whether a line of data after `data` begins another event without a blank line between; no empty line does."""
    return bool(data.strip()) and _is_whole(data)


def _is_whole(data: str) -> bool:
    data = data.strip()
    return data in ("", "[DONE]") or isinstance(parse_json(data), dict)


def _page_error(page: bytearray) -> ProtocolError:
    title = page_words(page.decode("utf-8", "replace"))
    return address_error(
        _("The response is a web page ({title}). Check the base URL.", title=title)
        if title
        else _("The response is a web page. Check the base URL.")
    )


def _malformed(error: MalformedStream) -> ProtocolError:
    return ProtocolError(_("The response is malformed: {error}.", error=error))


def _decode(document: bytearray) -> str:
    try:
        return document.decode()
    except UnicodeDecodeError:
        raise ProtocolError(_("The response is malformed: the text is not UTF-8.")) from None
