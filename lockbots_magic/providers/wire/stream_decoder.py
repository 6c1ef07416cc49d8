"""What the decoders of all dialects share: events in, deltas out, and errors wherever a server writes them. Pure."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ...conversation.ending import CUT_OFF, TOO_LONG
from ...conversation.messages import Delta
from ...errors import ProtocolError, ProviderError, ServerError
from ...language import _
from .body import BodyDecoder
from .error_words import error_words
from .errors import is_error, is_error_event, make_snippet, object_error
from .formats import format_of
from .json_text import is_cut_json, parse_json, split_json
from .sse import Event

_END_MARKS = frozenset({"[DONE]", "DONE", "[END]"})
_END_TYPES = frozenset({"done", "end"})
_HEARTBEAT_TYPES = frozenset({"ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"})
_HEARTBEAT = re.compile(r"[\[:\s\"]*(?:ping|pong|heartbeat|keep[-_ ]?alive|null)[\]\s\"]*", re.IGNORECASE)
"""Data by which gateways keep a connection open."""
_FIELD = re.compile(r"(?:data:\s*)+")
_FAILURE = re.compile(r"error|exception|fail|time.?out|unavailable|exceeded|abort|refused|disconnect", re.IGNORECASE)
_CHUNK_FIELDS = frozenset({"choices", "type", "object"})
_SEPARATOR = re.compile(r"\A\s*,?\s*(?:data:\s*)*")
"""What stands between two chunks in the data of one event."""
MAX_JOINED = 1_000_000
"""Characters of the data of one event in which several are searched, and"""
MAX_JOINTS = 20_000
"""places in it where more than white space stands between two."""


class StreamDecoder(ABC):
    """Decodes one response: an event stream, or one JSON object although a stream was requested.

    Feed it the pieces of the body, then `close` it. Once `done` is true, the rest of the body can be ignored.

    Raises:
        ProtocolError: The response is malformed, or in another format (both methods).
        ServerError, RateLimitError, AuthenticationError, ModelNotFoundError: The response is a 200 that holds an
            error object (both methods).
    """

    format: ClassVar[str]
    """How a server answers in this dialect, as messages call it."""
    content_name: ClassVar[str]
    """What a response holds, as messages call it."""

    def __init__(self) -> None:
        self.done = False
        self._has_content = False
        self._finish_reason = ""
        self._oddity = ""
        self._unread = ""  # data that are cut off: the next event may tell why
        self._is_ended = False  # by its end mark
        self._body = BodyDecoder()

    def feed(self, piece: bytes) -> Iterator[Delta]:
        """Yield the deltas that `piece` completes.

        Args:
            piece: Next bytes of the body, cut anywhere.
        """
        if self.done:
            return
        try:
            for event in self._body.feed(piece):
                self._check_unread(event)
                yield from self._take(event)
                if self.done:
                    return
            self._check_ignored_lines()
            if self._body.is_full:
                yield from self._cut()
        except ProviderError:
            yield from self._release()
            raise

    def _cut(self) -> Iterator[Delta]:
        """Yield what a document holds that is longer than is read; no call of it is whole for certain."""
        for event in self._body.close():
            for delta in self._take(event):
                yield delta._replace(calls=(), finish_reason=TOO_LONG if delta.finish_reason else None)
        if not self.done:
            self._finish_reason = TOO_LONG
            yield from self._end(TOO_LONG)

    def close(self) -> Iterator[Delta]:
        """End the body: yield what is left, and finally a delta with the finish reason."""
        if self.done:
            return
        try:
            for event in self._body.close():
                self._check_unread(event)
                yield from self._take(event)
            if self.done:
                return
            if self._unread:
                raise self.unrecognised_error(self._unread)
            if not self._finish_reason and not self._body.is_document:
                self._check_end()
        except ProviderError:
            yield from self._release()
            raise
        yield from self._end("stop" if self._body.is_document else CUT_OFF)

    @property
    def finish_reason(self) -> str:
        """Finish reason that the server has sent, if any; with one, the reply has ended."""
        return self._finish_reason

    def unrecognised_error(self, line: str) -> ProviderError:
        """Hook: override to interpret words in place of an event, or of the whole body. Return their error."""
        if self._has_content and not line.lstrip().startswith(("{", "[")):
            return ServerError(_("The reply broke off: {words}", words=error_words(line)))
        said = make_snippet(line)
        if self._body.is_document:
            return ProtocolError(_("The response is not valid JSON: {line}", line=said))
        return ProtocolError(_("The response is not an event stream: {line}", line=said))

    def line_error(self, line: str) -> ProviderError | None:
        """Hook: override for in-band errors in plain lines, which the grammar ignores. Return the error, if any."""
        return None

    def object_error(self, body: Any) -> ProviderError:
        """Hook: override to interpret an error object `body` inside a success. Return its error."""
        return object_error(body)

    def _check_format(self, value: Mapping[str, Any]) -> None:
        """Raise if an object is the response, or an event, of another dialect."""
        answered = format_of(value)
        if answered not in ("", self.format) and not self._has_content:
            error = ProtocolError(
                _("The server answered {answered}, not {format}.", answered=_(answered), format=_(self.format))
            )
            error.answered = answered
            raise error

    def _data_of(self, event: Event) -> str:
        """Return the data of an event without white space around them; empty for a heartbeat."""
        data = read_data(event)
        if data is None:
            self._oddity = self._oddity or event.data
        return data or ""

    def _take_joined(self, event: Event, data: str, value: Any) -> Iterator[Delta] | None:
        """Return the deltas of an event that holds several, or one that is written in an unusual way; else None.

        Observed: chunks one after the other without a line break, a list of chunks, the end mark behind the last one,
        JSON encoded twice.

        Args:
            event: The event.
            data: Its data.
            value: The data as parsed.
        """
        parts = split_data(data, value)
        return self._take_parts(Event(part, event.type, event.id) for part in parts) if parts else None

    def _take_parts(self, events: Iterable[Event]) -> Iterator[Delta]:
        for event in events:
            yield from self._take(event)
            if self.done:
                return

    @abstractmethod
    def _take(self, event: Event) -> Iterable[Delta]:
        """Return the deltas of an event."""

    @abstractmethod
    def _end(self, reason: str) -> Iterator[Delta]:
        """Yield what is left and the finish reason, by default `reason`; set `done`."""

    @abstractmethod
    def _release(self) -> Iterator[Delta]:
        """Yield what was held until it was known whether it belongs to the reply."""

    def _check_error(self, value: Any) -> None:
        if is_error(value):
            raise self.object_error(value)

    def _check_unreadable(self, data: str) -> None:
        """Raise because data are no JSON: words in its place, mostly of an error; after the end they say nothing."""
        if self._finish_reason:
            return
        if self._unread or not is_cut_json(data):
            raise self.unrecognised_error(data)
        self._unread = data

    def _check_unread(self, event: Event) -> None:
        """Raise if data were cut off and `event` is no error that tells why, as gateways put one behind them."""
        if not self._unread:
            return
        data = read_data(event)
        if data and not (is_error_event(event.type) or is_error(parse_json(data))):
            raise self.unrecognised_error(self._unread)

    def _check_ignored_lines(self) -> None:
        for line in self._body.ignored:
            if error := self.line_error(line):
                raise error

    def _check_end(self) -> None:
        """Raise if the last words of a stream that broke off say why, in no form that is known as an error."""
        self._check_ignored_lines()
        if not self._has_content and (said := [*self._body.ignored, self._body.unread])[0]:
            raise self.unrecognised_error(said[0])
        if self._has_content and (words := error_words(self._body.last_line)):
            raise ServerError(_("The reply broke off: {words}", words=words))
        self._check_oddity()

    def _check_oddity(self) -> None:
        """Raise if all that came is something else than a reply; after the end mark, it is an empty one: try again.

        A line of words before an end mark that no finish reason precedes tells why the reply broke off.
        """
        line = self._body.line_before
        if self._is_ended and self._has_content and not self._finish_reason and _FAILURE.search(line):
            raise ServerError(_("The reply broke off: {words}", words=error_words(line)))
        if not self._has_content and not self._finish_reason and self._oddity:
            error = ProtocolError(
                _(
                    "The response holds no {content_name}: {oddity}",
                    content_name=self.content_name,
                    oddity=make_snippet(self._oddity),
                )
            )
            error.retryable = self._is_ended
            raise error


def read_data(event: Event) -> str | None:
    """Return the data of an event without white space around them, None for a heartbeat.

    Observed: gateways that frame what is framed already, ``data: data: {...}``.
    """
    data = event.data.strip()
    if data.startswith("{"):  # nearly all
        return data
    if framed := _FIELD.match(data):
        data = data[framed.end() :]
    return None if _HEARTBEAT.fullmatch(data) or event.type.lower() in _HEARTBEAT_TYPES else data


def split_data(data: str, value: Any) -> list[str]:
    """Return the data of the events that `data` holds; none if they are those of one event, or no JSON."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return [value]
    if isinstance(value, list):
        is_chunks = all(isinstance(one, dict) and not is_error(one) for one in value)
        is_chunks = is_chunks and not all(_CHUNK_FIELDS.isdisjoint(one) for one in value)
        return [json.dumps(one) for one in value] if is_chunks else []
    if value is not None or not data.startswith("{") or len(data) > MAX_JOINED:
        return []
    parts: list[str] = []
    for _joint in range(MAX_JOINTS):
        values, rest = split_json(data)
        parts += values
        rest = _SEPARATOR.sub("", rest, count=1)
        if not values or not rest:
            break
        data = rest
    return [*parts, rest] if parts and rest else parts


def is_end_mark(event: Event, data: str) -> bool:
    """Whether an event says that the stream has ended: ``[DONE]``, in any way that servers write it.

    Args:
        event: The event.
        data: Its data, without white space around them.
    """
    return data.strip('"').upper() in _END_MARKS or (event.type in _END_TYPES and data in ("", "{}", "null"))
