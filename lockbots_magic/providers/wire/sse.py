"""Bytes -> server-sent events and text. Pure: no I/O, no knowledge of any provider.

The grammar is the one of the WHATWG HTML standard, section "Server-sent events".
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import NamedTuple

MAX_EVENT = 64 * 1024 * 1024
"""Bytes of a line, characters of an event's data: a server that never ends either must not eat the memory."""
KEPT_IGNORED = 8
"""Lines outside the grammar that are kept, each up to `KEPT_LINE` characters."""
KEPT_LINE = 4096
MAX_RETRY_DIGITS = 18
"""Digits of a reconnection time that is still meant: 18 of them are 30 million years in ms."""


class MalformedStream(ValueError):  # noqa: N818  # says what the stream is; never reaches the user
    """The bytes are not what the format promises."""


class Event(NamedTuple):
    """One dispatched event."""

    data: str
    type: str = "message"
    id: str = ""


class EventDecoder:
    """Turns pieces of an event stream, cut anywhere, into events.

    Lines that are no field of the grammar are ignored, as it demands, and kept in `ignored` (a few of
    them), for a caller who has to say what came in place of an event stream.
    """

    def __init__(self) -> None:
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._after_cr = False
        self._first = True
        self._data: list[str] = []
        self._data_size = 0
        self._type = ""
        self._last_id = ""
        self.retry: int | None = None
        """The reconnection time (ms) the stream asked for."""
        self.ignored: list[str] = []

    @property
    def pending(self) -> str:
        """The data of the event that is not dispatched yet, `""` if there is none."""
        return "\n".join(self._data)

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that `piece` completes.

        Raises:
            MalformedStream: a line is not UTF-8, or an event is endless; what stands before it has been yielded.
        """
        if self._after_cr and piece:  # the LF of a CRLF that was cut in two
            self._after_cr = False
            piece = piece.removeprefix(b"\n")
        end = _end_of_lines(piece)
        if end:
            self._after_cr = piece.endswith(b"\r")
            block = piece[:end]
            if self._tail:
                block = b"".join([*self._tail, block])
                self._tail, self._tail_size = [], 0
            lines, whole = _lines(block)
            for line in lines:
                event = self._take(line)
                if event is not None:
                    yield event
            if not whole:
                raise MalformedStream("the text is not UTF-8")
        if end < len(piece):
            self._keep(piece[end:])

    def close(self) -> None:
        """The stream ended. An unfinished event is discarded, says the standard; `pending` still tells it.

        Raises:
            MalformedStream: the last line is not UTF-8, other than by being cut.
        """
        line = b"".join(self._tail)
        self._tail, self._tail_size = [], 0
        if whole := TextDecoder().feed(line):
            self._take(whole)

    def _keep(self, piece: bytes) -> None:
        self._tail_size += len(piece)
        if self._tail_size > MAX_EVENT:
            raise MalformedStream(f"a line of more than {MAX_EVENT} bytes")
        self._tail.append(piece)

    def _take(self, line: str) -> Event | None:
        if self._first:
            self._first = False
            line = line.removeprefix("\ufeff")
        if not line:
            return self._dispatched()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data_size += len(value) + 1
            if self._data_size > MAX_EVENT:
                raise MalformedStream(f"an event of more than {MAX_EVENT} characters")
            self._data.append(value)
        elif name:  # without one, it is a comment
            self._field(name, value, line)
        return None

    def _field(self, name: str, value: str, line: str) -> None:
        if name == "event":
            self._type = value
        elif name == "id":
            if "\0" not in value:
                self._last_id = value
        elif name == "retry":
            if value.isascii() and value.isdigit() and len(value) <= MAX_RETRY_DIGITS:
                self.retry = int(value)
        elif line.strip() and len(self.ignored) < KEPT_IGNORED:
            self.ignored.append(line[:KEPT_LINE])

    def _dispatched(self) -> Event | None:
        kind, self._type = self._type or "message", ""
        if not self._data:
            return None
        event = Event(self.pending, kind, self._last_id)
        self._data, self._data_size = [], 0
        return event


def _end_of_lines(data: bytes) -> int:
    """Where the last line end in `data` ends, 0 if there is none."""
    return max(data.rfind(b"\n"), data.rfind(b"\r")) + 1


def _lines(block: bytes) -> tuple[list[str], bool]:
    """The lines of `block`, which ends with a line end, as far as they are UTF-8; and whether all of them are."""
    whole = True
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        whole = False
        text = block[: _end_of_lines(block[: error.start])].decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")[:-1], whole


class TextDecoder:
    """UTF-8 cut anywhere -> text, each character once it is whole."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    @property
    def pending(self) -> bytes:
        """The first bytes of a character whose rest has not come."""
        return self._decoder.getstate()[0]

    def feed(self, piece: bytes) -> str:
        """Return the text that is whole by now.

        Raises:
            MalformedStream: the bytes are not UTF-8.
        """
        try:
            return self._decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise MalformedStream("the text is not UTF-8") from error


class SurrogateJoiner:
    """Joins a character that JSON escapes cut into two halves, one in each of two deltas."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return `text` as valid Unicode; half a pair at its end waits for the other half."""
        if not self._half and (text.isascii() or not _has_surrogate(text)):
            return text
        text = self._half + text
        self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return _joined(text)

    def close(self) -> str:
        """Return what is left: a lone half has become U+FFFD."""
        rest, self._half = self._half, ""
        return _joined(rest)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
