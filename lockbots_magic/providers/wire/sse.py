"""Decoders of server-sent events and UTF-8 text, cut anywhere. Pure.

The grammar is that of the WHATWG HTML standard, section "Server-sent events".
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ...language import _
from ...late_pattern import late_pattern

MAX_EVENT = 16_000_000
"""Bytes of a line, and characters of an event's data: bounds the memory that an endless one takes."""
LINE_COST = 64
"""Characters that each line of an event's data counts for besides its own: the memory of one in Python."""
MAX_BETWEEN = 64_000_000
"""Characters between two events, with `LINE_COST` for each line: bounds the time that endless blank lines take.

A heartbeat of two lines each second stays below it for five days.
"""
MAX_CONTINUED = 200
"""Lines without ``data:`` by which the data of one event go on,"""
MAX_CONTINUED_SIZE = 65536
"""and characters of the data before them."""
MAX_IGNORED_LINES = 8
"""Lines outside the grammar that are kept, each up to `MAX_IGNORED_LINE` characters."""
MAX_IGNORED_LINE = 4096
MAX_RETRY_DIGITS = 18
"""Digits of a reconnection time; 18 of them are 30 million years in ms."""


_FIELDS = frozenset({"", "data", "event", "id", "retry"})
"""Names of fields; a line without a name is a comment."""
_ONE_LINE = late_pattern(r"(?:event:(?: ?([^\n]*))\n)?data:(?: |(?! ))(?=[^\n]*\Z)")
"""Beginning of an event that is one line of data, with its type before it or without."""


class MalformedStream(ValueError):  # noqa: N818  # internal; users see a ProtocolError
    """The bytes do not follow the format."""

    text = ""
    """Text decoded before them, which has not been returned."""


class Event(NamedTuple):
    """One dispatched event."""

    data: str
    type: str = "message"
    id: str = ""


class EventDecoder:
    """Decodes pieces of an event stream, cut anywhere.

    Lines that are not a field of the grammar are ignored, as it requires. The first few are kept in `ignored`, so that
    an error message can quote them.

    Args:
        on_ignored: Called with each of these lines, in order, before a later event is yielded.
        is_whole: Tells whether the one line of data of an event is all of it, so that another one begins the next event
            although the blank line between them is missing, as observed. By default it never is, as in the standard.
        is_cut: Tells whether the data of an event so far go on in the next line although that has no ``data:`` before
            it: JSON with line breaks in it, as observed. By default they never do, as in the standard.
        is_lenient: Whether names of fields may be indented and have capitals, as observed.
    """

    def __init__(
        self,
        on_ignored: Callable[[str], object] = lambda line: None,
        is_whole: Callable[[str], bool] = lambda data: False,
        is_cut: Callable[[str], bool] = lambda data: False,
        *,
        is_lenient: bool = False,
    ) -> None:
        self._on_ignored = on_ignored
        self._is_whole = is_whole
        self._is_cut = is_cut
        self._is_lenient = is_lenient
        self._tail = bytearray()
        self._after_cr = False
        self._first = True
        self._data: list[str] = []
        self._data_size = 0
        self._cut_lines = 0  # lines of data that are known to be cut: to look at them again takes long
        self._between = 0
        self._type = ""
        self._later_type = ""  # type that came after data: of the next event, if no blank line follows
        self._last_id = ""
        self._head, self._kind = "data: ", "message"  # beginning of the last event that was one line of data; its type
        self.retry: int | None = None
        """Reconnection time (ms) that the stream asked for."""
        self.ignored: list[str] = []

    @property
    def pending(self) -> str:
        """Data of the event that is not complete yet, `""` if there is none."""
        return "\n".join(self._data)

    @property
    def pending_type(self) -> str:
        """Type of the event that is not complete yet."""
        return self._later_type or self._type or "message"

    def defer_pending(self) -> Callable[[], str]:
        """Return a function that returns what `pending` is now: joining all lines takes long."""
        lines, count = self._data, len(self._data)
        return lambda: "\n".join(lines[:count])

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that `piece` completes.

        Raises:
            MalformedStream: A line is not UTF-8, an event is too long, or none comes. The events before it have been
                yielded.
        """
        if self._after_cr and piece:  # the LF of a CRLF that was cut
            self._after_cr = False
            piece = piece.removeprefix(b"\n")
        end = _find_end_of_lines(piece)
        if end:
            self._after_cr = piece.endswith(b"\r")
            block = piece[:end]
            if self._tail:
                block = bytes(self._tail) + block
                self._tail = bytearray()
            text, valid = _decode_lines(block)
            yield from self._read_lines(text)
            if not valid:
                raise MalformedStream(_("the text is not UTF-8"))
        if end < len(piece):
            self._append_tail(piece[end:])

    def close(self) -> Event | None:
        """End the stream; return the event before its last line, if `is_whole` tells that this begins another.

        The standard discards an unfinished event; `pending` still returns its data.

        Raises:
            MalformedStream: The last line is not UTF-8, other than by being cut.
        """
        line = bytes(self._tail)
        self._tail = bytearray()
        whole = TextDecoder().feed(line)
        return self._process_line(whole) if whole else None

    def _read_lines(self, text: str) -> Iterator[Event]:
        """Yield the events that lines complete, each of which ends with a line feed."""
        groups = text.split("\n\n")
        last = groups.pop()
        is_clean = not (self._first or self._data or self._type) and len(text) <= MAX_EVENT
        head, kind = self._head, self._kind
        for group in groups:
            if is_clean and group.startswith(head):  # nearly all events begin as the one before
                data = group[len(head) :]
                if "\n" not in data:
                    self._between = 0
                    yield Event(data, kind, self._last_id)
                    continue
            if is_clean and not group:  # two blank lines
                self._skip(LINE_COST)
                continue
            if is_clean and (found := _ONE_LINE.match(group)):
                kind_found = found[1] or "message"
                if found[0].endswith(" "):  # without it, the next event may have a space that does not count
                    head, kind = self._head, self._kind = found[0], kind_found
                self._between = 0
                yield Event(group[found.end() :], kind_found, self._last_id)
                continue
            yield from self._process_lines((*group.split("\n"), ""))
            is_clean = len(text) <= MAX_EVENT
        yield from self._process_lines(last.split("\n")[:-1])

    def _process_lines(self, lines: Iterable[str]) -> Iterator[Event]:
        for line in lines:
            event = self._process_line(line)
            if event is not None:
                yield event

    def _append_tail(self, piece: bytes) -> None:
        if len(self._tail) + len(piece) > MAX_EVENT:
            raise MalformedStream(_("a line of more than {max_event} bytes", max_event=MAX_EVENT))
        self._tail += piece

    def _process_line(self, line: str) -> Event | None:
        if self._first:
            self._first = False
            line = line.removeprefix("\ufeff")
        if not line:
            return self._dispatch()
        name, _unused, value = line.partition(":")
        value = value.removeprefix(" ")
        if self._is_lenient and name not in _FIELDS and name.strip().lower() in _FIELDS:
            name = name.strip().lower()
        if name == "data":
            event = self._end_unseparated() if self._data else None
            self._add_data(value)
            return event
        if self._data and name not in _FIELDS and self._goes_on(line):
            self._add_data(line)
            return None
        self._skip(len(line))
        if name:  # a line without a name is a comment
            self._process_field(name, value, line)
        return None

    def _add_data(self, value: str) -> None:
        self._data_size += len(value) + LINE_COST
        if self._data_size > MAX_EVENT + LINE_COST:
            raise MalformedStream(_("an event of more than {max_event} characters", max_event=MAX_EVENT))
        self._data.append(value)

    def _goes_on(self, line: str) -> bool:
        """Whether a line that is no field belongs to the data before it."""
        count = len(self._data)
        if count > MAX_CONTINUED or self._data_size > MAX_CONTINUED_SIZE:
            return False
        if self._cut_lines != count and not self._is_cut(self.pending):
            return False
        joined = f"{self.pending}\n{line}"
        is_cut = self._is_cut(joined)
        self._cut_lines = count + 1 if is_cut else 0
        return is_cut or self._is_whole(joined)

    def _skip(self, size: int) -> None:
        """Count a line of `size` characters that is no data."""
        self._between += size + LINE_COST
        if self._between > MAX_BETWEEN:
            raise MalformedStream(_("more than {count} characters without an event", count=MAX_BETWEEN))

    def _end_unseparated(self) -> Event | None:
        """Return the event before a line of data, if that line begins the next event."""
        if len(self._data) > 1 or not self._is_whole(self._data[0]):
            return None
        later, self._later_type = self._later_type, ""
        event = self._dispatch()
        self._type = later
        return event

    def _process_field(self, name: str, value: str, line: str) -> None:
        if name == "event":
            if self._data:
                self._later_type = value
            else:
                self._type = value
        elif name == "id":
            if "\0" not in value:
                self._last_id = value
        elif name == "retry":
            if value.isascii() and value.isdigit() and len(value) <= MAX_RETRY_DIGITS:
                self.retry = int(value)
        elif line.strip():
            self._on_ignored(line)
            if len(self.ignored) < MAX_IGNORED_LINES:
                self.ignored.append(line[:MAX_IGNORED_LINE])

    def _dispatch(self) -> Event | None:
        kind = self.pending_type
        self._type = self._later_type = ""
        if not self._data:
            self._skip(0)
            return None
        event = Event(self.pending, kind, self._last_id)
        self._data, self._data_size, self._cut_lines, self._between = [], 0, 0, 0
        return event


def _find_end_of_lines(data: bytes) -> int:
    """Return the index after the last line end in `data`, 0 if there is none."""
    return max(data.rfind(b"\n"), data.rfind(b"\r")) + 1


def _decode_lines(block: bytes) -> tuple[str, bool]:
    """Return the lines of `block` up to the first that is not UTF-8, with line feeds, and whether all of them are."""
    valid = True
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        valid = False
        text = block[: _find_end_of_lines(block[: error.start])].decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, valid


class TextDecoder:
    """Decodes UTF-8, cut anywhere; each character once it is complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    @property
    def pending(self) -> bytes:
        """First bytes of a character that is not complete yet."""
        return self._decoder.getstate()[0]

    def feed(self, piece: bytes) -> str:
        """Return the text that `piece` completes.

        Raises:
            MalformedStream: The bytes are not UTF-8.
        """
        try:
            return self._decoder.decode(piece)
        except UnicodeDecodeError as error:
            malformed = MalformedStream(_("the text is not UTF-8"))
            malformed.text = error.object[: error.start].decode()
            raise malformed from error


class SurrogateJoiner:
    """Joins surrogate pairs: JSON escapes may cut a character into two halves, one in each of two deltas."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Return `text` as valid Unicode; half a pair at its end is held back for the other half."""
        if not self._half and (text.isascii() or not _has_surrogate(text)):
            return text
        text = self._half + text
        self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return _join_surrogates(text)

    def close(self) -> str:
        """Return the text held back: a lone half becomes U+FFFD."""
        rest, self._half = self._half, ""
        return _join_surrogates(rest)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
